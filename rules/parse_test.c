/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "rules/ast.h"

static struct arena arena;

#define TRANSFORMERS                                                                     \
	"'val', 'tolower', 'toupper', 'b64', 'basename', 'len', 'join', 'concat', "      \
	"'getopt'"

static void
expect_text(const char *condition, size_t n, const char *text)
{
	const struct ast *ast;
	struct ast_pos pos = {0};
	struct err err = {0};
	struct buf out;

	buf_init(&out, 1 << 20);
	if (!ast_parse(&arena, condition, n, LIMIT_CONDITION_DEPTH, &ast, &pos, &err))
		fail_msg("%s: %s", condition, err.msg);
	ast_print(&out, ast);
	assert_string_equal(buf_str(&out), text);
	buf_release(&out);
}

static void
expect_error(const char *condition, const char *text, uint32_t idx)
{
	const struct ast *ast;
	struct ast_pos pos = {0};
	struct err err = {0};

	if (ast_parse(&arena, condition, strlen(condition), LIMIT_CONDITION_DEPTH, &ast,
		&pos, &err))
		fail_msg("%s: parses", condition);
	assert_string_equal(err.msg, text);
	if (idx != UINT32_MAX && pos.idx != idx)
		fail_msg("%s: at %u instead of %u", condition, pos.idx, idx);
}

static void
test_parse_prints_the_text_form(void **state)
{
	static const char *const cases[][2] = {
	    {"a.b = 1 and c.d=2 or e.f exists", "((a.b = 1 and c.d = 2) or e.f exists)"},
	    {"a.b=1 or b.c=2 and c.d=3", "(a.b = 1 or (b.c = 2 and c.d = 3))"},
	    {"not not a.b exists", "a.b exists"},
	    {"not not(not a.b exists)", "not a.b exists"},
	    {"not(m1)", "not m1"},
	    {"a.b in(x,  'y z' , \"q\\\"\")", "a.b in (x, \"y z\", \"q\\\"\")"},
	    {"a.b in ()", "a.b in ()"},
	    {"a.b inxyz", "a.b in (xyz)"},
	    {"a.b == x", "a.b == x"},
	    {"a.b existsand c.d exists", "(a.b exists and c.d exists)"},
	    {"a.b[x] = ''", "a.b[x] = "},
	    {"a.b[\"x y\"] exists", "a.b[\"x y\"] exists"},
	    {"a.b startswith oneof (x, y)", "a.b startswith oneof (x, y)"},
	    {"a.b startswith oneof", "a.b startswith oneof"},
	    {"a.b = allof or c.d exists", "(a.b = allof or c.d exists)"},
	    {"a.b != anyof list", "a.b != anyof (list)"},
	    {"tolower(a.b) = val(c.d)", "tolower(a.b) = val(c.d)"},
	    {"join(\",\", (a.b, 'x', 3)) = 1", "join(,,(a.b,x,3)) = 1"},
	    {"getopt(a.b, 'x:')[x] = y", "getopt(a.b,x:)[x] = y"},
	    {"a.b < -1.5e+3", "a.b < -1.5e+3"},
	    {"a.b = \"\\x41\\t\\ \"", "a.b = \"A\\t\\\\\""},
	    {"\b a.b\texists\r\n", "a.b exists"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_text(cases[i][0], strlen(cases[i][0]), cases[i][1]);
}

static void
test_parse_errors_are_falcos(void **state)
{
	static const char check[] =
	    "expected a valid check operator: one of 'exists', '<=', '<', '>=', '>', "
	    "'==', '=', '!=', 'glob', 'iglob', 'contains', 'icontains', 'bcontains', "
	    "'startswith', 'bstartswith', 'endswith', 'regex', 'intersects', 'in', "
	    "'pmatch'";
	static const struct {
		const char *condition, *error;
		uint32_t idx;
	} cases[] = {
	    {"", "filter input string is empty", 0},
	    {"a.b = 1 c", "unexpected token after '1', expecting 'or', 'and'", 8},
	    {"a.b exists or(c.d exists) and e.f exists",
		"unexpected token after ')', expecting 'or', 'and'", UINT32_MAX},
	    {"(a.b exists", "expected a ')' token", 11},
	    {")", "expected a '(' token, a field check, or an identifier", 0},
	    {"a.b", check, 3},
	    {"a.b ~ 1", check, 4},
	    {"a.b[] exists",
		"expected a valid field argument: a quoted string or a bare string", 4},
	    {"a.b[x exists", "expected a ']' token", UINT32_MAX},
	    {"a.b < x",
		"expected a number value or a field with a valid "
		"transformer: " TRANSFORMERS,
		6},
	    {"a.b = (x)",
		"expected a string value or a field with a valid "
		"transformer: " TRANSFORMERS,
		6},
	    {"a.b in =",
		"expected a list, an identifier, or a field with a valid "
		"transformer: " TRANSFORMERS,
		7},
	    {"a.b in (x,)", "expected a string value", UINT32_MAX},
	    {"a.b = val(1)", "expected a field within 'val' transformer", UINT32_MAX},
	    {"tolower(a.b exists", "expected a ')' token closing the transformer",
		UINT32_MAX},
	    {"tolower() = x",
		"expected field transformer argument: field, transformer, quoted string, "
		"number, or transformer list",
		8},
	    {"a.b exists orx", "expected blank or '(' after 'or'", 13},
	    {"a.b exists and", "expected blank or '(' after 'and'", 14},
	    {"a.b = \"\\q\"", "unsupported string escape sequence: \\q", UINT32_MAX},
	    {"a.b = \"\\x4\"", "truncated hex char escape sequence", UINT32_MAX},
	    {"a.b = '\\\"'", "invalid \\\" escape in '-quoted string", UINT32_MAX},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_error(cases[i].condition, cases[i].error, cases[i].idx);
}

static void
test_parse_counts_lines_and_columns(void **state)
{
	static const char text[] = "a.b = 1\nand\n  c.d = = 2";
	const struct ast *ast;
	struct ast_pos pos = {0};
	struct err err;

	assert_false(ast_parse(
	    &arena, text, sizeof(text) - 1, LIMIT_CONDITION_DEPTH, &ast, &pos, &err));
	assert_int_equal(pos.idx, 20);
	assert_int_equal(pos.line, 3);
	assert_int_equal(pos.col, 9);
}

static void
test_parse_depth_is_bounded(void **state)
{
	char deep[4001];

	memset(deep, '(', 4000);
	deep[4000] = '\0';
	expect_error(deep, "exceeded max depth limit of 1000", UINT32_MAX);
	for (size_t i = 0; i < 4000; i += 4)
		memcpy(deep + i, "not(", 4);
	expect_error(deep, "exceeded max depth limit of 1000", UINT32_MAX);
	/* A thousand "not" in a row is no depth. */
	for (size_t i = 0; i < 4000; i += 4)
		memcpy(deep + i, "not ", 4);
	memcpy(deep + 3996, "m   ", 4);
	expect_text(deep, 4000, "not m");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse_prints_the_text_form),
	    cmocka_unit_test(test_parse_errors_are_falcos),
	    cmocka_unit_test(test_parse_counts_lines_and_columns),
	    cmocka_unit_test(test_parse_depth_is_bounded),
	};
	arena_init(&arena, 256 << 20);
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return rc;
}
