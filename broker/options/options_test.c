/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/options/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool
parse(struct options *o, struct err *err, const char *line)
{
	static char copy[256], *argv[32];
	int argc = 1;

	argv[0] = "falco";
	strncpy(copy, line, sizeof(copy) - 1);
	for (char *p = copy, *word; (word = strsep(&p, " "));)
		argv[argc++] = word;
	argv[argc] = NULL;
	return options_parse(o, argc, argv, err);
}

static void
test_options_take_values_glued_and_apart(void **state)
{
	struct options o;
	struct err err;

	assert_true(parse(
	    &o, &err, "-ca.yaml -r x.yaml -ry.yaml -vU -M 5 --option=a=b -o c=d stray"));
	assert_string_equal(o.config, "a.yaml");
	assert_int_equal(o.rules.n, 2);
	assert_string_equal(o.rules.value[1], "y.yaml");
	assert_true(o.verbose && o.unbuffered && !o.dry_run);
	assert_int_equal(o.max_time_s, 5);
	assert_int_equal(o.option.n, 2);
	assert_string_equal(o.option.value[0], "a=b");
	assert_int_equal(o.word.n, 1);
	options_release(&o);
}

static void
test_options_list_takes_a_value_only_with_equals(void **state)
{
	struct options o;
	struct err err;

	assert_true(parse(&o, &err, "--list golden"));
	assert_true(o.list_given);
	assert_null(o.list);
	options_release(&o);
	assert_true(parse(&o, &err, "--list=golden"));
	assert_string_equal(o.list, "golden");
	options_release(&o);
}

static void
test_options_refuse_what_they_do_not_know(void **state)
{
	static const char *const bad[][2] = {
	    {"--nosuchoption", "Option ‘nosuchoption’ does not exist"},
	    {"--nosuch=3", "Option ‘nosuch’ does not exist"},
	    {"-T x", "Option ‘T’ does not exist"},
	    {"-vT", "Option ‘T’ does not exist"},
	    {"-c", "Option ‘c’ is missing an argument"},
	    {"--format", "Option ‘format’ is missing an argument"},
	    {"-M 5x", "Argument ‘5x’ failed to parse"},
	};
	struct options o;
	struct err err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_false(parse(&o, &err, bad[i][0]));
		assert_string_equal(err.msg, bad[i][1]);
	}
}

static void
test_options_check_names_what_cannot_be(void **state)
{
	static const char *const rows[][2] = {
	    {"-c /no/such.yaml --help",
		"Could not find configuration file at /no/such.yaml"},
	    {"--format xml",
		"Invalid format 'xml'. Valid values are: text, markdown, json"},
	    {"--markdown --format text",
		"Cannot specify both --markdown and --format options together"},
	    {"--format JSON -c /", NULL},
	    {"--markdown", NULL},
	};
	struct options o;
	struct err err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_true(parse(&o, &err, rows[i][0]));
		assert_int_equal(options_check(&o, &err), rows[i][1] == NULL);
		if (rows[i][1])
			assert_string_equal(err.msg, rows[i][1]);
		options_release(&o);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_options_take_values_glued_and_apart),
	    cmocka_unit_test(test_options_list_takes_a_value_only_with_equals),
	    cmocka_unit_test(test_options_refuse_what_they_do_not_know),
	    cmocka_unit_test(test_options_check_names_what_cannot_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
