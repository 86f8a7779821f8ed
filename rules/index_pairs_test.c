/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/index_pairs.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t seed = 1;

static uint32_t
next_random(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 16;
}

/* Few letters, so that pairs are met; some of any value. */
static uint8_t
random_byte(void)
{
	uint32_t r = next_random();

	return r % 8 == 0 ? (uint8_t)(r >> 3) : (uint8_t)("abcdABCD"[r / 8 % 8]);
}

static bool
is_pair(const struct index_pairs *p, uint8_t a, uint8_t b)
{
	if (p->folded) {
		a = a < 0x80 ? (uint8_t)tolower(a) : a;
		b = b < 0x80 ? (uint8_t)tolower(b) : b;
	}
	return p->bit[a][b / 64] >> b % 64 & 1;
}

static uint32_t
slowly(const struct index_pairs *p, const char *s, uint32_t len, uint32_t i)
{
	while (i + 1 < len && !is_pair(p, (uint8_t)s[i], (uint8_t)s[i + 1]))
		i++;
	return i;
}

static void
test_pairs_are_found_where_looking_at_each_byte_finds_them(void **state)
{
	for (int round = 0; round < 2000; round++) {
		static struct index_pairs p;
		uint32_t len = next_random() % 90, n = 1 + next_random() % 20;
		/* No byte more than the text has: a look behind it is seen by the
		 * sanitizer. */
		char *s = malloc(len ? len : 1);

		assert_non_null(s);
		memset(&p, 0, sizeof(p));
		bool folded = round % 2;
		for (uint32_t i = 0; i < n; i++) {
			uint8_t a = random_byte(), b = random_byte();
			if (folded && a < 0x80 && b < 0x80) {
				a = (uint8_t)tolower(a);
				b = (uint8_t)tolower(b);
			}
			if (i == 0 && round % 16 == 0)
				index_pairs_add_any(&p, a);
			else
				index_pairs_add(&p, a, b);
		}
		index_pairs_finish(&p, folded);
		for (uint32_t i = 0; i < len; i++)
			s[i] = (char)random_byte();
		for (uint32_t i = 0; i <= len; i++)
			assert_int_equal(
			    index_pairs_next(&p, s, len, i), slowly(&p, s, len, i));
		free(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pairs_are_found_where_looking_at_each_byte_finds_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
