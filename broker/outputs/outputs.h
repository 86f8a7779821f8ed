/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where alerts go. Each sink (file, stdout, syslog, program, http) has a
 * bounded queue and a thread of its own, so that one that is slow, blocked or dead holds
 * up nobody: not the other sinks, and not detection, for outputs_put never waits. What
 * one cannot take is counted, by sink and reason.
 */
#ifndef BROKER_OUTPUTS_OUTPUTS_H
#define BROKER_OUTPUTS_OUTPUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "broker/settings/settings.h"

struct outputs;

/* Opens the sinks that settings enable and starts their threads. A sink that cannot be
 * opened is logged and left out; none at all is an error (Falco's text). unbuffered: each
 * line is a write of its own; else what is queued at a time is one. */
struct outputs *outputs_new(const struct settings *s, bool unbuffered, struct err *err);

/* Copies the line (no newline) for every sink; false when one had no room. A line may
 * wait until outputs_flush before anybody looks at it. */
bool outputs_put(struct outputs *o, enum priority priority, const char *line, size_t len);
/* That was all for now. Cheap, but a wake-up: once per window, not per line. */
void outputs_flush(struct outputs *o);
/* SIGUSR1: closes and opens files and programs again; done by the threads. */
void outputs_reopen(struct outputs *o);
/* Everything queued has been handed to every sink: asked by tests and by a clean stop. */
bool outputs_idle(struct outputs *o);

/* Why a sink did not get a line. */
enum outputs_loss {
#define LOSS(id, name, text) id,
#include "broker/outputs/losses.h"
#undef LOSS
	OUTPUTS_LOSS_N
};
/* As in metrics, and in words. */
const char *outputs_loss_name(enum outputs_loss why);
const char *outputs_loss_text(enum outputs_loss why);

/* One sink; name is a constant. */
struct outputs_sink {
	const char *name;
	uint64_t delivered; /* lines that it took (or its spool did) */
	uint64_t lost[OUTPUTS_LOSS_N];
	uint32_t depth, depth_max; /* lines that wait */
	uint64_t spooled_bytes;    /* of delivered ones that wait on disk */
};
/* The i-th sink in use; false when there are not so many. */
bool outputs_sink(struct outputs *o, uint32_t i, struct outputs_sink *ret_sink);

/* All sinks together: a line counts once for each. */
struct outputs_counts {
	uint64_t queued; /* lines of outputs_put, once each */
	uint64_t delivered;
	uint64_t dropped; /* no room, too long, or given up at the end */
	uint64_t failed;  /* the sink did not take it */
	uint32_t depth;
};
void outputs_counts(struct outputs *o, struct outputs_counts *ret_counts);

/* Delivers what is queued, waits at most output_timeout for it, then discards the rest
 * and says so. Joins the threads, but one whose sink holds it for good. */
void outputs_free(struct outputs *o);

#endif
