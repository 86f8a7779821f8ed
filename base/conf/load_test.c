/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conf/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int
setup(void **state)
{
	arena_init(&arena, 1 << 20);
	return 0;
}

static int
teardown(void **state)
{
	arena_release(&arena);
	return 0;
}

static struct conf_node *
load(const char *text)
{
	struct conf_node *root = NULL;
	struct err err;

	assert_true(conf_load(&arena, text, strlen(text), "f.yaml", true, &root, &err));
	return root;
}

static void
test_load_keeps_places_and_the_first_of_equal_keys(void **state)
{
	struct conf_node *root = load("a: 1\nb:\n  - x\n  - {c: 2}\na: 3\n");

	assert_string_equal(conf_text(root, "a", ""), "1");
	const struct conf_node *c = conf_at(root, "b[1].c");
	assert_string_equal(c->text, "2");
	assert_string_equal(c->file, "f.yaml");
	assert_int_equal(c->line, 4);
	assert_int_equal(c->col, 9);
}

static void
test_load_expands_values_and_no_keys(void **state)
{
	setenv("CONF_LOAD_TEST", "v${CONF_LOAD_INNER}", 1);
	setenv("CONF_LOAD_INNER", "w", 1);
	struct conf_node *root = load(
	    "${CONF_LOAD_TEST}: $CONF_LOAD_TEST ${CONF_LOAD_TEST} $${CONF_LOAD_TEST}\n"
	    "open: ${x\nunset: \"<${CONF_LOAD_UNSET}>\"\n");

	assert_string_equal(conf_get(root, "${CONF_LOAD_TEST}")->text,
	    "$CONF_LOAD_TEST vw ${CONF_LOAD_TEST}");
	assert_string_equal(conf_text(root, "open", ""), "${x");
	assert_string_equal(conf_text(root, "unset", ""), "<>");
}

static void
test_load_gives_aliases_trees_of_their_own(void **state)
{
	struct conf_node *root = load("a: &x {k: 1}\nb: *x\n");

	assert_ptr_not_equal(conf_at(root, "a.k"), conf_at(root, "b.k"));
	assert_string_equal(conf_text(root, "b.k", ""), "1");
}

static void
test_load_of_nothing_is_null(void **state)
{
	assert_int_equal(load("")->kind, CONF_NULL);
	assert_int_equal(load("# only\n")->kind, CONF_NULL);
}

static void
test_load_says_where_it_failed(void **state)
{
	struct conf_node *root;
	struct err err;

	assert_false(conf_load(&arena, "a: [1\n", 6, "f", true, &root, &err));
	assert_int_equal(err.code, ERR_SYNTAX);
	assert_non_null(strstr(err.msg, "line 2"));
	assert_false(conf_load(&arena, "[1]: 2\n", 7, "f", true, &root, &err));
	assert_non_null(strstr(err.msg, "line 1, column 1"));
}

static void
test_load_flow_is_what_assignments_take(void **state)
{
	struct conf_node *root = conf_new(&arena, CONF_MAP);
	struct err err;

	assert_true(conf_assign(
	    &arena, root, "a[]={\"m\": {\"t\": [\"b\"]}}", conf_load_flow, &err));
	assert_string_equal(conf_text(root, "a[0].m.t[0]", ""), "b");
	assert_false(conf_assign(&arena, root, "a={x: [}", conf_load_flow, &err));
	assert_non_null(strstr(err.msg, "Config error at key \"a\""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_load_keeps_places_and_the_first_of_equal_keys),
	    cmocka_unit_test(test_load_expands_values_and_no_keys),
	    cmocka_unit_test(test_load_gives_aliases_trees_of_their_own),
	    cmocka_unit_test(test_load_of_nothing_is_null),
	    cmocka_unit_test(test_load_says_where_it_failed),
	    cmocka_unit_test(test_load_flow_is_what_assignments_take),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
