/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/test_broker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/limits.h"
#include "proto/table.h"
#include "worker/launch/setup.h"

enum {
	PATIENCE_MS = 10000,
	FIRST_FD = 3,
	N_FDS = 7
};

/* What the launcher leaves for an unconfined worker. */
static int
make_filters(void)
{
	const struct setup_filters f = {
	    .magic = SETUP_FILTERS_MAGIC, .flags = SETUP_UNCONFINED};
	int fd = memfd_create("filters", MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, &f, sizeof(f)), sizeof(f));
	assert_int_equal(fcntl(fd, F_ADD_SEALS,
			     F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE),
	    0);
	return fd;
}

static void
take_over(int socket_fd)
{
	struct setup_record r;

	assert_int_equal(recv(socket_fd, &r, sizeof(r), 0), sizeof(r));
	assert_int_equal(r.kind, SETUP_HELLO);
	r.kind = SETUP_TAKEN;
	assert_int_equal(send(socket_fd, &r, sizeof(r), 0), sizeof(r));
	assert_int_equal(recv(socket_fd, &r, sizeof(r), 0), 0);
	close(socket_fd);
}

/* In the child: fds become 3 and those that follow. */
static void
exec_worker(const char *path, const int fd[N_FDS])
{
	int high[N_FDS];

	for (int i = 0; i < N_FDS; i++)
		high[i] = fcntl(fd[i], F_DUPFD, 100);
	for (int i = 0; i < N_FDS; i++)
		dup2(high[i], FIRST_FD + i);
	close_range(FIRST_FD + N_FDS, ~0u, 0);
	execl(path, path, (char *)NULL);
	_exit(127);
}

void
test_broker_start(struct test_broker *b, const char *worker_path)
{
	int control[2], launcher[2], up, down, filters = make_filters();
	struct err err;

	*b = (struct test_broker){.frame = aligned_alloc(8, LIMIT_FRAME_BYTES)};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control), 0);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, launcher), 0);
	assert_true(ring_pair_new(
	    "up", LIMIT_RING_UP_BYTES, LIMIT_RING_SIDE_UP_BYTES, &up, &err));
	assert_true(ring_pair_new(
	    "down", LIMIT_RING_DOWN_BYTES, LIMIT_RING_SIDE_DOWN_BYTES, &down, &err));
	assert_true(ring_pair_map(&b->up, &b->side_up, up, LIMIT_RING_UP_BYTES,
	    LIMIT_RING_SIDE_UP_BYTES, false, &err));
	assert_true(ring_pair_map(&b->down, &b->side_down, down, LIMIT_RING_DOWN_BYTES,
	    LIMIT_RING_SIDE_DOWN_BYTES, true, &err));
	b->wake_broker_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	b->wake_worker_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ring_reader_init(&b->in, &b->down, &b->up);
	ring_writer_init(&b->out, &b->down, &b->up);
	ring_reader_init(&b->side_in, &b->side_down, &b->side_up);
	ring_writer_init(&b->side_out, &b->side_down, &b->side_up);
	assert_true(chunk_view_init(&b->view, &err));
	channel_init(&b->channel, control[0]);
	const int fd[N_FDS] = {control[1], up, down, b->wake_broker_fd, b->wake_worker_fd,
	    launcher[1], filters};
	b->pid = fork();
	assert_true(b->pid >= 0);
	if (b->pid == 0)
		exec_worker(worker_path, fd);
	close(control[1]);
	close(launcher[1]);
	close(up);
	close(down);
	close(filters);
	take_over(launcher[0]);
	channel_message_free(test_broker_expect(b, CONTROL__MESSAGE__BODY_READY));
}

