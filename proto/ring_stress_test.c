/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rings under load, sleeping on eventfds as the processes do. Bounded by counts; nothing
 * is judged by time, and a lost wake-up shows as a test that does not end.
 *
 * Three arrangements: two processes; two threads over separate mappings, as two processes
 * have them; two threads over the same mapping, where ThreadSanitizer can relate the two
 * sides (it tells memory by address). Last, a writer that scribbles while the reader
 * takes.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "proto/ring_pair.h"

enum {
	RECORDS = 60000,
	/* Every so many records one side waits until the other side sleeps, so that each
	 * kind of sleep happens often on any machine. */
	MEET_EVERY = 500,
	LONGEST = 3000,
};

struct side {
	struct ring_pair *pair;
	int data_fd, space_fd; /* eventfds that wake the reader, the writer */
	uint32_t sleeps;
	bool ok;
};

static void
wake(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		abort();
}

static void
sleep_on(int fd)
{
	uint64_t n;

	if (read(fd, &n, sizeof(n)) != sizeof(n))
		abort();
}

static uint32_t
length_of(uint32_t i)
{
	return i * 2654435761u % (LONGEST + 1);
}

static uint8_t
byte_of(uint32_t i, uint32_t at)
{
	return (uint8_t)(i * 31 + at);
}

/* Only looks: to ask whether it must be woken is to promise to do so. */
static bool
sleeps(const struct ring_map *peer, uint32_t at)
{
	const uint32_t *waiting = (const uint32_t *)(const void *)page_word(peer, at);

	return __atomic_load_n(waiting, __ATOMIC_RELAXED) & 1;
}

static void *
write_all(void *arg)
{
	struct side *s = arg;
	struct ring_writer *w = &s->pair->w;

	for (uint32_t i = 0; i < RECORDS; i++) {
		uint32_t n = length_of(i);
		enum ring_rc rc;
		void *p;

		if (i % MEET_EVERY == 0) {
			while (!sleeps(w->peer, AT_DATA_WAITING))
				sched_yield();
		}
		while ((rc = ring_reserve(w, n, &p)) == RING_FULL) {
			if (!ring_writer_sleep(w, n))
				continue;
			s->sleeps++;
			sleep_on(s->space_fd);
			ring_writer_awake(w);
		}
		if (rc != RING_OK)
			return NULL;
		for (uint32_t k = 0; k < n; k++)
			((uint8_t *)p)[k] = byte_of(i, k);
		ring_commit(w, i, n);
		if (ring_writer_must_wake(w))
			wake(s->data_fd);
	}
	s->ok = true;
	return NULL;
}

static void *
read_all(void *arg)
{
	struct side *s = arg;
	struct ring_reader *r = &s->pair->r;
	uint8_t body[LONGEST];

	for (uint32_t i = 0; i < RECORDS; i++) {
		uint32_t type, len;
		enum ring_rc rc;

		/* A quarter off, so that the two meetings never wait for one another;
		 * near the end the writer may have nothing left to wait for. */
		if (i % MEET_EVERY == MEET_EVERY / 4 && i + MEET_EVERY < RECORDS) {
			while (!sleeps(r->peer, AT_SPACE_WAITING))
				sched_yield();
		}
		while (
		    (rc = ring_take(r, body, sizeof(body), &type, &len)) == RING_EMPTY) {
			if (!ring_reader_sleep(r))
				continue;
			s->sleeps++;
			sleep_on(s->data_fd);
			ring_reader_awake(r);
		}
		if (rc != RING_OK || type != i || len != length_of(i))
			return NULL;
		for (uint32_t k = 0; k < len; k++) {
			if (body[k] != byte_of(i, k))
				return NULL;
		}
		if (ring_reader_must_wake(r))
			wake(s->space_fd);
	}
	s->ok = true;
	return NULL;
}

static void
sides_init(struct ring_pair *p, struct side *writer, struct side *reader)
{
	ring_pair_init(p);
	*writer = (struct side){.pair = p,
	    .data_fd = eventfd(0, EFD_CLOEXEC),
	    .space_fd = eventfd(0, EFD_CLOEXEC)};
	*reader = *writer;
}

static void
sides_release(struct side *writer)
{
	close(writer->data_fd);
	close(writer->space_fd);
	ring_pair_release(writer->pair);
}

static void
check_sleeps(const struct side *s)
{
	assert_true(s->ok);
	assert_true(s->sleeps >= RECORDS / MEET_EVERY - 2);
}

static void
run_two_threads(struct side *writer, struct side *reader)
{
	pthread_t a, b;

	assert_int_equal(pthread_create(&a, NULL, write_all, writer), 0);
	assert_int_equal(pthread_create(&b, NULL, read_all, reader), 0);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	check_sleeps(writer);
	check_sleeps(reader);
	sides_release(writer);
}

static void
test_ring_stress_two_threads_one_mapping(void **state)
{
	struct ring_pair p;
	struct side writer, reader;

	sides_init(&p, &writer, &reader);
	ring_writer_init(&p.w, &p.up_own, &p.down_own);
	ring_reader_init(&p.r, &p.down_own, &p.up_own);
	run_two_threads(&writer, &reader);
}

static void
test_ring_stress_two_threads_two_mappings(void **state)
{
	struct ring_pair p;
	struct side writer, reader;

	sides_init(&p, &writer, &reader);
	run_two_threads(&writer, &reader);
}

