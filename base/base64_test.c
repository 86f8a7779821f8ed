/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
test_base64_vectors_both_ways(void **state)
{
	/* RFC 4648, section 10 */
	static const char *const pair[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
	    {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
	    {"foobar", "Zm9vYmFy"}, {"\xff\xfe\xfb", "//77"}};
	struct buf b;

	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof(pair) / sizeof(*pair); i++) {
		buf_clear(&b);
		base64_encode(&b, pair[i][0], strlen(pair[i][0]));
		assert_string_equal(buf_str(&b), pair[i][1]);
		buf_clear(&b);
		assert_true(base64_decode(&b, pair[i][1], strlen(pair[i][1])));
		assert_int_equal(b.len, strlen(pair[i][0]));
		assert_memory_equal(buf_str(&b), pair[i][0], b.len);
	}
	buf_release(&b);
}

static void
test_base64_refuses_what_is_not(void **state)
{
	static const char *const bad[] = {
	    "Z", "Zg", "Zg=", "Z===", "=Zg=", "Zg==Zg==", "Zm9\n"};
	struct buf b;

	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(base64_decode(&b, bad[i], strlen(bad[i])));
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_base64_vectors_both_ways),
	    cmocka_unit_test(test_base64_refuses_what_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
