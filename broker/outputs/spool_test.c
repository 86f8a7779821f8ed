/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/outputs/spool.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"

static char dir[256];

static int
make_dir(void **state)
{
	const char *tmp = getenv("TEST_TMPDIR");
	static int n;

	snprintf(
	    dir, sizeof(dir), "%s/spool-%d-%d", tmp ? tmp : "/tmp", (int)getpid(), n++);
	return 0;
}

static int
remove_dir(void **state)
{
	char path[512];

	for (int i = 1; i < 40; i++) {
		snprintf(path, sizeof(path), "%s/%016x.seg", dir, i);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/lock", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/position", dir);
	unlink(path);
	rmdir(dir);
	return 0;
}

static struct spool *
open_it(uint64_t max)
{
	struct err err;
	struct spool *s = spool_open(dir, max, &err);

	assert_non_null(s);
	return s;
}

static void
put(struct spool *s, const char *line)
{
	struct err err;

	assert_true(spool_put(s, line, strlen(line), &err));
}

static void
expect(struct spool *s, const char *line)
{
	struct buf b;

	buf_init(&b, LIMIT_OUTPUT_LINE_BYTES + 1);
	assert_true(spool_next(s, &b));
	assert_string_equal(b.data, line);
	buf_release(&b);
}

static void
expect_none(struct spool *s)
{
	struct buf b;

	buf_init(&b, LIMIT_OUTPUT_LINE_BYTES + 1);
	assert_false(spool_next(s, &b));
	buf_release(&b);
}

static void
test_spool_gives_lines_in_order_across_ends(void **state)
{
	struct spool *s = open_it(1 << 20);

	expect_none(s);
	put(s, "one");
	put(s, "two");
	put(s, "");
	expect(s, "one");
	expect(s, "one"); /* until it is done */
	spool_done(s);
	spool_close(s);
	s = open_it(1 << 20);
	expect(s, "two");
	put(s, "three");
	spool_done(s);
	expect(s, "");
	spool_done(s);
	spool_close(s);
	s = open_it(1 << 20);
	expect(s, "three");
	spool_done(s);
	expect_none(s);
	spool_close(s);
}

static void
test_spool_is_bounded_and_takes_again_what_went(void **state)
{
	struct spool *s = open_it(100);
	struct spool_counts c;
	struct err err;

	put(s, "0123456789012345678901234567890123456789");
	assert_false(spool_put(s, "0123456789012345678901234567890123456789", 40, &err));
	assert_true(spool_put(s, "0123456789012345678901234567890123456", 36, &err));
	assert_false(spool_put(s, "", 0, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	expect(s, "0123456789012345678901234567890123456789");
	spool_done(s);
	put(s, "x");
	spool_counts(s, &c);
	assert_int_equal(c.bytes, 12 + 36 + 12 + 1);
	assert_int_equal(c.damaged, 0);
	spool_close(s);
}

static void
test_spool_drops_files_that_are_through(void **state)
{
	struct spool *s = open_it(64 << 20);
	char *line = malloc(1 << 20), path[512];
	struct stat st;
	struct buf b;

	buf_init(&b, LIMIT_OUTPUT_LINE_BYTES + 1);
	memset(line, 'x', 1 << 20);
	line[(1 << 20) - 1] = '\0';
	for (int i = 0; i < 12; i++) {
		line[0] = (char)('a' + i);
		put(s, line);
	}
	for (int i = 0; i < 12; i++) {
		assert_true(spool_next(s, &b));
		assert_int_equal(b.data[0], 'a' + i);
		spool_done(s);
	}
	assert_false(spool_next(s, &b));
	snprintf(path, sizeof(path), "%s/%016x.seg", dir, 1);
	assert_int_equal(stat(path, &st), -1);
	spool_close(s);
	buf_release(&b);
	free(line);
}

static void
damage(off_t at, const char *bytes, size_t n, bool cut)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%016x.seg", dir, 1);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, at), n);
	if (cut)
		assert_int_equal(ftruncate(fd, at), 0);
	close(fd);
}

static void
test_spool_cuts_off_a_torn_end(void **state)
{
	struct spool *s = open_it(1 << 20);
	struct spool_counts c;

	put(s, "first");
	put(s, "second");
	spool_close(s);
	damage(12 + 5 + 12 + 3, "", 0, true);
	s = open_it(1 << 20);
	expect(s, "first");
	spool_done(s);
	put(s, "third");
	expect(s, "third");
	spool_counts(s, &c);
	assert_int_equal(c.damaged, 1);
	spool_close(s);
}

static void
test_spool_takes_no_damaged_line_for_one(void **state)
{
	struct spool *s = open_it(1 << 20);

	put(s, "first");
	put(s, "second");
	spool_close(s);
	damage(12, "F", 1, false);
	s = open_it(1 << 20);
	expect_none(s);
	put(s, "third");
	expect(s, "third");
	spool_close(s);
}

static void
test_spool_belongs_to_one(void **state)
{
	struct spool *s = open_it(1 << 20);
	struct err err;

	assert_null(spool_open(dir, 1 << 20, &err));
	assert_int_equal(err.code, ERR_USAGE);
	spool_close(s);
	assert_null(spool_open("/nonexistent/spool", 1 << 20, &err));
	assert_int_equal(err.code, ERR_SYS);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_dir, remove_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_spool_gives_lines_in_order_across_ends),
	    TEST(test_spool_is_bounded_and_takes_again_what_went),
	    TEST(test_spool_drops_files_that_are_through),
	    TEST(test_spool_cuts_off_a_torn_end),
	    TEST(test_spool_takes_no_damaged_line_for_one),
	    TEST(test_spool_belongs_to_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
