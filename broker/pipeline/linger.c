/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before the loop sleeps. A plugin that uses a table waits for each operation, and in
 * lockstep one request waits for the other: what comes next is on its way already, and
 * looking for it is cheaper than being woken for it.
 */
#include <event2/event.h>

#include "base/spin.h"
#include "broker/pipeline/internal.h"

enum {
	/* About what being woken costs. */
	QUIET_NS = 50000,
	/* Then everybody else in the loop gets a turn. */
	TURN_NS = 5000000,
};

static uint64_t
table_frames(const struct pipeline *p)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < p->n_worker; i++)
		n += p->worker[i].worker->counts.table_frames;
	return n;
}

static bool
is_asking(const struct pipeline *p)
{
	for (uint32_t i = 0; i < p->n_worker; i++) {
		if (p->worker[i].request.under_way)
			return true;
	}
	return false;
}

/* Hands on what is about tables; true when there is something else. */
static bool
look(struct pipeline *p)
{
	bool any = false;

	for (uint32_t i = 0; i < p->n_worker; i++) {
		struct pipeline_worker *pw = &p->worker[i];
		struct worker *w = pw->worker;

		if (!worker_is_up(w))
			continue;
		any |= worker_side_look(w);
		any |= worker_is_up(w) && ring_reader_fill(&w->reader) > 0 &&
		       (pw->request.under_way || p->state == PIPELINE_IDLE);
	}
	return any;
}

/* From here on workers must wake us again. True when one of them has something. */
static bool
stop(struct pipeline *p)
{
	bool any = false;

	for (uint32_t i = 0; i < p->n_worker; i++)
		any |= worker_side_sleep(p->worker[i].worker);
	p->is_lingering = false;
	return any;
}

static void
begin(struct pipeline *p)
{
	struct spin *s = &p->sup->spin;

	spin_begin(s, QUIET_NS);
	if (s->end_ns > p->turn_end_ns)
		s->end_ns = p->turn_end_ns;
}

bool
pipeline_linger(struct pipeline *p)
{
	uint64_t seen = table_frames(p);

	if (!p->sup->spin.is_possible ||
	    (seen == p->table_frames && !(p->lockstep && is_asking(p))))
		return p->is_lingering && stop(p);
	p->is_lingering = true;
	if (p->turn_end_ns == 0)
		p->turn_end_ns = clock_mono_ns() + TURN_NS;
	begin(p);
	do {
		uint64_t n;

		if (look(p))
			return true;
		if ((n = table_frames(p)) != seen) {
			seen = n;
			begin(p);
		}
	} while (spin_on(&p->sup->spin));
	if (clock_mono_ns() >= p->turn_end_ns)
		event_active(p->on_turn, EV_TIMEOUT, 0);
	else
		p->table_frames = seen;
	return stop(p);
}

void
pipeline_take_side(struct pipeline *p, struct worker *w)
{
	if (p->is_lingering)
		worker_side_look(w);
	else
		worker_side_sleep(w);
}

void
pipeline_linger_no_more(struct pipeline *p)
{
	if (p->is_lingering)
		stop(p);
}
