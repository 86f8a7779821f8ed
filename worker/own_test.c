/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin does and tells beside its events: injecting, its state, metrics, another
 * configuration. With a broker that is a test. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "proto/async.h"
#include "worker/test_broker.h"

static const char *worker_path, *injector_path;

static void
start(struct test_broker *b)
{
	test_broker_start(b, worker_path);
	test_broker_load(b, injector_path);
	channel_message_free(test_broker_expect(b, CONTROL__MESSAGE__BODY_LOADED));
	test_broker_init(b, "", 1);
	channel_message_free(test_broker_expect(b, CONTROL__MESSAGE__BODY_INITIALIZED));
}

static void
ask(struct test_broker *b, Control__Message__BodyCase kind, void *body)
{
	Control__Message m = CONTROL__MESSAGE__INIT;

	m.body_case = kind;
	m.load = body; /* one pointer of a union */
	test_broker_send(b, &m);
}

static void
attach(struct test_broker *b, const char *source)
{
	Control__Attach a = CONTROL__ATTACH__INIT;

	a.has_step = a.has_plugin_source = true;
	a.step = CONTROL__ATTACH__STEP__ASYNC;
	a.source = (char *)(uintptr_t)source;
	a.plugin_source = true;
	ask(b, CONTROL__MESSAGE__BODY_ATTACH, &a);
}

/* The next frame of the side ring is such an event with this data. */
static void
expect_event(struct test_broker *b, enum frame_type type, const char *data)
{
	static _Alignas(8) uint8_t frame[LIMIT_FRAME_BYTES];
	struct async_view v;
	uint32_t got, len;
	struct err err;

	assert_int_equal(
	    ring_take(&b->side_in, frame, sizeof(frame), &got, &len), RING_OK);
	assert_int_equal(got, type);
	assert_true(async_check(&v, frame, len, &err));
	assert_string_equal(v.name, "tick");
	assert_memory_equal(v.name + v.name_len + 1, data, v.data_len);
}

static void
test_own_events_are_injected_until_the_handler_is_gone(void **state)
{
	struct test_broker b;
	uint8_t none[64];
	uint32_t type, len;
	Control__Stop stop = CONTROL__STOP__INIT;

	start(&b);
	attach(&b, "kit");
	channel_message_free(test_broker_expect(&b, CONTROL__MESSAGE__BODY_ATTACHED));
	expect_event(&b, FRAME_ASYNC, "event");
	assert_int_equal(
	    ring_take(&b.side_in, none, sizeof(none), &type, &len), RING_EMPTY);
	ask(&b, CONTROL__MESSAGE__BODY_STOP, &stop);
	channel_message_free(test_broker_expect(&b, CONTROL__MESSAGE__BODY_STOPPED));
	test_broker_quit(&b);
}

static void
test_own_state_is_dumped(void **state)
{
	struct test_broker b;
	Control__DumpState dump = CONTROL__DUMP_STATE__INIT;

	start(&b);
	/* Before there is a source its events are compatible with none. */
	ask(&b, CONTROL__MESSAGE__BODY_DUMP_STATE, &dump);
	test_broker_expect_failed(&b, CONTROL__FAILED__STEP__DUMP_STATE,
	    "dump_state error for plugin 'injector' : so it is");
	attach(&b, "kit");
	channel_message_free(test_broker_expect(&b, CONTROL__MESSAGE__BODY_ATTACHED));
	expect_event(&b, FRAME_ASYNC, "event");
	ask(&b, CONTROL__MESSAGE__BODY_DUMP_STATE, &dump);
	channel_message_free(test_broker_expect(&b, CONTROL__MESSAGE__BODY_STATE_DUMPED));
	expect_event(&b, FRAME_STATE, "state");
	test_broker_quit(&b);
}

static void
test_own_metrics(void **state)
{
	struct test_broker b;
	Control__GetMetrics get = CONTROL__GET_METRICS__INIT;
	Control__Message *m;

	start(&b);
	ask(&b, CONTROL__MESSAGE__BODY_GET_METRICS, &get);
	m = test_broker_expect(&b, CONTROL__MESSAGE__BODY_METRICS);
	assert_int_equal(m->metrics->n_metrics, 3);
	Control__Metric **x = m->metrics->metrics;
	assert_string_equal(x[0]->name, "u32");
	assert_true(x[0]->monotonic && x[0]->has_unsigned_value);
	assert_int_equal(x[0]->unsigned_value, 7);
	assert_true(!x[1]->monotonic && x[1]->has_signed_value);
	assert_int_equal(x[1]->signed_value, -8);
	assert_true(x[2]->has_real_value && x[2]->real_value == 0.25);
	channel_message_free(m);
	test_broker_quit(&b);
}

static void
test_own_configuration_is_set(void **state)
{
	struct test_broker b;
	Control__SetConfig set = CONTROL__SET_CONFIG__INIT;

	start(&b);
	set.config = (char *)(uintptr_t) "good";
	ask(&b, CONTROL__MESSAGE__BODY_SET_CONFIG, &set);
	channel_message_free(test_broker_expect(&b, CONTROL__MESSAGE__BODY_CONFIG_SET));
	set.config = (char *)(uintptr_t) "bad";
	ask(&b, CONTROL__MESSAGE__BODY_SET_CONFIG, &set);
	test_broker_expect_failed(&b, CONTROL__FAILED__STEP__SET_CONFIG,
	    "set_config error for plugin 'injector' : so it is");
	test_broker_quit(&b);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_own_events_are_injected_until_the_handler_is_gone),
	    cmocka_unit_test(test_own_state_is_dumped),
	    cmocka_unit_test(test_own_metrics),
	    cmocka_unit_test(test_own_configuration_is_set),
	};
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	if (argc != 3)
		return 2;
	worker_path = argv[1];
	injector_path = argv[2];
	sigaction(SIGPIPE, &ignore, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
