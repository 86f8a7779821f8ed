/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of workers that live: denials told, attacks ended, deaths and their news.
 */
#include "worker/launch/test_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"

/* Wall B, and what people hear of it. */
static void
test_watch_tells_each_denial(void **state)
{
	struct bench *b = *state;

	bench_must_launch(b);
	assert_int_equal(bench_attempt(b, "try read /etc/shadow"), ENOENT);
	struct launch_event e = bench_event(b);
	assert_int_equal(e.kind, LAUNCH_EVENT_DENIED);
	assert_int_equal(e.id, b->request.id);
	assert_int_equal(e.count, 1);
	assert_string_equal(e.what, "tried to read \"/etc/shadow\" (openat, O_RDONLY)");
	assert_string_equal(e.allow_with, "read: [/etc/shadow]");
}

static void
test_watch_counts_repeated_denials(void **state)
{
	struct bench *b = *state;

	bench_must_launch(b);
	for (int i = 0; i < 10; i++)
		assert_int_not_equal(bench_attempt(b, "try socket"), 0);
	struct launch_event e = bench_event(b);
	assert_int_equal(e.kind, LAUNCH_EVENT_DENIED);
	assert_int_equal(e.count, 1);
	assert_non_null(strstr(e.what, "AF_INET, SOCK_STREAM"));
	e = bench_event(b);
	assert_int_equal(e.kind, LAUNCH_EVENT_DENIED);
	assert_int_equal(e.count, 10);
	assert_false(launcher_event(b->launcher, &e));
}

static void
test_watch_bounds_kinds_of_denials(void **state)
{
	struct bench *b = *state;
	unsigned told = 0, more = 0;
	struct launch_event e;

	bench_must_launch(b);
	for (unsigned i = 0; i < LIMIT_DENIALS + 40; i++) {
		char command[64];
		snprintf(command, sizeof(command), "try exec /bin/%u", i);
		assert_int_not_equal(bench_attempt(b, command), 0);
	}
	assert_true(launcher_kill(b->launcher, b->request.id, &(struct err){0}));
	while ((e = bench_event(b)).kind == LAUNCH_EVENT_DENIED) {
		if (strstr(e.what, "more than") != NULL)
			more = (unsigned)e.count;
		else
			told++;
	}
	assert_int_equal(told, LIMIT_DENIALS);
	assert_int_equal(more, 10); /* 40, told at 1 and at 10 */
}

static void
test_watch_kills_for_an_attack(void **state)
{
	struct bench *b = *state;

	bench_must_launch(b);
	bench_tell(b, "try ptrace");
	struct launch_event e = bench_event(b);
	assert_int_equal(e.kind, LAUNCH_EVENT_DIED);
	assert_true(e.signaled);
	assert_int_equal(e.status, SIGKILL);
	if (strncmp(e.last_call, "ptrace(", 7) != 0)
		fail_msg("last call \"%s\"", e.last_call);
}

static void
test_death_is_told_exactly(void **state)
{
	struct bench *b = *state;

	bench_must_launch(b);
	bench_tell(b, "exit 137");
	struct launch_event e = bench_event(b);
	assert_int_equal(e.kind, LAUNCH_EVENT_DIED);
	assert_int_equal(e.id, b->request.id);
	assert_false(e.signaled);
	assert_int_equal(e.status, 137);
	assert_string_equal(e.last_call, "");

	bench_must_launch(b);
	bench_tell(b, "abort");
	e = bench_event(b);
	assert_int_equal(e.kind, LAUNCH_EVENT_DIED);
	assert_int_equal(e.id, b->request.id);
	assert_true(e.signaled);
	assert_int_equal(e.status, SIGABRT);
}

static void
test_kill_ends_worker_and_shim(void **state)
{
	struct bench *b = *state;
	struct err err;

	bench_must_launch(b);
	pid_t shim = bench_parent(b->result.worker_pid);
	assert_true(launcher_kill(b->launcher, b->request.id, &err));
	struct launch_event e = bench_event(b);
	assert_int_equal(e.kind, LAUNCH_EVENT_DIED);
	assert_true(e.signaled);
	assert_int_equal(e.status, SIGKILL);
	assert_true(bench_is_gone(b->result.worker_pid));
	assert_true(bench_is_gone(shim));
	/* One that is gone already is no error. */
	assert_true(launcher_kill(b->launcher, b->request.id, &err));
	bench_must_launch(b);
}

