/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/channel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"

/* One end is a channel, the other a bare socket: the peer that does as it likes. */
struct ends {
	struct channel c;
	int peer;
};

static void
ends_init(struct ends *e, int flags)
{
	int fd[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0, fd), 0);
	channel_init(&e->c, fd[0]);
	e->peer = fd[1];
}

static int
setup(void **state)
{
	*state = calloc(1, sizeof(struct ends));
	ends_init(*state, SOCK_NONBLOCK);
	return 0;
}

static int
teardown(void **state)
{
	struct ends *e = *state;

	channel_release(&e->c);
	channel_release(&e->c); /* once more is nothing */
	if (e->peer >= 0)
		close(e->peer);
	free(e);
	return 0;
}

static void
log_init(Control__Message *m, Control__Log *log, char *text)
{
	control__message__init(m);
	control__log__init(log);
	m->body_case = CONTROL__MESSAGE__BODY_LOG;
	m->log = log;
	log->text = text;
}

/* A Log as it is on the wire, into p. */
static size_t
wire_log(uint8_t *p, char *text)
{
	Control__Message m;
	Control__Log log;
	uint32_t n;

	log_init(&m, &log, text);
	n = (uint32_t)control__message__pack(&m, p + 4);
	memcpy(p, &n, 4);
	return 4 + n;
}

static void
assert_log(Control__Message *m, const char *text)
{
	assert_int_equal(m->body_case, CONTROL__MESSAGE__BODY_LOG);
	assert_string_equal(m->log->text, text);
	channel_message_free(m);
}

static void
peer_writes(struct ends *e, const void *p, size_t n)
{
	assert_int_equal(write(e->peer, p, n), n);
}

static void
test_channel_puts_a_message_together_from_single_bytes(void **state)
{
	struct ends *e = *state;
	uint8_t wire[64];
	size_t n = wire_log(wire, "piece by piece");
	Control__Message *m;
	struct err err;

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(channel_receive(&e->c, &m, &err), CHANNEL_AGAIN);
			peer_writes(e, wire + i, 1);
		}
		assert_int_equal(channel_receive(&e->c, &m, &err), CHANNEL_OK);
		assert_int_equal(e->c.received_bytes, n - 4);
		assert_log(m, "piece by piece");
	}
}

static void
test_channel_reads_nothing_ahead(void **state)
{
	struct ends *e = *state;
	uint8_t wire[128];
	size_t n = wire_log(wire, "first");
	struct pollfd p = {.fd = e->c.fd, .events = POLLIN};
	Control__Message *m;
	struct err err;

	n += wire_log(wire + n, "second");
	peer_writes(e, wire, n);
	assert_int_equal(channel_receive(&e->c, &m, &err), CHANNEL_OK);
	assert_log(m, "first");
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(channel_receive(&e->c, &m, &err), CHANNEL_OK);
	assert_log(m, "second");
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(channel_receive(&e->c, &m, &err), CHANNEL_AGAIN);
}

static void
test_channel_refuses_lengths_that_cannot_be(void **state)
{
	static const uint32_t lies[] = {
	    0, LIMIT_CONTROL_BYTES + 1, 0x7fffffff, UINT32_MAX};
	Control__Message *m;
	struct err err;

	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		struct ends e;
		ends_init(&e, SOCK_NONBLOCK);
		peer_writes(&e, &lies[i], 4);
		assert_int_equal(channel_receive(&e.c, &m, &err), CHANNEL_ERROR);
		assert_int_equal(err.code, ERR_PEER);
		channel_release(&e.c);
		close(e.peer);
	}
}

static void
test_channel_refuses_bytes_that_are_no_message(void **state)
{
	struct ends *e = *state;
	Control__Message *m;
	struct err err;

	peer_writes(e, "\x03\0\0\0\xff\xff\xff", 7);
	assert_int_equal(channel_receive(&e->c, &m, &err), CHANNEL_ERROR);
	assert_int_equal(err.code, ERR_PEER);
}

/* Message.loaded holding n empty fields: two bytes each on the wire. */
static size_t
field_bomb(uint8_t *p, size_t n)
{
	size_t inner = n * 2, at = 0;

	p[at++] = 0x8a; /* 33 << 3 | 2 */
	p[at++] = 0x02;
	do {
		p[at++] = (uint8_t)(inner & 0x7f) | (inner > 0x7f ? 0x80 : 0);
		inner >>= 7;
	} while (inner);
	for (size_t i = 0; i < n; i++) {
		p[at++] = 9 << 3 | 2;
		p[at++] = 0;
	}
	return at;
}

static void
test_channel_caps_what_unpacking_takes(void **state)
{
	uint8_t *p = malloc(LIMIT_CONTROL_BYTES);
	Control__Message *m = channel_unpack(p, field_bomb(p, 5000));

	assert_non_null(m);
	assert_int_equal(m->body_case, CONTROL__MESSAGE__BODY_LOADED);
	assert_int_equal(m->loaded->n_fields, 5000);
	channel_message_free(m);
	assert_null(channel_unpack(p, field_bomb(p, LIMIT_CONTROL_BYTES / 2 - 16)));
	free(p);
}

