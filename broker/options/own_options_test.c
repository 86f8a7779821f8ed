/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/options/own_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	WORDS_MAX = 12
};

/* Takes these words, a NULL behind them; what is left is in *left, separated by blanks.
 */
static bool
take(struct own_options *o, enum own_command command, const char *const *word,
    char *ret_left, size_t size, struct err *err)
{
	char *argv[WORDS_MAX + 1] = {(char *)"mews"};
	int argc = 1;
	bool ok;

	for (; *word; word++)
		argv[argc++] = (char *)*word;
	ok = own_options_take(o, command, &argc, argv, err);
	ret_left[0] = '\0';
	for (int i = 1; ok && i < argc; i++) {
		strncat(ret_left, argv[i], size - strlen(ret_left) - 1);
		strncat(ret_left, i + 1 < argc ? " " : "", size - strlen(ret_left) - 1);
	}
	return ok;
}

#define TAKE(o, command, ...)                                                            \
	take(o, command, (const char *const[]){__VA_ARGS__, NULL}, left, sizeof(left),   \
	    &err)

static void
test_own_options_leaves_what_is_not_its_own(void **state)
{
	struct own_options o;
	char left[200];
	struct err err;

	assert_true(TAKE(&o, OWN_CHECK, "a.yaml", "--plugin", "x.so", "-c", "f", "--json",
	    "--plugin=y.so", "--strict", "b.yaml"));
	assert_string_equal(left, "a.yaml -c f b.yaml");
	assert_int_equal(o.plugin.n, 2);
	assert_string_equal(o.plugin.value[0], "x.so");
	assert_string_equal(o.plugin.value[1], "y.so");
	assert_true(o.json && o.strict && !o.no_hints && !o.help);
	own_options_release(&o);
	/* An option of another command is none of this one. */
	assert_true(TAKE(&o, OWN_RUN, "--strict", "-n7", "--", "-n", "8"));
	assert_string_equal(left, "--strict -- -n 8");
	assert_int_equal(o.max_events, 7);
}

static void
test_own_options_tells_mistakes(void **state)
{
	struct own_options o;
	char left[200];
	struct err err;

	assert_false(TAKE(&o, OWN_CHECK, "--plugin"));
	assert_string_equal(err.msg, "Option ‘--plugin’ is missing an argument");
	assert_false(TAKE(&o, OWN_CHECK, "--plugin", "a", "--json=yes"));
	assert_string_equal(err.msg, "--json takes no value");
	assert_false(TAKE(&o, OWN_RUN, "-n", "0"));
	assert_string_equal(err.msg, "-n takes a number of events from 1, not '0'");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_own_options_leaves_what_is_not_its_own),
	    cmocka_unit_test(test_own_options_tells_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
