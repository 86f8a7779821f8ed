/* SPDX-License-Identifier: Apache-2.0 */
/* The real binary, unconfined, with a plugin that counts (testdata/counter.c). Long: a
 * case for each call and each state in which it comes. */
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "proto/call.h"
#include "proto/plugin_api.h"
#include "worker/test_broker.h"

static const char *worker_path, *counter_path, *parts_path;

/* Slots, numbered as the fields of counter.c; TEXT is evt.plugininfo. */
enum {
	INDEX,
	NUMBER,
	CALLS,
	BATCHES,
	KEY,
	LIST,
	ODD,
	IP,
	FAILS,
	TWO,
	TEXT,
	N_SLOTS
};

static void
make_slots(Control__Slot slot[N_SLOTS], unsigned first_stage)
{
	static const struct {
		const char *field;
		uint32_t type;
	} fields[] = {
	    {"c.index", PLUGIN_FIELD_UINT64},
	    {"c.number", PLUGIN_FIELD_UINT64},
	    {"c.calls", PLUGIN_FIELD_UINT64},
	    {"c.batches", PLUGIN_FIELD_UINT64},
	    {"c.key", PLUGIN_FIELD_STRING},
	    {"c.list", PLUGIN_FIELD_STRING},
	    {"c.odd", PLUGIN_FIELD_BOOL},
	    {"c.ip", PLUGIN_FIELD_IPADDR},
	    {"c.fails", PLUGIN_FIELD_STRING},
	    {"c.two", PLUGIN_FIELD_STRING},
	    {"evt.plugininfo", PLUGIN_FIELD_STRING},
	};

	for (uint32_t i = 0; i < N_SLOTS; i++) {
		Control__Slot *s = &slot[i];
		control__slot__init(s);
		s->has_slot = s->has_field_id = s->has_type = s->has_is_list = true;
		s->has_arg_present = s->has_first_stage = s->has_event_text = true;
		s->slot = s->field_id = i;
		s->field = (char *)(uintptr_t)fields[i].field;
		s->type = fields[i].type;
		s->is_list = i == LIST;
		s->arg_present = i == KEY;
		s->arg_key = i == KEY ? (char *)(uintptr_t) "k" : NULL;
		s->first_stage = first_stage >> i & 1;
		s->event_text = i == TEXT;
	}
}

/* Up to Initialized. */
static void
start(struct test_broker *b, const char *config, uint64_t first_event)
{
	test_broker_start(b, worker_path);
	test_broker_load(b, counter_path);
	channel_message_free(test_broker_expect(b, CONTROL__MESSAGE__BODY_LOADED));
	test_broker_init(b, config, first_event);
	channel_message_free(test_broker_expect(b, CONTROL__MESSAGE__BODY_INITIALIZED));
}

static void
send_plan(struct test_broker *b, unsigned first_stage, bool want_events)
{
	Control__Slot slot[N_SLOTS];

	make_slots(slot, first_stage);
	test_broker_plan(b, slot, N_SLOTS, want_events);
}

static void
expect_planned(struct test_broker *b)
{
	Control__Message *m = test_broker_expect(b, CONTROL__MESSAGE__BODY_PLANNED);

	assert_int_equal(m->planned->generation, 5);
	channel_message_free(m);
}

static void
plan(struct test_broker *b, unsigned first_stage, bool want_events)
{
	send_plan(b, first_stage, want_events);
	expect_planned(b);
}

static void
run(struct test_broker *b, const char *params)
{
	test_broker_open(b, params);
	channel_message_free(test_broker_expect(b, CONTROL__MESSAGE__BODY_OPENED));
	test_broker_begin(b);
}

/* The next chunk, which begins where the last one ended and is the last of its batch. */
static void
expect_batch(struct test_broker *b, uint32_t batch, uint32_t n, int32_t rc)
{
	test_broker_frame(b, FRAME_EVENTS);
	assert_int_equal(b->view.head.batch, batch);
	assert_int_equal(b->view.head.first, 0);
	assert_int_equal(b->view.head.n_events, n);
	assert_true(b->view.head.flags & CHUNK_LAST);
	assert_int_equal(b->view.head.rc, rc);
}