int
test_broker_reap(struct test_broker *b)
{
	int status;

	assert_int_equal(waitpid(b->pid, &status, 0), b->pid);
	b->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void
test_broker_quit(struct test_broker *b)
{
	Control__Quit quit = CONTROL__QUIT__INIT;
	const Control__Message m = {
	    .base = PROTOBUF_C_MESSAGE_INIT(&control__message__descriptor),
	    .body_case = CONTROL__MESSAGE__BODY_QUIT,
	    .quit = &quit};

	test_broker_send(b, &m);
	channel_message_free(test_broker_expect(b, CONTROL__MESSAGE__BODY_BYE));
	assert_int_equal(test_broker_reap(b), 0);
	test_broker_release(b);
}

void
test_broker_release(struct test_broker *b)
{
	if (b->pid > 0) {
		kill(b->pid, SIGKILL);
		waitpid(b->pid, NULL, 0);
	}
	channel_release(&b->channel);
	ring_unmap(&b->up);
	ring_unmap(&b->down);
	ring_unmap(&b->side_up);
	ring_unmap(&b->side_down);
	close(b->wake_broker_fd);
	close(b->wake_worker_fd);
	chunk_view_release(&b->view);
	free(b->frame);
}

/* Messages. */

void
test_broker_send(struct test_broker *b, const Control__Message *m)
{
	struct err err;

	assert_true(channel_send(&b->channel, m, &err));
	atomic_thread_fence(memory_order_release);
	ring_note(&b->down, ++b->n_sent);
}

/* There are no tables: every question is answered with nothing. */
static void
answer_table_calls(struct test_broker *b)
{
	static _Alignas(8) uint8_t wire[LIMIT_FRAME_BYTES];
	static struct table_frame answer;
	struct table_view v;
	uint32_t type, len;
	uint64_t one = 1;
	struct err err;

	while (ring_take(&b->side_in, wire, sizeof(wire), &type, &len) == RING_OK) {
		if (type != FRAME_TABLE)
			continue;
		assert_true(table_check(&v, wire, len, &err));
		if (table_op_is_one_way(v.head.op))
			continue;
		table_frame_answer(&answer, &v.head, PLUGIN_SUCCESS);
		len = table_frame_write(&answer, wire, sizeof(wire));
		assert_int_equal(ring_put(&b->side_out, FRAME_TABLE, wire, len), RING_OK);
		assert_int_equal(write(b->wake_worker_fd, &one, sizeof(one)), 8);
	}
}

static Control__Message *
receive(struct test_broker *b)
{
	struct pollfd p = {.fd = b->channel.fd, .events = POLLIN};
	Control__Message *m;
	struct err err;
	int waited = 0;

	for (; poll(&p, 1, 1) == 0; waited++) {
		assert_true(waited < PATIENCE_MS);
		answer_table_calls(b);
	}
	assert_int_equal(channel_receive(&b->channel, &m, &err), CHANNEL_OK);
	return m;
}

Control__Message *
test_broker_expect(struct test_broker *b, Control__Message__BodyCase kind)
{
	Control__Message *m = receive(b);

	while (m->body_case == CONTROL__MESSAGE__BODY_LOG) {
		b->n_logs++;
		snprintf(b->log, sizeof(b->log), "%s", m->log->text);
		channel_message_free(m);
		m = receive(b);
	}
	if (m->body_case == CONTROL__MESSAGE__BODY_FAILED && m->body_case != kind)
		fail_msg("failed: %s", m->failed->text);
	assert_int_equal(m->body_case, kind);
	return m;
}

void
test_broker_expect_failed(
    struct test_broker *b, Control__Failed__Step step, const char *text)
{
	Control__Message *m = test_broker_expect(b, CONTROL__MESSAGE__BODY_FAILED);

	assert_int_equal(m->failed->step, step);
	assert_string_equal(m->failed->text, text);
	channel_message_free(m);
}

void
test_broker_expect_silence(struct test_broker *b, int ms)
{
	struct pollfd p[] = {{.fd = b->channel.fd, .events = POLLIN},
	    {.fd = b->wake_broker_fd, .events = POLLIN}};
	uint64_t rings;

	while (read(b->wake_broker_fd, &rings, sizeof(rings)) > 0)
		;
	if (ring_reader_sleep(&b->in)) {
		assert_int_equal(poll(p, 2, ms), 0);
		ring_reader_awake(&b->in);
		return;
	}
	fail_msg("there is a frame");
}

void
test_broker_load(struct test_broker *b, const char *path)
{
	Control__Load load = CONTROL__LOAD__INIT;
	Control__Message m = CONTROL__MESSAGE__INIT;

	load.path = (char *)(uintptr_t)path;
	load.shown_path = (char *)(uintptr_t) "/shown.so";
	m.body_case = CONTROL__MESSAGE__BODY_LOAD;
	m.load = &load;
	test_broker_send(b, &m);
}

void
test_broker_init(struct test_broker *b, const char *config, uint64_t first_event)
{
	Control__Init init = CONTROL__INIT__INIT;
	Control__Message m = CONTROL__MESSAGE__INIT;

	init.config = (char *)(uintptr_t)config;
	init.has_first_event = true;
	init.first_event = first_event;
	m.body_case = CONTROL__MESSAGE__BODY_INIT;
	m.init = &init;
	test_broker_send(b, &m);
}

void
test_broker_open(struct test_broker *b, const char *params)
{
	Control__Open open = CONTROL__OPEN__INIT;
	Control__Message m = CONTROL__MESSAGE__INIT;

	open.params = (char *)(uintptr_t)params;
	m.body_case = CONTROL__MESSAGE__BODY_OPEN;
	m.open = &open;
	test_broker_send(b, &m);
}

void
test_broker_begin(struct test_broker *b)
{
	Control__Start start = CONTROL__START__INIT;
	Control__Message m = CONTROL__MESSAGE__INIT;

	m.body_case = CONTROL__MESSAGE__BODY_START;
	m.start = &start;
	test_broker_send(b, &m);
}

void
test_broker_stop(struct test_broker *b)
{
	Control__Stop stop = CONTROL__STOP__INIT;
	Control__Message m = CONTROL__MESSAGE__INIT;

	m.body_case = CONTROL__MESSAGE__BODY_STOP;
	m.stop = &stop;
	test_broker_send(b, &m);
	channel_message_free(test_broker_expect(b, CONTROL__MESSAGE__BODY_STOPPED));
}

void
test_broker_plan(struct test_broker *b, Control__Slot *slot, size_t n, bool want_events)
{
	Control__Plan plan = CONTROL__PLAN__INIT;
	Control__Message m = CONTROL__MESSAGE__INIT;
	Control__Slot *each[64];

	for (size_t i = 0; i < n; i++)
		each[i] = &slot[i];
	plan.slots = each;
	plan.n_slots = n;
	plan.has_want_events = true;
	plan.want_events = want_events;
	plan.source = (char *)(uintptr_t) "counter";
	plan.has_generation = true;
	plan.generation = 5;
	plan.has_run_ahead = b->run_ahead > 0;
	plan.run_ahead = b->run_ahead;
	m.body_case = CONTROL__MESSAGE__BODY_PLAN;
	m.plan = &plan;
	test_broker_send(b, &m);
}

/* Frames. */

static void
wake_worker(struct test_broker *b, bool must)
{
	const uint64_t one = 1;

	if (must)
		assert_int_equal(
		    write(b->wake_worker_fd, &one, sizeof(one)), sizeof(one));
}

void
test_broker_frame(struct test_broker *b, enum frame_type type)
{
	struct pollfd p = {.fd = b->wake_broker_fd, .events = POLLIN};
	uint64_t end = clock_mono_ns() + PATIENCE_MS * 1000000ull, rings;
	uint32_t peer_type, len;
	enum ring_rc rc;
	struct err err;

	while ((rc = ring_take(&b->in, b->frame, LIMIT_FRAME_BYTES, &peer_type, &len)) ==
	       RING_EMPTY) {
		assert_true(clock_mono_ns() < end);
		if (!ring_reader_sleep(&b->in))
			continue;
		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		assert_int_equal(
		    read(b->wake_broker_fd, &rings, sizeof(rings)), sizeof(rings));
		ring_reader_awake(&b->in);
	}
	assert_int_equal(rc, RING_OK);
	wake_worker(b, ring_reader_must_wake(&b->in));
	assert_int_equal(peer_type, type);
	if (!chunk_check(&b->view, b->frame, len, type, &err))
		fail_msg("%s", err.msg);
}

void
test_broker_acknowledge(struct test_broker *b, uint32_t batch)
{
	const struct ack_frame ack = {.batch = batch};

	assert_int_equal(ring_put(&b->out, FRAME_ACK, &ack, sizeof(ack)), RING_OK);
	wake_worker(b, ring_writer_must_wake(&b->out));
}

void
test_broker_request(struct test_broker *b, const struct extract_head *h,
    const uint32_t *slot, const uint64_t *number, const void *const *raw,
    const uint32_t *raw_len)
{
	void *p;

	assert_int_equal(ring_reserve(&b->out, LIMIT_FRAME_BYTES, &p), RING_OK);
	uint32_t len = extract_write(p, LIMIT_FRAME_BYTES, h, slot, number, raw, raw_len);
	assert_true(len > 0);
	ring_commit(&b->out, FRAME_EXTRACT, len);
	wake_worker(b, ring_writer_must_wake(&b->out));
}

void
test_broker_extract(struct test_broker *b, uint32_t batch, uint32_t first, uint32_t n,
    uint64_t events, const uint32_t *slot, uint32_t n_slots)
{
	static uint32_t request;
	uint64_t number[LIMIT_CHUNK_EVENTS];
	const struct extract_head h = {
	    .request = ++request,
	    .target = EXTRACT_BATCH,
	    .batch = batch,
	    .first = first,
	    .n_events = n,
	    .n_slots = n_slots,
	    .events = {events},
	};

	for (uint32_t i = 0; i < n; i++)
		number[i] = 1000 * batch + first + i;
	test_broker_request(b, &h, slot, number, NULL, NULL);
	test_broker_frame(b, FRAME_COLUMNS);
	assert_int_equal(b->view.head.batch, request);
	assert_int_equal(b->view.head.n_events, n);
	assert_int_equal(b->view.head.n_columns, n_slots);
}

static const struct frame_column *
column(const struct test_broker *b, uint32_t slot)
{
	for (uint32_t i = 0; i < b->view.head.n_columns; i++) {
		if (b->view.column[i].slot == slot)
			return &b->view.column[i];
	}
	fail_msg("no column of slot %u", slot);
	return NULL;
}

uint32_t
test_broker_count(const struct test_broker *b, uint32_t slot, uint32_t event)
{
	const struct frame_column *c = column(b, slot);

	assert_true(event < b->view.head.n_events);
	return c->first[event + 1] - c->first[event];
}

uint64_t
test_broker_num(const struct test_broker *b, uint32_t slot, uint32_t event)
{
	const struct frame_column *c = column(b, slot);

	assert_int_equal(test_broker_count(b, slot, event), 1);
	assert_int_equal(c->kind, COLUMN_NUM);
	return c->num[c->first[event]];
}

const char *
test_broker_str(const struct test_broker *b, uint32_t slot, uint32_t event, uint32_t i)
{
	const struct frame_column *c = column(b, slot);

	assert_true(i < test_broker_count(b, slot, event));
	assert_int_not_equal(c->kind, COLUMN_NUM);
	return c->bytes + c->str[c->first[event] + i].off;
}
