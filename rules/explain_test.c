/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/explain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/sample.h"

static struct field fields[] = {
    {.name = "t.s", .type = VALUE_CHARBUF},
    {.name = "t.n", .type = VALUE_UINT64},
    {.name = "t.l", .type = VALUE_CHARBUF, .flags = FIELD_LIST},
};

enum {
	N_FIELDS = sizeof(fields) / sizeof(*fields)
};

/* What is said of a condition on an event, as text or JSON. */
static const char *
explain(const char *condition, const char *event, bool json, bool *ret_matches)
{
	static const struct rules_config config = {.min_priority = PRIORITY_DEBUG};
	static const struct eval_config eval_config = {.hostname = "h"};
	static char said[4000];
	const struct field_class klass = {
	    .name = "t (plugin)", .field = fields, .n = N_FIELDS, .plugin = true};
	const struct load_result *r;
	struct field_catalog catalog;
	struct field_source *source;
	struct yaml_stream stream;
	struct yaml_mark mark;
	struct sample sample;
	struct arena arena;
	struct buf text;
	struct err err;

	for (int i = 0; i < N_FIELDS; i++) {
		fields[i].provider = PROVIDER_PLUGIN;
		fields[i].desc = fields[i].display = "";
	}
	arena_init(&arena, 1 << 24);
	assert_true(field_catalog_init(&catalog, &err));
	source = field_catalog_add_source(&catalog, "t");
	assert_true(field_source_add_class(&catalog, source, &klass, &err));
	buf_init(&text, sizeof(said) - 1);
	buf_addf(&text,
	    "- rule: R\n  desc: d\n  condition: '%s'\n  output: o\n  priority: INFO\n"
	    "  source: t\n",
	    condition);
	struct loader *l = loader_new(&catalog, &config, &err);
	assert_true(loader_file(l, "r", buf_str(&text), text.len, &r, &err));
	assert_true(load_result_ok(r));
	assert_true(loader_finish(l, &text, &err));
	const struct ruleset *rs = loader_ruleset(l, source->index);
	struct evaluator *ev = evaluator_new_plain(rs, &eval_config, &err);
	assert_true(yaml_load(&arena, event, strlen(event), &stream, &mark, &err));
	assert_true(sample_init(&sample, &arena, source, stream.doc, 1, &err));
	assert_true(sample_evaluate(&sample, ev, &err));
	const struct event_view view = {ev, 0};
	buf_clear(&text);
	*ret_matches = json ? explain_json(rs->rule[0], &view, &text)
			    : explain_text(rs->rule[0], &view, &text);
	snprintf(said, sizeof(said), "%s", buf_str(&text));
	buf_release(&text);
	evaluator_free(ev);
	loader_free(l);
	field_catalog_release(&catalog);
	arena_release(&arena);
	return said;
}

static void
test_explain_names_the_terms_that_decide(void **state)
{
	bool matches;

	assert_string_equal(explain("t.n = 1 and not (t.s startswith a or t.l in (x, y))",
				"{t.n: 1, t.s: abc, t.l: [z]}", false, &matches),
	    "rule 'R' does not match\n\n"
	    "  false and\n"
	    "  true    t.n = 1   t.n: 1\n"
	    "  false   not\n"
	    "  true      or\n"
	    "  true        t.s startswith a   t.s: \"abc\"\n"
	    "  false       t.l in (x, y)   t.l: [\"z\"]\n"
	    "\nbecause\n"
	    "  t.s startswith a is true:   t.s: \"abc\"\n");
	assert_false(matches);
}

static void
test_explain_tells_missing_values_and_what_transformers_made(void **state)
{
	bool matches;

	assert_string_equal(explain("toupper(t.s) = val(t.s) or t.n exists",
				"{t.s: \"a\\e\\\\\"}", false, &matches),
	    "rule 'R' does not match\n\n"
	    "  false or\n"
	    "  false   toupper(t.s) = val(t.s)   t.s: \"a\\u001b\\\\\"   transformed: "
	    "\"A\\u001b\\\\\"   t.s: \"a\\u001b\\\\\"\n"
	    "  false   t.n exists   t.n has no value\n"
	    "\nbecause\n"
	    "  toupper(t.s) = val(t.s) is false:   t.s: \"a\\u001b\\\\\"   transformed: "
	    "\"A\\u001b\\\\\"   t.s: \"a\\u001b\\\\\"\n"
	    "  t.n exists is false:   t.n has no value\n");
}

static void
test_explain_says_the_same_in_json(void **state)
{
	bool matches;

	assert_string_equal(
	    explain("t.n > 5 or not t.s = a", "{t.n: 7, t.s: a}", true, &matches),
	    "{\"rule\":\"R\",\"matches\":true,\"condition\":{\"kind\":\"or\",\"holds\":"
	    "true,\"terms\":[{\"kind\":\"check\",\"holds\":true,\"check\":\"t.n > "
	    "5\",\"values\":[{\"name\":\"t.n\",\"value\":7}]},{\"kind\":\"not\","
	    "\"holds\":false,\"terms\":[{\"kind\":\"check\",\"holds\":true,\"check\":"
	    "\"t.s = a\",\"values\":[{\"name\":\"t.s\",\"value\":\"a\"}]}]}]},\"why\":[{"
	    "\"holds\":true,\"check\":\"t.n > 5\",\"values\":[{\"name\":\"t.n\","
	    "\"value\":7}]}]}");
	assert_true(matches);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_explain_names_the_terms_that_decide),
	    cmocka_unit_test(
		test_explain_tells_missing_values_and_what_transformers_made),
	    cmocka_unit_test(test_explain_says_the_same_in_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
