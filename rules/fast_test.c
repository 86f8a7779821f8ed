/* SPDX-License-Identifier: Apache-2.0 */
/* What the fast evaluator promises besides being right (property_test.c): what it asks
 * for, what it shares, that it allocates nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/fast.h"
#include "rules/graph_cost.h"
#include "rules/plan.h"
#include "rules/property_gen.h"

/* The linker leads every allocation of ours through here (BUILD). */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

static uint64_t allocations;

void *
__wrap_malloc(size_t n)
{
	allocations++;
	return __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	allocations++;
	return __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	allocations++;
	return __real_realloc(p, n);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	allocations++;
	return __real_reallocarray(p, n, size);
}

static const struct eval_config config = {.hostname = "here"};
static struct err err;

static void
rules_of(struct property_rules *r, enum rule_matching matching, const char *const *text,
    uint32_t n)
{
	assert_true(property_rules_init(r, matching));
	for (uint32_t i = 0; i < n; i++)
		assert_true(property_rules_add(r, text[i], &err));
}

#define RULES_OF(r, matching, list)                                                      \
	rules_of(r, RULE_MATCHING_##matching, list, sizeof(list) / sizeof(*(list)))

/* A column of strings; NULL: no value. */
struct strings {
	struct column column;
	uint32_t first[9];
	struct span str[8];
	char bytes[256];
};

static const struct column *
strings_of(struct strings *s, const char *const *text, uint32_t n)
{
	uint32_t at = 0, k = 0;

	for (uint32_t i = 0; i < n; i++) {
		s->first[i] = k;
		if (!text[i])
			continue;
		uint32_t len = (uint32_t)strlen(text[i]);
		memcpy(s->bytes + at, text[i], len + 1);
		s->str[k++] = (struct span){at, len};
		at += len + 1;
	}
	s->first[n] = k;
	s->column =
	    (struct column){.n = n, .first = s->first, .str = s->str, .bytes = s->bytes};
	return &s->column;
}

static uint32_t
slot_of(const struct property_rules *r, const char *name)
{
	for (uint32_t i = 0; i < r->slots.n; i++) {
		if (strcmp(r->slots.slot[i].ref.text, name) == 0)
			return i;
	}
	fail_msg("no slot %s", name);
	return 0;
}

static void
test_fast_asks_only_where_a_field_is_still_needed(void **state)
{
	const char *const text[] = {"s.a = foo and s.b = bar and s.c = x"};
	const char *const a[] = {"foo", "no", NULL, "foo"}, *const b[] = {
								"bar", "bar", "", "y"};
	struct strings sa, sb, sc;
	struct property_rules r;
	struct event_meta meta[4] = {{0}};
	uint32_t n;

	RULES_OF(&r, FIRST, text);
	struct evaluator *ev = evaluator_new(&r.rs, &config, &err);
	assert_non_null(ev);
	const uint32_t *stage0 = evaluator_stage0_slots(ev, &n);
	assert_int_equal(n, 1);
	assert_int_equal(stage0[0], slot_of(&r, "s.a"));
	evaluator_condition_slots(ev, &n);
	assert_int_equal(n, 3);
	evaluator_begin(ev, 4, meta);
	assert_int_equal(evaluator_run(ev), EVAL_NEED);
	const struct eval_need *need = evaluator_needs(ev, &n);
	assert_int_equal(n, 1);
	assert_int_equal(need[0].slot, stage0[0]);
	assert_int_equal(need[0].events.w[0], 0xf);
	evaluator_supply(ev, need[0].slot, strings_of(&sa, a, 4), &need[0].events);
	assert_int_equal(evaluator_run(ev), EVAL_NEED);
	need = evaluator_needs(ev, &n);
	assert_int_equal(n, 2);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(need[i].events.w[0], 0x9);
	struct mask asked = need[0].events;
	const char *const c[] = {"x", "x", "x", "x"};
	evaluator_supply(ev, slot_of(&r, "s.b"), strings_of(&sb, b, 4), &asked);
	evaluator_supply(ev, slot_of(&r, "s.c"), strings_of(&sc, c, 4), &asked);
	assert_int_equal(evaluator_run(ev), EVAL_DONE);
	const struct eval_match *m = evaluator_matches(ev, &n);
	assert_int_equal(n, 1);
	assert_int_equal(m[0].event, 0);
	evaluator_free(ev);
	property_rules_release(&r);
}

static void
test_fast_asks_for_nothing_more_when_no_guard_holds(void **state)
{
	const char *const text[] = {
	    "s.a = foo and s.b = bar", "s.a = fox and not s.c exists"};
	const char *const a[] = {"x", "y"};
	struct strings sa;
	struct property_rules r;
	struct event_meta meta[2] = {{0}};
	struct mask both = {.w = {3}};
	uint32_t n;

	RULES_OF(&r, ALL, text);
	struct evaluator *ev = evaluator_new(&r.rs, &config, &err);
	assert_non_null(ev);
	const uint32_t *stage0 = evaluator_stage0_slots(ev, &n);
	assert_int_equal(n, 1);
	assert_int_equal(stage0[0], slot_of(&r, "s.a"));
	for (int round = 0; round < 3; round++) {
		evaluator_begin(ev, 2, meta);
		evaluator_supply(ev, stage0[0], strings_of(&sa, a, 2), &both);
		assert_int_equal(evaluator_run(ev), EVAL_DONE);
		evaluator_matches(ev, &n);
		assert_int_equal(n, 0);
	}
	evaluator_free(ev);
	property_rules_release(&r);
}

/* A slot that was there for some events and comes for others later keeps both. */
static void
test_fast_keeps_what_was_supplied_before(void **state)
{
	const char *const text[] = {"s.a = foo and s.b = bar"};
	const char *const a[] = {"foo", "no"}, *const b[] = {"bar", NULL},
			  *const later[] = {NULL, "z"};
	struct strings sa, sb, sl;
	struct property_rules r;
	struct event_meta meta[2] = {{0}};
	struct mask both = {.w = {3}}, one = {.w = {1}}, two = {.w = {2}};
	struct value_view v;
	uint32_t n;

	RULES_OF(&r, FIRST, text);
	struct evaluator *ev = evaluator_new(&r.rs, &config, &err);
	assert_non_null(ev);
	uint32_t slot = slot_of(&r, "s.b");
	evaluator_begin(ev, 2, meta);
	evaluator_supply(ev, slot_of(&r, "s.a"), strings_of(&sa, a, 2), &both);
	evaluator_supply(ev, slot, strings_of(&sb, b, 2), &one);
	assert_int_equal(evaluator_run(ev), EVAL_DONE);
	evaluator_matches(ev, &n);
	assert_int_equal(n, 1);
	evaluator_supply(ev, slot, strings_of(&sl, later, 2), &two);
	for (uint32_t e = 0; e < 2; e++) {
		struct event_view view = {ev, e};
		event_view_slot(&view, slot, &v);
		assert_true(v.present);
		assert_string_equal(value_view_str(&v, 0, &n), e ? "z" : "bar");
	}
	evaluator_free(ev);
	property_rules_release(&r);
}

static void
test_fast_without_rules_is_done_at_once(void **state)
{
	struct property_rules r;
	struct event_meta meta[1] = {{0}};
	uint32_t n;

	assert_true(property_rules_init(&r, RULE_MATCHING_ALL));
	struct evaluator *ev = evaluator_new(&r.rs, &config, &err);
	assert_non_null(ev);
	evaluator_begin(ev, 1, meta);
	assert_int_equal(evaluator_run(ev), EVAL_DONE);
	evaluator_matches(ev, &n);
	assert_int_equal(n, 0);
	evaluator_free(ev);
	property_rules_release(&r);
}

static void
test_fast_matches_in_order(void **state)
{
	/* A guard, none, a gate's pair: all ways to be found. */
	const char *const text[] = {"s.b != x", "s.a = foo", "s.a startswith f",
	    "not s.a = foo", "s.a = foo and s.b = y"};
	const char *const a[] = {"foo", "fx", NULL}, *const b[] = {"y", "x", "y"};
	const struct eval_match want[] = {
	    {0, 0}, {0, 1}, {0, 2}, {0, 4}, {1, 2}, {1, 3}, {2, 0}, {2, 3}};
	struct strings sa, sb;
	struct event_meta meta[3] = {{0}};
	struct mask all = {.w = {7}};
	uint32_t n;

	for (int matching = 0; matching < 2; matching++) {
		struct property_rules r;
		rules_of(&r, matching ? RULE_MATCHING_ALL : RULE_MATCHING_FIRST, text, 5);
		struct evaluator *ev = evaluator_new(&r.rs, &config, &err);
		assert_non_null(ev);
		evaluator_begin(ev, 3, meta);
		evaluator_supply(ev, slot_of(&r, "s.a"), strings_of(&sa, a, 3), &all);
		evaluator_supply(ev, slot_of(&r, "s.b"), strings_of(&sb, b, 3), &all);
		assert_int_equal(evaluator_run(ev), EVAL_DONE);
		const struct eval_match *m = evaluator_matches(ev, &n);
		assert_int_equal(n, matching ? 8 : 3);
		for (uint32_t i = 0, k = 0; i < 8; i++) {
			if (!matching && i && want[i].event == want[i - 1].event)
				continue;
			assert_int_equal(m[k].event, want[i].event);
			assert_int_equal(m[k++].rule, want[i].rule);
		}
		evaluator_free(ev);
		property_rules_release(&r);
	}
}

static void
test_fast_allocates_nothing_per_chunk(void **state)
{
	struct property_rules r;
	struct property_source s = {.seed = 7};
	struct property_chunk chunk[8];

	assert_true(property_rules_init(&r, RULE_MATCHING_ALL));
	/* No regex and no invalid UTF-8 repair, whose library allocates for itself. */
	while (r.rs.n_rule < 200) {
		property_rules_make(&r, &s);
		if (strstr(r.text[r.rs.n_rule - 1], "regex"))
			r.rs.n_rule--;
	}
	struct evaluator *ev = evaluator_new(&r.rs, &config, &err);
	assert_non_null(ev);
	for (int i = 0; i < 8; i++)
		assert_true(property_chunk_make(&chunk[i], &r, &s));
	for (int i = 0; i < 8; i++)
		assert_true(property_run(ev, &chunk[i]));
	uint64_t before = allocations;
	assert_true(before > 0);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 8; i++)
			assert_true(property_run(ev, &chunk[i]));
	}
	assert_int_equal(allocations - before, 0);
	for (int i = 0; i < 8; i++)
		property_chunk_release(&chunk[i]);
	evaluator_free(ev);
	property_rules_release(&r);
}

