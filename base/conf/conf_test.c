/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

/* "{k: v}" is enough of a flow map here: the real reader has its own tests. */
static bool
fake_flow(struct arena *a, const char *text, struct conf_node **ret, struct err *err)
{
	*ret = conf_new(a, CONF_MAP);
	return conf_put(a, *ret, "flow", conf_scalar(a, text));
}

static const char *
assign_all(const char *const *options)
{
	struct conf_node *root = conf_new(&arena, CONF_MAP);
	const char *json;
	struct buf out;
	struct err err;

	for (; *options; options++) {
		if (!conf_assign(&arena, root, *options, fake_flow, &err))
			return arena_strdup(&arena, err.msg);
	}
	buf_init(&out, 1 << 20);
	conf_json(root, &out);
	json = arena_strdup(&arena, buf_str(&out));
	buf_release(&out);
	return json;
}

static void
test_conf_assign_follows_paths(void **state)
{
	static const struct {
		const char *options[5], *json;
	} cases[] = {
	    {{"a=1", "b.c=x", "b.d=true"}, "{\"a\":1,\"b\":{\"c\":\"x\",\"d\":true}}"},
	    {{"l[]=1", "l[]=two", "l[0]=3"}, "{\"l\":[3,\"two\"]}"},
	    {{"l[0]=1", "l[1]=2"}, "{\"l\":[1,2]}"},
	    {{"r[].disable.rule=x", "r[].enable.tag=z"},
		"{\"r\":[{\"disable\":{\"rule\":\"x\"}},{\"enable\":{\"tag\":\"z\"}}]}"},
	    {{"l[]=1", "l.k=2"}, "{\"l\":{\"0\":1,\"k\":2}}"},
	    {{"a\\.b=c=d"}, "{\"a.b\":\"c=d\"}"},
	    {{"m={x: 1}"}, "{\"m\":{\"flow\":\"{x: 1}\"}}"},
	    {{"json_output"},
		"Error parsing config option \"json_output\". Must be of the form "
		"key=val or key.subkey=val"},
	    {{"a[b=c"},
		"Config error at key \"a[b\": Parsing error: expected a numeric index, "
		"found 'b'"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(assign_all(cases[i].options), cases[i].json);
}

static void
test_conf_json_types_scalars_by_their_text(void **state)
{
	static const char *const options[] = {"a=5", "b=yes", "c=1.50", "d=2147483648",
	    "e=0x10", "f=1e14", "g=1e15", "h=0.0001", "i=1.25e-5", "j= 5", "k=5 ",
	    "l=1e999", "m=-0.1", NULL};

	assert_string_equal(assign_all(options),
	    "{\"a\":5,\"b\":true,\"c\":1.5,\"d\":2147483648.0,\"e\":16,"
	    "\"f\":100000000000000.0,\"g\":1e+15,\"h\":0.0001,\"i\":1.25e-05,"
	    "\"j\":\" 5\",\"k\":5,\"l\":\"1e999\",\"m\":-0.1}");
}

static void
test_conf_flow_is_yaml_again(void **state)
{
	static const char *const options[] = {"a.b=x y", "a.c=plain/1.5", "l[]=null",
	    "l[]=", "l[]=a\"b\x7f\u00e9\u2028", NULL};
	struct conf_node *root = conf_new(&arena, CONF_MAP);
	struct buf out;
	struct err err;

	for (size_t i = 0; options[i]; i++)
		assert_true(conf_assign(&arena, root, options[i], fake_flow, &err));
	assert_true(conf_put(&arena, root, "n", conf_new(&arena, CONF_NULL)));
	buf_init(&out, 1000);
	conf_flow(root, &out);
	assert_string_equal(buf_str(&out),
	    "{a: {b: \"x y\", c: plain/1.5}, l: [\"null\", \"\", "
	    "\"a\\u0022b\\u007f\u00e9\\u2028\"], n: ~}");
	buf_release(&out);
}

static void
test_conf_merge_strategies(void **state)
{
	static const char *const want[] = {
	    "{\"l\":[1,2],\"m\":{\"y\":2},\"n\":3,\"s\":2}",
	    "{\"l\":[2],\"m\":{\"y\":2},\"n\":3,\"s\":2}",
	    "{\"l\":[1],\"m\":{\"x\":1},\"n\":3,\"s\":1}"};

	for (int strategy = CONF_MERGE_APPEND; strategy <= CONF_MERGE_ADD_ONLY;
	     strategy++) {
		struct conf_node *a = conf_new(&arena, CONF_MAP),
				 *b = conf_new(&arena, CONF_MAP);
		struct err err;
		struct buf out;
		assert_true(conf_assign(&arena, a, "l[]=1", fake_flow, &err));
		assert_true(conf_assign(&arena, a, "s=1", fake_flow, &err));
		assert_true(conf_assign(&arena, a, "m.x=1", fake_flow, &err));
		assert_true(conf_assign(&arena, b, "l[]=2", fake_flow, &err));
		assert_true(conf_assign(&arena, b, "s=2", fake_flow, &err));
		assert_true(conf_assign(&arena, b, "m.y=2", fake_flow, &err));
		assert_true(conf_assign(&arena, b, "n=3", fake_flow, &err));
		assert_true(conf_merge(&arena, a, b, (enum conf_merge)strategy));
		buf_init(&out, 10000);
		conf_json(a, &out);
		assert_string_equal(buf_str(&out), want[strategy]);
		buf_release(&out);
	}
}

static void
test_conf_expand_env(void **state)
{
	static const char *const cases[][2] = {
	    {"plain $A ${", "plain $A ${"},
	    {"<${MEWS_A}>", "<one>"},
	    {"<${MEWS_NO}>", "<>"},
	    {"$${MEWS_A} ${MEWS_A}", "${MEWS_A} one"},
	    {"${MEWS_B}", "one!"},
	};
	struct buf out;

	setenv("MEWS_A", "one", 1);
	setenv("MEWS_B", "${MEWS_A}!", 1);
	setenv("MEWS_LOOP", "${MEWS_LOOP}", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_init(&out, 1000);
		assert_true(conf_expand_env(cases[i][0], &out));
		assert_string_equal(buf_str(&out), cases[i][1]);
		buf_release(&out);
	}
	buf_init(&out, 1000);
	conf_expand_env("${MEWS_LOOP}", &out); /* ends */
	buf_release(&out);
}

static void
test_conf_readers_fall_back_on_the_wrong_type(void **state)
{
	struct conf_node *root = conf_new(&arena, CONF_MAP);
	struct err err;

	assert_true(conf_assign(&arena, root, "a.b=maybe", fake_flow, &err));
	assert_true(conf_assign(&arena, root, "a.c=On", fake_flow, &err));
	assert_true(conf_assign(&arena, root, "n=0x1F", fake_flow, &err));
	assert_true(conf_bool(root, "a.b", true));
	assert_true(conf_bool(root, "a.c", false));
	assert_int_equal(conf_int(root, "n", 0), 31);
	assert_int_equal(conf_uint(root, "a.b", 7), 7);
	assert_string_equal(conf_text(root, "a.zzz", "dflt"), "dflt");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_conf_assign_follows_paths),
	    cmocka_unit_test(test_conf_json_types_scalars_by_their_text),
	    cmocka_unit_test(test_conf_flow_is_yaml_again),
	    cmocka_unit_test(test_conf_merge_strategies),
	    cmocka_unit_test(test_conf_expand_env),
	    cmocka_unit_test(test_conf_readers_fall_back_on_the_wrong_type),
	};
	arena_init(&arena, 1 << 24);
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return rc;
}
