/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker may send, in which of its states, how big and how often. A message that
 * has no row, comes out of phase, is too big or too frequent ends that worker: ERR_PEER.
 */
#ifndef PROTO_PERMITS_H
#define PROTO_PERMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/control.pb-c.h"

/* The broker's view of one worker's life. */
enum worker_phase {
	PHASE_CONFINED, /* made, attested; Ready is expected */
	PHASE_READY,    /* Load may be sent */
	PHASE_LOADING,
	PHASE_LOADED,
	PHASE_INITIALIZING,
	PHASE_INITIALIZED,
	PHASE_OPENING,
	PHASE_OPEN, /* plan, start */
	PHASE_RUNNING,
	PHASE_STOPPING,
	PHASE_STOPPED,
	PHASE_QUITTING,
	PHASE_N,
};

const char *worker_phase_name(enum worker_phase p);

/* A message's kind is its number in control.proto. */
enum {
	PERMIT_KINDS_N = 64
};

/* Counts per worker and message kind; zero it for a new worker. A window is one second.
 */
struct permit_state {
	uint32_t count[PERMIT_KINDS_N];
	uint64_t window_start_ns;
	uint32_t in_window[PERMIT_KINDS_N];
};

/* May this message of size_bytes (on the wire) come now? now_ns is monotonic. */
bool permit_check(struct permit_state *s, enum worker_phase phase,
    const Control__Message *m, size_t size_bytes, uint64_t now_ns, struct err *err);

#endif
