/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/outputs/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool
put(struct queue *q, const char *line)
{
	return queue_put(q, 5, line, strlen(line));
}

static uint32_t
depth(struct queue *q)
{
	uint32_t now, most;

	queue_depth(q, &now, &most);
	return now;
}

static void
test_queue_counts_a_line_until_it_is_done(void **state)
{
	struct queue q;

	queue_init(&q, 2, 1000);
	assert_true(put(&q, "one"));
	assert_true(put(&q, "two"));
	assert_false(put(&q, "three"));
	struct queue_chunk *c = queue_take(&q);
	assert_int_equal(c->n, 2);
	assert_memory_equal(c->text, "one\ntwo\n", 8);
	assert_int_equal(c->line[1].offset, 4);
	assert_int_equal(c->line[1].len, 3);
	assert_int_equal(c->line[1].priority, 5);
	assert_false(put(&q, "three"));
	queue_done(&q, 1, 4);
	assert_true(put(&q, "three"));
	queue_done(&q, 1, 4);
	queue_recycle(&q, c);
	assert_int_equal(depth(&q), 1);
	queue_release(&q);
}

static void
test_queue_is_bounded_in_bytes(void **state)
{
	struct queue q;

	queue_init(&q, 0, 10);
	assert_true(put(&q, "1234"));
	assert_true(put(&q, "5678"));
	assert_false(put(&q, ""));
	assert_int_equal(queue_discard(&q), 2);
	assert_int_equal(depth(&q), 0);
	assert_false(put(&q, "0123456789"));
	assert_true(put(&q, "012345678"));
	queue_release(&q);
}

static void
test_queue_wake_ends_a_wait_once(void **state)
{
	struct queue q;

	queue_init(&q, 0, 1000);
	queue_wake(&q);
	assert_null(queue_take(&q));
	assert_true(put(&q, "x"));
	queue_wake(&q);
	struct queue_chunk *c = queue_take(&q);
	assert_non_null(c);
	queue_recycle(&q, c);
	assert_null(queue_take(&q));
	queue_release(&q);
}

static void *
take_one(void *arg)
{
	struct queue *q = arg;
	struct queue_chunk *c = queue_take(q);
	uint32_t n = c->n;

	queue_done(q, c->n, c->used);
	queue_recycle(q, c);
	return (void *)(uintptr_t)n;
}

/* Puts n lines while the reader sleeps; how many it finds when it wakes. */
static unsigned
lines_at_once(uint32_t capacity, int n, bool flush)
{
	pthread_t thread;
	struct queue q;
	bool waits;
	void *got;

	queue_init(&q, capacity, 1 << 20);
	assert_int_equal(pthread_create(&thread, NULL, take_one, &q), 0);
	do {
		sched_yield();
		pthread_mutex_lock(&q.lock);
		waits = q.waiting;
		pthread_mutex_unlock(&q.lock);
	} while (!waits);
	for (int i = 0; i < n; i++)
		assert_true(put(&q, "line"));
	if (flush)
		queue_flush(&q);
	pthread_join(thread, &got);
	queue_release(&q);
	return (unsigned)(uintptr_t)got;
}

static void
test_queue_lets_its_reader_sleep_until_it_is_flushed(void **state)
{
	assert_int_equal(lines_at_once(0, 5, true), 5);
}

static void
test_queue_wakes_its_reader_before_it_is_full(void **state)
{
	assert_in_range(lines_at_once(10, 10, false), 6, 10);
	assert_int_equal(lines_at_once(0, QUEUE_WAKE_BYTES, false), QUEUE_CHUNK_LINES);
}

static bool
count_lines(const struct queue_chunk *c, void *arg)
{
	unsigned *n = arg;

	*n += c->n;
	return *n != 1;
}

/* Alone, or not at all: nobody gets a line before one that was there earlier. */
static void
test_queue_offers_a_few_lines_while_its_reader_sleeps(void **state)
{
	pthread_t thread;
	struct queue q;
	unsigned n = 0;
	bool waits;
	void *got;

	queue_init(&q, 0, 1 << 20);
	assert_true(put(&q, "line"));
	assert_false(queue_offer(&q, count_lines, &n));
	assert_int_equal(n, 0);
	struct queue_chunk *c = queue_take(&q);
	queue_done(&q, c->n, c->used);
	queue_recycle(&q, c);

	assert_int_equal(pthread_create(&thread, NULL, take_one, &q), 0);
	do {
		sched_yield();
		pthread_mutex_lock(&q.lock);
		waits = q.waiting;
		pthread_mutex_unlock(&q.lock);
	} while (!waits);
	assert_false(queue_offer(&q, count_lines, &n));
	/* Refused: it is still there, and goes with the next. */
	assert_true(put(&q, "one"));
	assert_false(queue_offer(&q, count_lines, &n));
	assert_int_equal(n, 1);
	assert_int_equal(depth(&q), 1);
	assert_true(put(&q, "two"));
	assert_true(queue_offer(&q, count_lines, &n));
	assert_int_equal(n, 3);
	assert_int_equal(depth(&q), 0);
	assert_int_equal(q.bytes, 0);
	assert_false(queue_offer(&q, count_lines, &n));
	/* Too many for that. */
	for (size_t bytes = 0; bytes <= QUEUE_FEW_BYTES; bytes += sizeof("line"))
		assert_true(put(&q, "line"));
	assert_false(queue_offer(&q, count_lines, &n));
	assert_int_equal(n, 3);
	queue_flush(&q);
	pthread_join(thread, &got);
	queue_release(&q);
}

enum {
	WRITERS = 4,
	LINES = 20000
};

static void *
write_lines(void *arg)
{
	static int number;
	int me = __atomic_fetch_add(&number, 1, __ATOMIC_RELAXED);
	char line[32];

	for (int i = 0; i < LINES; i++) {
		snprintf(line, sizeof(line), "%d %d", me, i);
		while (!put(arg, line))
			sched_yield();
	}
	queue_flush(arg);
	return NULL;
}

static void
test_queue_keeps_the_order_of_each_writer(void **state)
{
	pthread_t thread[WRITERS];
	int next[WRITERS] = {0};
	struct queue q;

	queue_init(&q, 500, 1 << 20);
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, write_lines, &q), 0);
	for (int seen = 0; seen < WRITERS * LINES;) {
		struct queue_chunk *c = queue_take(&q);
		assert_non_null(c);
		for (uint32_t i = 0; i < c->n; i++) {
			char *end;
			long who = strtol(c->text + c->line[i].offset, &end, 10);
			assert_in_range(who, 0, WRITERS - 1);
			assert_int_equal(strtol(end, &end, 10), next[who]++);
			assert_int_equal(*end, '\n');
		}
		seen += (int)c->n;
		queue_done(&q, c->n, c->used);
		queue_recycle(&q, c);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(depth(&q), 0);
	assert_int_equal(q.bytes, 0);
	queue_release(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_queue_counts_a_line_until_it_is_done),
	    cmocka_unit_test(test_queue_is_bounded_in_bytes),
	    cmocka_unit_test(test_queue_wake_ends_a_wait_once),
	    cmocka_unit_test(test_queue_lets_its_reader_sleep_until_it_is_flushed),
	    cmocka_unit_test(test_queue_wakes_its_reader_before_it_is_full),
	    cmocka_unit_test(test_queue_offers_a_few_lines_while_its_reader_sleeps),
	    cmocka_unit_test(test_queue_keeps_the_order_of_each_writer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
