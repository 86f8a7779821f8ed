/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before the loop sleeps. A plugin that uses a table waits for each operation, in
 * lockstep one request waits for the other, and a source that is busy is about to publish
 * its next chunk: what comes next is on its way already, and looking for it is cheaper
 * than being woken for it. Of chunks that is only a guess: each wrong one doubles how
 * often it is not made.
 */
#include <event2/event.h>

#include "base/spin.h"
#include "broker/pipeline/internal.h"

enum {
	/* About what being woken costs. */
	QUIET_NS = 50000,
	/* Then everybody else in the loop gets a turn. */
	TURN_NS = 5000000,
	/* For a chunk. */
	CHUNK_NS = 20000,
	MAX_DOUBT = 10, /* at most every so many-th power of two's chance is taken */
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

/* Nothing is asked of anybody, and nobody else needs the loop. */
static bool
expects_chunk(struct pipeline *p)
{
	bool alone = p->sup->spun_last == p;

	p->sup->spun_last = p;
	return alone && p->has_origin && p->state == PIPELINE_IDLE &&
	       worker_is_up(p->worker[0].worker) && ++p->chances >> p->doubt > 0;
}

/* True when one came. */
static bool
await_chunk(struct pipeline *p)
{
	struct worker *w = p->worker[0].worker;
	bool came = false;

	p->chances = 0;
	spin_begin(&p->sup->spin, CHUNK_NS);
	do {
		came = ring_reader_fill(&w->reader) > 0;
	} while (!came && spin_on(&p->sup->spin));
	if (came)
		p->doubt = 0;
	else if (p->doubt < MAX_DOUBT)
		p->doubt++;
	return came;
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

	if (!p->sup->spin.is_possible)
		return false;
	if (seen == p->table_frames && !(p->lockstep && is_asking(p))) {
		bool any = p->is_lingering && stop(p);
		return any || (expects_chunk(p) && await_chunk(p));
	}
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
