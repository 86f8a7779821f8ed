/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

static uint64_t
read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t
clock_wall_ns(void)
{
	return read_ns(CLOCK_REALTIME);
}

uint64_t
clock_mono_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

int64_t
clock_utc_offset_at_s(int64_t t)
{
	time_t when = (time_t)t;
	struct tm tm;

	return localtime_r(&when, &tm) ? tm.tm_gmtoff : 0;
}

int64_t
clock_utc_offset_s(void)
{
	static int64_t known_at = INT64_MIN, offset;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (now.tv_sec != known_at) {
		/* Looks for another zone; localtime_r alone does not. */
		tzset();
		offset = clock_utc_offset_at_s(now.tv_sec);
		known_at = now.tv_sec;
	}
	return offset;
}

void
clock_mono_in(struct timespec *ret, uint32_t ms)
{
	uint64_t ns = clock_mono_ns() + ms * 1000000ull;

	ret->tv_sec = (time_t)(ns / 1000000000u);
	ret->tv_nsec = (long)(ns % 1000000000u);
}
