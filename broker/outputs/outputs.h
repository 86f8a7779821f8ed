/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where alerts go: one bounded queue and one thread that hands each line to every sink,
 * in the order file, stdout, syslog, program, http (engine.md 3.8). outputs_put never
 * blocks and never waits for a sink: detection does not depend on who reads its results.
 */
#ifndef BROKER_OUTPUTS_OUTPUTS_H
#define BROKER_OUTPUTS_OUTPUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "broker/settings/settings.h"

struct outputs;

/* Opens the sinks that settings enable and starts the thread. A sink that cannot be
 * opened is logged and left out; none at all is an error (Falco's text). unbuffered: each
 * line is a write of its own; else what is queued at a time is one. */
struct outputs *outputs_new(const struct settings *s, bool unbuffered, struct err *err);

/* Copies the line (no newline). False, and counted, when the queue is full. */
bool outputs_put(struct outputs *o, enum priority priority, const char *line, size_t len);
/* SIGUSR1: closes and opens files and programs again; done by the thread. */
void outputs_reopen(struct outputs *o);
/* Everything queued has been handed to every sink: asked by tests and by a clean stop. */
bool outputs_idle(struct outputs *o);

struct outputs_counts {
	uint64_t queued, delivered, dropped_full;
	uint64_t discarded; /* when a blocked sink had to be given up at the end */
	uint64_t failed;    /* per sink and line */
	uint32_t depth, depth_max;
};
void outputs_counts(struct outputs *o, struct outputs_counts *ret_counts);

/* One sink; name is a constant. */
struct outputs_sink {
	const char *name;
	uint64_t failed; /* lines that it did not take */
};
/* The i-th sink in use; false when there are not so many. */
bool outputs_sink(struct outputs *o, uint32_t i, struct outputs_sink *ret_sink);

/* Delivers what is queued, waits at most output_timeout for it, then discards the rest
 * and says so. Joins the thread unless a sink holds it for good. */
void outputs_free(struct outputs *o);

#endif