/* Are the conditions of rules i and j one node? */
static bool
is_same(const struct graph *g, uint32_t i, uint32_t j)
{
	return g->root[i] == g->root[j];
}

static void
test_graph_equal_conditions_are_one_node(void **state)
{
	const char *const text[] = {"s.a = x and s.b = y",
	    "s.b = y and s.a = x and s.b = y", "s.a in (a, b)", "s.a in (b, a, b)",
	    "s.a = anyof (a, b)", "not not s.a = x", "s.a == x", "s.a in (x)",
	    "s.a glob x", "s.a glob \"x*\"", "s.a startswith x", "concat(s.a, s.b) = x",
	    "concat(s.a, \"s.b\") = x", "u.a = 5", "u.a = 05", "s.a regex \"x.z\"",
	    "s.a regex \"x.y\""};
	struct property_rules r;

	RULES_OF(&r, ALL, text);
	struct graph *g = graph_new(&r.rs, &err);
	assert_non_null(g);
	assert_true(is_same(g, 0, 1));
	assert_true(is_same(g, 2, 3) && is_same(g, 3, 4));
	assert_true(is_same(g, 5, 6) && is_same(g, 6, 7) && is_same(g, 7, 8));
	assert_true(is_same(g, 9, 10));
	assert_false(is_same(g, 11, 12));
	assert_true(is_same(g, 13, 14));
	assert_false(is_same(g, 15, 16));
	graph_free(g);
	property_rules_release(&r);
}

