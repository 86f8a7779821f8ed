/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/loader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "rules/engine.h"
#include "rules/golden_source.h"
#include "rules/schema.h"

static struct field_catalog catalog;
static const struct rules_plugin plugins[] = {
    {.name = "golden", .version = "1.2.3", .source = "golden", .extracts = true}};
static const struct rules_config plain = {
    .min_priority = PRIORITY_DEBUG, .plugin = plugins, .n_plugin = 1};

#define RULE(name, condition, more)                                                      \
	"- rule: " name "\n  desc: d\n  condition: " condition                           \
	"\n  output: o\n  priority: INFO\n  source: golden\n" more

static struct loader *
load(const struct rules_config *config, const char *text, const struct load_result **ret)
{
	struct err err;
	struct loader *l = loader_new(&catalog, config, &err);

	assert_non_null(l);
	if (!loader_file(l, "f.yaml", text, strlen(text), ret, &err))
		fail_msg("%s", err.msg);
	return l;
}

static const char *
text_of(const struct load_result *r, bool verbose)
{
	static char text[20000];
	struct buf out;

	buf_init(&out, sizeof(text) - 1);
	load_result_text(r, verbose, &out);
	assert_false(out.failed);
	memcpy(text, buf_str(&out), out.len + 1);
	buf_release(&out);
	return text;
}

static void
expect_result(const char *rules, const char *verbose_text)
{
	const struct load_result *r;
	struct loader *l = load(&plain, rules, &r);

	assert_string_equal(text_of(r, true), verbose_text);
	loader_free(l);
}

static void
test_loader_reports_where_and_why(void **state)
{
	expect_result(RULE("A", "g.num = 1", ""), "f.yaml: Ok");
	expect_result(RULE("A", "g.num = x", ""),
	    "f.yaml: Invalid\n"
	    "1 Errors:\n"
	    "In rules content: (f.yaml:0:0)\n"
	    "    rule 'A': (f.yaml:0:2)\n"
	    "    rule condition: (f.yaml:2:13)\n"
	    "    condition expression: (\"g.num = x\":3:14)\n"
	    "------\n"
	    "g.num = x\n"
	    "        ^\n"
	    "------\n"
	    "LOAD_ERR_COMPILE_CONDITION (Error compiling condition): x is not a valid "
	    "number\n");
	expect_result("- list: l\n  items: [a]\n",
	    "f.yaml: Ok, with warnings\n"
	    "1 Warnings:\n"
	    "In rules content: (f.yaml:0:0)\n"
	    "    list 'l': (f.yaml:0:2)\n"
	    "------\n"
	    "- list: l\n"
	    "  ^\n"
	    "------\n"
	    "LOAD_UNUSED_LIST (Unused list): List not referred to by any other "
	    "rule/macro\n");
}

static void
test_loader_cuts_long_lines_of_snippets(void **state)
{
	char rules[600], expected[300];
	const struct load_result *r;

	memset(rules, ' ', sizeof(rules));
	memcpy(rules, "- rule: A\n  desc: d\n  condition: 'g.str = ", 42);
	memset(rules + 42, 'a', 100);
	memcpy(rules + 142, " and g.num = x and g.str = ", 27);
	memset(rules + 169, 'b', 100);
	strcpy(rules + 269, "'\n  output: o\n  priority: INFO\n  source: golden\n");
	struct loader *l = load(&plain, rules, &r);
	memset(expected, 'a', sizeof(expected));
	assert_non_null(strstr(text_of(r, true), "------\n..."));
	assert_non_null(strstr(text_of(r, true), "...\n"));
	loader_free(l);
}

static void
test_loader_summary_and_more_errors(void **state)
{
	const struct load_result *r;
	struct buf out;
	struct loader *l = load(&plain,
	    RULE("A", "g.num = x", "") "- list: l\n  items: []\n" RULE(
		"B", "g.nope = 1", "") RULE("C", "g.num = 1", ""),
	    &r);

	assert_false(load_result_ok(r));
	assert_string_equal(text_of(r, false),
	    "f.yaml: Invalid\n 1 errors: [LOAD_ERR_COMPILE_CONDITION "
	    "(Error compiling condition)]");
	buf_init(&out, 1 << 16);
	load_result_more_errors_text(r, &out);
	assert_non_null(strstr(buf_str(&out), "\n1 More errors:\n"));
	assert_non_null(
	    strstr(buf_str(&out), "filter_check called with nonexistent field g.nope"));
	buf_release(&out);
	loader_free(l);
}

