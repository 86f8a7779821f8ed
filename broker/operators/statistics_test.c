/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/operators/statistics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char rules[] =
    "- {rule: first, desc: d, condition: evt.num > 0, output: o, priority: INFO}\n"
    "- {rule: second, desc: d, condition: evt.num > 1, output: o, priority: ERROR}\n"
    "- {rule: silent, desc: d, condition: evt.num > 2, output: o, priority: DEBUG}\n";

static struct field_catalog catalog;

static struct loader *
load(const char *text)
{
	static const struct rules_config config = {.min_priority = PRIORITY_DEBUG};
	const struct load_result *result;
	struct buf log;
	struct err err;
	struct loader *loader = loader_new(&catalog, &config, &err);

	assert_non_null(loader);
	assert_true(loader_file(loader, "r", text, strlen(text), &result, &err));
	assert_true(load_result_ok(result));
	buf_init(&log, 4096);
	assert_true(loader_finish(loader, &log, &err));
	buf_release(&log);
	return loader;
}

static void
test_statistics_list_what_matched(void **state)
{
	struct buf out;
	struct err err;
	uint32_t n;

	assert_true(field_catalog_init(&catalog, &err));
	struct loader *loader = load(rules);
	const struct rule *const *rule = loader_rules(loader, &n);
	assert_int_equal(n, 3);

	struct statistics *s = statistics_new(&err);
	assert_non_null(s);
	struct statistics_index *x = statistics_index_new(s, loader, &err);
	assert_non_null(x);
	buf_init(&out, 4096);
	statistics_text(s, &out);
	assert_string_equal(out.data, "Events detected: 0\nRule counts by severity:\n"
				      "Triggered rules by rule name:\n");
	buf_clear(&out);
	statistics_count(x, rule[1]);
	statistics_count(x, rule[0]);
	statistics_count(x, rule[0]);
	assert_int_equal(statistics_total(s), 3);
	statistics_text(s, &out);
	assert_string_equal(out.data,
	    "Events detected: 3\nRule counts by severity:\n   ERROR: 1\n   INFO: 2\n"
	    "Triggered rules by rule name:\n   first: 2\n   second: 1\n");
	statistics_index_free(x);
	statistics_free(s);
	buf_release(&out);
	loader_free(loader);
	field_catalog_release(&catalog);
}

static void
test_statistics_survive_a_reload_by_name(void **state)
{
	static const char later[] =
	    "- {rule: new, desc: d, condition: evt.num > 0, output: o, priority: INFO}\n"
	    "- {rule: second, desc: d, condition: evt.num > 1, output: o, priority: "
	    "ERROR, tags: [x]}\n";
	const struct statistics_row *const *row;
	struct err err;
	uint32_t n;

	assert_true(field_catalog_init(&catalog, &err));
	struct loader *before = load(rules), *after = load(later);
	struct statistics *s = statistics_new(&err);
	struct statistics_index *x = statistics_index_new(s, before, &err),
				*y = statistics_index_new(s, after, &err);
	statistics_count(x, loader_rules(before, &n)[0]);
	statistics_count(x, loader_rules(before, &n)[1]);
	statistics_count(y, loader_rules(after, &n)[1]);
	loader_free(before);
	loader_free(after);
	assert_int_equal(statistics_total(s), 3);
	row = statistics_rows(s, &n);
	assert_int_equal(n, 4);
	assert_string_equal(row[0]->name, "new");
	assert_string_equal(row[1]->name, "second");
	assert_string_equal(row[1]->labels,
	    "priority=\"3\",rule_name=\"second\",source=\"syscall\",tag_x=\"true\"");
	assert_int_equal(row[1]->n, 2);
	assert_string_equal(row[2]->name, "first");
	assert_int_equal(row[2]->n, 1);
	statistics_index_free(x);
	statistics_index_free(y);
	statistics_free(s);
	field_catalog_release(&catalog);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_statistics_list_what_matched),
	    cmocka_unit_test(test_statistics_survive_a_reload_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
