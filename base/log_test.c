/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static char got[4096];

static void
keep(enum log_level level, const char *line)
{
	snprintf(got, sizeof(got), "%d %s", (int)level, line);
}

static void
test_log_line_stays_one_line(void **state)
{
	log_configure(&(struct log_config){.max_level = LOG_LEVEL_INFO, .sink = keep});
	log_warning("say %s", "a\nb\x1b[0m");
	assert_string_equal(got, "4 say a\\nb\\x1b[0m");
	log_debug("not shown");
	assert_string_equal(got, "4 say a\\nb\\x1b[0m");
	log_text(LOG_LEVEL_ERROR, "two\nlines \x07");
	assert_string_equal(got, "3 two\nlines \\x07");
}

static void
test_log_levels_by_name(void **state)
{
	enum log_level level;

	assert_true(log_level_parse("INFORMATIONAL", &level));
	assert_int_equal(level, LOG_LEVEL_INFO);
	assert_true(log_level_parse("Error", &level));
	assert_int_equal(level, LOG_LEVEL_ERROR);
	assert_false(log_level_parse("loud", &level));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_log_line_stays_one_line),
	    cmocka_unit_test(test_log_levels_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
