/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events that a plugin does not survive: each is kept as one JSON file with the raw event
 * and the fields that were asked for, enough to do the same to the plugin again.
 */
#ifndef BROKER_PIPELINE_QUARANTINE_H
#define BROKER_PIPELINE_QUARANTINE_H

#include "broker/pipeline/pipeline.h"

/* The event at position e of the chunk under way, which killed the worker of pw. */
void quarantine_event(
    const struct pipeline *p, const struct pipeline_worker *pw, uint32_t e);

#endif
