/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/spare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_what_is_given_back_is_taken_next(void **state)
{
	struct spare s = {0};
	void *a = spare_take(&s, 1), *b = spare_take(&s, SPARE_PIECE_BYTES);

	assert_non_null(a);
	assert_non_null(b);
	assert_ptr_not_equal(a, b);
	spare_give_back(&s, a);
	assert_int_equal(s.n, 1);
	/* A piece is as large as any. */
	assert_ptr_equal(spare_take(&s, SPARE_PIECE_BYTES), a);
	assert_int_equal(s.n, 0);
	memset(a, 1, SPARE_PIECE_BYTES);
	memset(b, 2, SPARE_PIECE_BYTES);
	assert_int_equal(((char *)a)[SPARE_PIECE_BYTES - 1], 1);
	spare_give_back(&s, a);
	spare_give_back(&s, b);
	spare_give_back(&s, NULL);
	assert_int_equal(s.n, 2);
	spare_release(&s);
}

static void
test_what_is_large_is_not_kept(void **state)
{
	struct spare s = {0};
	char *p = spare_take(&s, 1 << 20);

	assert_non_null(p);
	p[(1 << 20) - 1] = 1;
	spare_give_back(&s, p);
	assert_int_equal(s.n, 0);
}

static void
test_keeps_no_more_than_its_bound(void **state)
{
	struct spare s = {0};
	void *p[SPARE_PIECES + 10];

	for (uint32_t i = 0; i < SPARE_PIECES + 10; i++)
		assert_non_null(p[i] = spare_take(&s, 100));
	for (uint32_t i = 0; i < SPARE_PIECES + 10; i++)
		spare_give_back(&s, p[i]);
	assert_int_equal(s.n, SPARE_PIECES);
	spare_release(&s);
	assert_int_equal(s.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_is_given_back_is_taken_next),
	    cmocka_unit_test(test_what_is_large_is_not_kept),
	    cmocka_unit_test(test_keeps_no_more_than_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
