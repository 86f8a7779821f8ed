/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* What is written to standard error meanwhile. */
static const char *
written(const struct log_config *config, const char *fmt, const char *text)
{
	static char all[4096];
	int ends[2], saved = dup(STDERR_FILENO);

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	log_configure(config);
	log_error(fmt, text);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[1]);
	ssize_t n = read(ends[0], all, sizeof(all) - 1);
	close(ends[0]);
	assert_true(n > 0);
	all[n] = '\0';
	return all;
}

#define HOSTILE "a\n{\"level\":\"error\"}\r\x1b[0m\xff\"}\\"

static void
test_log_in_falcos_text(void **state)
{
	setenv("TZ", "UTC0", 1);
	const char *got_all =
	    written(&(struct log_config){.max_level = LOG_LEVEL_INFO, .to_stderr = true},
		"it: %s", HOSTILE);
	const char *text = strstr(got_all, ": it: ");

	assert_non_null(text);
	/* "Www Mmm dd HH:MM:SS yyyy" */
	assert_int_equal(text - got_all, 24);
	assert_string_equal(
	    text, ": it: a\\n{\"level\":\"error\"}\\r\\x1b[0m\\xff\"}\\\n");
	got_all = written(
	    &(struct log_config){
		.max_level = LOG_LEVEL_INFO, .to_stderr = true, .iso8601 = true},
	    "it: %s", HOSTILE);
	text = strstr(got_all, "+0000: it: a");
	assert_non_null(text);
	assert_int_equal(text - got_all, strlen("yyyy-mm-ddThh:mm:ss"));
	assert_ptr_equal(strchr(got_all, '\n'), got_all + strlen(got_all) - 1);
}

static void
test_log_as_json_lines(void **state)
{
	const char *got_all = written(
	    &(struct log_config){
		.max_level = LOG_LEVEL_INFO, .to_stderr = true, .json = true},
	    "it: %s", HOSTILE);
	static const char head[] =
	    "{\"level\":\"error\",\"msg\":\"it: a\\\\n{\\\"level\\\":\\\"error\\\"}"
	    "\\\\r\\\\x1b[0m\\\\xff\\\"}\\\\\",\"time\":\"";

	assert_memory_equal(got_all, head, strlen(head));
	assert_ptr_equal(strchr(got_all, '\n'), got_all + strlen(got_all) - 1);
	assert_string_equal(got_all + strlen(got_all) - 3, "\"}\n");
}

static void
test_log_does_not_wait_for_a_reader_for_ever(void **state)
{
	int ends[2], saved = dup(STDERR_FILENO);
	uint64_t before = log_stderr_lost();
	char text[4000], got_all[8192];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_configure(
	    &(struct log_config){.max_level = LOG_LEVEL_INFO, .to_stderr = true});
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	/* Many times what a pipe holds. */
	for (int i = 0; i < 1000; i++)
		log_error("%s", text);
	uint64_t lost = log_stderr_lost() - before;
	assert_int_equal(read(ends[0], got_all, sizeof(got_all)), sizeof(got_all));
	log_error("read again");
	uint64_t lost_then = log_stderr_lost() - before;
	/* A line that is cut in two: the one behind it is a line of its own. */
	while (read(ends[0], got_all, sizeof(got_all)) == sizeof(got_all)) {
	}
	for (int i = 0; i < 10; i++)
		log_error("%s", text);
	char *longer = malloc(200000);
	memset(longer, 'y', 199999);
	longer[199999] = '\0';
	log_error("%s", longer);
	free(longer);
	while (read(ends[0], got_all, sizeof(got_all)) == sizeof(got_all)) {
	}
	log_error("behind it");
	ssize_t n = read(ends[0], got_all, sizeof(got_all) - 1);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[0]);
	close(ends[1]);
	assert_in_range(lost, 900, 999);
	assert_int_equal(lost_then, lost);
	assert_int_equal(log_stderr_lost() - before, lost + 1);
	assert_true(n > 0);
	got_all[n] = '\0';
	assert_int_equal(got_all[0], '\n');
	assert_non_null(strstr(got_all, ": behind it\n"));
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
	    cmocka_unit_test(test_log_in_falcos_text),
	    cmocka_unit_test(test_log_as_json_lines),
	    cmocka_unit_test(test_log_does_not_wait_for_a_reader_for_ever),
	    cmocka_unit_test(test_log_levels_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
