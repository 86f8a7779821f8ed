/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_arena_pieces_are_aligned_zeroed_and_apart(void **state)
{
	struct arena a;
	unsigned char *last = NULL;

	arena_init(&a, 1 << 20);
	for (int i = 1; i < 200; i++) {
		unsigned char *p = arena_alloc(&a, (size_t)i);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (int k = 0; k < i; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xff, (size_t)i);
		assert_ptr_not_equal(p, last);
		last = p;
	}
	arena_reset(&a);
	unsigned char *again = arena_alloc(&a, 64);
	for (int k = 0; k < 64; k++)
		assert_int_equal(again[k], 0);
	arena_release(&a);
}

static void
test_arena_stops_at_its_limit(void **state)
{
	struct arena a;

	arena_init(&a, 1000);
	assert_non_null(arena_alloc(&a, 900));
	assert_null(arena_alloc(&a, 200));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_array(&a, SIZE_MAX / 2, 4));
	assert_null(arena_strndup(&a, "", SIZE_MAX));
	assert_string_equal(arena_strdup(&a, "fits"), "fits");
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_arena_pieces_are_aligned_zeroed_and_apart),
	    cmocka_unit_test(test_arena_stops_at_its_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
