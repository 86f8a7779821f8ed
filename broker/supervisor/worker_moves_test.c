/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every state × event: what follows, and what is done. The expectations are written out
 * here once more, on purpose; processes and channels are replaced by records.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/supervisor/crash_claim.h"
#include "broker/supervisor/crash_record.h"
#include "broker/supervisor/worker_internal.h"
#include "proto/call.h"

/* What the actions did. */
static char did[256];
static bool launch_works;

static void
note(const char *what)
{
	size_t n = strlen(did);

	snprintf(did + n, sizeof(did) - n, "%s%s", n ? " " : "", what);
}

bool
worker_launch(struct worker *w, struct err *err)
{
	note("launch");
	w->alive = launch_works;
	return launch_works || err_set(err, ERR_SYS, "no");
}

void
worker_bury(struct worker *w)
{
	note("bury");
	w->alive = false;
}

void
worker_kill(struct worker *w)
{
	note("kill");
	w->doomed = true;
}

/* What the worker has said and nobody has read. */
static enum worker_event unread = WORKER_EVENT_N;

void
worker_drain_control(struct worker *w)
{
	enum worker_event e = unread;

	unread = WORKER_EVENT_N;
	if (e != WORKER_EVENT_N)
		worker_event(w, e);
}

void
worker_drain_output(struct worker *w)
{
}

void
crash_record_write(const struct worker *w, const struct launch_event *e)
{
}

bool
crash_claim_place(const struct worker *w, char *out, size_t size)
{
	return false;
}

void
worker_wake(struct worker *w)
{
}