static void
test_loader_lines_are_as_compilers_say_them(void **state)
{
	static const char more[] = "- macro: esc\x1b[2J\n  condition: g.num = 1\n";
	const struct load_result *first, *second;
	uint32_t n_error, n_warning;
	struct buf out;
	struct err err;
	struct loader *l =
	    load(&plain, RULE("A", "g.num = x", "") RULE("B", "g.nope = 1", ""), &first);

	buf_init(&out, 1 << 16);
	load_result_lines(first, NULL, &out, &n_error, &n_warning);
	assert_string_equal(buf_str(&out),
	    "f.yaml:3:14: error: x is not a valid number (LOAD_ERR_COMPILE_CONDITION)\n"
	    "    in rule 'A', rule condition\n"
	    "    g.num = x\n"
	    "            ^\n"
	    "f.yaml:9:14: error: filter_check called with nonexistent field g.nope "
	    "(LOAD_ERR_COMPILE_CONDITION)\n"
	    "    in rule 'B', rule condition\n"
	    "    g.nope = 1\n"
	    "             ^\n");
	assert_int_equal(n_error, 2);
	assert_int_equal(n_warning, 0);
	/* What the first file has wrong is not told again with the second. */
	assert_true(loader_file(l, "g.yaml", more, strlen(more), &second, &err));
	assert_false(load_result_ok(second));
	buf_clear(&out);
	load_result_lines(second, first, &out, &n_error, &n_warning);
	assert_null(strstr(buf_str(&out), "f.yaml"));
	assert_null(strchr(buf_str(&out), '\x1b'));
	buf_release(&out);
	loader_free(l);
}

static void
test_loader_compiles_everything_after_each_file(void **state)
{
	static const char later[] = "- macro: m\n  condition: g.nope = 1\n";
	static const char good[] = "- macro: m\n  condition: g.num = 2\n";
	const struct load_result *r;
	struct err err;
	struct loader *l =
	    load(&plain, "- macro: m\n  condition: g.num = 1\n" RULE("A", "m", ""), &r);

	assert_true(load_result_ok(r));
	/* The error of a later redefinition is that of the later file. */
	assert_true(loader_file(l, "later.yaml", later, strlen(later), &r, &err));
	assert_false(load_result_ok(r));
	assert_string_equal(load_result_name(r), "later.yaml");
	assert_non_null(strstr(text_of(r, true), "    rule 'A': (f.yaml:"));
	assert_true(loader_file(l, "good.yaml", good, strlen(good), &r, &err));
	assert_true(load_result_ok(r));
	loader_free(l);
}

/* Names of the enabled rules in order, and what the log says. */
static void
expect_enabled(const struct rules_config *config, const char *names, const char *log_text)
{
	static const char rules[] =
	    RULE("a one", "g.num = 1", "  tags: [x, y]\n") RULE("a two", "g.num = 2", "")
		RULE("b off", "g.num = 3", "  enabled: false\n  tags: [x]\n")
		    RULE("b two", "g.num = 4", "  tags: [y]\n");
	const struct load_result *r;
	struct loader *l = load(config, rules, &r);
	struct buf log, have;
	struct err err;

	buf_init(&log, 1 << 16);
	buf_init(&have, 1 << 16);
	assert_true(loader_finish(l, &log, &err));
	const struct ruleset *rs = loader_ruleset(l, 1);
	for (uint32_t i = 0; i < rs->n_rule; i++)
		buf_addf(&have, "%s;", rs->rule[i]->name);
	assert_string_equal(buf_str(&have), names);
	assert_string_equal(buf_str(&log), log_text);
	assert_int_equal(loader_ruleset(l, 0)->n_rule, 0);
	buf_release(&have);
	buf_release(&log);
	loader_free(l);
}

