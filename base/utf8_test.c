/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_utf8_rejects_overlong_surrogate_and_beyond(void **state)
{
	static const char *const bad[] = {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
	    "\xf4\x90\x80\x80", "\xff", "\x80", "\xc3"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
	assert_true(utf8_valid("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10));
}

static void
test_utf8_repair_gives_one_mark_per_maximal_subpart(void **state)
{
	struct buf b;

	buf_init(&b, 100);
	utf8_repair(&b, "\xf0\x9f\x98x\xe2\x82\xff", 7);
	assert_string_equal(buf_str(&b), "\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd");
	buf_release(&b);
}

static void
test_utf8_escape_leaves_nothing_that_moves_a_cursor(void **state)
{
	struct buf b;

	buf_init(&b, 200);
	utf8_escape(&b, "a\x1b[2J\n\\\xc2\x9b\xe2\x80\xae\xff!", 14, 100);
	assert_string_equal(buf_str(&b), "a\\x1b[2J\\n\\\\\\x9b\\u202e\\xff!");
	buf_clear(&b);
	utf8_escape(&b, "abcdef", 6, 3);
	assert_string_equal(buf_str(&b), "abc...");
	buf_clear(&b);
	utf8_escape_except(&b, "a\\b\n\x1b\0\t", 7, "\\\n");
	assert_string_equal(buf_str(&b), "a\\b\n\\x1b\\x00\\t");
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_utf8_rejects_overlong_surrogate_and_beyond),
	    cmocka_unit_test(test_utf8_repair_gives_one_mark_per_maximal_subpart),
	    cmocka_unit_test(test_utf8_escape_leaves_nothing_that_moves_a_cursor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
