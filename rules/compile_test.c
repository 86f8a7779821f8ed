/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/compile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "rules/evttype.h"
#include "rules/golden_source.h"

static struct field_catalog catalog;
static char warned[4000];

static void
note(const char *text, void *arg)
{
	size_t n = strlen(warned);

	snprintf(warned + n, sizeof(warned) - n, "%s\n", text);
}

static bool
is_evttype(const char *name, void *arg)
{
	return evttype_known(name);
}

/* NULL when it compiles, else the error. */
static const char *
compile_for(uint32_t source, const char *condition, struct ast_pos *ret_pos)
{
	static struct err err;
	struct arena arena;
	struct slot_set slots;
	struct regex_list *regexes = NULL;
	const struct ast *ast;
	const struct cond *cond;
	struct ast_pos pos;
	bool ok;

	arena_init(&arena, 64 << 20);
	slot_set_init(&slots, &arena);
	struct compiler compiler = {.arena = &arena,
	    .source = &catalog.source[source],
	    .slots = &slots,
	    .regexes = &regexes,
	    .use = SLOT_CONDITION,
	    .warn = note,
	    .is_evttype = is_evttype};
	*warned = '\0';
	ok = ast_parse(&arena, condition, strlen(condition), LIMIT_CONDITION_DEPTH, &ast,
		 &pos, &err) &&
	     cond_compile(&compiler, ast, &cond, &err);
	if (ret_pos)
		*ret_pos = compiler.pos;
	regex_list_free(regexes);
	slot_set_release(&slots);
	arena_release(&arena);
	return ok ? NULL : err.msg;
}