static void
test_loader_selection_in_order(void **state)
{
	static const struct rule_selection steps[] = {
	    {.enable = false, .rule = "*two"},
	    {.enable = true, .tag = "x"},
	    {.enable = true, .rule = "a*", .tag = "y"},
	    {.enable = false, .rule = "nobody"},
	};
	struct rules_config config = plain;

	expect_enabled(&plain, "a one;a two;b two;", "");
	config.selection = steps;
	config.n_selection = 1;
	expect_enabled(&config, "a one;", "Disabling rules with name: *two\n");
	config.n_selection = 2;
	expect_enabled(&config, "a one;b off;",
	    "Disabling rules with name: *two\nEnabling rules with tag: x\n");
	/* What is enabled again goes to the end; what is enabled already stays. */
	config.n_selection = 4;
	expect_enabled(&config, "a one;b off;a two;b two;",
	    "Disabling rules with name: *two\nEnabling rules with tag: x\n"
	    "Enabling rules with name: a*\nEnabling rules with tag: y\n"
	    "Disabling rules with name: nobody\n");
	config = plain;
	config.min_priority = PRIORITY_NOTICE;
	expect_enabled(&config, "", "");
}

static void
test_loader_wildcards(void **state)
{
	static const struct {
		const char *pattern, *names;
	} cases[] = {{"*", ""}, {"a *", "b two;"}, {"*o*", ""}, {"b*two", "a one;a two;"},
	    {"two", "a one;a two;b two;"}, {"* t*o", "a one;"},
	    {"a?one", "a one;a two;b two;"}, {"**one**", "a two;b two;"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rule_selection step = {.rule = cases[i].pattern};
		struct rules_config config = plain;
		char log[100];
		config.selection = &step;
		config.n_selection = 1;
		snprintf(log, sizeof(log), "Disabling rules with name: %s\n",
		    cases[i].pattern);
		expect_enabled(&config, cases[i].names, log);
	}
}

static void
test_loader_plugin_requirements(void **state)
{
#define NEED(a, v, more)                                                                 \
	"- required_plugin_versions:\n  - name: " a "\n    version: " v "\n" more
#define OR(a, v) "    alternatives: [{name: " a ", version: " v "}]\n"
	static const struct {
		const char *rules, *error;
	} cases[] = {
	    {NEED("golden", "1.2.0", ""), NULL},
	    {NEED("golden", "1.2.3-rc1", ""), NULL},
	    {NEED("other", "3.0.0", OR("golden", "1.0.0")), NULL},
	    {NEED("golden", "1.2.4", ""),
		"Plugin 'golden' version '1.2.3' is not compatible with required plugin "
		"version '1.2.4'"},
	    {NEED("golden", "0.2.0", OR("golden2", "1.0.0")),
		"Plugin 'golden' version '1.2.3' is not compatible with required plugin "
		"version '0.2.0'"},
	    {NEED("other", "3.0.0", OR("more", "1.0.0")),
		"Plugin requirement not satisfied, must load one of: other (>= 3.0.0), "
		"more (>= 1.0.0)"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct load_result *r;
		struct loader *l = load(&plain, cases[i].rules, &r);
		struct err err = {0};
		assert_true(load_result_ok(r));
		assert_int_equal(loader_check_plugins(l, &err), cases[i].error == NULL);
		if (cases[i].error)
			assert_string_equal(err.msg, cases[i].error);
		loader_free(l);
	}
}

static void
test_loader_appends_outputs(void **state)
{
	static const char *const tag[] = {"x"};
	static const struct append_field field[] = {
	    {"g.str", NULL}, {"text", "<%g.word>"}};
	static const struct append_output append[] = {
	    {.source = "golden", .suggested_output = true},
	    {.tag = tag,
		.n_tag = 1,
		.extra_output = "w=%g.word",
		.extra_field = field,
		.n_extra_field = 2},
	    {.rule = "nobody", .extra_output = "never"},
	    {.source = "syscall", .extra_output = "never"},
	};
	struct rules_config config = plain;
	const struct load_result *r;
	struct buf out;
	struct err err;

	config.append_output = append;
	config.n_append_output = 4;
	struct loader *l = load(&config,
	    RULE("A", "g.num = 1", "") RULE("B", "g.num = 1", "  tags: [x]\n"), &r);
	buf_init(&out, 1 << 20);
	assert_true(loader_describe(l, "A", true, &out, &err));
	assert_non_null(strstr(buf_str(&out), "\"output_compiled\":\"o g_num=%g.num\""));
	buf_clear(&out);
	assert_true(loader_describe(l, "B", true, &out, &err));
	assert_non_null(
	    strstr(buf_str(&out), "\"output_compiled\":\"o g_num=%g.num w=%g.word\""));
	assert_non_null(strstr(
	    buf_str(&out), "\"extra_output_formatted_fields\":{\"text\":\"<%g.word>\"}"));
	assert_int_equal(l->compiled.rule[1].rule.n_extra, 2);
	assert_int_equal(l->compiled.rule[1].rule.n_output_slot, 3);
	buf_release(&out);
	loader_free(l);
}

static void
test_loader_describes_as_text(void **state)
{
	const struct load_result *r;
	struct buf out;
	struct err err;
	struct loader *l = load(&plain, RULE("A", "g.num = 1", ""), &r);

	buf_init(&out, 1 << 20);
	assert_true(loader_describe(l, NULL, false, &out, &err));
	assert_string_equal(buf_str(&out),
	    "Rule                                               Description\n"
	    "----                                               -----------\n"
	    "A                                                  d \n\n");
	assert_false(loader_describe(l, "B", false, &out, &err));
	assert_string_equal(err.msg, "Rule \"B\" is not loaded");
	buf_release(&out);
	loader_free(l);
}

static void
expect_error(const char *rules, const char *message)
{
	const struct load_result *r;
	struct loader *l = load(&plain, rules, &r);

	assert_false(load_result_ok(r));
	if (!strstr(text_of(r, true), message))
		fail_msg("%s", text_of(r, true));
	loader_free(l);
}

static void
test_loader_bounds_are_named(void **state)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (int i = 0; i < 60; i++)
		buf_addf(&b, "- macro: m%d\n  condition: m%d and m%d\n", i, i - 1, i - 1);
	expect_error(
	    buf_str(&b) + strlen("- macro: m0\n  condition: m-1 and m-1\n"), "Undefined");
	buf_clear(&b);
	buf_adds(&b, "- macro: m0\n  condition: g.num = 1\n");
	for (int i = 1; i < 60; i++)
		buf_addf(&b, "- macro: m%d\n  condition: m%d and m%d\n", i, i - 1, i - 1);
	expect_error(buf_str(&b),
	    "The condition has more than 4194304 nodes after macros are put in");
	buf_clear(&b);
	buf_adds(&b, "- macro: m0\n  condition: g.num = 1\n");
	for (int i = 1; i < 5000; i++)
		buf_addf(&b, "- macro: m%d\n  condition: not m%d\n", i, i - 1);
	expect_error(buf_str(&b),
	    "The condition is more than 1000 levels deep after macros are put in");
	buf_clear(&b);
	for (int i = 0; i < 60; i++)
		buf_addf(&b, "- list: l%d\n  items: [l%d, l%d]\n", i, i + 1, i + 1);
	buf_adds(&b, RULE("A", "g.str in (l0)", ""));
	expect_error(buf_str(&b),
	    "The condition has more than 16777216 bytes after lists are put in");
	buf_release(&b);
}

/* What stands in a condition after lists are put in, to the blank. */
static void
test_loader_puts_lists_in_as_falco_does(void **state)
{
	static const char lists[] = "- list: e\n  items: []\n- list: one\n  items: [x]\n"
				    "- list: two\n  items: [one, 'a b']\n"
				    "- list: three\n  items: [two, later]\n"
				    "- list: later\n  items: [z]\n";
	static const char *const cases[][2] = {
	    {"g.str in (one)", "g.str in ( x )"},
	    {"g.str in(one,y)", "g.str in( x ,y)"},
	    {"g.str in (  two ,y )", "g.str in ( x, \"a b\" ,y )"},
	    {"g.str=one", "g.str= x "},
	    {"one", "x "},
	    {"g.str in (e)", "g.str in (  )"},
	    {"g.str in (y, e)", "g.str in (y  )"},
	    {"g.str in (e, y)", "g.str in (   y)"},
	    {"g.str in (y, e, z)", "g.str in (y  , z)"},
	    {"g.str in (three)", "g.str in ( one, \"a b\", z )"},
	    {"g.str = 'one' or g.one[one] != one.x",
		"g.str = 'one' or g.one[one] != one.x"},
	    {"g.str = 'x one y'", "g.str = 'x x y'"},
	};
	const struct load_result *r;
	struct loader *l = load(&plain, lists, &r);
	struct load_result result = {.arena = &l->arena, .name = "t"};
	struct diag_context file = diag_file("t");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ast_str in = {cases[i][0], strlen(cases[i][0])}, out;
		l->compiled.resolution.result = &result;
		assert_true(resolution_lists(&l->compiled.resolution, in, &file, &out));
		assert_string_equal(out.s, cases[i][1]);
	}
	loader_free(l);
}