bool
channel_send(struct channel *c, const Control__Message *m, struct err *err)
{
	static const struct {
		Control__Message__BodyCase kind;
		const char *name;
	} names[] = {
	    {CONTROL__MESSAGE__BODY_LOAD, "Load"},
	    {CONTROL__MESSAGE__BODY_INIT, "Init"},
	    {CONTROL__MESSAGE__BODY_PLAN, "Plan"},
	    {CONTROL__MESSAGE__BODY_OPEN, "Open"},
	    {CONTROL__MESSAGE__BODY_START, "Start"},
	    {CONTROL__MESSAGE__BODY_STOP, "Stop"},
	    {CONTROL__MESSAGE__BODY_QUIT, "Quit"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (names[i].kind == m->body_case)
			note(names[i].name);
	}
	return true;
}

static void
quiet(enum log_level level, const char *line)
{
}

/* A worker that may be restarted, in a state, with a goal that the state is not. */
struct world {
	struct supervisor sup;
	struct worker w;
	struct plugin plugin;
	struct plugin_setting setting;
	struct profile profile;
	struct confinement confinement;
	_Alignas(64) uint8_t page[4096]; /* of the worker's ring */
};

static void
world_make(struct world *x, struct event_base *base, enum worker_state state)
{
	memset(x, 0, sizeof(*x));
	did[0] = '\0';
	launch_works = true;
	x->sup.base = base;
	x->sup.looked_at_ns = clock_mono_ns();
	x->setting = (struct plugin_setting){
	    .name = "p", .library_path = "/p.so", .init_config = "", .open_params = ""};
	x->profile.restart_max = 3;
	x->profile.restart_window_s = 60;
	x->profile.backoff_min_ms = x->profile.backoff_max_ms = 3600000;
	x->confinement.plugin_target = "/p.so";
	x->plugin.setting = &x->setting;
	x->plugin.profile = &x->profile;
	x->plugin.confinement = &x->confinement;
	x->w.up.page = x->page;
	x->w.sup = &x->sup;
	x->w.plugin = &x->plugin;
	x->w.source = "s";
	x->w.state = state;
	x->w.goal = WORKER_RUNNING;
	x->w.restartable = true;
	x->w.alive =
	    state != WORKER_DOWN && state != WORKER_BACKOFF && state != WORKER_FAILED;
}

static void
world_drop(struct world *x)
{
	if (x->w.on_backoff)
		event_free(x->w.on_backoff);
}

/* State, event, the state that follows, what was done. Every pair that is not here must
 * change nothing and do nothing. */
static const struct {
	enum worker_state state;
	enum worker_event event;
	enum worker_state next;
	const char *done;
} cells[] = {
#define S(x) WORKER_##x
#define E(x) WORKER_ON_##x
/* A process that ends while it should live: back-off. One that must not live: killed, and
 * its death is a later event. */
#define MORTAL(s)                                                                        \
	{S(s), E(DEADLINE), S(s), "kill"}, {S(s), E(BREACH), S(s), "kill"},              \
	{                                                                                \
		S(s), E(DIED), S(BACKOFF), "bury"                                        \
	}
    {S(DOWN), E(START), S(STARTING), "launch"},
    {S(STARTING), E(READY), S(LOADING), "Load"},
    {S(STARTING), E(STOP), S(QUITTING), "kill"},
    MORTAL(STARTING),
    {S(LOADING), E(LOADED), S(INITIALIZING), "Init"},
    {S(LOADING), E(STEP_FAILED), S(LOADING), "kill"},
    {S(LOADING), E(STOP), S(QUITTING), "kill"},
    MORTAL(LOADING),
    {S(LOADED), E(START), S(INITIALIZING), "Init"},
    {S(LOADED), E(STOP), S(QUITTING), "Quit"},
    MORTAL(LOADED),
    {S(INITIALIZING), E(INITIALIZED), S(PLANNING), "Plan"},
    {S(INITIALIZING), E(STEP_FAILED), S(INITIALIZING), "kill"},
    {S(INITIALIZING), E(STOP), S(QUITTING), "kill"},
    MORTAL(INITIALIZING),
    {S(INITIALIZED), E(START), S(PLANNING), "Plan"},
    {S(INITIALIZED), E(STOP), S(QUITTING), "Quit"},
    MORTAL(INITIALIZED),
    {S(PLANNING), E(PLANNED), S(OPENING), "Open"},
    {S(PLANNING), E(STEP_FAILED), S(PLANNING), "kill"},
    {S(PLANNING), E(STOP), S(QUITTING), "Quit"},
    MORTAL(PLANNING),
    {S(PLANNED), E(START), S(OPENING), "Open"},
    {S(PLANNED), E(STOP), S(QUITTING), "Quit"},
    MORTAL(PLANNED),
    {S(OPENING), E(OPENED), S(RUNNING), "Start"},
    {S(OPENING), E(STEP_FAILED), S(OPENING), "kill"},
    {S(OPENING), E(STOP), S(QUITTING), "kill"},
    MORTAL(OPENING),
    {S(OPEN), E(START), S(RUNNING), "Start"},
    {S(OPEN), E(STOP), S(STOPPING), "Stop"},
    MORTAL(OPEN),
    {S(RUNNING), E(STOP), S(STOPPING), "Stop"},
    MORTAL(RUNNING),
    {S(STOPPING), E(STOPPED), S(QUITTING), "Quit"},
    {S(STOPPING), E(DEADLINE), S(QUITTING), "kill"},
    {S(STOPPING), E(BREACH), S(QUITTING), "kill"},
    {S(STOPPING), E(DIED), S(DOWN), "bury"},
    {S(QUITTING), E(DEADLINE), S(QUITTING), "kill"},
    {S(QUITTING), E(BREACH), S(QUITTING), "kill"},
    {S(QUITTING), E(DIED), S(DOWN), "bury"},
    {S(BACKOFF), E(START), S(STARTING), "launch"},
    {S(BACKOFF), E(STOP), S(DOWN), ""},
    {S(FAILED), E(START), S(STARTING), "launch"},
#undef MORTAL
#undef S
#undef E
};

static void
test_moves_every_cell(void **state)
{
	struct event_base *base = event_base_new();
	size_t seen = 0;

	for (int s = 0; s < WORKER_STATE_N; s++) {
		for (int e = 0; e < WORKER_EVENT_N; e++) {
			enum worker_state next = (enum worker_state)s;
			const char *done = "";
			struct world x;

			for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++) {
				if ((int)cells[i].state != s || (int)cells[i].event != e)
					continue;
				next = cells[i].next;
				done = cells[i].done;
				seen++;
			}
			world_make(&x, base, (enum worker_state)s);
			worker_event(&x.w, (enum worker_event)e);
			if (x.w.state != next || strcmp(did, done) != 0)
				fail_msg("%s, event %d: %s (%s), expected %s (%s)",
				    worker_state_name((enum worker_state)s), e,
				    worker_state_name(x.w.state), did,
				    worker_state_name(next), done);
			world_drop(&x);
		}
	}
	assert_int_equal(seen, sizeof(cells) / sizeof(*cells));
	event_base_free(base);
}

