/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may happen to a worker in which state, and what then follows: one row per state,
 * one column per event. An empty cell means that the event cannot come there (permits.h
 * refuses the message, or nobody asks); should it come all the same it is ignored.
 */
#include <event2/event.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/supervisor/crash_claim.h"
#include "broker/supervisor/crash_record.h"
#include "broker/supervisor/worker_internal.h"
#include "worker/launch/launcher.h"

static const struct {
	const char *name;
	enum worker_phase phase;
} states[WORKER_STATE_N] = {
#define WORKER_STATE_ROW(id, phase, deadline, name) [WORKER_##id] = {name, PHASE_##phase},
    WORKER_STATES(WORKER_STATE_ROW)
#undef WORKER_STATE_ROW
};

const char *
worker_state_name(enum worker_state s)
{
	return states[s].name;
}

enum worker_phase
worker_phase(const struct worker *w)
{
	return states[w->state].phase;
}

bool
worker_is_up(const struct worker *w)
{
	return w->alive && !w->doomed && w->state > WORKER_STARTING &&
	       w->state < WORKER_STOPPING;
}

/* Steps: each sends what leads to the next state. */

/* A worker at work reads its channel when the note says that there is something. */
static void
tell_of_message(struct worker *w)
{
	if (!w->down.page)
		return;
	/* Behind what it tells of. */
	atomic_thread_fence(memory_order_release);
	ring_note(&w->down, ++w->messages_sent);
}

bool
worker_send(struct worker *w, const Control__Message *m)
{
	struct err err;

	if (channel_send(&w->channel, m, &err)) {
		tell_of_message(w);
		return true;
	}
	/* When the process is going or gone its death will be told. Otherwise it would
	 * wait for what it was not sent. */
	if (err.code == ERR_LIMIT)
		worker_breach(w, &err);
	else if (err.code != ERR_GONE)
		worker_give_up(w, &err);
	return false;
}

static void
act_launch(struct worker *w)
{
	struct err err;

	if (!worker_launch(w, &err)) {
		w->doom = err;
		log_error("plugin '%s' cannot be started: %s", w->plugin->setting->name,
		    err.msg);
		worker_event(w, WORKER_ON_DIED);
	}
}

static void
act_load(struct worker *w)
{
	Control__Message m = CONTROL__MESSAGE__INIT;
	Control__Load load = CONTROL__LOAD__INIT;

	load.path = (char *)w->plugin->confinement->plugin_target;
	load.shown_path = (char *)w->plugin->setting->library_path;
	m.body_case = CONTROL__MESSAGE__BODY_LOAD;
	m.load = &load;
	worker_send(w, &m);
}

static void
act_init(struct worker *w)
{
	Control__Message m = CONTROL__MESSAGE__INIT;
	Control__Init init = CONTROL__INIT__INIT;

	init.config = (char *)w->plugin->setting->init_config;
	init.has_first_event = true;
	init.first_event = w->next_event;
	m.body_case = CONTROL__MESSAGE__BODY_INIT;
	m.init = &init;
	worker_send(w, &m);
}

static void
act_plan(struct worker *w)
{
	Control__Message m = CONTROL__MESSAGE__INIT;
	Control__Plan plan = CONTROL__PLAN__INIT;

	if (w->owner && w->owner->plan && !w->owner->plan(w, &plan, w->owner_arg)) {
		struct err err;
		err_nomem(&err);
		worker_breach(w, &err);
		return;
	}
	plan.has_generation = true;
	plan.generation = ++w->plan_generation;
	plan.source = (char *)w->source;
	m.body_case = CONTROL__MESSAGE__BODY_PLAN;
	m.plan = &plan;
	worker_send(w, &m);
}

static void
act_open(struct worker *w)
{
	Control__Message m = CONTROL__MESSAGE__INIT;
	Control__Open open = CONTROL__OPEN__INIT;

	open.params = (char *)w->plugin->setting->open_params;
	m.body_case = CONTROL__MESSAGE__BODY_OPEN;
	m.open = &open;
	worker_send(w, &m);
}

static void
act_start(struct worker *w)
{
	Control__Message m = CONTROL__MESSAGE__INIT;
	Control__Start start = CONTROL__START__INIT;

	m.body_case = CONTROL__MESSAGE__BODY_START;
	m.start = &start;
	worker_send(w, &m);
}

