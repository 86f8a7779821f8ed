/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_json_commas_and_types(void **state)
{
	struct buf b;
	struct json_writer w;

	buf_init(&b, 1000);
	json_init(&w, &b);
	json_begin_object(&w);
	json_key(&w, "a");
	json_begin_array(&w);
	json_u64(&w, UINT64_MAX);
	json_i64(&w, INT64_MIN);
	json_write_null(&w);
	json_end_array(&w);
	json_key(&w, "b");
	json_begin_object(&w);
	json_end_object(&w);
	json_key(&w, "c");
	json_bool(&w, true);
	json_end_object(&w);
	assert_string_equal(buf_str(&b),
	    "{\"a\":[18446744073709551615,-9223372036854775808,null],\"b\":{"
	    "},\"c\":true}");
	buf_release(&b);
}

static void
test_json_escapes_what_must_be(void **state)
{
	struct buf b;

	buf_init(&b, 1000);
	json_escape(&b, "a\"\\\n\x01\x7f\xc3\xa9\xff\xe2\x82z", 12);
	assert_string_equal(
	    buf_str(&b), "a\\\"\\\\\\n\\u0001\x7f\xc3\xa9\xef\xbf\xbd\xef\xbf\xbdz");
	buf_release(&b);
}

static void
test_json_indent_leaves_strings_and_empty_things_alone(void **state)
{
	static const char compact[] = "{\"a\":[1,{}],\"b\":\"x,\\\":{\",\"c\":[]}";
	struct buf b;

	buf_init(&b, 1000);
	json_indent(&b, compact, sizeof(compact) - 1);
	assert_string_equal(buf_str(&b), "{\n  \"a\": [\n    1,\n    {}\n  ],\n"
					 "  \"b\": \"x,\\\":{\",\n  \"c\": []\n}");
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_json_commas_and_types),
	    cmocka_unit_test(test_json_escapes_what_must_be),
	    cmocka_unit_test(test_json_indent_leaves_strings_and_empty_things_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