static void
test_loader_schema_status(void **state)
{
	static const char *const cases[][2] = {
	    {"", "none"},
	    {"# nothing\n", "none"},
	    {RULE("A", "g.num = 1", ""), "ok"},
	    {RULE("A", "g.num = 1", "  source: ~\n"), "ok"},
	    {"- typo: 1\n", "failed for <root>[0]: unknown property 'typo'"},
	    {"-\n- rule: A\n  tags: x\n",
		"failed for <root>[1][tags]: value is not an array of strings"},
	    {"- rule: A\n  exceptions: [{fields: a}]\n",
		"failed for <root>[0][exceptions][0]: missing property 'name'"},
	    {"- rule: A\n  override: {desc: apend}\n",
		"failed for <root>[0][override][desc]: value is neither append nor "
		"replace"},
	    {"a: b\n", "failed for <root>: value is not an array"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct load_result *r;
		struct loader *l = load(&plain, cases[i][0], &r);
		assert_string_equal(load_result_schema_status(r), cases[i][1]);
		loader_free(l);
	}
}

static void
test_loader_prints_the_schema(void **state)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	schema_print(&out);
	assert_memory_equal(buf_str(&out),
	    "{\n  \"$schema\": \"http://json-schema.org/draft-06/schema#\",\n", 58);
	assert_non_null(strstr(buf_str(&out), "\"skip-if-unknown-filter\": {\n"));
	assert_non_null(strstr(buf_str(&out), "\"additionalProperties\": false"));
	buf_release(&out);
}

