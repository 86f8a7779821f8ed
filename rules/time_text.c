/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/time_text.h"

#include <time.h>

/* Writes n decimal digits of v. */
static char *
digits(char *p, uint64_t v, int n)
{
	for (int i = n - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + n;
}

static char *
date_part(char *p, const struct tm *tm)
{
	p = digits(p, (uint64_t)(tm->tm_year + 1900), 4);
	*p++ = '-';
	p = digits(p, (uint64_t)tm->tm_mon + 1, 2);
	*p++ = '-';
	return digits(p, (uint64_t)tm->tm_mday, 2);
}

static char *
time_part(char *p, uint64_t second_of_day)
{
	p = digits(p, second_of_day / 3600, 2);
	*p++ = ':';
	p = digits(p, second_of_day / 60 % 60, 2);
	*p++ = ':';
	return digits(p, second_of_day % 60, 2);
}

void
time_text(char *out, size_t size, uint64_t ts_ns, int64_t utc_offset_s, bool date,
    bool fraction)
{
	uint64_t s = ts_ns / 1000000000u + (uint64_t)utc_offset_s;
	char *p = out;

	(void)size;
	if (date) {
		time_t when = (time_t)s;
		struct tm tm;
		gmtime_r(&when, &tm);
		p = date_part(p, &tm);
		*p++ = ' ';
	}
	p = time_part(p, s % 86400);
	if (fraction) {
		*p++ = '.';
		p = digits(p, ts_ns % 1000000000u, 9);
	}
	*p = '\0';
}

void
time_text_iso8601(char *out, size_t size, uint64_t ts_ns, const char *suffix)
{
	time_t when = (time_t)(ts_ns / 1000000000u);
	struct tm tm;
	char *p, *end = out + size - 1;

	gmtime_r(&when, &tm);
	p = date_part(out, &tm);
	*p++ = 'T';
	p = time_part(p, ts_ns / 1000000000u % 86400);
	*p++ = '.';
	p = digits(p, ts_ns % 1000000000u, 9);
	while (*suffix && p < end)
		*p++ = *suffix++;
	*p = '\0';
}