static void
test_serve_whole_life(void **state)
{
	struct test_broker b;

	start(&b, "", 1);
	plan(&b,
	    1u << INDEX | 1u << NUMBER | 1u << CALLS | 1u << KEY | 1u << LIST | 1u << ODD,
	    false);
	run(&b, "n=6 batch=4");
	expect_batch(&b, 1, 4, PLUGIN_SUCCESS);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(b.view.event[i].ts_ns, 1000 + i);
		assert_int_equal(b.view.event[i].tid, UINT64_MAX);
		assert_int_equal(b.view.event[i].type, PLUGIN_EVENT_TYPE);
		assert_int_equal(b.view.event[i].plugin_id, 31);
		assert_int_equal(b.view.event[i].payload_len, 8);
		assert_int_equal(test_broker_num(&b, INDEX, i), i);
		assert_int_equal(test_broker_num(&b, NUMBER, i), i + 1);
		/* All of the plan in one call. */
		assert_int_equal(test_broker_num(&b, CALLS, i), 1);
		assert_string_equal(test_broker_str(&b, KEY, i, 0), "k@counter");
		assert_int_equal(test_broker_count(&b, LIST, i), i % 3);
		assert_int_equal(test_broker_num(&b, ODD, i), i & 1);
	}
	assert_string_equal(test_broker_str(&b, LIST, 2, 1), "bc");
	assert_false(b.view.head.flags & CHUNK_HAS_EVENTS);
	test_broker_acknowledge(&b, 1);
	expect_batch(&b, 2, 2, PLUGIN_SUCCESS);
	assert_int_equal(test_broker_num(&b, NUMBER, 1), 6);
	test_broker_acknowledge(&b, 2);
	expect_batch(&b, 3, 0, PLUGIN_EOF);
	test_broker_stop(&b);
	test_broker_quit(&b);
}

/* As far as the plan lets it, of small batches until they hold many events; an
 * acknowledgement is of all batches up to its own. */
static void
test_serve_runs_ahead(void **state)
{
	static const struct {
		const char *params;
		uint32_t run_ahead, batch, ahead;
	} row[] = {
	    {"n=1000 batch=1", 8, 1, 8},
	    {"n=1000 batch=1", 300, 1, 256},
	    {"n=1000 batch=4", 300, 4, 64},
	    {"n=4000 batch=40", 300, 40, 16},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		uint32_t batch = 0, n = row[i].ahead;
		struct test_broker b;

		start(&b, "", 1);
		b.run_ahead = row[i].run_ahead;
		plan(&b, 1u << INDEX, false);
		run(&b, row[i].params);
		for (int round = 0; round < 3; round++) {
			while (batch < n)
				expect_batch(&b, ++batch, row[i].batch, PLUGIN_SUCCESS);
			test_broker_expect_silence(&b, 20);
			test_broker_acknowledge(&b, batch - n % 5 - 1);
			n = batch - n % 5 - 1 + row[i].ahead;
		}
		/* One that was acknowledged already. */
		test_broker_acknowledge(&b, 1);
		assert_int_equal(test_broker_reap(&b), 1);
		test_broker_release(&b);
	}
}

/* The batch stays in the plugin's memory, and next_batch uncalled, until it is
 * acknowledged. */
static void
test_serve_answers_later_stages_from_the_batch(void **state)
{
	const uint32_t later[] = {TEXT, INDEX, IP, BATCHES, NUMBER};
	struct test_broker b;

	start(&b, "", 101);
	plan(&b, 0, false);
	run(&b, "n=8 batch=4");
	expect_batch(&b, 1, 4, PLUGIN_SUCCESS);
	assert_int_equal(b.view.head.n_columns, 0);
	test_broker_extract(&b, 1, 1, 3, 0x5, later, 5);
	assert_int_equal(test_broker_num(&b, INDEX, 0), 1);
	assert_int_equal(test_broker_num(&b, NUMBER, 0), 1001);
	assert_string_equal(test_broker_str(&b, TEXT, 0, 0), "event 1");
	assert_memory_equal(test_broker_str(&b, IP, 0, 0), "\x0a\x00\x00\x01", 4);
	assert_int_equal(test_broker_count(&b, INDEX, 1), 0);
	assert_int_equal(test_broker_count(&b, TEXT, 1), 0);
	assert_int_equal(test_broker_num(&b, INDEX, 2), 3);
	test_broker_expect_silence(&b, 20);
	test_broker_extract(&b, 1, 0, 4, 0xf, later, 5);
	assert_int_equal(test_broker_num(&b, BATCHES, 3), 1);
	/* What event_to_string does not say. */
	assert_string_equal(test_broker_str(&b, TEXT, 0, 0), "datalen=8 data=<binary>");
	test_broker_acknowledge(&b, 1);
	expect_batch(&b, 2, 4, PLUGIN_SUCCESS);
	test_broker_extract(&b, 2, 0, 4, 0xf, later, 5);
	assert_int_equal(test_broker_num(&b, BATCHES, 0), 2);
	assert_int_equal(test_broker_num(&b, NUMBER, 3), 2003);
	test_broker_stop(&b);
	test_broker_quit(&b);
}

