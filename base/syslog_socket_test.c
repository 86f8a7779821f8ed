/* SPDX-License-Identifier: Apache-2.0 */
#include "base/syslog_socket.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];

/* Who listens at path. */
static int
bind_there(int type)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(path, sizeof(path), "/tmp/syslog_test.%d", (int)getpid());
	strcpy(at.sun_path, path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static int
listen_there(void)
{
	return bind_there(SOCK_DGRAM);
}

static void
assert_next(int fd, const char *head, const char *tail)
{
	char got[4096];
	ssize_t n = recv(fd, got, sizeof(got) - 1, 0);

	assert_true(n > 0);
	got[n] = '\0';
	assert_memory_equal(got, head, strlen(head));
	assert_true(strlen(got) > strlen(tail));
	assert_string_equal(got + strlen(got) - strlen(tail), tail);
}

static void
test_syslog_socket_sends_what_syslog_does(void **state)
{
	int fd = listen_there();
	struct syslog_socket s = {.path = path, .fd = -1};

	assert_true(syslog_socket_send(&s, 4, "some text, cut", 9));
	assert_next(fd, "<12>", " syslog_socket_test: some text");
	syslog_socket_close(&s);
	close(fd);
	unlink(path);
}

static void
test_syslog_socket_speaks_to_streams(void **state)
{
	char got[200], more[1 << 16];
	int listener = bind_there(SOCK_STREAM);
	struct syslog_socket s = {.path = path, .fd = -1};
	unsigned n_sent = 0;

	assert_int_equal(listen(listener, 4), 0);
	assert_true(syslog_socket_send(&s, 4, "one", 3));
	assert_true(syslog_socket_send(&s, 4, "two", 3));
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ssize_t n = recv(fd, got, sizeof(got), 0);
	assert_true(n > 0 && got[n - 1] == '\0');
	assert_string_equal(got + strlen(got) - 5, ": one");
	const char *second = got + strlen(got) + 1;
	assert_memory_equal(second, "<12>", 4);
	assert_string_equal(second + strlen(second) - 5, ": two");
	assert_ptr_equal(second + strlen(second) + 1, got + n);

	/* Nobody reads: no waiting, and a line that is cut is the last of its connection.
	 */
	memset(more, 'x', sizeof(more));
	while (syslog_socket_send(&s, 4, more, sizeof(more)))
		assert_true(++n_sent < 1000);
	assert_int_equal(errno, EAGAIN);
	assert_true(n_sent > 0);
	syslog_socket_close(&s);
	close(fd);
	assert_true(syslog_socket_send(&s, 4, "three", 5));
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(fd >= 0);
	n = recv(fd, got, sizeof(got), 0);
	assert_true(n > 0);
	assert_memory_equal(got, "<12>", 4);
	syslog_socket_close(&s);
	close(fd);
	close(listener);
	unlink(path);
}

static void
test_syslog_socket_finds_who_was_started_again(void **state)
{
	int fd = listen_there();
	struct syslog_socket s = {.path = path, .fd = -1};

	assert_true(syslog_socket_send(&s, 0, "one", 3));
	close(fd);
	assert_false(syslog_socket_send(&s, 0, "two", 3));
	assert_int_equal(errno, ECONNREFUSED);
	unlink(path);
	assert_false(syslog_socket_send(&s, 0, "two", 3));
	assert_int_equal(errno, ENOENT);
	fd = listen_there();
	assert_true(syslog_socket_send(&s, 0, "three", 5));
	assert_next(fd, "<8>", ": three");
	syslog_socket_close(&s);
	close(fd);
	unlink(path);
}

static void
test_syslog_socket_never_waits(void **state)
{
	int fd = listen_there(), n = 0;
	struct syslog_socket s = {.path = path, .fd = -1};

	while (syslog_socket_send(&s, 7, "more", 4))
		n++;
	assert_int_equal(errno, EAGAIN);
	assert_true(n > 0);
	assert_next(fd, "<15>", ": more");
	assert_true(syslog_socket_send(&s, 7, "more", 4));
	syslog_socket_close(&s);
	close(fd);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_syslog_socket_sends_what_syslog_does),
	    cmocka_unit_test(test_syslog_socket_speaks_to_streams),
	    cmocka_unit_test(test_syslog_socket_finds_who_was_started_again),
	    cmocka_unit_test(test_syslog_socket_never_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