static void
act_stop(struct worker *w)
{
	Control__Message m = CONTROL__MESSAGE__INIT;
	Control__Stop stop = CONTROL__STOP__INIT;

	m.body_case = CONTROL__MESSAGE__BODY_STOP;
	m.stop = &stop;
	worker_send(w, &m);
	worker_wake(w);
}

static void
act_quit(struct worker *w)
{
	Control__Message m = CONTROL__MESSAGE__INIT;
	Control__Quit quit = CONTROL__QUIT__INIT;

	m.body_case = CONTROL__MESSAGE__BODY_QUIT;
	m.quit = &quit;
	worker_send(w, &m);
	worker_wake(w);
}

/* Also when a step is refused by the plugin: before the first start is complete that is
 * the end; later it counts like a crash. */
static void
act_kill(struct worker *w)
{
	worker_kill(w);
}

static void
act_deadline(struct worker *w)
{
	w->counts.deadlines++;
	if (w->doom.code == ERR_NONE)
		err_set(&w->doom, ERR_PLUGIN,
		    "plugin '%s' did not answer in time while %s",
		    w->plugin->setting->name, worker_state_name(w->state));
	log_warning("%s: it is ended", w->doom.msg);
	worker_kill(w);
}

/* What the incarnation has published is taken out of its ring before that goes. */
static void
tell_end(struct worker *w, bool restarts)
{
	if (w->owner && w->owner->ended)
		w->owner->ended(w, restarts, w->owner_arg);
	worker_bury(w);
}

/* In good order, or not quite; unless it is to begin again that is all. */
static void
act_end(struct worker *w)
{
	if (!w->restarting || w->sup->stopping) {
		worker_bury(w);
		return;
	}
	tell_end(w, true);
	w->restarting = false;
	worker_event(w, WORKER_ON_START);
}

static void worker_on_backoff(int fd, short what, void *arg);

/* May it be started again, and when? Counts restarts in the window of the profile. */
static bool
restart_is_due(struct worker *w)
{
	const struct profile *p = w->plugin->profile;
	const uint32_t kept = sizeof(w->restart_at_ns) / sizeof(*w->restart_at_ns);
	uint64_t now = clock_mono_ns(), window_ns = p->restart_window_s * 1000000000ull;
	uint32_t max = p->restart_max < kept ? p->restart_max : kept, n = 0;

	for (uint32_t i = 0; i < w->n_restart; i++) {
		if (now - w->restart_at_ns[i] < window_ns)
			w->restart_at_ns[n++] = w->restart_at_ns[i];
	}
	w->n_restart = n;
	if (n == 0)
		w->backoff_ms = p->backoff_min_ms;
	if (n >= max)
		return false;
	w->restart_at_ns[w->n_restart++] = now;
	return true;
}

static void
act_crashed(struct worker *w)
{
	bool expected = w->sup->stopping;

	if (!expected && w->doom.code != ERR_PEER)
		w->counts.crashes++;
	if (expected) {
		worker_bury(w);
		w->state = WORKER_DOWN;
		return;
	}
	if (!w->restartable || !restart_is_due(w)) {
		w->state = WORKER_FAILED;
		if (w->restartable)
			log_error("plugin '%s' is failed for good: it ended %u times "
				  "within %u s",
			    w->plugin->setting->name, w->n_restart + 1,
			    w->plugin->profile->restart_window_s);
		tell_end(w, false);
		return;
	}
	w->state = WORKER_BACKOFF;
	struct timeval tv = {w->backoff_ms / 1000, w->backoff_ms % 1000 * 1000};
	log_notice("plugin '%s' is started again in %u ms", w->plugin->setting->name,
	    w->backoff_ms);
	w->backoff_ms = 2 * w->backoff_ms < w->plugin->profile->backoff_max_ms
			    ? 2 * w->backoff_ms
			    : w->plugin->profile->backoff_max_ms;
	if (!w->on_backoff)
		w->on_backoff = evtimer_new(w->sup->base, worker_on_backoff, w);
	if (!w->on_backoff || evtimer_add(w->on_backoff, &tv) < 0)
		w->state = WORKER_FAILED;
	tell_end(w, w->state == WORKER_BACKOFF);
}

static void
act_forget(struct worker *w)
{
	if (w->on_backoff)
		evtimer_del(w->on_backoff);
}

static void
worker_on_backoff(int fd, short what, void *arg)
{
	worker_event(arg, WORKER_ON_START);
}

typedef void act_fn(struct worker *w);

#define ENDS                                                                             \
	[WORKER_ON_DEADLINE] = {act_deadline, SAME},                                     \
	[WORKER_ON_BREACH] = {act_kill, SAME}, [WORKER_ON_DIED] = {act_crashed, SAME}