static void
test_loader_without_files_gives_empty_rulesets(void **state)
{
	struct err err;
	struct buf log;
	struct loader *l = loader_new(&catalog, &plain, &err);
	uint32_t n;

	buf_init(&log, 100);
	assert_true(loader_finish(l, &log, &err));
	assert_int_equal(loader_ruleset(l, 1)->n_rule, 0);
	loader_rules(l, &n);
	assert_int_equal(n, 0);
	loader_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_loader_reports_where_and_why),
	    cmocka_unit_test(test_loader_cuts_long_lines_of_snippets),
	    cmocka_unit_test(test_loader_summary_and_more_errors),
	    cmocka_unit_test(test_loader_lines_are_as_compilers_say_them),
	    cmocka_unit_test(test_loader_compiles_everything_after_each_file),
	    cmocka_unit_test(test_loader_selection_in_order),
	    cmocka_unit_test(test_loader_wildcards),
	    cmocka_unit_test(test_loader_plugin_requirements),
	    cmocka_unit_test(test_loader_appends_outputs),
	    cmocka_unit_test(test_loader_describes_as_text),
	    cmocka_unit_test(test_loader_bounds_are_named),
	    cmocka_unit_test(test_loader_puts_lists_in_as_falco_does),
	    cmocka_unit_test(test_loader_schema_status),
	    cmocka_unit_test(test_loader_prints_the_schema),
	    cmocka_unit_test(test_loader_without_files_gives_empty_rulesets),
	};
	struct err err;

	if (!golden_catalog(&catalog, &err))
		return 1;
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	field_catalog_release(&catalog);
	return rc;
}
