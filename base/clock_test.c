/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void
zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static void
test_clock_utc_offset_is_that_of_the_season(void **state)
{
	/* 2025-03-30 and 2025-10-26, 01:00 UTC. */
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_int_equal(clock_utc_offset_at_s(1743296399), 3600);
	assert_int_equal(clock_utc_offset_at_s(1743296400), 7200);
	assert_int_equal(clock_utc_offset_at_s(1761440399), 7200);
	assert_int_equal(clock_utc_offset_at_s(1761440400), 3600);
	zone("NST3:30");
	assert_int_equal(clock_utc_offset_at_s(0), -12600);
	zone("UTC0");
	assert_int_equal(clock_utc_offset_at_s(1743296400), 0);
}

/* An hour is put forward two seconds from now: seen by whoever asks on. */
static void
test_clock_utc_offset_changes_while_the_program_runs(void **state)
{
	time_t now = time(NULL), change = now + 2;
	struct tm tm;
	char tz[64];

	zone("UTC0");
	gmtime_r(&change, &tm);
	/* Days counted from 0, the 29th of February included: the year says which. */
	snprintf(tz, sizeof(tz), "AAA0BBB,%d/%d:%02d:%02d,%d/0", tm.tm_yday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, (tm.tm_yday + 180) % 365);
	zone(tz);
	assert_int_equal(clock_utc_offset_at_s(change - 1), 0);
	assert_int_equal(clock_utc_offset_at_s(change), 3600);
	while (clock_utc_offset_s() == 0) {
		assert_true(time(NULL) <= change + 60);
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	assert_int_equal(clock_utc_offset_s(), 3600);
	assert_true(time(NULL) >= change);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_clock_utc_offset_is_that_of_the_season),
	    cmocka_unit_test(test_clock_utc_offset_changes_while_the_program_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
