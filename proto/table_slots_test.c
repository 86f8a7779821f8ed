/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/table_slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct thing {
	struct table_slot slot;
	uint32_t what;
};

static void
test_number_means_something_to_its_user_alone(void **state)
{
	struct table_slots s = {.slot_bytes = sizeof(struct thing)};
	uint32_t mine, other;
	struct thing *a = table_slot_take(&s, 1, &mine), *b;

	assert_non_null(a);
	a->what = 7;
	b = table_slot_take(&s, 2, &other);
	assert_non_null(b);
	assert_int_not_equal(mine, 0);
	assert_int_not_equal(mine, other);
	assert_ptr_equal(table_slot_find(&s, 1, mine), a);
	assert_ptr_equal(table_slot_find(&s, 1, mine | TABLE_SLOT_MARK), a);
	assert_null(table_slot_find(&s, 2, mine));
	assert_null(table_slot_find(&s, 1, other));
	assert_null(table_slot_find(&s, 1, 0));
	table_slots_release(&s);
}

static void
test_number_is_stale_once_given_back(void **state)
{
	struct table_slots s = {.slot_bytes = sizeof(struct thing)};
	uint32_t first, again = 0;
	void *slot = table_slot_take(&s, 1, &first);

	/* The same place, in as many turns as there are before one comes again. */
	for (uint32_t turn = 1; turn < 1 << 14; turn++) {
		table_slot_give_back(&s, slot);
		assert_null(table_slot_find(&s, 1, turn == 1 ? first : again));
		assert_ptr_equal(table_slot_take(&s, 1, &again), slot);
		assert_int_not_equal(again, 0);
		assert_int_equal(again & TABLE_SLOT_MARK, 0);
		assert_int_equal(again == first, turn == (1 << 14) - 1);
	}
	table_slots_release(&s);
}

static void
test_user_holds_no_more_than_the_limit(void **state)
{
	struct table_slots s = {.slot_bytes = sizeof(struct thing)};
	uint32_t number[LIMIT_TABLE_HANDLES], more, n = 0;

	for (uint32_t i = 0; i < LIMIT_TABLE_HANDLES; i++) {
		struct thing *t = table_slot_take(&s, 3, &number[i]);
		assert_non_null(t);
		assert_int_equal(t->what, 0);
		t->what = i;
	}
	assert_null(table_slot_take(&s, 3, &more));
	assert_non_null(table_slot_take(&s, 4, &more));
	assert_null(table_slot_take(&s, LIMIT_PLUGINS, &more));
	for (uint32_t i = 0; i < LIMIT_TABLE_HANDLES; i++)
		assert_int_equal(
		    ((struct thing *)table_slot_find(&s, 3, number[i]))->what, i);
	for (uint32_t i = 0; i < s.n; i++)
		n += table_slot_at(&s, 3, i) != NULL;
	assert_int_equal(n, LIMIT_TABLE_HANDLES);
	table_slots_release(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_number_means_something_to_its_user_alone),
	    cmocka_unit_test(test_number_is_stale_once_given_back),
	    cmocka_unit_test(test_user_holds_no_more_than_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
