/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "worker/json_text.h"

/* What a text reads as, compactly; NULL when it is no JSON. Freed by the caller. */
static char *
read_back(const char *text)
{
	json_t *v = json_text_parse(text, strlen(text));
	char *s = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	json_decref(v);
	return s;
}

static void
test_json_text_is_lenient(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
	    {"[1, 2]", "[1,2]"},
	    {"/* a */ [1, // b\n 2 /* c */ ]", "[1,2]"},
	    {"{\"a\": \"/* no comment */ // neither\"}",
		"{\"a\":\"/* no comment */ // neither\"}"},
	    {"[\"\\\"/*\", 1] // \"", "[\"\\\"/*\",1]"},
	    {"[1] trailing", "[1]"},
	    {"\"text\"", "\"text\""},
	    {"[\"\xff\"]", "[\"\xef\xbf\xbd\"]"},
	    {"[18446744073709551615]", "[1.8446744073709552e19]"},
	    {"", NULL},
	    {"[1,]", NULL},
	    {"[1", NULL},
	    {"/* open", NULL},
	    {"'a'", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *s = read_back(cases[i].text);
		if (cases[i].want) {
			assert_non_null(s);
			assert_string_equal(s, cases[i].want);
		} else {
			assert_null(s);
		}
		free(s);
	}
}

static void
test_json_text_depth_is_bounded(void **state)
{
	char deep[2 * LIMIT_JSON_DEPTH + 3] = "";

	memset(deep, '[', LIMIT_JSON_DEPTH);
	memset(deep + LIMIT_JSON_DEPTH, ']', LIMIT_JSON_DEPTH);
	char *s = read_back(deep);
	assert_non_null(s);
	free(s);
	memset(deep, '[', LIMIT_JSON_DEPTH + 1);
	memset(deep + LIMIT_JSON_DEPTH + 1, ']', LIMIT_JSON_DEPTH + 1);
	assert_null(read_back(deep));
}

static void
test_json_text_scalars(void **state)
{
	json_t *v = json_text_parse("[\"s\", 12, true, null, [], 0.5]", 30);
	char buf[40];

	assert_non_null(v);
	assert_string_equal(
	    json_text_scalar(json_array_get(v, 0), buf, sizeof(buf)), "s");
	assert_string_equal(
	    json_text_scalar(json_array_get(v, 1), buf, sizeof(buf)), "12");
	assert_string_equal(
	    json_text_scalar(json_array_get(v, 2), buf, sizeof(buf)), "true");
	assert_string_equal(json_text_scalar(json_array_get(v, 3), buf, sizeof(buf)), "");
	assert_null(json_text_scalar(json_array_get(v, 4), buf, sizeof(buf)));
	assert_string_equal(
	    json_text_scalar(json_array_get(v, 5), buf, sizeof(buf)), "0.5");
	assert_string_equal(json_text_scalar(NULL, buf, sizeof(buf)), "");
	json_decref(v);
}

static void
test_json_text_follow(void **state)
{
	static const char text[] = "{\"b/c\":[10,{\"~\":20}],\"a\":1}";
	json_t *v = json_text_parse(text, strlen(text));

	assert_ptr_equal(json_text_follow(v, "#"), v);
	assert_int_equal(json_integer_value(json_text_follow(v, "#/b~1c/0")), 10);
	assert_int_equal(json_integer_value(json_text_follow(v, "#/b~1c/1/~0")), 20);
	assert_null(json_text_follow(v, "#/b~1c/2"));
	assert_null(json_text_follow(v, "#/b/c"));
	assert_null(json_text_follow(v, "#/a/0/0"));
	assert_null(json_text_follow(v, "other.json#/a"));
	assert_null(json_text_follow(v, "#a"));
	assert_null(json_text_follow(v, ""));
	const char **keys = json_text_sorted_keys(v);
	assert_string_equal(keys[0], "a");
	assert_string_equal(keys[1], "b/c");
	assert_null(keys[2]);
	free(keys);
	json_decref(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_json_text_is_lenient),
	    cmocka_unit_test(test_json_text_depth_is_bounded),
	    cmocka_unit_test(test_json_text_scalars),
	    cmocka_unit_test(test_json_text_follow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
