/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static bool
parse(const char *text, struct yaml_stream *s, struct yaml_mark *at, struct err *err)
{
	return yaml_load(&arena, text, strlen(text), s, at, err);
}

static void
test_yaml_tree_keeps_positions_and_first_key(void **state)
{
	struct yaml_stream s;
	struct yaml_mark at;
	struct err err;

	assert_true(parse("- a: 1\n  b: [x, \"y\"]\n  a: 2\n---\n~\n", &s, &at, &err));
	assert_int_equal(s.n, 2);
	assert_int_equal(s.doc[1]->kind, YAML_NULL);
	const struct yaml_node *item = s.doc[0]->child[0];
	assert_int_equal(item->kind, YAML_MAP);
	assert_int_equal(item->n, 3);
	assert_string_equal(item->child[4]->text, "a");
	assert_string_equal(item->child[5]->text, "2");
	assert_int_equal(item->mark.column, 2);
	assert_string_equal(yaml_find(item, "a")->text, "1");
	assert_null(yaml_find(item, "c"));
	const struct yaml_node *b = yaml_find(item, "b");
	assert_int_equal(b->n, 2);
	assert_int_equal(b->child[1]->mark.line, 1);
	assert_int_equal(b->child[1]->mark.column, 9);
}

static void
test_yaml_marks_count_bytes(void **state)
{
	struct yaml_stream s;
	struct yaml_mark at;
	struct err err;

	assert_true(parse("\xef\xbb\xbf- \xc3\xa9\xe6\xbc\xa2: x\n- y\n", &s, &at, &err));
	const struct yaml_node *x = s.doc[0]->child[0]->child[1];
	assert_int_equal(x->mark.offset, 9);
	assert_int_equal(x->mark.column, 9);
	assert_int_equal(s.doc[0]->child[1]->mark.offset, 13);
	assert_int_equal(s.doc[0]->child[1]->mark.line, 1);
}

static void
test_yaml_nulls_are_plain_and_stand_on_the_next_token(void **state)
{
	struct yaml_stream s;
	struct yaml_mark at;
	struct err err;

	assert_true(
	    parse("a:\nb: ~\nc: null\nd: 'null'\ne: \"\"\nf: nul\n", &s, &at, &err));
	const struct yaml_node *map = s.doc[0];
	assert_int_equal(yaml_find(map, "a")->kind, YAML_NULL);
	assert_int_equal(yaml_find(map, "a")->mark.line, 1);
	assert_int_equal(yaml_find(map, "b")->kind, YAML_NULL);
	assert_int_equal(yaml_find(map, "c")->kind, YAML_NULL);
	assert_int_equal(yaml_find(map, "d")->kind, YAML_SCALAR);
	assert_int_equal(yaml_find(map, "e")->kind, YAML_SCALAR);
	assert_int_equal(yaml_find(map, "f")->kind, YAML_SCALAR);
}

static void
test_yaml_scalars_decode_as_yaml_1_1(void **state)
{
	static const struct {
		const char *text;
		int value; /* -1: not a boolean */
	} bools[] = {{"true", 1}, {"Yes", 1}, {"ON", 1}, {"y", 1}, {"False", 0},
	    {"no", 0}, {"tRue", -1}, {"TRue", -1}, {"1", -1}, {"maybe", -1}, {"''", -1}};
	static const struct {
		const char *text;
		int64_t value; /* -1: not a number */
	} numbers[] = {{"0", 0}, {"12", 12}, {"+7", 7}, {"0x1f", 31}, {"017", 15},
	    {"4294967295", 4294967295}, {"4294967296", -1}, {"-1", -1}, {"x", -1},
	    {"1x", -1}, {"'5 '", 5}};
	struct yaml_stream s;
	struct yaml_mark at;
	struct err err;

	for (size_t i = 0; i < sizeof(bools) / sizeof(bools[0]); i++) {
		bool v = false;
		assert_true(parse(bools[i].text, &s, &at, &err));
		assert_int_equal(yaml_bool(s.doc[0], &v), bools[i].value >= 0);
		assert_int_equal(v, bools[i].value == 1);
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint32_t v = 0;
		assert_true(parse(numbers[i].text, &s, &at, &err));
		assert_int_equal(yaml_u32(s.doc[0], &v), numbers[i].value >= 0);
		if (numbers[i].value >= 0)
			assert_int_equal(v, numbers[i].value);
	}
}

static void
test_yaml_aliases_are_the_node_itself(void **state)
{
	struct yaml_stream s;
	struct yaml_mark at;
	struct err err;

	assert_true(parse("a: &x [1, 2]\nb: *x\n", &s, &at, &err));
	assert_ptr_equal(yaml_find(s.doc[0], "a"), yaml_find(s.doc[0], "b"));
	assert_false(parse("a: &x [*x]\n", &s, &at, &err));
	assert_string_equal(err.msg, "the alias 'x' stands inside what it refers to");
	assert_int_equal(at.column, 7);
	assert_false(parse("a: &x 1\n---\nb: *x\n", &s, &at, &err));
	assert_string_equal(err.msg, "the referenced anchor is not defined: x");
	assert_int_equal(at.line, 2);
}

static void
test_yaml_refuses_bombs_and_says_where(void **state)
{
	struct yaml_stream s;
	struct yaml_mark at;
	struct err err;
	char deep[1000];

	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_false(parse(deep, &s, &at, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_string_equal(err.msg, "more than 128 YAML collections inside each other");
	assert_int_equal(at.offset, 128);
	assert_false(parse("a: &a [x,x,x,x,x,x,x,x,x,x]\n"
			   "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
			   "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
			   "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
			   "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
			   "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
			   "g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\n",
	    &s, &at, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_string_equal(
	    err.msg, "more than 8388608 YAML nodes after aliases are followed");
	assert_int_equal(at.line, 6);
}

static void
test_yaml_syntax_error_keeps_complete_documents(void **state)
{
	struct yaml_stream s;
	struct yaml_mark at;
	struct err err;

	assert_false(parse("a: 1\n---\nb: [1\n", &s, &at, &err));
	assert_int_equal(err.code, ERR_SYNTAX);
	assert_true(at.line >= 2);
	assert_int_equal(s.n, 1);
	assert_non_null(yaml_find(s.doc[0], "a"));
	assert_false(parse("a: \xff\n", &s, &at, &err));
	assert_int_equal(at.offset, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_yaml_tree_keeps_positions_and_first_key),
	    cmocka_unit_test(test_yaml_marks_count_bytes),
	    cmocka_unit_test(test_yaml_nulls_are_plain_and_stand_on_the_next_token),
	    cmocka_unit_test(test_yaml_scalars_decode_as_yaml_1_1),
	    cmocka_unit_test(test_yaml_aliases_are_the_node_itself),
	    cmocka_unit_test(test_yaml_refuses_bombs_and_says_where),
	    cmocka_unit_test(test_yaml_syntax_error_keeps_complete_documents),
	};
	arena_init(&arena, 1u << 30);
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return rc;
}