#define STOPS [WORKER_ON_STOP] = {act_quit, WORKER_QUITTING}
/* The action sets the state itself, or it stays. */
#define SAME WORKER_STATE_N

static const struct move {
	act_fn *act;
	enum worker_state next;
} moves[WORKER_STATE_N][WORKER_EVENT_N] = {
    /* clang-format off */
    [WORKER_DOWN] = {
	[WORKER_ON_START] = {act_launch, WORKER_STARTING}},
    [WORKER_STARTING] = {
	[WORKER_ON_READY] = {act_load, WORKER_LOADING},
	[WORKER_ON_STOP] = {act_kill, WORKER_QUITTING}, ENDS},
    [WORKER_LOADING] = {
	[WORKER_ON_LOADED] = {NULL, WORKER_LOADED},
	[WORKER_ON_STEP_FAILED] = {act_kill, SAME},
	[WORKER_ON_STOP] = {act_kill, WORKER_QUITTING}, ENDS},
    [WORKER_LOADED] = {
	[WORKER_ON_START] = {act_init, WORKER_INITIALIZING}, STOPS, ENDS},
    [WORKER_INITIALIZING] = {
	[WORKER_ON_INITIALIZED] = {NULL, WORKER_INITIALIZED},
	[WORKER_ON_STEP_FAILED] = {act_kill, SAME},
	[WORKER_ON_STOP] = {act_kill, WORKER_QUITTING}, ENDS},
    [WORKER_INITIALIZED] = {
	[WORKER_ON_START] = {act_plan, WORKER_PLANNING}, STOPS, ENDS},
    [WORKER_PLANNING] = {
	[WORKER_ON_PLANNED] = {NULL, WORKER_PLANNED},
	[WORKER_ON_STEP_FAILED] = {act_kill, SAME}, STOPS, ENDS},
    [WORKER_PLANNED] = {
	[WORKER_ON_START] = {act_open, WORKER_OPENING}, STOPS, ENDS},
    [WORKER_OPENING] = {
	[WORKER_ON_OPENED] = {NULL, WORKER_OPEN},
	[WORKER_ON_STEP_FAILED] = {act_kill, SAME},
	[WORKER_ON_STOP] = {act_kill, WORKER_QUITTING}, ENDS},
    [WORKER_OPEN] = {
	[WORKER_ON_START] = {act_start, WORKER_RUNNING},
	[WORKER_ON_STOP] = {act_stop, WORKER_STOPPING}, ENDS},
    [WORKER_RUNNING] = {
	[WORKER_ON_STOP] = {act_stop, WORKER_STOPPING}, ENDS},
    [WORKER_STOPPING] = {
	[WORKER_ON_STOPPED] = {act_quit, WORKER_QUITTING},
	[WORKER_ON_DEADLINE] = {act_deadline, WORKER_QUITTING},
	[WORKER_ON_BREACH] = {act_kill, WORKER_QUITTING},
	[WORKER_ON_DIED] = {act_end, WORKER_DOWN}},
    [WORKER_QUITTING] = {
	[WORKER_ON_DEADLINE] = {act_deadline, SAME},
	[WORKER_ON_BREACH] = {act_kill, SAME},
	[WORKER_ON_DIED] = {act_end, WORKER_DOWN}},
    [WORKER_BACKOFF] = {
	[WORKER_ON_START] = {act_launch, WORKER_STARTING},
	[WORKER_ON_STOP] = {act_forget, WORKER_DOWN}},
    /* Nothing starts it by itself. */
    [WORKER_FAILED] = {
	[WORKER_ON_START] = {act_launch, WORKER_STARTING}},
    /* clang-format on */
};

/* The resting states, in which the next step is ours to begin. */
static bool
is_resting(enum worker_state s)
{
	return s == WORKER_LOADED || s == WORKER_INITIALIZED || s == WORKER_PLANNED ||
	       s == WORKER_OPEN || s == WORKER_DOWN;
}

void
worker_event(struct worker *w, enum worker_event event)
{
	const struct move *m = &moves[w->state][event];
	enum worker_state before = w->state;

	if (!m->act && m->next == WORKER_DOWN)
		return; /* an empty cell: no move leads to DOWN without an action */
	if (m->next != SAME)
		w->state = m->next;
	if (m->act)
		m->act(w);
	if (w->port)
		w->port->moved(w, w->port_arg);
	if (w->state == before && m->next == SAME)
		return;
	worker_arm_deadline(w);
	if (w->state == w->goal) {
		if (w->owner && w->owner->reached)
			w->owner->reached(w, w->owner_arg);
	} else if (is_resting(w->state) && w->state < w->goal && !w->sup->stopping &&
		   before < w->state) {
		worker_event(w, WORKER_ON_START);
	}
}