static void
test_serve_failed_field_hides_no_other(void **state)
{
	struct test_broker b;

	start(&b, "", 1);
	plan(&b, 1u << INDEX | 1u << FAILS | 1u << TWO | 1u << ODD, false);
	run(&b, "n=3 batch=3");
	expect_batch(&b, 1, 3, PLUGIN_SUCCESS);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(test_broker_num(&b, INDEX, i), i);
		assert_int_equal(test_broker_count(&b, FAILS, i), 0);
		assert_int_equal(test_broker_count(&b, TWO, i), 0);
		assert_int_equal(test_broker_num(&b, ODD, i), i & 1);
	}
	test_broker_stop(&b);
	/* One line about each, however many events. */
	assert_int_equal(b.n_logs, 2);
	test_broker_quit(&b);
}

/* A plugin with one buffer for all numbers is found out on its first event. */
static void
test_serve_shared_memory_of_fields(void **state)
{
	struct test_broker b;

	start(&b, "", 1);
	plan(&b, 1u << INDEX | 1u << KEY | 1u << NUMBER, false);
	run(&b, "n=4 batch=4 shared=1");
	expect_batch(&b, 1, 4, PLUGIN_SUCCESS);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(test_broker_num(&b, INDEX, i), i);
		assert_int_equal(test_broker_num(&b, NUMBER, i), i + 1);
		assert_string_equal(test_broker_str(&b, KEY, i, 0), "k@counter");
	}
	test_broker_stop(&b);
	assert_int_equal(b.n_logs, 1);
	test_broker_quit(&b);
}

static void
test_serve_time_outs_are_not_told(void **state)
{
	struct test_broker b;

	for (int wait = 0; wait < 2; wait++) {
		start(&b, "", 1);
		plan(&b, 1u << INDEX, false);
		run(&b,
		    wait ? "n=2 batch=2 end=timeout wait=1" : "n=2 batch=2 end=timeout");
		expect_batch(&b, 1, 2, PLUGIN_SUCCESS);
		test_broker_acknowledge(&b, 1);
		test_broker_expect_silence(&b, 50);
		/* Told at once, in the middle of them. */
		plan(&b, 1u << INDEX, false);
		test_broker_stop(&b);
		run(&b, "n=1 end=timeout last=1");
		expect_batch(&b, 2, 1, PLUGIN_TIMEOUT);
		test_broker_acknowledge(&b, 2);
		test_broker_stop(&b);
		test_broker_quit(&b);
	}
}

static uint64_t
calls_of(const struct test_broker *b)
{
	return ring_peer_note(&b->up) >> CALL_KIND_BITS;
}

/* Reads that the process has asked the kernel for; false where that is not told. */
static bool
count_reads(pid_t pid, uint64_t *ret_n)
{
	char path[64], line[128];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/io", (int)pid);
	FILE *f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "syscr: %" SCNu64, ret_n) == 1;
	if (f)
		fclose(f);
	return found;
}

static void
test_serve_time_outs_ask_for_no_messages(void **state)
{
	enum {
		TIME_OUTS = 400
	};
	struct test_broker b;
	uint64_t before, after, calls;

	start(&b, "", 1);
	run(&b, "n=0 end=timeout wait=1");
	bool counted = count_reads(b.pid, &before);
	/* In, and out again. */
	for (calls = calls_of(&b); calls_of(&b) - calls < TIME_OUTS * 2;)
		usleep(1000);
	if (counted && count_reads(b.pid, &after))
		assert_in_range(after - before, 0, TIME_OUTS / 10);
	test_broker_stop(&b);
	test_broker_quit(&b);
	if (!counted)
		skip();
}

