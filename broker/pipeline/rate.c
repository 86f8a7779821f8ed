/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events_per_s of a profile: a source that gives more is held back, nothing is dropped.
 * Its batches are acknowledged later, and it fetches no further than it may run ahead.
 */
#include <event2/event.h>

#include "base/clock.h"
#include "broker/pipeline/internal.h"

enum {
	/* What a timer is set for; shorter waits are made up for by the next one. */
	SHORTEST_MS = 5
};

static void
on_due(int fd, short what, void *arg)
{
	struct pipeline *p = arg;
	struct pipeline_rate *r = &p->rate;

	for (; r->n_held > 0; r->n_held--) {
		/* A new incarnation has batches of its own. */
		if (r->incarnation == p->incarnation)
			pipeline_acknowledge(p, r->first_held++);
	}
}

void
pipeline_rate_acknowledge(struct pipeline *p, uint32_t batch)
{
	uint64_t limit = p->worker[0].worker->plugin->profile->limits.events_per_s;
	uint64_t now = limit ? clock_mono_ns() : 0, n;
	struct pipeline_rate *r = &p->rate;

	if (limit == 0) {
		pipeline_acknowledge(p, batch);
		return;
	}
	n = p->counts.events - r->events;
	r->events = p->counts.events;
	if (r->due_ns < now)
		r->due_ns = now;
	r->due_ns += n * 1000000000u / limit;
	if (r->incarnation != p->incarnation)
		r->n_held = 0;
	r->incarnation = p->incarnation;
	if (r->n_held++ == 0)
		r->first_held = batch;
	uint64_t wait_ms = (r->due_ns - now) / 1000000;
	struct timeval tv = {
	    (time_t)(wait_ms / 1000), (suseconds_t)(wait_ms % 1000 * 1000)};
	if (!r->on_due)
		r->on_due = evtimer_new(p->sup->base, on_due, p);
	/* Without memory for a timer it is not held back. */
	if (wait_ms < SHORTEST_MS || !r->on_due || evtimer_add(r->on_due, &tv) < 0)
		on_due(-1, 0, p);
}

void
pipeline_rate_release(struct pipeline *p)
{
	if (p->rate.on_due)
		event_free(p->rate.on_due);
}
