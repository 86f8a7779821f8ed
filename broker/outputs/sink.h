/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sink at work: an output, the queue before it, the thread that empties the queue,
 * and what became of the lines. Lines are delivered in order; a batch is what waited when
 * the thread looked.
 */
#ifndef BROKER_OUTPUTS_SINK_H
#define BROKER_OUTPUTS_SINK_H

#include <pthread.h>
#include <stdatomic.h>

#include "broker/outputs/out.h"

struct sink {
	const char *name; /* a constant */
	struct queue queue;
	struct out *out;
	bool line_by_line;
	uint32_t free_wait_ms;
	pthread_t thread;

	atomic_bool stop;    /* deliver what is there, then end */
	atomic_bool give_up; /* deliver nothing more */
	atomic_bool reopen;
	atomic_uint_fast64_t delivered, lost[OUTPUTS_LOSS_N];
	/* The call in progress: since when (0: none). */
	atomic_uint_fast64_t busy_since_ns;

	/* The owner's; called by the thread: before a call of the output, and as the last
	 * thing that it does, after which the sink may be released. */
	void (*on_busy)(void *arg);
	void (*on_end)(struct sink *s, void *arg);
	void *arg;

	pthread_mutex_t lock; /* of freeing out, against others who use it */

	/* The thread's own. */
	uint64_t last_error_ns;
	uint32_t quiet; /* failures since then that were not logged */

	bool has_ended; /* under the owner's lock */
};

/* Makes the output; no thread yet. False with err set when it cannot be made. */
bool sink_init(struct sink *s, out_make_fn *make, const struct settings *settings,
    bool unbuffered, size_t limit_bytes, struct err *err);
bool sink_start(struct sink *s, struct err *err);

/* False, and counted, when there is no room. */
bool sink_put(struct sink *s, enum priority priority, const char *line, size_t len);
/* That was all for now: the thread is woken, or what is there is written without it. */
void sink_flush(struct sink *s);
bool sink_is_idle(struct sink *s);
void sink_counts(struct sink *s, struct outputs_sink *ret_counts);

void sink_reopen(struct sink *s);
/* Ends the thread: once all is delivered, or (give_up) as soon as its call returns. */
void sink_stop(struct sink *s);
void sink_give_up(struct sink *s);

/* Without a thread, or after its end. */
void sink_release(struct sink *s);

#endif