static void
test_moves_budget_of_restarts_is_spent(void **state)
{
	struct event_base *base = event_base_new();
	struct world x;

	world_make(&x, base, WORKER_RUNNING);
	for (int i = 0; i < 3; i++) {
		x.w.state = WORKER_RUNNING;
		x.w.alive = true;
		worker_event(&x.w, WORKER_ON_DIED);
		assert_int_equal(x.w.state, WORKER_BACKOFF);
	}
	x.w.state = WORKER_RUNNING;
	worker_event(&x.w, WORKER_ON_DIED);
	assert_int_equal(x.w.state, WORKER_FAILED);
	assert_int_equal(x.w.counts.crashes, 4);
	world_drop(&x);
	event_base_free(base);
}

static void
test_moves_restart_revives_and_the_budget_begins_anew(void **state)
{
	struct event_base *base = event_base_new();
	struct world x;

	world_make(&x, base, WORKER_RUNNING);
	for (int i = 0; i < 4; i++) {
		x.w.state = WORKER_RUNNING;
		worker_event(&x.w, WORKER_ON_DIED);
	}
	assert_int_equal(x.w.state, WORKER_FAILED);
	worker_pursue(&x.w, WORKER_RUNNING);
	assert_int_equal(x.w.state, WORKER_FAILED);
	did[0] = '\0';
	worker_restart(&x.w);
	assert_int_equal(x.w.state, WORKER_STARTING);
	assert_string_equal(did, "launch");
	for (int i = 0; i < 3; i++) {
		worker_event(&x.w, WORKER_ON_DIED);
		assert_int_equal(x.w.state, WORKER_BACKOFF);
		worker_event(&x.w, WORKER_ON_START);
	}
	worker_event(&x.w, WORKER_ON_DIED);
	assert_int_equal(x.w.state, WORKER_FAILED);
	world_drop(&x);
	event_base_free(base);
}

static void
test_moves_failure_before_the_start_is_complete_is_final(void **state)
{
	struct event_base *base = event_base_new();
	struct world x;

	world_make(&x, base, WORKER_INITIALIZING);
	x.w.restartable = false;
	worker_event(&x.w, WORKER_ON_DIED);
	assert_int_equal(x.w.state, WORKER_FAILED);
	world_drop(&x);
	event_base_free(base);
}

static void
look_after(struct world *x, uint64_t ms, uint32_t times)
{
	for (uint32_t i = 0; i < times; i++) {
		worker_look(&x->sup, x->sup.looked_at_ns + ms * 1000000);
		worker_watch(&x->w);
	}
}

static void
test_moves_deadline_of_a_step_ends_it(void **state)
{
	struct world x;

	world_make(&x, NULL, WORKER_PLANNED);
	x.profile.limits.open_ms = 3000;
	worker_event(&x.w, WORKER_ON_START);
	assert_int_equal(x.w.state, WORKER_OPENING);
	look_after(&x, 250, 11);
	assert_string_equal(did, "Open");
	look_after(&x, 250, 2);
	assert_string_equal(did, "Open kill");
	assert_int_equal(x.w.counts.deadlines, 1);
	look_after(&x, 250, 100);
	assert_int_equal(x.w.counts.deadlines, 1);
	world_drop(&x);
}

