/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches are acknowledged when they are evaluated.
 *
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

/* Acknowledged together while more batches wait: about what a worker fills a chunk with.
 */
enum {
	ACK_EVENTS = 64
};

void
pipeline_acknowledge_all(struct pipeline *p)
{
	struct worker *w = pipeline_origin(p);
	const struct ack_frame ack = {.batch = p->ack_batch};
	struct err err;

	if (!p->ack_is_due)
		return;
	p->ack_is_due = false;
	p->acked_events = p->counts.events;
	if (!worker_is_up(w) || w->id != p->incarnation)
		return;
	if (ring_put(&w->writer, FRAME_ACK, &ack, sizeof(ack)) != RING_OK) {
		err_set(&err, ERR_PEER, "it does not read its acknowledgements");
		worker_breach(w, &err);
	} else if (ring_writer_must_wake(&w->writer)) {
		worker_wake(w);
	}
}

static void
acknowledge(struct pipeline *p, uint32_t batch)
{
	p->ack_batch = batch;
	p->ack_is_due = true;
	if (!p->is_pumping || p->counts.events - p->acked_events >= ACK_EVENTS)
		pipeline_acknowledge_all(p);
}

static void
on_due(int fd, short what, void *arg)
{
	struct pipeline *p = arg;
	struct pipeline_rate *r = &p->rate;

	/* A new incarnation has batches of its own. */
	if (r->is_holding && r->incarnation == p->incarnation)
		acknowledge(p, r->held);
	r->is_holding = false;
}

void
pipeline_acknowledge(struct pipeline *p, uint32_t batch)
{
	uint64_t limit = pipeline_origin(p)->plugin->profile->limits.events_per_s;
	uint64_t now = limit ? clock_mono_ns() : 0, n;
	struct pipeline_rate *r = &p->rate;

	if (limit == 0) {
		acknowledge(p, batch);
		return;
	}
	n = p->counts.events - r->events;
	r->events = p->counts.events;
	if (r->due_ns < now)
		r->due_ns = now;
	r->due_ns += n * 1000000000u / limit;
	r->is_holding = true;
	r->held = batch;
	r->incarnation = p->incarnation;
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
