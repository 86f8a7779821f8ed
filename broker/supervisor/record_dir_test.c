/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/supervisor/record_dir.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

static int
count(const char *kind)
{
	char path[128];
	struct dirent *e;
	int n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", dir, kind);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void
test_record_is_written_whole_under_a_safe_name(void **state)
{
	char path[256], text[64];
	struct err err;
	FILE *f;

	assert_true(record_write(
	    dir, "crash", "../../etc/x y", "{\"a\":1}\n", 8, path, sizeof(path), &err));
	assert_non_null(strstr(path, "/crash/"));
	assert_non_null(strstr(path, "-______etc_x_y.json"));
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fread(text, 1, sizeof(text), f), 8);
	fclose(f);
	assert_int_equal(count("crash"), 1);
}

static void
test_record_folder_is_bounded(void **state)
{
	char path[256], first[256];
	struct err err;

	for (int i = 0; i < RECORD_FILES_MAX + 7; i++) {
		assert_true(record_write(
		    dir, "many", "p", "{}", 2, i ? path : first, sizeof(path), &err));
	}
	assert_int_equal(count("many"), RECORD_FILES_MAX);
	assert_int_equal(access(first, F_OK), -1);
	assert_int_equal(access(path, F_OK), 0);
}

static void
test_record_says_why_not(void **state)
{
	char path[256];
	struct err err;

	assert_false(record_write(
	    "/nonexistent", "crash", "p", "{}", 2, path, sizeof(path), &err));
	assert_non_null(strstr(err.msg, "/nonexistent/crash: No such file"));
	assert_false(record_write(
	    dir, "crash", "p", "", RECORD_BYTES_MAX + 1, path, sizeof(path), &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_record_is_written_whole_under_a_safe_name),
	    cmocka_unit_test(test_record_folder_is_bounded),
	    cmocka_unit_test(test_record_says_why_not),
	};
	const char *tmp = getenv("TEST_TMPDIR");

	snprintf(dir, sizeof(dir), "%.40s/records-XXXXXX",
	    tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
