/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/pipeline/async.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "proto/async.h"

static const char *names[] = {"tick", "tock"}, *sources[] = {"kit"};
static const struct plugin plugin = {
    .caps = PLUGIN_CAP_ASYNC,
    .async_event = names,
    .n_async_event = 2,
    .async_source = sources,
    .n_async_source = 1,
};

/* An event of this name and number as data; its length. */
static uint32_t
make(uint8_t *m, uint64_t ts, uint64_t tid, const char *name, uint32_t number)
{
	uint32_t n[3] = {4, (uint32_t)strlen(name) + 1, 4}, id = 9;
	struct plugin_event h = {
	    .ts = ts, .tid = tid, .type = PLUGIN_ASYNC_EVENT_TYPE, .nparams = 3};

	h.len = (uint32_t)sizeof(h) + 12 + 4 + n[1] + 4;
	memcpy(m, &h, sizeof(h));
	memcpy(m + 26, n, sizeof(n));
	memcpy(m + ASYNC_ID_OFF, &id, 4);
	memcpy(m + ASYNC_NAME_OFF, name, n[1]);
	memcpy(m + ASYNC_NAME_OFF + n[1], &number, 4);
	return h.len;
}

static bool
put(struct async_queue *q, uint64_t ts, uint32_t number)
{
	uint8_t m[128];
	struct err err;

	return async_queue_put(
	    q, &plugin, "kit", 7, m, make(m, ts, UINT64_MAX, "tick", number), &err);
}

static uint32_t
take(struct async_queue *q)
{
	struct async_event *e = async_queue_take(q);
	uint32_t number;

	memcpy(&number, e->bytes + e->len - 4, 4);
	free(e);
	return number;
}

static void
test_async_events_come_in_the_order_of_their_times(void **state)
{
	struct async_queue q;
	struct err err;
	uint64_t last = 0;

	assert_true(async_queue_init(&q, &err));
	assert_true(put(&q, 30, 1));
	assert_true(put(&q, 10, 2));
	assert_true(put(&q, UINT64_MAX, 3));
	assert_true(put(&q, 10, 4));
	assert_true(put(&q, UINT64_MAX, 5));
	assert_int_equal(take(&q), 3);
	assert_int_equal(take(&q), 5);
	assert_false(async_queue_is_due(&q, 9));
	assert_true(async_queue_is_due(&q, 10));
	assert_int_equal(take(&q), 2);
	assert_int_equal(take(&q), 4);
	assert_int_equal(take(&q), 1);
	assert_false(async_queue_is_due(&q, UINT64_MAX));
	/* Many, in no order. */
	for (uint32_t i = 0; i < 1000; i++)
		assert_true(put(&q, i * 7919 % 1000, i * 7919 % 1000));
	for (uint32_t i = 0; i < 1000; i++, last++)
		assert_int_equal(take(&q), last);
	assert_int_equal(q.bytes, 0);
	async_queue_release(&q);
}

static void
test_async_events_get_the_id_of_the_source(void **state)
{
	struct async_queue q;
	struct async_event *e;
	struct err err;
	uint64_t ts = 5;
	uint32_t id;

	assert_true(async_queue_init(&q, &err));
	assert_true(put(&q, UINT64_MAX, 1));
	e = async_queue_take(&q);
	memcpy(&id, e->bytes + ASYNC_ID_OFF, 4);
	assert_int_equal(id, 7);
	assert_string_equal(e->name, "tick");
	async_event_set_time(e, ts);
	assert_memory_equal(e->bytes, &ts, 8);
	free(e);
	async_queue_release(&q);
}

static void
test_async_queue_is_bounded(void **state)
{
	struct async_queue q;
	struct err err;

	assert_true(async_queue_init(&q, &err));
	for (uint32_t i = 0; i < LIMIT_ASYNC_EVENTS + 5; i++)
		assert_true(put(&q, 1, i));
	assert_int_equal(q.n, LIMIT_ASYNC_EVENTS);
	assert_int_equal(q.dropped_full, 5);
	assert_true(put(&q, clock_wall_ns() + LIMIT_ASYNC_AHEAD_NS + 5000000000u, 1));
	assert_int_equal(q.dropped_future, 1);
	async_queue_release(&q);
}

static void
test_async_events_that_no_honest_worker_sends(void **state)
{
	struct async_queue q;
	uint8_t m[128];
	struct err err;
	uint32_t len = make(m, 1, UINT64_MAX, "tick", 1);

	assert_true(async_queue_init(&q, &err));
	assert_false(async_queue_put(&q, &plugin, "kit", 7, m, len - 1, &err));
	assert_false(async_queue_put(&q, &plugin, "elsewhere", 7, m, len, &err));
	m[20] = 66; /* another type */
	assert_false(async_queue_put(&q, &plugin, "kit", 7, m, len, &err));
	make(m, 1, UINT64_MAX, "tick", 1);
	m[ASYNC_NAME_OFF + 1] = '\0'; /* a NUL inside */
	assert_false(async_queue_put(&q, &plugin, "kit", 7, m, len, &err));
	make(m, 1, UINT64_MAX, "tick", 1);
	m[34] = 0xff; /* data past the end */
	assert_false(async_queue_put(&q, &plugin, "kit", 7, m, len, &err));
	make(m, 1, UINT64_MAX, "tick", 1);
	m[26] = 8; /* an id of eight bytes */
	assert_false(async_queue_put(&q, &plugin, "kit", 7, m, len, &err));
	len = make(m, 1, UINT64_MAX, "toll", 1);
	assert_false(async_queue_put(&q, &plugin, "kit", 7, m, len, &err));
	len = make(m, 1, 4, "tock", 1);
	assert_false(async_queue_put(&q, &plugin, "kit", 7, m, len, &err));
	assert_int_equal(err.code, ERR_PEER);
	assert_true(async_queue_put(&q, &plugin, "kit", 0, m, len, &err));
	assert_int_equal(q.n, 1);
	async_queue_release(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_async_events_come_in_the_order_of_their_times),
	    cmocka_unit_test(test_async_events_get_the_id_of_the_source),
	    cmocka_unit_test(test_async_queue_is_bounded),
	    cmocka_unit_test(test_async_events_that_no_honest_worker_sends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
