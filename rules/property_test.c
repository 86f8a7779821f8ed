/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast evaluator agrees with the plain one: generated rules, generated events, rule
 * by rule and event by event. MEWS_PROPERTY_RUNS=N makes more of them,
 * MEWS_PROPERTY_SEED=N others; a failure prints the seed that shows it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/property_gen.h"

enum {
	RUNS = 1500,
	RULES = 40,
	CHUNKS = 4,
};

static uint64_t
setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void
test_property_fast_agrees_with_plain(void **state)
{
	uint64_t runs = setting("MEWS_PROPERTY_RUNS", RUNS);
	uint64_t seed = setting("MEWS_PROPERTY_SEED", 1);
	struct buf why;

	buf_init(&why, 1 << 20);
	for (uint64_t i = 0; i < runs; i++) {
		struct property_source s = {.seed = seed + i};
		uint32_t rules = 1 + property_choice(&s, RULES);
		if (!property_compare(&s, rules, CHUNKS, &why)) {
			print_error("MEWS_PROPERTY_SEED=%llu:\n%s",
			    (unsigned long long)(seed + i), buf_str(&why));
			fail();
		}
	}
	buf_release(&why);
}

/* What is generated compiles and matches often enough to mean something. */
static void
test_property_cases_are_not_empty(void **state)
{
	static const struct eval_config config = {.hostname = "foo"};
	uint64_t matches = 0, pairs = 0, rules = 0, refused = 0;

	for (uint64_t i = 1; i <= 50; i++) {
		struct property_source s = {.seed = i};
		struct property_rules r;
		struct property_chunk c;
		struct err err;
		uint32_t n;
		assert_true(property_rules_init(&r, RULE_MATCHING_ALL));
		for (int k = 0; k < RULES; k++)
			property_rules_make(&r, &s);
		struct evaluator *ev = evaluator_new_plain(&r.rs, &config, &err);
		assert_non_null(ev);
		assert_true(property_chunk_make(&c, &r, &s));
		assert_true(property_run(ev, &c));
		evaluator_matches(ev, &n);
		matches += n;
		pairs += (uint64_t)c.n * r.rs.n_rule;
		rules += r.rs.n_rule;
		refused += r.n_refused;
		evaluator_free(ev);
		property_chunk_release(&c);
		property_rules_release(&r);
	}
	print_message("%llu rules (%llu conditions refused), %.1f%% of pairs match\n",
	    (unsigned long long)rules, (unsigned long long)refused,
	    100.0 * (double)matches / (double)pairs);
	assert_true(rules >= 50 * RULES * 9 / 10);
	assert_true(matches * 20 > pairs && matches * 10 < pairs * 9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_property_cases_are_not_empty),
	    cmocka_unit_test(test_property_fast_agrees_with_plain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
