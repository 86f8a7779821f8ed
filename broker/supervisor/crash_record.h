/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of a worker that ended when it should not have: one JSON file per end, for
 * whoever has to find out why (record_dir.h says where and how many). */
#ifndef BROKER_SUPERVISOR_CRASH_RECORD_H
#define BROKER_SUPERVISOR_CRASH_RECORD_H

#include "base/buf.h"
#include "broker/supervisor/worker.h"

/* The record of w, whose doom says why, as text. */
void crash_record_text(
    const struct worker *w, const struct launch_event *e, struct buf *out);
/* Written to the supervisor's state folder, and logged where. A folder that is not there,
 * or full, is said once, until it is there again. */
void crash_record_write(const struct worker *w, const struct launch_event *e);

#endif
