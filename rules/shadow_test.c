/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/shadow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "rules/sample.h"

static struct field fields[] = {
    {.name = "t.s", .type = VALUE_CHARBUF},
    {.name = "t.n", .type = VALUE_UINT64},
    {.name = "t.ip", .type = VALUE_IPADDR},
    {.name = "t.l", .type = VALUE_CHARBUF, .flags = FIELD_LIST},
};

enum {
	N_FIELDS = sizeof(fields) / sizeof(*fields)
};

struct fixture {
	struct field_catalog catalog;
	struct rules_config config;
	struct arena arena;
	struct loader *loader;
	const struct ruleset *rs;
	const struct shadow *shadow;
	uint32_t n;
	bool complete;
};

static void
fixture_load(struct fixture *f, const char *rules, enum rule_matching matching)
{
	const struct field_class klass = {
	    .name = "t (plugin)", .field = fields, .n = N_FIELDS, .plugin = true};
	const struct load_result *r;
	struct field_source *source;
	struct buf log;
	struct err err;

	*f = (struct fixture){
	    .config = {.min_priority = PRIORITY_DEBUG, .matching = matching}};
	for (int i = 0; i < N_FIELDS; i++) {
		fields[i].provider = PROVIDER_PLUGIN;
		fields[i].desc = fields[i].display = "";
	}
	arena_init(&f->arena, 1 << 26);
	assert_true(field_catalog_init(&f->catalog, &err));
	source = field_catalog_add_source(&f->catalog, "t");
	assert_true(field_source_add_class(&f->catalog, source, &klass, &err));
	f->loader = loader_new(&f->catalog, &f->config, &err);
	assert_true(loader_file(f->loader, "r", rules, strlen(rules), &r, &err));
	buf_init(&log, 100000);
	load_result_text(r, true, &log);
	if (!load_result_ok(r))
		fail_msg("%s\n%s", buf_str(&log), rules);
	assert_true(loader_finish(f->loader, &log, &err));
	buf_release(&log);
	f->rs = loader_ruleset(f->loader, source->index);
	assert_true(shadow_find(f->rs, &f->arena, &f->shadow, &f->n, &f->complete, &err));
}

static void
fixture_release(struct fixture *f)
{
	loader_free(f->loader);
	field_catalog_release(&f->catalog);
	arena_release(&f->arena);
}

static void
add_rule(struct buf *out, const char *name, const char *condition)
{
	buf_addf(out,
	    "- rule: %s\n  desc: d\n  condition: '%s'\n  output: o\n  priority: INFO\n"
	    "  source: t\n",
	    name, condition);
}

/* Is the second rule behind the first? */
static bool
covers(const char *earlier, const char *later)
{
	struct fixture f;
	struct buf text;
	bool yes;

	buf_init(&text, 1 << 16);
	add_rule(&text, "A", earlier);
	add_rule(&text, "B", later);
	fixture_load(&f, buf_str(&text), RULE_MATCHING_FIRST);
	yes = f.n == 1 && f.shadow[0].rule == f.rs->rule[1] &&
	      f.shadow[0].by == f.rs->rule[0];
	assert_true(f.n == yes);
	assert_true(f.complete);
	fixture_release(&f);
	buf_release(&text);
	return yes;
}

static bool
never(const char *condition)
{
	struct fixture f;
	struct buf text;
	bool yes;

	buf_init(&text, 1 << 16);
	add_rule(&text, "A", condition);
	fixture_load(&f, buf_str(&text), RULE_MATCHING_ALL);
	yes = f.n == 1 && !f.shadow[0].by;
	fixture_release(&f);
	buf_release(&text);
	return yes;
}

static void
test_shadow_finds_rules_behind_weaker_ones(void **state)
{
	assert_true(covers("t.s = a", "t.s = a"));
	assert_true(covers("t.s = a", "t.s = a and t.n = 1"));
	assert_true(covers("t.s = a or t.n = 1", "t.n = 1"));
	assert_true(covers("t.s = a or t.n = 1", "t.n = 1 or t.s = a"));
	assert_true(covers("t.s exists", "t.s endswith a"));
	assert_true(covers("t.l exists", "t.l in (a, b)"));
	assert_true(covers("t.s in (a, b, c)", "t.s = b"));
	assert_true(covers("t.s in (a, b, c)", "t.s in (c, a)"));
	assert_true(covers("t.s startswith a", "t.s startswith ab"));
	assert_true(covers("t.s contains b", "t.s startswith abc"));
	assert_true(covers("t.s glob a*", "t.s in (ab, ac)"));
	assert_true(covers("t.s regex a.*", "t.s = abc"));
	assert_true(covers("t.s != a", "t.s = b"));
	assert_true(covers("t.s != a", "t.s startswith b"));
	assert_true(covers("t.n > 3", "t.n >= 4"));
	assert_true(covers("t.n <= 0", "t.n = 0"));
	assert_true(covers("t.n != 9", "t.n < 9"));
	assert_true(covers("not t.s = a", "not t.s in (a, b)"));
	assert_true(covers("not t.s = a", "t.s = b"));
	assert_true(covers("not (t.s = a and t.n = 1)", "not t.n = 1"));
	assert_true(covers("t.ip = 10.0.0.1", "t.ip = 10.0.0.1 and t.n > 1"));
}

