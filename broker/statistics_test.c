/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/statistics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char rules[] =
    "- {rule: first, desc: d, condition: evt.num > 0, output: o, priority: INFO}\n"
    "- {rule: second, desc: d, condition: evt.num > 1, output: o, priority: ERROR}\n"
    "- {rule: silent, desc: d, condition: evt.num > 2, output: o, priority: DEBUG}\n";

static void
test_statistics_list_what_matched(void **state)
{
	const struct rules_config config = {.min_priority = PRIORITY_DEBUG};
	const struct load_result *result;
	struct field_catalog catalog;
	struct buf out, log;
	struct err err;
	uint32_t n;

	assert_true(field_catalog_init(&catalog, &err));
	struct loader *loader = loader_new(&catalog, &config, &err);
	assert_non_null(loader);
	assert_true(loader_file(loader, "r", rules, strlen(rules), &result, &err));
	assert_true(load_result_ok(result));
	buf_init(&log, 4096);
	assert_true(loader_finish(loader, &log, &err));
	const struct rule *const *rule = loader_rules(loader, &n);
	assert_int_equal(n, 3);

	struct statistics *s = statistics_new(loader, &err);
	assert_non_null(s);
	buf_init(&out, 4096);
	statistics_text(s, &out);
	assert_string_equal(out.data, "Events detected: 0\nRule counts by severity:\n"
				      "Triggered rules by rule name:\n");
	buf_clear(&out);
	statistics_count(s, rule[1]);
	statistics_count(s, rule[0]);
	statistics_count(s, rule[0]);
	assert_int_equal(statistics_total(s), 3);
	assert_int_equal(statistics_of_rule(s, rule[0]), 2);
	statistics_text(s, &out);
	assert_string_equal(out.data,
	    "Events detected: 3\nRule counts by severity:\n   ERROR: 1\n   INFO: 2\n"
	    "Triggered rules by rule name:\n   first: 2\n   second: 1\n");
	statistics_free(s);
	buf_release(&out);
	buf_release(&log);
	loader_free(loader);
	field_catalog_release(&catalog);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_statistics_list_what_matched),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
