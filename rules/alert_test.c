/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/alert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/golden_source.h"

static struct field_catalog catalog;

/* The alert of one rule on one event of the golden source, as text and as JSON. */
static void
expect_alert(const char *rule, const struct rules_config *config,
    const struct alert_options *options, uint32_t event, const char *text,
    const char *json)
{
	static const struct eval_config eval_config = {.hostname = "h"};
	struct event_meta meta[GOLDEN_EVENTS];
	struct column column[16];
	const struct load_result *r;
	struct arena arena;
	struct mask all;
	struct buf log, scratch, out;
	struct err err;
	struct loader *l = loader_new(&catalog, config, &err);

	arena_init(&arena, 64 << 20);
	buf_init(&log, 1 << 16);
	buf_init(&scratch, 1 << 16);
	buf_init(&out, 1 << 16);
	assert_true(loader_file(l, "f", rule, strlen(rule), &r, &err));
	assert_true(load_result_ok(r));
	assert_true(loader_finish(l, &log, &err));
	const struct ruleset *rs = loader_ruleset(l, 1);
	struct evaluator *ev = evaluator_new(rs, &eval_config, &err);
	assert_non_null(ev);
	memset(&all, 0xff, sizeof(all));
	golden_meta(meta, GOLDEN_EVENTS);
	evaluator_begin(ev, GOLDEN_EVENTS, meta);
	assert_true(rs->slots->n <= 16);
	for (uint32_t i = 0; i < rs->slots->n; i++) {
		if (rs->slots->slot[i].ref.field->provider != PROVIDER_PLUGIN)
			continue;
		assert_true(golden_column(
		    &arena, &rs->slots->slot[i].ref, GOLDEN_EVENTS, &column[i]));
		evaluator_supply(ev, i, &column[i], &all);
	}
	assert_int_equal(evaluator_run(ev), EVAL_DONE);
	struct event_view view = {ev, event};
	alert_text(rs->rule[0], &view, options, &scratch, &out);
	assert_string_equal(buf_str(&out), text);
	buf_clear(&out);
	alert_json(rs->rule[0], &view, options, &scratch, &out);
	assert_string_equal(buf_str(&out), json);
	evaluator_free(ev);
	loader_free(l);
	buf_release(&out);
	buf_release(&scratch);
	buf_release(&log);
	arena_release(&arena);
}

#define RULE(output)                                                                     \
	"- rule: R \"1\"\n  desc: d\n  condition: evt.num > 0\n  output: " output        \
	"\n  priority: warning\n  source: golden\n  tags: [z, a]\n"

static void
test_alert_has_all_parts_in_order(void **state)
{
	static const struct rules_config config = {.min_priority = PRIORITY_DEBUG};
	static const struct alert_options options = {.json_include_output = true,
	    .json_include_tags = true,
	    .json_include_output_fields = true,
	    .json_include_message = true,
	    .hostname = "h"};

	expect_alert(RULE("'w=%g.word k=%g.key[\"a\"] n=%g.nums o=%g.opt'"), &config,
	    &options, 12,
	    "22:13:20.012000000: Warning w=bad\xef\xbf\xbd\xef\xbf\xbd utf k=a-2 n=<NA> "
	    "o=o12",
	    "{\"hostname\":\"h\","
	    "\"message\":\"w=bad\xef\xbf\xbd\xef\xbf\xbd utf k=a-2 n=<NA> o=o12\","
	    "\"output\":\"22:13:20.012000000: Warning w=bad\xef\xbf\xbd\xef\xbf\xbd utf "
	    "k=a-2 n=<NA> o=o12\","
	    "\"output_fields\":{\"evt.time\":1700000000012000000,\"g.key[a]\":\"a-2\","
	    "\"g.nums\":null,"
	    "\"g.opt\":\"o12\",\"g.word\":\"bad\xef\xbf\xbd\xef\xbf\xbd utf\"},"
	    "\"priority\":\"Warning\",\"rule\":\"R \\\"1\\\"\",\"source\":\"golden\","
	    "\"tags\":[\"a\",\"z\"],\"time\":\"2023-11-14T22:13:20.012000000Z\"}");
}

static void
test_alert_escapes_lines(void **state)
{
	static const struct rules_config config = {.min_priority = PRIORITY_DEBUG};
	static const struct alert_options options = {
	    .json_include_output = true, .time_iso8601 = true, .hostname = "h\"1"};

	expect_alert(RULE("\"a\\nb \\\"q\\\" %g.word\""), &config, &options, 10,
	    "2023-11-14T22:13:20.010000000+0000: Warning a\\nb \\\"q\\\" mu\\tnu",
	    "{\"hostname\":\"h\\\"1\",\"output\":\"2023-11-14T22:13:20.010000000+0000: "
	    "Warning a\\nb \\\"q\\\" mu\\tnu\",\"priority\":\"Warning\",\"rule\":\"R "
	    "\\\"1\\\"\",\"source\":\"golden\",\"time\":\"2023-11-14T22:13:20."
	    "010000000Z\"}");
}

static void
test_alert_extra_fields(void **state)
{
	static const struct append_field field[] = {
	    {"g.num", NULL}, {"g.key[\"a\"]", NULL}, {"text", "<%g.str>"}};
	static const struct append_output append[] = {
	    {.extra_output = "x=%g.num", .extra_field = field, .n_extra_field = 3}};
	static const struct rules_config config = {.min_priority = PRIORITY_DEBUG,
	    .append_output = append,
	    .n_append_output = 1};
	static const struct alert_options options = {
	    .json_include_output_fields = true, .hostname = "h"};

	expect_alert(RULE("o"), &config, &options, 20,
	    "22:13:20.020000000: Warning o x=3",
	    "{\"hostname\":\"h\",\"output_fields\":{\"evt.time\":1700000000020000000,\"g."
	    "key[\\\"a\\\"]\":null,\"g.num\":3,\"text\":\"<s20>\"},\"priority\":"
	    "\"Warning\",\"rule\":\"R "
	    "\\\"1\\\"\",\"source\":\"golden\",\"time\":\"2023-11-14T22:13:20."
	    "020000000Z\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_alert_has_all_parts_in_order),
	    cmocka_unit_test(test_alert_escapes_lines),
	    cmocka_unit_test(test_alert_extra_fields),
	};
	struct err err;

	if (!golden_catalog(&catalog, &err))
		return 1;
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	field_catalog_release(&catalog);
	return rc;
}
