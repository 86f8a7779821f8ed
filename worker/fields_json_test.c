/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/plugin_api.h"
#include "worker/fields_json.h"

#define P "error in plugin pl: "
#define F "{\"type\":\"string\",\"name\":\"f\",\"desc\":\"d\","

static void
test_fields_json_refusals(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
	    {NULL, P "get_fields returned a null string"},
	    {"", P "get_fields returned an invalid JSON"},
	    {"{}", P "get_fields returned an invalid JSON"},
	    {"[", P "get_fields returned an invalid JSON"},
	    {"[]", P "plugins with extraction capability must export at least one field"},
	    {"[1]", P "field JSON entry has no type"},
	    {"[{}]", P "field JSON entry has no type"},
	    {"[{\"type\":\"\"}]", P "field JSON entry has no type"},
	    {"[{\"type\":\"nope\"}]", P "field JSON entry has no name"},
	    {"[{\"type\":\"nope\",\"name\":\"f\"}]", P "field JSON entry has no desc"},
	    {"[{\"type\":\"nope\",\"name\":\"f\",\"desc\":\"d\"}]",
		P "invalid field type nope"},
	    {"[{\"type\":5,\"name\":\"f\",\"desc\":\"d\"}]", P "invalid field type 5"},
	    {"[" F "\"isList\":1}]", P "field f isList property is not boolean "},
	    {"[" F "\"addOutput\":\"true\"}]",
		P "field f addOutput property is not boolean "},
	    {"[" F "\"arg\":{\"isRequired\":1}}]",
		P "field f isRequired property is not boolean"},
	    {"[" F "\"arg\":{\"isIndex\":1}}]",
		P "field f isIndex property is not boolean"},
	    {"[" F "\"arg\":{\"isKey\":[]}}]", P "field f isKey property is not boolean"},
	    {"[" F "\"arg\":{\"isRequired\":true}}]", P
		"field f arg has isRequired true, but none of isKey nor isIndex is true"},
	    {"[" F "\"properties\":{}}]", P "field f properties property is not array "},
	    {"[" F "\"properties\":[1]}]", P "field f properties value is not string "},
	    /* The first mistake of an entry, and the first entry that has one. */
	    {"[" F "\"isList\":1,\"properties\":1}, {}]",
		P "field f isList property is not boolean "},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		Control__Field **field;
		struct arena arena;
		struct err err;
		size_t n;

		arena_init(&arena, 1 << 20);
		assert_false(
		    fields_json_parse(cases[i].text, "pl", &arena, &field, &n, &err));
		assert_string_equal(err.msg, cases[i].message);
		arena_release(&arena);
	}
}

static void
test_fields_json_reads_all_of_a_field(void **state)
{
	static const char text[] = "[{\"type\": \"uint64\", \"name\": \"a.n\", \"desc\": "
				   "\"number\"}, // the plainest\n"
				   "{\"type\":\"ipnet\",\"name\":\"a.net\",\"desc\":"
				   "\"net\",\"display\":\"A net\","
				   "\"isList\":true,\"addOutput\":true,\"arg\":{"
				   "\"isRequired\":true,\"isKey\":true,"
				   "\"isIndex\":null},\"properties\":[\"info\","
				   "\"hidden\",\"new\"],\"other\":1}]";
	static const uint32_t types[] = {PLUGIN_FIELD_UINT64, PLUGIN_FIELD_IPNET};
	Control__Field **f;
	struct arena arena;
	struct err err;
	size_t n;

	arena_init(&arena, 1 << 20);
	assert_true(fields_json_parse(text, "pl", &arena, &f, &n, &err));
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(f[i]->type, types[i]);
	assert_string_equal(f[0]->name, "a.n");
	assert_string_equal(f[0]->desc, "number");
	assert_false(f[0]->is_list || f[0]->add_output || f[0]->hidden || f[0]->arg_key);
	assert_string_equal(f[1]->display, "A net");
	assert_true(f[1]->is_list && f[1]->add_output && f[1]->hidden);
	assert_true(f[1]->arg_required && f[1]->arg_key && !f[1]->arg_index);
	arena_release(&arena);
}

static void
test_fields_json_name_lists(void **state)
{
	struct name_list l;
	struct arena arena;
	struct err err;

	arena_init(&arena, 1 << 20);
	assert_true(name_list_parse(NULL, "pl", "get_x", false, &arena, &l, &err));
	assert_int_equal(l.n, 0);
	assert_false(name_list_parse("", "pl", "get_x", true, &arena, &l, &err));
	assert_string_equal(
	    err.msg, P "'get_x' did not return a json array but it should");
	assert_false(name_list_parse("[[]]", "pl", "get_x", false, &arena, &l, &err));
	assert_string_equal(err.msg, P "'get_x' did not return a json array");
	assert_false(name_list_parse("\"a\"", "pl", "get_x", false, &arena, &l, &err));
	assert_true(name_list_parse(
	    "[\"a\",\"\",\"b\",\"a\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"]", "pl",
	    "get_x", true, &arena, &l, &err));
	assert_int_equal(l.n, 9);
	assert_string_equal(l.name[8], "i");
	assert_true(name_list_has(&l, "b"));
	assert_false(name_list_has(&l, "z"));
	arena_release(&arena);
}

static void
test_fields_json_open_params(void **state)
{
	Control__OpenParam **p;
	struct arena arena;
	struct err err;
	size_t n;

	arena_init(&arena, 1 << 20);
	assert_true(open_params_parse("", "pl", &arena, &p, &n, &err));
	assert_int_equal(n, 0);
	assert_true(open_params_parse("[]", "pl", &arena, &p, &n, &err));
	assert_int_equal(n, 0);
	assert_true(
	    open_params_parse("[{\"value\":\"v\",\"desc\":\"d\",\"separator\":\",\"}]",
		"pl", &arena, &p, &n, &err));
	assert_int_equal(n, 1);
	assert_string_equal(p[0]->value, "v");
	assert_string_equal(p[0]->separator, ",");
	assert_false(open_params_parse("{}", "pl", &arena, &p, &n, &err));
	assert_string_equal(err.msg, P "list_open_params returned a non-array JSON");
	assert_false(open_params_parse("[{\"desc\":\"d\"}]", "pl", &arena, &p, &n, &err));
	assert_string_equal(err.msg, P "list_open_params has entry with no value");
	arena_release(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fields_json_refusals),
	    cmocka_unit_test(test_fields_json_reads_all_of_a_field),
	    cmocka_unit_test(test_fields_json_name_lists),
	    cmocka_unit_test(test_fields_json_open_params),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