static void
test_shadow_tells_nothing_that_is_not_so(void **state)
{
	assert_false(covers("t.s = a and t.n = 1", "t.s = a"));
	assert_false(covers("t.s = a", "t.s = a or t.n = 1"));
	assert_false(covers("t.s in (a, b)", "t.s in (a, c)"));
	assert_false(covers("t.s startswith ab", "t.s startswith a"));
	assert_false(covers("t.n > 3", "t.n > 2"));
	assert_false(covers("t.n = 1", "t.s = a"));
	/* A field without a value makes both false: no check follows from a negation. */
	assert_false(covers("t.s != a", "not t.s = a"));
	assert_false(covers("t.s exists", "not t.s = a"));
	assert_false(covers("t.n < 5", "not t.n >= 5"));
	/* Of lists nothing is known but themselves. */
	assert_false(covers("t.l in (a, b)", "t.l in (a)"));
	assert_false(covers("t.l intersects (a)", "t.l in (a)"));
}

static void
test_shadow_finds_contradictions(void **state)
{
	assert_true(never("t.s = a and t.s = b"));
	assert_true(never("t.s = a and t.n = 1 and t.s in (b, c)"));
	assert_true(never("t.s startswith a and t.s startswith b"));
	assert_true(never("t.n > 5 and t.n < 5"));
	assert_true(never("t.n < 0"));
	assert_true(never("t.s = a and not t.s = a"));
	assert_true(never("t.s = a and not t.s exists"));
	assert_true(never("t.s = a and not t.s startswith a"));
	assert_true(never("(t.s = a or t.s = b) and (t.s = c or t.s = d)"));
	assert_true(never("(t.s = a and t.s = b) or (t.n = 1 and t.n = 2)"));
	assert_true(never("t.n = 1 and not (t.s = a or t.n = 1)"));
	assert_false(never("t.s = a and t.n = 1"));
	assert_false(never("(t.s = a or t.s = b) and (t.s = b or t.s = c)"));
	assert_false(never("t.n >= 5 and t.n <= 5"));
	assert_false(never("t.l in (a) and t.l in (b)"));
	assert_false(never("not t.s = a and not t.s != a"));
}

static void
test_shadow_leaves_matching_all_alone(void **state)
{
	struct fixture f;
	struct buf text;

	buf_init(&text, 1 << 16);
	add_rule(&text, "A", "t.s = a");
	add_rule(&text, "B", "t.s = a");
	fixture_load(&f, buf_str(&text), RULE_MATCHING_ALL);
	assert_int_equal(f.n, 0);
	fixture_release(&f);
	buf_release(&text);
}

/* -- generated conditions: what is told is true of every event -- */

static uint64_t seed = 1;

static uint32_t
pick(uint32_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % n;
}

static void
add_condition(struct buf *out, int depth)
{
	static const char *const checks[] = {"t.n = 1", "t.n = 2", "t.n != 1", "t.n < 2",
	    "t.n <= 2", "t.n > 1", "t.n >= 3", "t.n in (1, 2)", "t.n in (0, 1, 2, 3)",
	    "t.n exists", "t.s = a", "t.s = ab", "t.s != a", "t.s in (a, ab)",
	    "t.s startswith a", "t.s startswith ab", "t.s endswith b", "t.s contains b",
	    "t.s glob a*", "t.s iglob a*", "t.s exists", "t.l in (a)", "t.l in (a, b)",
	    "t.l intersects (a)", "t.l exists", "t.s = \"\"", "toupper(t.s) = A",
	    "toupper(t.s) in (A, AB)", "t.s = val(t.s)", "t.s contains anyof (a, c)",
	    "t.s contains allof (a, b)", "t.s startswith oneof (a, ab)"};
	uint32_t n = 2 + pick(2), kind = pick(5);

	if (depth == 0 || kind < 2) {
		buf_addf(out, "%s%s", pick(4) ? "" : "not ",
		    checks[pick(sizeof(checks) / sizeof(*checks))]);
		return;
	}
	buf_adds(out, kind == 4 ? "not (" : "(");
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			buf_adds(out, kind == 2 ? " or " : " and ");
		add_condition(out, depth - 1);
	}
	buf_addc(out, ')');
}