static void
test_channel_tells_when_the_peer_has_closed(void **state)
{
	struct ends *e = *state;
	Control__Message *m, out;
	Control__Log log;
	uint8_t wire[64];
	struct err err;

	peer_writes(e, wire, wire_log(wire, "last words"));
	peer_writes(e, "\x09\0\0\0cut", 7);
	close(e->peer);
	e->peer = -1;
	assert_int_equal(channel_receive(&e->c, &m, &err), CHANNEL_OK);
	assert_log(m, "last words");
	assert_int_equal(channel_receive(&e->c, &m, &err), CHANNEL_CLOSED);
	log_init(&out, &log, "nobody there");
	assert_false(channel_send(&e->c, &out, &err));
	assert_int_equal(err.code, ERR_GONE);
}

static int
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void
test_channel_does_not_receive_descriptors(void **state)
{
	struct ends *e = *state;
	uint8_t wire[64];
	struct iovec iov = {wire, wire_log(wire, "with a gift")};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct msghdr h = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	int pipes[2];
	char c;
	Control__Message *m;
	struct err err;

	assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	memcpy(CMSG_DATA(&control.head), &pipes[1], sizeof(int));
	assert_int_equal(sendmsg(e->peer, &h, 0), iov.iov_len);
	close(pipes[1]);
	int before = count_fds();
	assert_int_equal(read(pipes[0], &c, 1), -1); /* it is in flight, so still open */
	assert_int_equal(channel_receive(&e->c, &m, &err), CHANNEL_OK);
	assert_log(m, "with a gift");
	assert_int_equal(count_fds(), before);
	assert_int_equal(read(pipes[0], &c, 1), 0); /* nobody holds the other end */
	close(pipes[0]);
}

static void
test_channel_keeps_what_the_socket_does_not_take(void **state)
{
	struct ends *e = *state;
	struct channel reader;
	Control__Message m, *got;
	Control__Log log;
	struct err err;
	uint32_t sent = 0, received = 0;
	char *text = malloc(100001);

	memset(text, 'x', 100000);
	text[100000] = '\0';
	log_init(&m, &log, text);
	log.has_severity = true;
	for (log.severity = 0; channel_send(&e->c, &m, &err); log.severity = ++sent)
		continue;
	assert_int_equal(err.code, ERR_LIMIT);
	assert_true(channel_wants_write(&e->c));
	assert_true(sent > 50 && e->c.out_cap <= 4 * LIMIT_CONTROL_BYTES);

	channel_init(&reader, e->peer);
	assert_int_equal(fcntl(e->peer, F_SETFL, O_NONBLOCK), 0);
	while (received < sent) {
		enum channel_rc rc = channel_receive(&reader, &got, &err);
		if (rc == CHANNEL_AGAIN) {
			assert_true(channel_wants_write(&e->c));
			assert_int_not_equal(channel_flush(&e->c, &err), CHANNEL_ERROR);
			continue;
		}
		assert_int_equal(rc, CHANNEL_OK);
		assert_int_equal(got->log->severity, received++);
		assert_log(got, text);
	}
	assert_int_equal(channel_flush(&e->c, &err), CHANNEL_OK);
	assert_false(channel_wants_write(&e->c));
	assert_null(e->c.out);
	channel_release(&reader);
	e->peer = -1;
	free(text);
}

static void
test_channel_does_not_send_what_no_peer_takes(void **state)
{
	struct ends *e = *state;
	Control__Message m;
	Control__Log log;
	struct err err;
	char *text = malloc(LIMIT_CONTROL_BYTES + 1);

	memset(text, 'x', LIMIT_CONTROL_BYTES);
	text[LIMIT_CONTROL_BYTES] = '\0';
	log_init(&m, &log, text);
	assert_false(channel_send(&e->c, &m, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	control__message__init(&m);
	assert_false(channel_send(&e->c, &m, &err));
	assert_false(channel_wants_write(&e->c));
	free(text);
}

/* The worker's way: it has nothing else to do and waits in the call. */
static void
test_channel_waits_on_a_blocking_socket(void **state)
{
	struct ends e;
	Control__Message m, *got;
	Control__Log log;
	struct err err;
	int status;
	char *text = malloc(3000001);

	memset(text, 'y', 3000000);
	text[3000000] = '\0';
	ends_init(&e, 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct channel c;
		channel_release(&e.c);
		channel_init(&c, e.peer);
		bool ok = channel_receive(&c, &got, &err) == CHANNEL_OK &&
			  strcmp(got->log->text, text) == 0 &&
			  channel_send(&c, got, &err);
		_exit(ok ? 0 : 1);
	}
	close(e.peer);
	log_init(&m, &log, text);
	assert_true(channel_send(&e.c, &m, &err));
	assert_int_equal(channel_receive(&e.c, &got, &err), CHANNEL_OK);
	assert_log(got, text);
	assert_int_equal(channel_receive(&e.c, &got, &err), CHANNEL_CLOSED);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	channel_release(&e.c);
	free(text);
}

#define T(name) cmocka_unit_test_setup_teardown(test_channel_##name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(puts_a_message_together_from_single_bytes),
	    T(reads_nothing_ahead),
	    T(refuses_lengths_that_cannot_be),
	    T(refuses_bytes_that_are_no_message),
	    T(caps_what_unpacking_takes),
	    T(tells_when_the_peer_has_closed),
	    T(does_not_receive_descriptors),
	    T(keeps_what_the_socket_does_not_take),
	    T(does_not_send_what_no_peer_takes),
	    T(waits_on_a_blocking_socket),
	};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGPIPE, &ignore, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
