/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper is this test's parent process, as in the program. */
#include "broker/keeper/keeper.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int notified; /* a socket that stands for the service manager's */

static void
test_a_program_gets_its_input_and_its_end_is_told(void **state)
{
	struct keeper_child c;
	struct err err;
	int status;

	assert_true(keeper_run_program(&c, &err));
	assert_false(keeper_child_ended(&c, 0, &status));
	assert_int_equal(write(c.pipe_fd, "exit 7\n", 7), 7);
	assert_true(keeper_child_ended(&c, -1, &status));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	keeper_child_release(&c);
	keeper_child_release(&c);
}

static void
test_a_program_can_be_ended(void **state)
{
	struct keeper_child c;
	struct err err;
	int status;

	assert_true(keeper_run_program(&c, &err));
	keeper_child_signal(&c, SIGKILL);
	assert_true(keeper_child_ended(&c, -1, &status));
	assert_true(WIFSIGNALED(status));
	keeper_child_release(&c);
}

static void
test_programs_are_bounded(void **state)
{
	struct keeper_child c[64];
	struct err err;
	int n = 0, status;

	while (n < 64 && keeper_run_program(&c[n], &err))
		n++;
	assert_in_range(n, 2, 32);
	assert_int_equal(err.code, ERR_SYS);
	for (int i = 0; i < n; i++) {
		close(c[i].pipe_fd);
		c[i].pipe_fd = -1;
		assert_true(keeper_child_ended(&c[i], -1, &status));
		keeper_child_release(&c[i]);
	}
	assert_true(keeper_run_program(&c[0], &err));
	keeper_child_release(&c[0]);
}

static ssize_t
heard(char *text, size_t size)
{
	ssize_t n = recv(notified, text, size - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return n;
}

static void
test_only_what_a_broker_has_to_say_is_handed_on(void **state)
{
	char text[256];

	keeper_notify("READY=1\nMAINPID=1\n");
	keeper_notify("MAINPID=1\n");
	keeper_notify("FDSTORE=1\nREADY=1\n");
	keeper_notify("READY=1\nSTATUS=fine\n");
	heard(text, sizeof(text));
	assert_string_equal(text, "READY=1\nSTATUS=fine\n");
}

static void
test_it_stands_for_the_program(void **state)
{
	assert_int_equal(keeper_pid(), getppid());
	assert_int_equal(getpgrp(), getpid());
}

/* Signals sent to it come here, once. */
static volatile sig_atomic_t hups;

static void
on_hup(int signal)
{
	hups++;
}

static void
test_signals_are_handed_on(void **state)
{
	struct sigaction count = {.sa_handler = on_hup};
	sigset_t hup, before;

	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hup, &before);
	sigaction(SIGHUP, &count, NULL);
	kill(getppid(), SIGHUP);
	while (hups == 0)
		sigsuspend(&before);
	assert_int_equal(hups, 1);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static bool
listen_for_notifications(void)
{
	static char dir[] = "/tmp/keeper_test.XXXXXX";
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (!mkdtemp(dir))
		return false;
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", dir);
	notified = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return setenv("NOTIFY_SOCKET", a.sun_path, 1) == 0 &&
	       bind(notified, (struct sockaddr *)&a, sizeof(a)) == 0;
}

static void
stop_listening(void)
{
	char *path = getenv("NOTIFY_SOCKET");

	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

/* The split again, in a process of its own: how does the keeper end? */
static int
keeper_end(void (*broker)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		struct err err;
		if (!keeper_start(&(struct keeper_config){NULL}, &err))
			_exit(99);
		broker();
		_exit(5);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
just_ends(void)
{
}

static void
dies(void)
{
	raise(SIGKILL);
}

static void
asks_for_nonsense(void)
{
	struct keeper_child c;
	struct err err;

	/* No program was named. */
	_exit(keeper_run_program(&c, &err) ? 1 : 6);
}

static void
test_it_ends_as_the_broker_does(void **state)
{
	int status = keeper_end(just_ends);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 5);
	status = keeper_end(dies);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	status = keeper_end(asks_for_nonsense);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_program_gets_its_input_and_its_end_is_told),
	    cmocka_unit_test(test_a_program_can_be_ended),
	    cmocka_unit_test(test_programs_are_bounded),
	    cmocka_unit_test(test_only_what_a_broker_has_to_say_is_handed_on),
	    cmocka_unit_test(test_it_stands_for_the_program),
	    cmocka_unit_test(test_signals_are_handed_on),
	    cmocka_unit_test(test_it_ends_as_the_broker_does),
	};
	struct err err;

	/* As alerts would be given to it. */
	if (!listen_for_notifications() ||
	    !keeper_start(&(struct keeper_config){.program = "exec sh"}, &err))
		return 1;
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	stop_listening();
	return rc;
}
