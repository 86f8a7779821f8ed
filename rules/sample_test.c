/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/engine.h"

static struct field fields[] = {
    {.name = "t.s", .type = VALUE_CHARBUF},
    {.name = "t.n", .type = VALUE_UINT64},
    {.name = "t.b", .type = VALUE_BOOL},
    {.name = "t.ip", .type = VALUE_IPADDR},
    {.name = "t.net", .type = VALUE_IPNET},
    {.name = "t.l", .type = VALUE_CHARBUF, .flags = FIELD_LIST},
    {.name = "t.nums", .type = VALUE_UINT64, .flags = FIELD_LIST},
    {.name = "t.k",
	.type = VALUE_CHARBUF,
	.flags = FIELD_ARG_KEY | FIELD_ARG_ALLOWED | FIELD_ARG_REQUIRED},
};

static const char rules[] =
    "- rule: R\n  desc: d\n  condition: evt.num > 0\n  priority: INFO\n  source: t\n"
    "  output: \"%t.s %t.n %t.b %t.ip %t.net %t.l %t.nums %t.k[x]\"\n";

static struct field_catalog catalog;
static struct arena arena;
static struct loader *loader;
static struct evaluator *evaluator;

static int
set_up(void **state)
{
	static const struct rules_config config = {.min_priority = PRIORITY_DEBUG};
	static const struct eval_config eval_config = {.hostname = "h"};
	const struct field_class klass = {
	    .name = "t (plugin)", .field = fields, .n = 8, .plugin = true};
	const struct load_result *r;
	struct field_source *source;
	struct buf log;
	struct err err;

	for (int i = 0; i < 8; i++) {
		fields[i].provider = PROVIDER_PLUGIN;
		fields[i].desc = fields[i].display = "";
	}
	arena_init(&arena, 1 << 24);
	assert_true(field_catalog_init(&catalog, &err));
	source = field_catalog_add_source(&catalog, "t");
	assert_true(field_source_add_class(&catalog, source, &klass, &err));
	loader = loader_new(&catalog, &config, &err);
	assert_true(loader_file(loader, "r", rules, sizeof(rules) - 1, &r, &err));
	assert_true(load_result_ok(r));
	buf_init(&log, 1000);
	assert_true(loader_finish(loader, &log, &err));
	buf_release(&log);
	evaluator =
	    evaluator_new(loader_ruleset(loader, source->index), &eval_config, &err);
	assert_non_null(evaluator);
	return 0;
}

static int
tear_down(void **state)
{
	evaluator_free(evaluator);
	loader_free(loader);
	field_catalog_release(&catalog);
	arena_release(&arena);
	return 0;
}

/* Takes one event; the values as they are written again, or why it is none. */
static const char *
again(const char *event)
{
	static char text[2000];
	struct yaml_stream stream;
	struct yaml_mark mark;
	struct sample sample;
	struct json_writer w;
	struct buf out;
	struct err err;

	assert_true(yaml_load(&arena, event, strlen(event), &stream, &mark, &err));
	if (!sample_init(&sample, &arena, field_catalog_source(&catalog, "t"),
		&stream.doc[0], 1, &err) ||
	    !sample_evaluate(&sample, evaluator, &err)) {
		snprintf(text, sizeof(text), "%s", err.msg);
		return text;
	}
	const struct slot_set *slots = evaluator_slots(evaluator);
	struct event_view view = {evaluator, 0};
	buf_init(&out, sizeof(text) - 1);
	json_init(&w, &out);
	json_begin_object(&w);
	for (uint32_t i = 0; i < slots->n; i++) {
		struct value_view v;
		if (slots->slot[i].ref.field->provider != PROVIDER_PLUGIN)
			continue;
		event_view_slot(&view, i, &v);
		json_key(&w, slots->slot[i].ref.text);
		sample_write_value(&w, slots->slot[i].ref.field->type,
		    slots->slot[i].ref.field->flags & FIELD_LIST, &v);
	}
	json_end_object(&w);
	snprintf(text, sizeof(text), "%s", buf_str(&out));
	buf_release(&out);
	event_view_done(&view);
	return text;
}

static void
test_sample_is_written_as_it_is_read(void **state)
{
	static const char all[] =
	    "{\"t.s\":\"a \\\"b\\\"\",\"t.n\":18446744073709551615,\"t.b\":true,"
	    "\"t.ip\":\"10.1.2.3\",\"t.net\":\"fe80::1\",\"t.l\":[\"x\",\"null\"],"
	    "\"t.nums\":[1,2],\"t.k[x]\":\"v\"}";
	static const char none[] =
	    "{\"t.s\":null,\"t.n\":null,\"t.b\":null,\"t.ip\":null,\"t.net\":null,"
	    "\"t.l\":null,\"t.nums\":null,\"t.k[x]\":null}";

	assert_string_equal(again(all), all);
	assert_string_equal(again("{}"), none);
	assert_string_equal(again("{t.s: ~, t.l: []}"), none);
	assert_string_equal(again(none), none);
	assert_non_null(strstr(again("{num: 3, fields: {t.n: 5}}"), "\"t.n\":5,"));
	assert_non_null(strstr(again("{t.l: one}"), "\"t.l\":[\"one\"]"));
}

static void
test_sample_tells_what_is_no_event(void **state)
{
	assert_string_equal(
	    again("[t.s]"), "event 1 is no map of fields to their values");
	assert_string_equal(again("{t.z: 1}"),
	    "event 1: 't.z': filter_check called with nonexistent field t.z");
	assert_non_null(strstr(again("{t.k: 1}"), "event 1: 't.k': "));
	assert_string_equal(again("{t.n: -1}"), "'t.n' of event 1 is no UINT64");
	assert_string_equal(again("{t.n: many}"), "'t.n' of event 1 is no UINT64");
	assert_string_equal(again("{t.n: [1]}"), "'t.n' of event 1 is no UINT64");
	assert_string_equal(
	    again("{t.nums: [[1]]}"), "'t.nums' of event 1 is no UINT64 list");
	assert_string_equal(again("{t.ip: here}"), "'t.ip' of event 1 is no IPADDR");
	assert_string_equal(again("{t.b: maybe}"), "'t.b' of event 1 is no BOOL");
	assert_string_equal(again("{evt.rawtime: late}"),
	    "event 1: evt.rawtime is a number of nanoseconds");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sample_is_written_as_it_is_read),
	    cmocka_unit_test(test_sample_tells_what_is_no_event),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