/* The reader is about to sleep just when the next record comes: every round is a chance
 * to lose its wake-up, and one lost is a test that hangs. */
enum {
	CLOSE_CALLS = 100000
};

static void *
write_when_all_is_taken(void *arg)
{
	struct side *s = arg;
	struct ring_writer *w = &s->pair->w;

	for (uint32_t i = 0; i < CLOSE_CALLS; i++) {
		for (uint32_t k = 1; *page_word(w->peer, AT_PEER_HEAD) != w->tail; k++) {
			if (k % 1000 == 0)
				sched_yield();
		}
		if (ring_put(w, i, "", 0) != RING_OK)
			return NULL;
		if (ring_writer_must_wake(w))
			wake(s->data_fd);
	}
	s->ok = true;
	return NULL;
}

static void *
read_and_sleep(void *arg)
{
	struct side *s = arg;
	struct ring_reader *r = &s->pair->r;
	uint32_t type, len;
	uint8_t nothing;

	for (uint32_t i = 0; i < CLOSE_CALLS; i++) {
		enum ring_rc rc;
		while ((rc = ring_take(r, &nothing, 0, &type, &len)) == RING_EMPTY) {
			/* Sooner and later, so that the record meets every step of
			 * falling asleep. */
			for (volatile uint32_t k = i % 256; k > 0; k--)
				continue;
			if (!ring_reader_sleep(r))
				continue;
			s->sleeps++;
			sleep_on(s->data_fd);
			ring_reader_awake(r);
		}
		if (rc != RING_OK || type != i)
			return NULL;
	}
	s->ok = true;
	return NULL;
}

static void
test_ring_stress_no_wake_up_is_lost(void **state)
{
	struct ring_pair p;
	struct side writer, reader;
	pthread_t a, b;

	sides_init(&p, &writer, &reader);
	assert_int_equal(pthread_create(&a, NULL, write_when_all_is_taken, &writer), 0);
	assert_int_equal(pthread_create(&b, NULL, read_and_sleep, &reader), 0);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	assert_true(writer.ok && reader.ok);
	print_message("%u sleeps in %u rounds\n", reader.sleeps, CLOSE_CALLS);
	sides_release(&writer);
}

static void
test_ring_stress_two_processes(void **state)
{
	struct ring_pair p;
	struct side writer, reader;
	int status;

	sides_init(&p, &writer, &reader);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		write_all(&writer);
		_exit(writer.ok && writer.sleeps >= RECORDS / MEET_EVERY - 2 ? 0 : 1);
	}
	read_all(&reader);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	check_sleeps(&reader);
	sides_release(&writer);
}

/* What a worker whose plugin took it over may do to its own memory while we read. */
struct scribbler {
	const struct ring_map *up;
	_Atomic bool stop;
};

static void *
scribble(void *arg)
{
	static const uint32_t values[] = {0, 8, 16, 64, 4096, PAIR_BYTES - 16, PAIR_BYTES,
	    PAIR_BYTES + 8, 0x7fffffff, ~0u, ~7u};
	struct scribbler *s = arg;
	uint32_t x = 1;

	while (!s->stop) {
		x = x * 1664525 + 1013904223;
		uint32_t v = values[x >> 16 & 7 ? x % 7 : x % 11];
		switch (x >> 28) {
		case 0:
			*page_word(s->up, AT_TAIL) = v;
			break;
		case 1:
			*page_word(s->up, AT_TAIL) += 8;
			break;
		default: /* the length and the number of the record at the start */
			*data_word(s->up, 4 * (x >> 24 & 3)) = v;
		}
	}
	return NULL;
}

static void
test_ring_stress_reader_survives_a_scribbling_writer(void **state)
{
	enum {
		CAP = 8192,
		ROUNDS = 400000
	};
	struct ring_pair p;
	pthread_t thread;
	uint32_t got[4] = {0};
	uint8_t *dst = malloc(CAP); /* a byte too far is AddressSanitizer's */

	ring_pair_init(&p);
	struct scribbler s = {.up = &p.up_own};
	assert_int_equal(pthread_create(&thread, NULL, scribble, &s), 0);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t type, len = 0;
		enum ring_rc rc = ring_take(&p.r, dst, CAP, &type, &len);

		assert_true(rc == RING_OK || rc == RING_EMPTY || rc == RING_BROKEN);
		assert_true(len <= CAP);
		assert_true(p.r.peer_tail - p.r.head <= PAIR_BYTES);
		got[rc]++;
		/* Any breach ends a worker; here reading starts over. */
		if (rc != RING_EMPTY)
			ring_reader_init(&p.r, &p.down_own, &p.up_seen);
		else if (i % 16 == 0)
			sched_yield();
	}
	s.stop = true;
	pthread_join(thread, NULL);
	print_message("taken %u, empty %u, broken %u\n", got[RING_OK], got[RING_EMPTY],
	    got[RING_BROKEN]);
	assert_true(got[RING_BROKEN] > 0);
	free(dst);
	ring_pair_release(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ring_stress_two_threads_one_mapping),
	    cmocka_unit_test(test_ring_stress_two_threads_two_mappings),
	    cmocka_unit_test(test_ring_stress_no_wake_up_is_lost),
	    cmocka_unit_test(test_ring_stress_two_processes),
	    cmocka_unit_test(test_ring_stress_reader_survives_a_scribbling_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