static void
test_graph_too_deep_is_an_error(void **state)
{
	enum {
		DEPTH = LIMIT_EXPR_DEPTH + 10
	};
	const char *const text[] = {"s.a = x", "s.b = y"};
	static struct cond chain[DEPTH];
	static const struct cond *child[DEPTH][2];
	struct property_rules r;
	struct rule rule;

	RULES_OF(&r, ALL, text);
	for (int i = 0; i < DEPTH; i++) {
		child[i][0] = i ? &chain[i - 1] : r.rule[0]->cond;
		child[i][1] = r.rule[1]->cond;
		chain[i] = (struct cond){
		    .kind = i % 2 ? COND_AND : COND_OR, .child = child[i], .n = 2};
	}
	rule = *r.rule[0];
	rule.cond = &chain[DEPTH - 1];
	r.rule[0] = &rule;
	assert_null(graph_new(&r.rs, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	property_rules_release(&r);
}

static void
test_graph_cost_tells_own_from_shared(void **state)
{
	const char *const text[] = {
	    "s.a = x and s.b contains \"y\"", "s.a = x and s.c = z and u.a > 5"};
	struct property_rules r;
	struct graph_cost cost;
	struct arena arena;
	struct buf out;

	arena_init(&arena, 1 << 20);
	buf_init(&out, 1 << 16);
	RULES_OF(&r, ALL, text);
	struct evaluator *ev = evaluator_new(&r.rs, &config, &err);
	struct evaluator *plain = evaluator_new_plain(&r.rs, &config, &err);
	assert_non_null(ev);
	assert_true(evaluator_rule_cost(ev, 1, &arena, &cost, &err));
	assert_int_equal(cost.n_predicate, 3);
	assert_int_equal(cost.n_own_predicate, 2);
	assert_int_equal(cost.n_slot, 3);
	assert_int_equal(cost.n_own_slot, 2);
	assert_true(cost.guarded);
	for (uint32_t i = 0; i < 3; i++) {
		const struct graph_cost_predicate *p = &cost.predicate[i];
		const char *s = p->check->text;
		assert_int_equal(p->others, strcmp(s, "s.a = x") == 0);
		assert_int_equal(p->guard, strcmp(s, "s.c = z") == 0);
		assert_string_equal(
		    p->index, strcmp(s, "u.a > 5") == 0 ? "threshold" : "equality");
	}
	graph_cost_text(fast_graph(ev), &cost, &out);
	assert_non_null(
	    strstr(buf_str(&out), "adds 2 of its 3 predicates, 2 of 3 fields"));
	buf_clear(&out);
	graph_cost_json(fast_graph(ev), &cost, &out);
	assert_non_null(strstr(buf_str(&out), "\"own_predicates\":2"));
	assert_false(evaluator_rule_cost(plain, 1, &arena, &cost, &err));
	assert_false(evaluator_rule_cost(ev, 2, &arena, &cost, &err));
	evaluator_free(ev);
	evaluator_free(plain);
	buf_release(&out);
	arena_release(&arena);
	property_rules_release(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fast_asks_only_where_a_field_is_still_needed),
	    cmocka_unit_test(test_fast_asks_for_nothing_more_when_no_guard_holds),
	    cmocka_unit_test(test_fast_keeps_what_was_supplied_before),
	    cmocka_unit_test(test_fast_without_rules_is_done_at_once),
	    cmocka_unit_test(test_fast_matches_in_order),
	    cmocka_unit_test(test_fast_allocates_nothing_per_chunk),
	    cmocka_unit_test(test_graph_equal_conditions_are_one_node),
	    cmocka_unit_test(test_graph_too_deep_is_an_error),
	    cmocka_unit_test(test_graph_cost_tells_own_from_shared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
