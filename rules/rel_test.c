/* SPDX-License-Identifier: Apache-2.0 */
/* Path matching, globs, regexes and transformers, as conditions on one event. */
#include "rules/rel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/regex.h"
#include "rules/transform.h"

static struct arena arena;

static void
test_rel_paths_match_by_components(void **state)
{
	static const struct {
		const char *path, *prefix;
		bool match;
	} cases[] = {
	    {"/etc/passwd", "/etc", true},
	    {"/etc/passwd", "/etc/passwd", true},
	    {"/etc/passwd", "/etc/pass", false},
	    {"/etcetera", "/etc", false},
	    {"/etc", "/etc/passwd", false},
	    {"relative/x", "/", true},
	    {"relative/x", "relative", true},
	    {"//etc///passwd", "/etc/passwd/", true},
	    {"/home/u1/.ssh/id", "/home/*/.ssh", true},
	    {"/home/.ssh/id", "/home/*/.ssh", false},
	    {"/home/u1/.ssh", "/home/u[0-9]", true},
	    {"/home/u1", "/home/?", false},
	    {"", "/", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (rel_path_match(cases[i].path, cases[i].prefix) != cases[i].match)
			fail_msg("%s against %s", cases[i].path, cases[i].prefix);
	}
}

static bool
compare(enum rel_op op, const char *text, const char *constant)
{
	struct scalar v = {.s = text, .len = (uint32_t)strlen(text)};
	struct constant k = {.s = constant, .len = (uint32_t)strlen(constant)};
	struct regex *re = NULL;
	uint64_t oddities = 0;
	char why[200];
	bool yes;

	if (op == REL_REGEX) {
		re = regex_new(constant, strlen(constant), why, sizeof(why));
		if (!re)
			fail_msg("%s: %s", constant, why);
		k.re = re;
	}
	yes = rel_compare(op, VALUE_CHARBUF, &v, &k, &arena, &oddities);
	regex_free(re);
	return yes;
}

static void
test_rel_strings(void **state)
{
	static const struct {
		enum rel_op op;
		const char *text, *constant;
		bool match;
	} cases[] = {
	    {REL_GLOB, "/etc/passwd", "/etc/*", true},
	    {REL_GLOB, "/etc/a/b", "/*b", true},
	    {REL_GLOB, ".hidden", "*", true},
	    {REL_GLOB, "a*c", "a\\*c", true},
	    {REL_GLOB, "abc", "a\\*c", false},
	    {REL_GLOB, "ABC", "a[a-c]c", false},
	    {REL_IGLOB, "ABC", "a[a-c]c", true},
	    {REL_ICONTAINS, "xABCx", "bC", true},
	    {REL_CONTAINS, "abc", "", true},
	    {REL_ENDSWITH, "abc", "abcd", false},
	    {REL_ENDSWITH, "abc", "", true},
	    {REL_REGEX, "abc", "b", false},
	    {REL_REGEX, "abc", "a.c", true},
	    {REL_REGEX, "a\nc", "a.c", false},
	    {REL_REGEX, "ab", "a|ab", true},
	    {REL_REGEX, "\xc3\xa9", ".", true},
	    {REL_REGEX, "x\xff", "x\xef\xbf\xbd", true},
	    {REL_REGEX, "a1", "[[:alpha:]][[:digit:]]", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (compare(cases[i].op, cases[i].text, cases[i].constant) !=
		    cases[i].match)
			fail_msg("%s %s %s", cases[i].text, rel_op_text(cases[i].op),
			    cases[i].constant);
	}
}

static void
test_regex_is_posix(void **state)
{
	static const char *const refused[] = {"\\d", "(?i)a", "a{1001}", "(", "[z-a]"};
	char why[200];

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct regex *re =
		    regex_new(refused[i], strlen(refused[i]), why, sizeof(why));
		if (re)
			fail_msg("%s compiles", refused[i]);
	}
}

/* A view of texts in the arena. */
static struct value_view
view_of(const char *const *text, uint32_t n)
{
	struct view_builder b;
	struct value_view v = {0};

	view_builder_init(&b, &arena);
	for (uint32_t i = 0; i < n; i++)
		view_builder_add(&b, text[i], strlen(text[i]));
	assert_true(view_builder_finish(&b, &v));
	return v;
}

/* "(a,b)" of the result, or "fails". */
static const char *
apply(const struct operand *o, const struct value_view *arg)
{
	static char text[500];
	struct value_view v;
	uint32_t n;

	if (!transform_apply(o, arg, &arena, &v))
		return "fails";
	strcpy(text, "(");
	for (uint32_t i = 0; i < v.n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
		    i ? "," : "", value_view_str(&v, i, &n));
	return strcat(text, ")");
}

static void
test_transform_getopt(void **state)
{
	static const struct {
		const char *args[6];
		uint32_t n;
		const char *options;
		char option;
		const char *result;
	} cases[] = {
	    {{"-a", "-b", "val", "rest"}, 4, "ab:", 0, "(a,b,val)"},
	    {{"-ab", "x"}, 2, "ab:", 0, "(a,b,x)"},
	    {{"-bval", "-a"}, 2, "ab:", 0, "(b,val,a)"},
	    {{"--", "-a"}, 2, "a", 0, "()"},
	    {{"plain", "-a"}, 2, "a", 0, "()"},
	    {{"--long", "-a"}, 2, "a", 0, "(a)"},
	    {{"-z", "-a"}, 2, "a", 0, "(?,a)"},
	    {{"-b", "x", "-b", "y"}, 4, "b:", 'b', "(y)"},
	    {{"-a"}, 1, "a", 'a', "(a)"},
	    {{"-b"}, 1, ":b:", 'b', "()"},
	    {{"-a"}, 1, "ab:", 'b', "fails"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct operand o = {.kind = OPERAND_TRANSFORM,
		    .transform = TRANSFORM_GETOPT,
		    .type = VALUE_CHARBUF,
		    .list = !cases[i].option,
		    .option = cases[i].option,
		    .n = 2};
		struct value_view arg[2] = {
		    view_of(cases[i].args, cases[i].n), view_of(&cases[i].options, 1)};
		const char *result = apply(&o, arg);
		if (strcmp(result, cases[i].result) != 0)
			fail_msg(
			    "case %zu: %s instead of %s", i, result, cases[i].result);
	}
}

static void
test_transform_of_strings(void **state)
{
	static const struct {
		enum transform transform;
		const char *text, *result;
	} cases[] = {
	    {TRANSFORM_TOLOWER,
		"\xc3\x89"
		"AbC",
		"(\xc3\x89"
		"abc)"},
	    {TRANSFORM_TOUPPER, "aBc1", "(ABC1)"},
	    {TRANSFORM_BASENAME, "/a/b", "(b)"},
	    {TRANSFORM_BASENAME, "b", "(b)"},
	    {TRANSFORM_BASENAME, "/a/", "()"},
	    {TRANSFORM_B64, "aGVsbG8=", "(hello)"},
	    {TRANSFORM_B64, "aGVsbG8", "(hello)"},
	    {TRANSFORM_B64, "aGVsbG9", "fails"},
	    {TRANSFORM_B64, "not base64!", "fails"},
	    {TRANSFORM_B64, "", "()"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct operand in = {.kind = OPERAND_SLOT, .type = VALUE_CHARBUF};
		const struct operand *args[] = {&in};
		struct operand o = {.kind = OPERAND_TRANSFORM,
		    .transform = cases[i].transform,
		    .type = VALUE_CHARBUF,
		    .arg = args,
		    .n = 1};
		struct value_view arg = view_of(&cases[i].text, 1);
		const char *result = apply(&o, &arg);
		if (strcmp(result, cases[i].result) != 0)
			fail_msg(
			    "case %zu: %s instead of %s", i, result, cases[i].result);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rel_paths_match_by_components),
	    cmocka_unit_test(test_rel_strings),
	    cmocka_unit_test(test_regex_is_posix),
	    cmocka_unit_test(test_transform_getopt),
	    cmocka_unit_test(test_transform_of_strings),
	};
	arena_init(&arena, 16 << 20);
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return rc;
}
