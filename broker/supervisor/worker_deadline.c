/* SPDX-License-Identifier: Apache-2.0 */
/* How long a worker may take: for a step of its life, and for one call of its plugin. */
#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/supervisor/worker_internal.h"
#include "proto/call.h"

enum deadline_kind {
	DEADLINE_NONE,
	DEADLINE_INIT,
	DEADLINE_OPEN,
	DEADLINE_CLOSE,
};

static const enum deadline_kind state_deadline[WORKER_STATE_N] = {
#define WORKER_STATE_DEADLINE(id, phase, deadline, name)                                 \
	[WORKER_##id] = DEADLINE_##deadline,
    WORKER_STATES(WORKER_STATE_DEADLINE)
#undef WORKER_STATE_DEADLINE
};

static uint32_t
deadline_ms(const struct worker *w)
{
	const struct profile_limits *l = &w->plugin->profile->limits;

	switch (state_deadline[w->state]) {
	case DEADLINE_INIT:
		return l->init_ms;
	case DEADLINE_OPEN:
		return l->open_ms;
	case DEADLINE_CLOSE:
		return l->close_ms;
	case DEADLINE_NONE:
		break;
	}
	return 0;
}

static uint32_t
call_deadline_ms(const struct worker *w, enum call_kind kind)
{
	const struct profile_limits *l = &w->plugin->profile->limits;

	switch (kind) {
#define CALL_DEADLINE(id, name, deadline)                                                \
	case CALL_##id:                                                                  \
		return l->deadline;
		CALL_KINDS(CALL_DEADLINE)
#undef CALL_DEADLINE
	default:
		return 0;
	}
}

/*
 * Time as deadlines count it. While the broker does not get to looking (it waits for a
 * processor, or for something slow) what workers have done meanwhile is not known: such a
 * time counts as no more than this.
 */
static const uint64_t unseen_most_ns = 500000000;

static uint64_t
seen_ns(const struct supervisor *s, uint64_t now)
{
	uint64_t unseen = now - s->looked_at_ns;

	return s->seen_ns + (unseen < unseen_most_ns ? unseen : unseen_most_ns);
}

void
worker_look(struct supervisor *s, uint64_t now)
{
	s->seen_ns = seen_ns(s, now);
	s->looked_at_ns = now;
}

static void
watch_call(struct worker *w, uint64_t now)
{
	uint64_t note;

	if (!worker_is_ready(w))
		return;
	note = ring_peer_note(&w->up);
	if (note != w->call_note || w->call_since_ns == 0) {
		w->call_note = note;
		w->call_since_ns = now;
		return;
	}
	enum call_kind kind = call_kind_of(note);
	uint32_t ms = call_deadline_ms(w, kind);
	if (ms == 0 || now - w->call_since_ns < ms * 1000000ull)
		return;
	err_set(&w->doom, ERR_PLUGIN,
	    "plugin '%s' was in %s for longer than its deadline of %u ms",
	    w->plugin->setting->name, call_kind_name(kind), ms);
	worker_event(w, WORKER_ON_DEADLINE);
}

static bool
is_late(const struct worker *w, uint64_t now)
{
	return w->late_at_ns && now >= w->late_at_ns;
}

void
worker_watch(struct worker *w)
{
	uint64_t now = w->sup->seen_ns;

	watch_call(w, now);
	if (!is_late(w, now))
		return;
	/* It may have answered, and nobody has read it. */
	worker_drain_control(w);
	if (!is_late(w, now))
		return;
	w->late_at_ns = 0;
	worker_event(w, WORKER_ON_DEADLINE);
}

/*
 * When workers are looked at. Nobody is late who has nothing to do in time: such workers
 * are looked at more rarely, but often enough for the shortest deadline of a call that
 * may begin meanwhile.
 */
enum {
	LOOK_MS = 250,
	CALM_LOOK_MS = 1000,
	LOOKS_PER_DEADLINE = 4,
};

static bool
has_deadline(const struct worker *w)
{
	return w->late_at_ns != 0 ||
	       (worker_is_ready(w) &&
		   call_deadline_ms(w, call_kind_of(ring_peer_note(&w->up))) > 0);
}

static uint32_t
next_look_ms(const struct supervisor *s)
{
	uint32_t ms = CALM_LOOK_MS;
	const struct worker *w;

	TAILQ_FOREACH (w, &s->workers, link) {
		if (!w->alive)
			continue;
		if (has_deadline(w))
			return LOOK_MS;
		for (int kind = 0; kind < CALL_KIND_N; kind++) {
			uint32_t most = call_deadline_ms(w, kind) / LOOKS_PER_DEADLINE;
			if (most > 0 && most < ms)
				ms = most;
		}
	}
	return s->stopping || ms < LOOK_MS ? LOOK_MS : ms;
}

void
worker_look_again(struct supervisor *s)
{
	uint32_t ms = next_look_ms(s);
	const struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	s->is_calm = ms > LOOK_MS;
	event_add(s->on_watch, &tv);
}

void
worker_look_soon(struct supervisor *s)
{
	const struct timeval tv = {.tv_usec = LOOK_MS * 1000};

	if (s->is_calm)
		event_add(s->on_watch, &tv);
	s->is_calm = false;
}

void
worker_arm(struct worker *w, uint32_t ms)
{
	if (ms > 0)
		worker_look_soon(w->sup);
	w->late_at_ns = ms ? seen_ns(w->sup, clock_mono_ns()) + ms * 1000000ull : 0;
}

void
worker_arm_deadline(struct worker *w)
{
	worker_arm(w, deadline_ms(w));
}

void
worker_expect_death(struct worker *w)
{
	uint64_t before = w->late_at_ns;

	worker_arm(w, 1000);
	if (before && before < w->late_at_ns)
		w->late_at_ns = before;
}
