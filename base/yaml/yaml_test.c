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
	assert_int_equal(item->mark.column, 2);
	assert_string_equal(yaml_find(item, "a")->text, "1");
	const struct yaml_node *b = yaml_find(item, "b");
	assert_int_equal(b->n, 2);
	assert_int_equal(b->child[1]->mark.line, 1);
	assert_int_equal(b->child[1]->mark.column, 9);
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
	assert_false(parse("a: &a [x,x,x,x,x,x,x,x,x,x]\n"
			   "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
			   "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
			   "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
			   "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
			   "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
			   "g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\n",
	    &s, &at, &err));
	assert_string_equal(err.msg, "aliases repeat more nodes than allowed");
	assert_int_equal(at.line, 6);
	assert_false(parse("a: &x [*x]\n", &s, &at, &err));
	assert_false(parse("ok: 1\nbad: [1\n", &s, &at, &err));
	assert_true(at.line >= 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_yaml_tree_keeps_positions_and_first_key),
	    cmocka_unit_test(test_yaml_refuses_bombs_and_says_where),
	};
	arena_init(&arena, 1u << 30);
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return rc;
}
