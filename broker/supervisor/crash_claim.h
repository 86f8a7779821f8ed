/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker's own account of its crash (proto/crash_note.h), put in words. All of it is
 * the word of a process that may lie; what the broker adds are names of functions, from
 * those files that it put into the worker's root itself.
 */
#ifndef BROKER_SUPERVISOR_CRASH_CLAIM_H
#define BROKER_SUPERVISOR_CRASH_CLAIM_H

#include "base/json_write.h"
#include "broker/supervisor/worker.h"

/* The object's value, as docs/crash-records.md describes "worker_says". False, and
 * nothing written: it left no account. */
bool crash_claim_json(const struct worker *w, struct json_writer *j);

/* Where it happened, as one place: "next_batch+0x12 (libx.so)", of the plugin if its
 * functions are on the stack. False: it left no account. */
bool crash_claim_place(const struct worker *w, char *out, size_t size);

#endif