static void
test_compile_type_rules(void **state)
{
	static const char *const cases[][2] = {
	    {"g.num contains 1",
		"filter error: 'contains' operator not supported for numeric filters"},
	    {"g.bool < 1",
		"filter error: '<' operator not supported for numeric filters"},
	    {"g.str bcontains 61",
		"filter error: 'bcontains' operator not supported for string filters"},
	    {"g.ip < 1", "filter error: '<' operator not supported for ip address and "
			 "network filters"},
	    {"g.ip startswith oneof (1.2.3.4)",
		"filter error: 'startswith' operator not supported for ip address and "
		"network filters"},
	    {"g.strs = a", "filter error: '=' operator not supported list filters"},
	    {"g.strs == a", "filter error: '=' operator not supported list filters"},
	    {"g.strs pmatch (a)",
		"filter error: 'pmatch' operator not supported list filters"},
	    {"g.num = 0x10", "0x10 is not a valid number"},
	    {"g.num = \"\"", " is not a valid number"},
	    {"g.num > 1.5", "1.5 is not a valid number"},
	    {"g.bool = yes", "filter error: unrecognized boolean value yes"},
	    {"g.ip = 10.0.0", "unrecognized IPv4 address 10.0.0"},
	    {"g.ip = abc", "unrecognized IPv6 address abc"},
	    {"g.net = 10.0.0.0/33", "invalid netmask 33"},
	    {"g.net = 10.0.0.0", "unrecognized IP network 10.0.0.0"},
	    {"g.net = 10.0.0.0/", " is not a valid number"},
	    {"g.str = \"a\\x00b\"",
		"filter error: filter value cannot contain a NUL byte (\\x00)"},
	    {"g.str = val(g.num)",
		"field 'g.str' has type 'CHARBUF' while the right-hand side field "
		"'g.num' has incompatible type 'UINT64'"},
	    {"g.str = val(g.strs)",
		"field 'g.str' has type 'CHARBUF' while the right-hand side field "
		"'g.strs' has incompatible type 'CHARBUF (list)'"},
	    {"g.net = val(g.net)",
		"field type 'IPNET' doesn't support right-hand side fields"},
	    {"g.str regex val(g.word)",
		"operator 'REGEX' doesn't support right-hand side fields"},
	    {"tolower(g.num) = 1",
		"can't add field transformer: type 'UINT64' is not supported by "
		"'tolower' transformer applied on field 'g.num'"},
	    {"b64(g.nums) in (1)",
		"can't add field transformer: type 'UINT64' is not supported by 'b64' "
		"transformer applied on list field 'g.nums'"},
	    {"tolower(g.str)[x] = 1",
		"filter error: transformer 'tolower' does not support field arguments"},
	    {"join(\",\", g.str) = 1", "join() second argument must be a list"},
	    {"concat(g.str, g.strs) = 1", "concat() arguments must be strings"},
	    {"getopt(g.argv, \"a\")[ab] = 1",
		"getopt() field argument must be a single option character"},
	    {"concat(g.str) = 1", "unknown field transfomer 'concat'"},
	    {"macro", "filter error: unexpected identifier 'macro'"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *err = compile_for(1, cases[i][0], NULL);
		if (!err)
			fail_msg("%s compiles", cases[i][0]);
		assert_string_equal(err, cases[i][1]);
	}
}

static void
test_compile_accepts(void **state)
{
	static const char *const cases[] = {"g.num = -1", "g.num = \" 5\"",
	    "g.num in (1, 2)", "g.bool != true", "g.ip in (10.0.0.1, ::1)",
	    "g.net = 10.0.0.0/0", "g.net in (2001:db8::/32)", "g.strs in (a)",
	    "g.strs exists", "g.str = anyof ()", "len(g.strs) > 1", "len(g.str) = 3",
	    "tolower(toupper(g.str)) = x", "g.str = val(g.word)", "g.num >= val(g.big)",
	    "basename(g.path) = val(g.str)", "join(\",\", (g.str, g.num, \"x\")) = y",
	    "getopt(g.argv, \":ab\") intersects (a)"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *err = compile_for(1, cases[i], NULL);
		if (err)
			fail_msg("%s: %s", cases[i], err);
	}
}

static void
test_compile_constants_have_255_bytes(void **state)
{
	char text[400];

	snprintf(text, sizeof(text), "g.str = %0255d", 1);
	assert_null(compile_for(1, text, NULL));
	snprintf(text, sizeof(text), "g.str = %0256d", 1);
	const char *err = compile_for(1, text, NULL);
	assert_non_null(err);
	assert_memory_equal(
	    err, "filter parameter too long (used=257, available=256)", 51);
}

static void
test_compile_warnings(void **state)
{
	compile_for(
	    1, "g.str in (g.word, x, \"g.k ey[a]\", \"tolower(x)\", g.nope)", NULL);
	assert_string_equal(warned,
	    "'g.word' may be a valid field misused as a const string value\n"
	    "'g.k ey[a]' may be a valid field misused as a const string value\n"
	    "'tolower(x)' may be a valid field transformer misused as a const string "
	    "value\n");
	compile_for(1,
	    "g.str regex \"^.*abc.+$\" or g.str regex \"a.c\" or g.str regex \"a\\\\.c\"",
	    NULL);
	assert_string_equal(warned,
	    "regex check with '^.*abc.+$' may be optimized with simpler "
	    "operators such as '=', 'contains', 'startswith', 'endswith'\n");
}

static void
test_compile_says_which_check(void **state)
{
	struct ast_pos pos;

	assert_non_null(
	    compile_for(1, "g.str = a and (g.num = 1 or not g.bool = x)", &pos));
	assert_int_equal(pos.idx, 32);
}

static void
test_compile_evttype_takes_event_types(void **state)
{
	assert_null(
	    compile_for(0, "evt.type in (open, openat) and proc.name = cat", NULL));
	assert_string_equal(compile_for(0, "evt.type in (open, opens)", NULL),
	    "unknown event type opens");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_compile_type_rules),
	    cmocka_unit_test(test_compile_accepts),
	    cmocka_unit_test(test_compile_constants_have_255_bytes),
	    cmocka_unit_test(test_compile_warnings),
	    cmocka_unit_test(test_compile_says_which_check),
	    cmocka_unit_test(test_compile_evttype_takes_event_types),
	};
	struct err err;

	if (!golden_catalog(&catalog, &err))
		return 1;
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	field_catalog_release(&catalog);
	return rc;
}