static const struct yaml_node *
all_events(struct arena *arena)
{
	static const char *const n[] = {NULL, "0", "1", "2", "3", "4"};
	static const char *const s[] = {
	    NULL, "''", "a", "ab", "b", "ba", "abc", "c", "A"};
	static const char *const l[] = {NULL, "[a]", "[b]", "[b, c]"};
	struct yaml_stream stream;
	struct yaml_mark mark;
	struct buf text;
	struct err err;

	buf_init(&text, 1 << 20);
	for (uint32_t i = 0; i < 6 * 9 * 4; i++) {
		const char *a = n[i % 6], *b = s[i / 6 % 9], *c = l[i / 54];
		buf_addf(&text, "- {t.n: %s, t.s: %s, t.l: %s}\n", a ? a : "~",
		    b ? b : "~", c ? c : "~");
	}
	assert_true(yaml_load(arena, buf_str(&text), text.len, &stream, &mark, &err));
	buf_release(&text);
	return stream.doc[0];
}

static void
test_shadow_is_true_of_every_event(void **state)
{
	static const struct eval_config eval_config = {0};
	uint32_t n_never = 0, n_behind = 0;

	for (int round = 0; round < 60; round++) {
		bool *hit = calloc(256 * 64, sizeof(*hit));
		struct fixture f;
		struct sample sample;
		struct buf text, condition;
		struct err err;
		uint32_t n;

		buf_init(&text, 1 << 20);
		buf_init(&condition, 1 << 16);
		for (int i = 0; i < 64; i++) {
			char name[20];
			snprintf(name, sizeof(name), "r%d", i);
			buf_clear(&condition);
			add_condition(&condition, i % 3);
			add_rule(&text, name, buf_str(&condition));
		}
		fixture_load(&f, buf_str(&text), RULE_MATCHING_FIRST);
		f.config.matching = RULE_MATCHING_ALL;
		const struct yaml_node *events = all_events(&f.arena);
		struct evaluator *ev = evaluator_new_plain(f.rs, &eval_config, &err);
		assert_non_null(ev);
		assert_true(sample_init(
		    &sample, &f.arena, f.rs->source, events->child, events->n, &err));
		assert_true(sample_evaluate(&sample, ev, &err));
		const struct eval_match *m = evaluator_matches(ev, &n);
		for (uint32_t i = 0; i < n; i++)
			hit[m[i].event * 64 + m[i].rule] = true;
		for (uint32_t i = 0; i < f.n; i++) {
			const struct shadow *s = &f.shadow[i];
			n_never += !s->by;
			n_behind += s->by != NULL;
			for (uint32_t e = 0; e < events->n; e++) {
				bool here = hit[e * 64 + s->rule->index];
				if (here && (!s->by || !hit[e * 64 + s->by->index]))
					fail_msg("%s by %s, event %u, round %d:\n%s",
					    s->rule->name, s->by ? s->by->name : "-", e,
					    round, buf_str(&text));
			}
		}
		evaluator_free(ev);
		fixture_release(&f);
		buf_release(&text);
		buf_release(&condition);
		free(hit);
	}
	/* Enough was told for this to mean something. */
	assert_true(n_never > 50);
	assert_true(n_behind > 500);
}

static void
test_shadow_gives_up_in_time(void **state)
{
	struct fixture f;
	struct buf text;

	buf_init(&text, 64 << 20);
	for (int i = 0; i < 2500; i++) {
		char name[20], condition[200];
		snprintf(name, sizeof(name), "r%d", i);
		snprintf(condition, sizeof(condition),
		    "t.n > %d and t.s startswith a and not t.s endswith x%d and (t.n = "
		    "%d "
		    "or t.l intersects (a, b))",
		    i, i, i + 7);
		add_rule(&text, name, condition);
	}
	fixture_load(&f, buf_str(&text), RULE_MATCHING_FIRST);
	assert_false(f.complete);
	assert_int_equal(f.n, 0);
	fixture_release(&f);
	buf_release(&text);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_shadow_finds_rules_behind_weaker_ones),
	    cmocka_unit_test(test_shadow_tells_nothing_that_is_not_so),
	    cmocka_unit_test(test_shadow_finds_contradictions),
	    cmocka_unit_test(test_shadow_leaves_matching_all_alone),
	    cmocka_unit_test(test_shadow_is_true_of_every_event),
	    cmocka_unit_test(test_shadow_gives_up_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