static void
test_free_ends_everything(void **state)
{
	struct bench *b = *state;

	bench_must_launch(b);
	pid_t shim = bench_parent(b->result.worker_pid);
	pid_t launcher = bench_parent(shim);
	launcher_free(b->launcher);
	b->launcher = NULL;
	assert_true(bench_is_gone(b->result.worker_pid));
	assert_true(bench_is_gone(shim));
	assert_true(bench_is_gone(launcher));
}

static void
test_launcher_killed_takes_workers_along(void **state)
{
	struct bench *b = *state;
	struct launch_event e;

	bench_must_launch(b);
	pid_t shim = bench_parent(b->result.worker_pid);
	assert_int_equal(kill(bench_parent(shim), SIGKILL), 0);
	assert_true(bench_is_gone(b->result.worker_pid));
	assert_true(bench_is_gone(shim));
	assert_int_equal(bench_event(b).kind, LAUNCH_EVENT_LOST);
	assert_false(launcher_event(b->launcher, &e));
	bench_must_not_launch(b, "gone");
}

/* A broker in a process of its own, which is killed. */
static void
test_broker_killed_takes_all_along(void **state)
{
	struct bench *b = *state;
	int tell[2];
	pid_t worker;

	assert_int_equal(pipe2(tell, O_CLOEXEC), 0);
	pid_t broker = fork();
	assert_true(broker >= 0);
	if (broker == 0) {
		struct err err;
		b->launcher = launcher_start(bench_launcher, &err);
		if (b->launcher == NULL || !bench_launch(b, &err))
			_exit(1);
		if (write(tell[1], &b->result.worker_pid, sizeof(worker)) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	close(tell[1]);
	assert_int_equal(read(tell[0], &worker, sizeof(worker)), sizeof(worker));
	close(tell[0]);
	pid_t shim = bench_parent(worker);
	pid_t launcher = bench_parent(shim);
	kill(broker, SIGKILL);
	waitpid(broker, NULL, 0);
	assert_true(bench_is_gone(worker));
	assert_true(bench_is_gone(shim));
	assert_true(bench_is_gone(launcher));
}

/* One worker asks for what it may not without end; the launcher serves another. */
static void
test_flood_of_denials_starves_nobody(void **state)
{
	struct bench *b = *state;
	struct launch_event e;
	struct err err;

	bench_must_launch(b);
	uint32_t flooding = b->request.id;
	int flooding_control = b->control_fd;
	b->control_fd = -1;
	assert_int_equal(write(flooding_control, "flood socket", 12), 12);
	e = bench_event(b);
	assert_int_equal(e.id, flooding);
	bench_must_launch(b);
	uint32_t other = b->request.id;
	assert_int_not_equal(bench_attempt(b, "try socket"), 0);
	while ((e = bench_event(b)).id == flooding)
		assert_int_equal(e.kind, LAUNCH_EVENT_DENIED);
	assert_int_equal(e.id, other);
	assert_int_equal(e.kind, LAUNCH_EVENT_DENIED);
	assert_true(launcher_kill(b->launcher, flooding, &err));
	while ((e = bench_event(b)).kind == LAUNCH_EVENT_DENIED)
		assert_int_equal(e.id, flooding);
	assert_int_equal(e.kind, LAUNCH_EVENT_DIED);
	assert_int_equal(e.id, flooding);
	assert_int_not_equal(bench_attempt(b, "try socket"), 0);
	close(flooding_control);
}

static int
run(const char *who)
{
	const struct CMUnitTest tests[] = {
	    BENCH_TEST(test_watch_tells_each_denial),
	    BENCH_TEST(test_watch_counts_repeated_denials),
	    BENCH_TEST(test_watch_bounds_kinds_of_denials),
	    BENCH_TEST(test_watch_kills_for_an_attack),
	    BENCH_TEST(test_flood_of_denials_starves_nobody),
	    BENCH_TEST(test_death_is_told_exactly),
	    BENCH_TEST(test_kill_ends_worker_and_shim),
	    BENCH_TEST(test_free_ends_everything),
	    BENCH_TEST(test_launcher_killed_takes_workers_along),
	    BENCH_TEST(test_broker_killed_takes_all_along),
	};

	return cmocka_run_group_tests_name(who, tests, NULL, NULL);
}

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, run);
}