/* Who is not told of a message reads it all the same, by and by. */
static void
test_serve_reads_messages_untold(void **state)
{
	Control__Quit quit = CONTROL__QUIT__INIT;
	const Control__Message m = {
	    .base = PROTOBUF_C_MESSAGE_INIT(&control__message__descriptor),
	    .body_case = CONTROL__MESSAGE__BODY_QUIT,
	    .quit = &quit};
	struct test_broker b;
	struct err err;

	start(&b, "", 1);
	run(&b, "n=0 end=timeout wait=1");
	assert_true(channel_send(&b.channel, &m, &err));
	channel_message_free(test_broker_expect(&b, CONTROL__MESSAGE__BODY_BYE));
	assert_int_equal(test_broker_reap(&b), 0);
	test_broker_release(&b);
}

static void
test_serve_failures_of_next_batch(void **state)
{
	static const struct {
		const char *params;
		uint32_t n;
		const char *text;
	} cases[] = {
	    {"n=2 batch=4 last=1 end=fail", 2, "ran dry"},
	    {"n=0 end=fail", 0, "ran dry"},
	    {"n=0 end=zero", 0, "unexpected 0 size event returned by plugin counter"},
	    {"n=4 batch=4 bad=3", 3,
		"unexpected plugin ID in plugin event: plugin='counter', expected_id=31, "
		"actual_id=32"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct test_broker b;
		start(&b, "", 1);
		plan(&b, 1u << INDEX, false);
		run(&b, cases[i].params);
		/* The words are there before the frame that needs them. */
		expect_batch(&b, 1, cases[i].n, PLUGIN_FAILURE);
		test_broker_expect_failed(
		    &b, CONTROL__FAILED__STEP__NEXT_BATCH, cases[i].text);
		/* The events that came before it can still be asked about. */
		if (cases[i].n > 0) {
			const uint32_t slot = INDEX;
			test_broker_extract(
			    &b, 1, 0, cases[i].n, (1u << cases[i].n) - 1, &slot, 1);
			assert_int_equal(test_broker_num(&b, INDEX, 1), 1);
		}
		test_broker_stop(&b);
		test_broker_quit(&b);
	}
}

static void
test_serve_events_that_are_too_large_are_dropped(void **state)
{
	struct test_broker b;

	start(&b, "", 1);
	plan(&b, 1u << INDEX | 1u << NUMBER, true);
	run(&b, "n=6 batch=4 huge=2");
	expect_batch(&b, 1, 3, PLUGIN_SUCCESS);
	assert_int_equal(b.view.head.dropped, 1);
	assert_true(b.view.head.flags & CHUNK_HAS_EVENTS);
	assert_int_equal(test_broker_num(&b, INDEX, 2), 3);
	assert_int_equal(test_broker_num(&b, NUMBER, 2), 3);
	assert_string_equal((const char *)b.view.raw + b.view.raw_off[2] + 38, "3");
	/* It has no number. */
	test_broker_acknowledge(&b, 1);
	expect_batch(&b, 2, 2, PLUGIN_SUCCESS);
	assert_int_equal(test_broker_num(&b, NUMBER, 0), 4);
	test_broker_stop(&b);
	run(&b, "n=1 batch=1 huge=0");
	expect_batch(&b, 3, 0, PLUGIN_TIMEOUT);
	assert_int_equal(b.view.head.dropped, 1);
	test_broker_stop(&b);
	test_broker_quit(&b);
}

/* A batch five times the ring: the worker waits for room, and still hears what it is
 * told. */
static void
test_serve_full_ring(void **state)
{
	struct test_broker b;
	uint32_t first = 0;

	start(&b, "", 1);
	plan(&b, 1u << INDEX, true);
	run(&b, "n=64 batch=64 size=700000");
	usleep(100000);
	send_plan(&b, 1u << INDEX | 1u << CALLS, true);
	do {
		test_broker_frame(&b, FRAME_EVENTS);
		assert_int_equal(b.view.head.first, first);
		assert_int_equal(b.view.head.n_columns, 1);
		assert_int_equal(test_broker_num(&b, INDEX, 0), first);
		first += b.view.head.n_events;
	} while (!(b.view.head.flags & CHUNK_LAST));
	assert_int_equal(first, 64);
	/* A plan is taken between batches: when this one is acknowledged. */
	test_broker_expect_silence(&b, 50);
	test_broker_acknowledge(&b, 1);
	expect_planned(&b);
	test_broker_stop(&b);
	test_broker_quit(&b);
}

static void
test_serve_stop_while_the_ring_is_full(void **state)
{
	struct test_broker b;

	start(&b, "", 1);
	plan(&b, 1u << INDEX, true);
	run(&b, "n=64 batch=64 size=700000");
	usleep(50000);
	test_broker_stop(&b);
	test_broker_quit(&b);
}

static void
test_serve_chunks_of_a_batch_are_in_order(void **state)
{
	struct test_broker b;
	uint32_t first = 0;

	start(&b, "", 1);
	plan(&b, 1u << INDEX, false);
	run(&b, "n=64 batch=64 size=20000");
	do {
		test_broker_frame(&b, FRAME_EVENTS);
		assert_int_equal(b.view.head.first, first);
		for (uint32_t i = 0; i < b.view.head.n_events; i++)
			assert_int_equal(test_broker_num(&b, INDEX, i), first + i);
		first += b.view.head.n_events;
	} while (!(b.view.head.flags & CHUNK_LAST));
	assert_int_equal(first, 64);
	test_broker_stop(&b);
	test_broker_quit(&b);
}

/* Another plugin's events come with the request, and their numbers. */
static void
test_serve_inline_events(void **state)
{
	struct {
		struct plugin_event head;
		uint32_t lens[2], id;
		char payload[2];
	} __attribute__((packed)) event[2];
	const void *raw[2] = {&event[0], &event[1]};
	const uint32_t raw_len[2] = {sizeof(*event), sizeof(*event)};
	const uint64_t number[2] = {70, 71};
	const uint32_t slot[2] = {INDEX, NUMBER};
	const struct extract_head h = {.request = 9,
	    .target = EXTRACT_INLINE,
	    .n_events = 2,
	    .n_slots = 2,
	    .events = {3}};
	struct test_broker b;

	for (int i = 0; i < 2; i++) {
		memset(&event[i], 0, sizeof(event[i]));
		event[i].head.len = sizeof(*event);
		event[i].head.type = i == 0 ? PLUGIN_EVENT_TYPE : 7;
		event[i].head.nparams = 2;
		event[i].lens[0] = sizeof(event[i].id);
		event[i].lens[1] = sizeof(event[i].payload);
		event[i].payload[0] = '7';
	}
	start(&b, "", 1);
	plan(&b, 0, false);
	test_broker_request(&b, &h, slot, number, raw, raw_len);
	test_broker_frame(&b, FRAME_COLUMNS);
	assert_int_equal(test_broker_num(&b, INDEX, 0), 7);
	assert_int_equal(test_broker_num(&b, NUMBER, 0), 70);
	/* Not a type that the plugin extracts from. */
	assert_int_equal(test_broker_count(&b, INDEX, 1), 0);
	test_broker_quit(&b);
}

static void
test_serve_logs_of_other_threads(void **state)
{
	struct test_broker b;

	start(&b, "shout", 1);
	assert_int_equal(b.n_logs, 3);
	assert_string_equal(b.log, "a line from a thread");
	test_broker_quit(&b);
}

static void
test_serve_open_params(void **state)
{
	Control__ListOpenParams list = CONTROL__LIST_OPEN_PARAMS__INIT;
	Control__Message ask = CONTROL__MESSAGE__INIT, *m;
	struct test_broker b;

	ask.body_case = CONTROL__MESSAGE__BODY_LIST_OPEN_PARAMS;
	ask.list_open_params = &list;
	start(&b, "", 1);
	test_broker_send(&b, &ask);
	m = test_broker_expect(&b, CONTROL__MESSAGE__BODY_OPEN_PARAMS);
	assert_int_equal(m->open_params->n_params, 2);
	assert_string_equal(m->open_params->params[0]->value, "n=1");
	assert_string_equal(m->open_params->params[0]->desc, "one");
	assert_string_equal(m->open_params->params[1]->value, "n=2");
	channel_message_free(m);
	test_broker_quit(&b);
}

static void
test_serve_refusals_are_answers(void **state)
{
	struct test_broker b;
	Control__Slot slot[N_SLOTS];

	test_broker_start(&b, worker_path);
	test_broker_load(&b, "/nowhere/x.so");
	test_broker_expect_failed(&b, CONTROL__FAILED__STEP__LOAD,
	    "cannot load plugin /shown.so: can't load plugin dynamic library: /shown.so: "
	    "cannot "
	    "open shared object file: No such file or directory");
	test_broker_quit(&b);

	test_broker_start(&b, worker_path);
	test_broker_load(&b, parts_path);
	channel_message_free(test_broker_expect(&b, CONTROL__MESSAGE__BODY_LOADED));
	test_broker_init(&b, "{\"size\":true}", 1);
	test_broker_expect_failed(&b, CONTROL__FAILED__STEP__INIT,
	    "error in plugin parts init config: In <root>[size], Value type not "
	    "permitted by "
	    "'type' constraint.");
	test_broker_quit(&b);

	start(&b, "", 1);
	test_broker_open(&b, "no");
	test_broker_expect_failed(&b, CONTROL__FAILED__STEP__OPEN, "will not open");
	make_slots(slot, 0);
	slot[3].field_id = 99;
	test_broker_plan(&b, slot, N_SLOTS, false);
	test_broker_expect_failed(&b, CONTROL__FAILED__STEP__PLAN,
	    "plan: plugin counter has no field 'c.batches'");
	plan(&b, 0, false);
	test_broker_quit(&b);
}

static void
test_serve_ends_when_the_broker_is_gone(void **state)
{
	struct test_broker b;

	for (int running = 0; running < 2; running++) {
		start(&b, "", 1);
		if (running)
			run(&b, "n=0 end=timeout");
		shutdown(b.channel.fd, SHUT_RDWR);
		assert_int_equal(test_broker_reap(&b), 1);
		test_broker_release(&b);
	}
}

static void
test_serve_ends_when_asked_out_of_order(void **state)
{
	struct test_broker b;
	const uint64_t number = 1;
	const struct extract_head h = {.request = 1,
	    .target = EXTRACT_BATCH,
	    .batch = 4,
	    .n_events = 1,
	    .n_slots = 0};

	start(&b, "", 1);
	test_broker_begin(&b);
	assert_int_equal(test_broker_reap(&b), 1);
	test_broker_release(&b);

	/* Idle, and while an acknowledgement is awaited. */
	for (int waiting = 0; waiting < 2; waiting++) {
		start(&b, "", 1);
		if (waiting) {
			run(&b, "n=1");
			expect_batch(&b, 1, 1, PLUGIN_SUCCESS);
		}
		test_broker_request(&b, &h, NULL, &number, NULL, NULL);
		assert_int_equal(test_broker_reap(&b), 1);
		test_broker_release(&b);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_serve_whole_life),
	    cmocka_unit_test(test_serve_runs_ahead),
	    cmocka_unit_test(test_serve_answers_later_stages_from_the_batch),
	    cmocka_unit_test(test_serve_failed_field_hides_no_other),
	    cmocka_unit_test(test_serve_shared_memory_of_fields),
	    cmocka_unit_test(test_serve_time_outs_are_not_told),
	    cmocka_unit_test(test_serve_time_outs_ask_for_no_messages),
	    cmocka_unit_test(test_serve_reads_messages_untold),
	    cmocka_unit_test(test_serve_failures_of_next_batch),
	    cmocka_unit_test(test_serve_events_that_are_too_large_are_dropped),
	    cmocka_unit_test(test_serve_full_ring),
	    cmocka_unit_test(test_serve_stop_while_the_ring_is_full),
	    cmocka_unit_test(test_serve_chunks_of_a_batch_are_in_order),
	    cmocka_unit_test(test_serve_inline_events),
	    cmocka_unit_test(test_serve_logs_of_other_threads),
	    cmocka_unit_test(test_serve_open_params),
	    cmocka_unit_test(test_serve_refusals_are_answers),
	    cmocka_unit_test(test_serve_ends_when_the_broker_is_gone),
	    cmocka_unit_test(test_serve_ends_when_asked_out_of_order),
	};

	if (argc != 4)
		return 2;
	worker_path = argv[1];
	counter_path = argv[2];
	parts_path = argv[3];
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigaction(SIGPIPE, &ignore, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
