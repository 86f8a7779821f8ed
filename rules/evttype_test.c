/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/evttype.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"

static struct arena arena;

static uint32_t
count(const char *condition, struct evttype_set *set)
{
	const struct ast *ast;
	struct ast_pos pos;
	struct err err;

	if (!ast_parse(&arena, condition, strlen(condition), LIMIT_CONDITION_DEPTH, &ast,
		&pos, &err))
		fail_msg("%s: %s", condition, err.msg);
	return evttypes_of(ast, set);
}

static uint32_t
all(void)
{
	uint32_t n = 0;

	while (evttype_name(n))
		n++;
	return n;
}

static void
test_evttype_follows_the_logic_of_conditions(void **state)
{
	uint32_t n = all();

	assert_int_equal(count("evt.type = open", NULL), 1);
	assert_int_equal(count("evt.type in (open, openat, nosuch)", NULL), 2);
	assert_int_equal(count("evt.type != open", NULL), n - 1);
	assert_int_equal(count("not evt.type in (open, close)", NULL), n - 2);
	assert_int_equal(count("proc.name = x", NULL), n);
	assert_int_equal(count("not proc.name = x", NULL), n);
	assert_int_equal(count("evt.type = open and proc.name = x", NULL), 1);
	assert_int_equal(count("evt.type = open or proc.name = x", NULL), n);
	assert_int_equal(count("evt.type = open and evt.type = close", NULL), 0);
	assert_int_equal(count("not (evt.type = open or evt.type = close)", NULL), n - 2);
	assert_int_equal(count("not (evt.type = open and evt.type = close)", NULL), n);
	assert_int_equal(count("evt.type contains open", NULL), n);
	assert_int_equal(count("evt.type exists", NULL), n);
}

static void
test_evttype_names_are_sorted_and_found(void **state)
{
	struct evttype_set set;
	uint32_t n = all();

	assert_int_equal(count("evt.type = pluginevent", &set), 1);
	for (uint32_t i = 0; i < n; i++) {
		assert_true(evttype_known(evttype_name(i)));
		assert_int_equal(evttype_set_has(&set, i),
		    strcmp(evttype_name(i), "pluginevent") == 0);
		if (i)
			assert_true(strcmp(evttype_name(i - 1), evttype_name(i)) < 0);
	}
	assert_false(evttype_known(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_evttype_follows_the_logic_of_conditions),
	    cmocka_unit_test(test_evttype_names_are_sorted_and_found),
	};
	arena_init(&arena, 16 << 20);
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return rc;
}
