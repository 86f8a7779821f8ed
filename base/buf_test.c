/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_buf_appends_and_splices(void **state)
{
	struct buf b;

	buf_init(&b, 1000);
	assert_string_equal(buf_str(&b), "");
	buf_adds(&b, "abc");
	buf_addf(&b, "-%d-", 7);
	buf_addu64(&b, UINT64_MAX);
	assert_string_equal(buf_str(&b), "abc-7-18446744073709551615");
	buf_splice(&b, 3, 3, "::::", 4);
	assert_string_equal(buf_str(&b), "abc::::18446744073709551615");
	buf_splice(&b, 0, 7, "", 0);
	assert_string_equal(buf_str(&b), "18446744073709551615");
	char *text = buf_steal(&b);
	assert_string_equal(text, "18446744073709551615");
	free(text);
	assert_int_equal(b.len, 0);
	buf_release(&b);
}

static void
test_buf_fails_once_and_for_all_at_its_limit(void **state)
{
	struct buf b;

	buf_init(&b, 10);
	buf_adds(&b, "0123456789");
	assert_false(b.failed);
	buf_addc(&b, 'x');
	assert_true(b.failed);
	buf_adds(&b, "y");
	assert_string_equal(buf_str(&b), "0123456789");
	assert_null(buf_steal(&b));
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_buf_appends_and_splices),
	    cmocka_unit_test(test_buf_fails_once_and_for_all_at_its_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