void
worker_pursue(struct worker *w, enum worker_state goal)
{
	w->goal = goal;
	if (w->state == goal) {
		if (w->owner && w->owner->reached)
			w->owner->reached(w, w->owner_arg);
	} else if (is_resting(w->state)) {
		worker_event(w, WORKER_ON_START);
	}
}

void
worker_stop(struct worker *w)
{
	worker_event(w, WORKER_ON_STOP);
}

void
worker_breach(struct worker *w, const struct err *err)
{
	if (w->doomed || !w->alive)
		return;
	w->counts.breaches++;
	err_set(&w->doom, ERR_PEER, "plugin '%s' broke the protocol while %s: %s",
	    w->plugin->setting->name, worker_state_name(w->state), err->msg);
	log_warning("%s: its worker is ended", w->doom.msg);
	worker_event(w, WORKER_ON_BREACH);
}

bool
worker_is_ready(const struct worker *w)
{
	return worker_is_up(w) && w->state >= WORKER_PLANNED;
}

void
worker_replan(struct worker *w)
{
	if (!worker_is_ready(w))
		return;
	act_plan(w);
	if (w->state == WORKER_PLANNED)
		worker_arm(w, w->plugin->profile->limits.init_ms);
}

void
worker_replanned(struct worker *w)
{
	w->planned_generation = w->plan_generation;
	if (w->state == WORKER_PLANNED)
		worker_arm_deadline(w);
	if (worker_is_ready(w) && w->owner && w->owner->replanned)
		w->owner->replanned(w, w->owner_arg);
	else
		worker_event(w, WORKER_ON_PLANNED);
}

void
worker_restart(struct worker *w)
{
	w->counts.asked++;
	w->n_restart = 0;
	if (w->owner && w->owner->restarted)
		w->owner->restarted(w, w->owner_arg);
	if (w->state == WORKER_BACKOFF || w->state == WORKER_DOWN ||
	    w->state == WORKER_FAILED) {
		if (w->on_backoff)
			evtimer_del(w->on_backoff);
		worker_event(w, WORKER_ON_START);
		return;
	}
	w->restarting = true;
	worker_stop(w);
}

void
worker_give_up(struct worker *w, const struct err *err)
{
	if (w->doomed || !w->alive)
		return;
	w->doom = *err;
	log_warning(
	    "plugin '%s': %s: its worker is ended", w->plugin->setting->name, err->msg);
	worker_kill(w);
}

void
worker_died(struct worker *w, const struct launch_event *e)
{
	const char *name = w->plugin->setting->name, *doing = worker_state_name(w->state);
	char place[400] = "";
	bool has_place =
	    e->signaled && !w->doomed && crash_claim_place(w, place, sizeof(place));

	/* Its last words first: they may say why. */
	worker_drain_control(w);
	worker_drain_output(w);
	w->alive = w->metrics_asked = false;
	if (w->ask == WORKER_ASK_PENDING) {
		w->ask = WORKER_ASK_FAILED;
		err_set(&w->ask_error, ERR_GONE,
		    "plugin '%s' ended before it had answered", name);
		if (w->owner && w->owner->answered)
			w->owner->answered(w, false, w->owner_arg);
	}
	if (w->doom.code == ERR_NONE) {
		if (e->last_call[0])
			err_set(&w->doom, ERR_PLUGIN,
			    "plugin '%s' was ended while %s: it made a call that no "
			    "plugin may make: %s",
			    name, doing, e->last_call);
		else if (e->signaled)
			err_set(&w->doom, ERR_PLUGIN,
			    "plugin '%s' crashed while %s: signal %d (%s)%s%s", name,
			    doing, e->status, strsignal(e->status),
			    has_place ? ", by its own account in " : "", place);
		else
			err_set(&w->doom, ERR_PLUGIN,
			    "plugin '%s' ended its process while %s: exit %d", name,
			    doing, e->status);
		if (w->state != WORKER_QUITTING && !w->sup->stopping)
			log_warning("%s", w->doom.msg);
	}
	if (w->restartable && w->state < WORKER_STOPPING && !w->sup->stopping)
		crash_record_write(w, e);
	worker_event(w, WORKER_ON_DIED);
}
