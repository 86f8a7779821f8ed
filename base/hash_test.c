/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
test_map_keeps_what_was_put_in_order(void **state)
{
	static char keys[1000][8];
	struct map m;

	map_init(&m);
	assert_null(map_gets(&m, "k"));
	for (int i = 0; i < 1000; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%d", i);
		assert_true(map_puts(&m, keys[i], &keys[i]));
	}
	assert_true(map_puts(&m, "k5", &keys[6]));
	assert_int_equal(m.n, 1000);
	for (int i = 0; i < 1000; i++) {
		assert_ptr_equal(map_gets(&m, keys[i]), i == 5 ? &keys[6] : &keys[i]);
		assert_string_equal(m.entry[i].key, keys[i]);
	}
	assert_null(map_gets(&m, "k1000"));
	map_release(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_map_keeps_what_was_put_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
