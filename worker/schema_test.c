/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/schema.h"

#define IN   "error in plugin pl init config: In "
#define TYPE "Value type not permitted by 'type' constraint."

/* clang-format off */
static const struct {
	const char *schema, *config;
	const char *message; /* NULL: it conforms */
} cases[] = {
	{"{}", "[1]", NULL},
	{"{}", "", "error in plugin pl: init config is not a valid json"},
	{"[]", "{}", "error in plugin pl: get_init_schema did not return a json object"},
	{"{\"type\":\"object\"}", "{}", NULL},
	{"{\"type\":\"object\"}", "// none\n{}", NULL},
	{"{\"type\":\"object\"}", "[]", IN "<root>, " TYPE},
	{"{\"type\":\"integer\"}", "1.0", IN "<root>, " TYPE},
	{"{\"type\":\"number\"}", "1", NULL},
	{"{\"type\":\"string\"}", "1", IN "<root>, " TYPE},
	{"{\"type\":[\"string\",\"null\"]}", "null", NULL},
	{"{\"type\":[\"string\",\"null\"]}", "true", IN "<root>, " TYPE},
	{"{\"properties\":{\"a\":{\"type\":\"boolean\"}}}", "{\"a\":\"true\"}", IN "<root>[a], " TYPE},
	{"{\"properties\":{\"a\":{\"type\":\"boolean\"}}}", "{\"b\":1}", NULL},
	/* Keys in byte order; what lies deepest is named. */
	{"{\"properties\":{\"b\":{\"type\":\"null\"},\"a\":{\"properties\":{\"c\":{\"items\":{\"type\":\"string\"}}}}}}",
	 "{\"b\":1,\"a\":{\"c\":[\"x\",2]}}", IN "<root>[a][c][1], " TYPE},
	{"{\"required\":[\"z\",\"a\"]}", "{}", IN "<root>, Missing required property 'a'."},
	{"{\"required\":[\"a\"],\"type\":\"object\"}", "{\"a\":null}", NULL},
	/* type comes first, required after properties. */
	{"{\"required\":[\"a\"],\"properties\":{\"b\":{\"type\":\"null\"}}}", "{\"b\":1}", IN "<root>[b], " TYPE},
	{"{\"enum\":[\"a\",1]}", "1", NULL},
	{"{\"enum\":[\"a\",1]}", "\"b\"", IN "<root>, Failed to match against any enum values."},
	{"{\"const\":{\"a\":1}}", "{\"a\":2}", IN "<root>, Failed to match expected value set by 'const' constraint."},
	{"{\"maximum\":10}", "10", NULL},
	{"{\"maximum\":10}", "11", IN "<root>, Expected number less than or equal to 10.000000"},
	{"{\"exclusiveMaximum\":10}", "10", IN "<root>, Expected number less than 10.000000"},
	{"{\"maximum\":10,\"exclusiveMaximum\":true}", "10", IN "<root>, Expected number less than 10.000000"},
	{"{\"minimum\":0.5}", "0", IN "<root>, Expected number greater than or equal to 0.500000"},
	{"{\"exclusiveMinimum\":0}", "0", IN "<root>, Expected number greater than 0.000000"},
	{"{\"minimum\":5}", "\"text\"", NULL},
	{"{\"maximum\":5}", "18446744073709551615", IN "<root>, Expected number less than or equal to 5.000000"},
	{"{\"maxLength\":2}", "\"\xc3\xa9\xc3\xa9\"", NULL},
	{"{\"maxLength\":2}", "\"abc\"", IN "<root>, String should be no more than 2 characters in length."},
	{"{\"minLength\":1}", "\"\"", IN "<root>, String should be no fewer than 1 characters in length."},
	{"{\"maxItems\":1}", "[1,2]", IN "<root>, Array should contain no more than 1 elements."},
	{"{\"minItems\":1}", "[]", IN "<root>, Array should contain no fewer than 1 elements."},
	{"{\"minItems\":1}", "{}", NULL},
	{"{\"maxProperties\":1}", "{\"a\":1,\"b\":2}", IN "<root>, Object should have no more than 1 properties."},
	{"{\"minProperties\":1}", "{}", IN "<root>, Object should have no fewer than 1 properties."},
	{"{\"uniqueItems\":true}", "[1,2,1]", IN "<root>, Elements at indexes #0 and #2 violate uniqueness constraint."},
	{"{\"pattern\":\"^a+$\"}", "\"aa\"", NULL},
	{"{\"pattern\":\"^a+$\"}", "\"ab\"", IN "<root>, Failed to match regex specified by 'pattern' constraint."},
	{"{\"pattern\":\"^(?:\\\\d+|[\\\\w-]+)$\"}", "\"x-1\"", NULL},
	{"{\"pattern\":\"^\\\\d+$\"}", "\"x\"", IN "<root>, Failed to match regex specified by 'pattern' constraint."},
	/* What cannot be compiled is no reason to refuse. */
	{"{\"pattern\":\"(?=a)\"}", "\"x\"", NULL},
	{"{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"a\":1,\"b\":2}",
	 IN "<root>, Object contains a property that could not be validated using 'properties' or 'additionalProperties' constraints: 'b'."},
	{"{\"additionalProperties\":{\"type\":\"string\"}}", "{\"b\":2}", IN "<root>[b], " TYPE},
	{"{\"patternProperties\":{\"^x\":{\"type\":\"string\"}},\"additionalProperties\":false}", "{\"xa\":\"\"}", NULL},
	{"{\"patternProperties\":{\"^x\":{\"type\":\"string\"}}}", "{\"xa\":1}", IN "<root>[xa], " TYPE},
	{"{\"items\":[{\"type\":\"string\"}],\"additionalItems\":{\"type\":\"null\"}}", "[\"a\",1]", IN "<root>[1], " TYPE},
	{"{\"allOf\":[{\"minimum\":1},{\"maximum\":3}]}", "4", IN "<root>, Expected number less than or equal to 3.000000"},
	{"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":3}]}", "4", NULL},
	{"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":3}]}", "1", IN "<root>, " TYPE},
	{"{\"oneOf\":[{\"minimum\":1},{\"minimum\":3}]}", "2", NULL},
	{"{\"oneOf\":[{\"minimum\":1},{\"minimum\":3}]}", "4", IN "<root>, Failed to validate against exactly one child schema."},
	{"{\"not\":{\"type\":\"string\"}}", "\"\"", IN "<root>, Target should not validate against schema specified in 'not' constraint."},
	{"{\"$ref\":\"#/$defs/a~1b\",\"$defs\":{\"a/b\":{\"type\":\"null\"}}}", "1", IN "<root>, " TYPE},
	{"{\"$ref\":\"#/definitions/S\",\"definitions\":{\"S\":{\"properties\":{\"next\":{\"$ref\":\"#/definitions/S\"}},\"type\":\"object\"}}}",
	 "{\"next\":{\"next\":{\"next\":7}}}", IN "<root>[next][next][next], " TYPE},
	{"{\"properties\":{\"a\":false}}", "{\"a\":1}", IN "<root>[a], No value is permitted here."},
	/* Schemas that never end, or take for ever. */
	{"{\"$ref\":\"#\"}", "1", IN "<root>, the schema asks for too much"},
	{"{\"not\":{\"$ref\":\"#\"}}", "1", IN "<root>, the schema asks for too much"},
	{"{\"anyOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}", "1", IN "<root>, the schema asks for too much"},
};
/* clang-format on */

static void
test_schema_cases(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err err = {0};
		bool ok = schema_check(cases[i].schema, cases[i].config, "pl", &err);

		if (ok != !cases[i].message)
			fail_msg(
			    "%s on %s: %s", cases[i].schema, cases[i].config, err.msg);
		if (!ok)
			assert_string_equal(err.msg, cases[i].message);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_schema_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