static void
test_moves_time_that_nobody_looked_is_not_the_workers(void **state)
{
	struct world x;

	world_make(&x, NULL, WORKER_PLANNED);
	x.profile.limits.open_ms = 3000;
	worker_event(&x.w, WORKER_ON_START);
	look_after(&x, 3600000, 5);
	assert_string_equal(did, "Open");
	look_after(&x, 3600000, 2);
	assert_string_equal(did, "Open kill");
	world_drop(&x);
}

static void
test_moves_answer_that_nobody_has_read_is_in_time(void **state)
{
	struct world x;

	world_make(&x, NULL, WORKER_PLANNED);
	x.profile.limits.open_ms = 3000;
	worker_event(&x.w, WORKER_ON_START);
	unread = WORKER_ON_OPENED;
	look_after(&x, 250, 100);
	assert_int_equal(x.w.state, WORKER_RUNNING);
	assert_string_equal(did, "Open Start");
	assert_int_equal(x.w.counts.deadlines, 0);
	world_drop(&x);
}

static void
test_moves_calls_are_watched_one_by_one(void **state)
{
	struct world x;
	struct call_note call = {.own = &x.w.up};

	world_make(&x, NULL, WORKER_RUNNING);
	x.profile.limits.extract_ms = 1000;
	/* Each for less than a second that was seen; the last for hours, of which two
	 * looks see less than a second and three a whole one. */
	for (int i = 0; i < 20; i++) {
		call_enter(&call, CALL_EXTRACT);
		look_after(&x, 250, 4);
	}
	call_enter(&call, CALL_EXTRACT);
	look_after(&x, 3600000, 2);
	assert_string_equal(did, "");
	look_after(&x, 3600000, 1);
	assert_string_equal(did, "kill");
	assert_int_equal(x.w.counts.deadlines, 1);
	world_drop(&x);
}

static void
test_moves_who_has_hung_up_is_not_waited_for_again(void **state)
{
	struct world x;

	world_make(&x, NULL, WORKER_RUNNING);
	worker_expect_death(&x.w);
	look_after(&x, 250, 3);
	worker_expect_death(&x.w);
	look_after(&x, 250, 2);
	assert_string_equal(did, "kill");
	world_drop(&x);
}

static void
test_moves_launch_that_fails_backs_off(void **state)
{
	struct event_base *base = event_base_new();
	struct world x;

	world_make(&x, base, WORKER_BACKOFF);
	launch_works = false;
	worker_event(&x.w, WORKER_ON_START);
	assert_int_equal(x.w.state, WORKER_BACKOFF);
	assert_string_equal(did, "launch bury");
	world_drop(&x);
	event_base_free(base);
}

static void
test_moves_stop_at_the_goal(void **state)
{
	struct event_base *base = event_base_new();
	struct world x;

	world_make(&x, base, WORKER_INITIALIZING);
	x.w.goal = WORKER_INITIALIZED;
	worker_event(&x.w, WORKER_ON_INITIALIZED);
	assert_int_equal(x.w.state, WORKER_INITIALIZED);
	assert_string_equal(did, "");
	worker_pursue(&x.w, WORKER_PLANNED);
	assert_string_equal(did, "Plan");
	world_drop(&x);
	event_base_free(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_moves_every_cell),
	    cmocka_unit_test(test_moves_budget_of_restarts_is_spent),
	    cmocka_unit_test(test_moves_restart_revives_and_the_budget_begins_anew),
	    cmocka_unit_test(test_moves_failure_before_the_start_is_complete_is_final),
	    cmocka_unit_test(test_moves_deadline_of_a_step_ends_it),
	    cmocka_unit_test(test_moves_time_that_nobody_looked_is_not_the_workers),
	    cmocka_unit_test(test_moves_answer_that_nobody_has_read_is_in_time),
	    cmocka_unit_test(test_moves_calls_are_watched_one_by_one),
	    cmocka_unit_test(test_moves_who_has_hung_up_is_not_waited_for_again),
	    cmocka_unit_test(test_moves_launch_that_fails_backs_off),
	    cmocka_unit_test(test_moves_stop_at_the_goal),
	};
	const struct log_config log = {.max_level = LOG_LEVEL_DEBUG, .sink = quiet};

	log_configure(&log);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
