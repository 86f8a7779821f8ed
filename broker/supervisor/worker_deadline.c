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

void
worker_watch_call(struct worker *w)
{
	uint64_t note, now;

	if (!worker_is_ready(w))
		return;
	note = ring_peer_note(&w->up);
	now = clock_mono_ns();
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

static void
worker_on_deadline(int fd, short what, void *arg)
{
	worker_event(arg, WORKER_ON_DEADLINE);
}

void
worker_arm(struct worker *w, uint32_t ms)
{
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	if (w->on_deadline)
		evtimer_del(w->on_deadline);
	if (ms == 0)
		return;
	if (!w->on_deadline)
		w->on_deadline = evtimer_new(w->sup->base, worker_on_deadline, w);
	if (!w->on_deadline || evtimer_add(w->on_deadline, &tv) < 0)
		log_error(
		    "no memory for a deadline of plugin '%s'", w->plugin->setting->name);
}

void
worker_arm_deadline(struct worker *w)
{
	worker_arm(w, deadline_ms(w));
}

void
worker_expect_death(struct worker *w)
{
	worker_arm(w, 1000);
}
