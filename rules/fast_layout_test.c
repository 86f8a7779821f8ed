/* SPDX-License-Identifier: Apache-2.0 */
/* However a column's values lie in memory, and whichever of them are missing, the fast
 * evaluator finds what the plain one finds. Bytes end where the last value does: a look
 * behind it is seen by the sanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/property_gen.h"

enum layout {
	DENSE,
	GAPS,     /* two bytes more between them */
	BACKWARD, /* the first value lies last */
	LAYOUTS,
};

static const struct eval_config config = {.hostname = "here"};
static struct err err;
static uint32_t seed = 1;

static uint32_t
draw(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

struct texts {
	struct column column;
	uint32_t first[LIMIT_CHUNK_EVENTS + 1];
	struct span str[LIMIT_CHUNK_EVENTS];
	uint64_t num[LIMIT_CHUNK_EVENTS];
	char *bytes;
};

/* Pieces of what the rules look for, so that most values nearly have it. */
static uint32_t
make_text(char *out)
{
	static const char *const pieces[] = {"/", "/a", "/ap", "/api/v", "/api/v1/",
	    "srv/", "data", "-", "-1", "-17", "-17/", "x", "xy", "TOK", "tok", "tok4",
	    "tok4x", "foo", "\xff", "\xc3\xa9"};
	uint32_t n = 0;

	for (uint32_t k = draw(5); k > 0; k--) {
		const char *piece = pieces[draw(sizeof(pieces) / sizeof(*pieces))];
		memcpy(out + n, piece, strlen(piece));
		n += (uint32_t)strlen(piece);
	}
	return n;
}

static void
texts_make(struct texts *t, uint32_t n, enum layout layout, uint32_t missing)
{
	char text[LIMIT_CHUNK_EVENTS][64];
	uint32_t len[LIMIT_CHUNK_EVENTS], n_value = 0, total = 0, at;
	uint32_t gap = layout == GAPS ? 2 : 0;

	for (uint32_t e = 0; e < n; e++) {
		t->first[e] = n_value;
		if (draw(100) < missing)
			continue;
		len[n_value] = make_text(text[n_value]);
		total += len[n_value++] + 1 + gap;
	}
	t->first[n] = n_value;
	t->bytes = malloc(total ? total : 1);
	assert_non_null(t->bytes);
	memset(t->bytes, 0, total ? total : 1);
	at = layout == BACKWARD ? total : gap;
	for (uint32_t i = 0; i < n_value; i++) {
		if (layout == BACKWARD)
			at -= len[i] + 1;
		memcpy(t->bytes + at, text[i], len[i]);
		t->str[i] = (struct span){at, len[i]};
		if (layout != BACKWARD)
			at += len[i] + 1 + gap;
	}
	t->column =
	    (struct column){.n = n, .first = t->first, .str = t->str, .bytes = t->bytes};
}

static void
supply_all(struct evaluator *ev, const struct texts *t)
{
	uint32_t n;

	while (evaluator_run(ev) == EVAL_NEED) {
		const struct eval_need *need = evaluator_needs(ev, &n);
		for (uint32_t i = 0; i < n; i++)
			evaluator_supply(ev, need[i].slot, &t->column, &need[i].events);
	}
}

static void
compare(const struct property_rules *r, const char *const *rule, uint32_t n,
    const struct texts *t, struct evaluator *plain, struct evaluator *fast)
{
	static struct event_meta meta[LIMIT_CHUNK_EVENTS];
	const struct eval_match *a, *b;
	uint32_t n_a, n_b;

	evaluator_begin(plain, n, meta);
	evaluator_begin(fast, n, meta);
	supply_all(plain, t);
	supply_all(fast, t);
	a = evaluator_matches(plain, &n_a);
	b = evaluator_matches(fast, &n_b);
	for (uint32_t i = 0; i < n_a && i < n_b; i++) {
		if (a[i].event != b[i].event || a[i].rule != b[i].rule)
			fail_msg("event %u, %s; fast: event %u, %s", a[i].event,
			    rule[a[i].rule], b[i].event, rule[b[i].rule]);
	}
	assert_int_equal(n_a, n_b);
}

static void
run(const char *const *rule, uint32_t n_rule, bool number, int rounds)
{
	static struct texts t;
	struct property_rules r;
	uint64_t n_match = 0;
	uint32_t m;

	assert_true(property_rules_init(&r, RULE_MATCHING_ALL));
	for (uint32_t i = 0; i < n_rule; i++)
		assert_true(property_rules_add(&r, rule[i], &err));
	struct evaluator *plain = evaluator_new_plain(&r.rs, &config, &err);
	struct evaluator *fast = evaluator_new(&r.rs, &config, &err);
	assert_non_null(plain);
	assert_non_null(fast);
	for (int round = 0; round < rounds; round++) {
		uint32_t n =
		    round % 8 ? 1 + draw(LIMIT_CHUNK_EVENTS) : LIMIT_CHUNK_EVENTS;
		uint32_t missing = round % 3 == 0 ? 0 : draw(101);
		texts_make(&t, n, (enum layout)(round % LAYOUTS), missing);
		for (uint32_t i = 0; number && i < LIMIT_CHUNK_EVENTS; i++)
			t.num[i] = draw(40);
		t.column.num = number ? t.num : NULL;
		compare(&r, rule, n, &t, plain, fast);
		evaluator_matches(fast, &m);
		n_match += m;
		free(t.bytes);
	}
	assert_true(n_match > 0);
	evaluator_free(plain);
	evaluator_free(fast);
	property_rules_release(&r);
}

static void
test_texts_match_in_every_layout(void **state)
{
	/* One by one, so that each is a guard of its own, and all together. */
	static const char *const rules[] = {
	    "s.a = tok",
	    "s.a = \"\"",
	    "s.a in (foo, /, xy-17)",
	    "s.a startswith /api/v1/",
	    "s.a startswith /",
	    "s.a startswith tok4xtok4x",
	    "s.a endswith x",
	    "s.a endswith -17",
	    "s.a contains x",
	    "s.a contains xy",
	    "s.a contains tok4x",
	    "s.a contains -17/",
	    "s.a icontains tOk4",
	    "s.a pmatch (/api, /a/x, /srv)",
	    "s.a pmatch (/)",
	    "s.a glob \"/ap*data*\"",
	    "s.a glob \"*tok?x\"",
	    "s.a regex \"^/(api|srv)/.*\"",
	    "s.a regex \"[a-z]+-17.*\"",
	    "s.a regex \"(tok|foo).*xy\"",
	    /* What is no UTF-8 is compared as something else than it is. */
	    "s.a regex \"[^t].*tok4x\"",
	    "s.a exists",
	    "s.a != tok and s.a endswith tok",
	};
	const uint32_t n = sizeof(rules) / sizeof(*rules);

	for (uint32_t i = 0; i < n; i++)
		run(&rules[i], 1, false, 120);
	run(rules, n, false, 400);
}

/* More thresholds than are compared one by one in a chunk. */
static void
test_numbers_match_however_many_thresholds_there_are(void **state)
{
	static const char *const few[] = {"u.a > 7", "u.a >= 7", "u.a < 7", "u.a <= 7"};
	static const char *const signed_ones[] = {
	    "i.a > 7", "i.a <= 7", "i.a >= 38 and i.a > 3"};
	static const char *const many[] = {"u.a > 1", "u.a > 2", "u.a > 3", "u.a > 4",
	    "u.a > 5", "u.a > 6", "u.a > 7", "u.a > 8", "u.a > 9", "u.a > 10", "u.a < 11",
	    "u.a < 12", "u.a < 13", "u.a < 14", "u.a < 15", "u.a < 16", "u.a < 17",
	    "u.a < 18", "u.a >= 19", "u.a >= 20", "u.a >= 21", "u.a <= 22", "u.a <= 23",
	    "u.a <= 24", "u.a <= 25", "u.a = 7 and u.a > 2"};

	run(few, sizeof(few) / sizeof(*few), true, 60);
	run(signed_ones, sizeof(signed_ones) / sizeof(*signed_ones), true, 60);
	run(many, sizeof(many) / sizeof(*many), true, 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts_match_in_every_layout),
	    cmocka_unit_test(test_numbers_match_however_many_thresholds_there_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
