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

static char
folded_char(const struct index_pairs *p, char c)
{
	return p->folded && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Of n keys of three bytes each: the first place where one stands. */
static uint32_t
find_key(const struct index_pairs *p, char key[][3], uint32_t n, const char *s,
    uint32_t len, uint32_t i)
{
	for (; i + 1 < len; i++) {
		for (uint32_t k = 0; i + 2 < len && k < n; k++) {
			if (folded_char(p, s[i]) == key[k][0] &&
			    folded_char(p, s[i + 1]) == key[k][1] &&
			    folded_char(p, s[i + 2]) == key[k][2])
				return i;
		}
	}
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

/* A triple's place may be said of another one, but none is passed over. */
static void
test_triples_are_never_passed_over(void **state)
{
	uint32_t exact = 0, places = 0;

	for (int round = 0; round < 2000; round++) {
		static struct index_pairs p;
		uint32_t len = next_random() % 90, n = 1 + next_random() % 5;
		char *s = malloc(len ? len : 1), key[5][3];

		assert_non_null(s);
		memset(&p, 0, sizeof(p));
		bool folded = round % 2;
		for (uint32_t k = 0; k < n; k++) {
			for (int b = 0; b < 3; b++)
				key[k][b] = "abcd"[next_random() % 4];
			index_pairs_add(&p, (uint8_t)key[k][0], (uint8_t)key[k][1]);
			index_pairs_add_triple(&p, (uint8_t)key[k][0], (uint8_t)key[k][1],
			    (uint8_t)key[k][2]);
		}
		index_pairs_finish(&p, folded);
		for (uint32_t i = 0; i < len; i++)
			s[i] = (char)random_byte();
		for (uint32_t i = 0; i <= len; i++) {
			uint32_t right = find_key(&p, key, n, s, len, i);
			uint32_t got = index_pairs_next(&p, s, len, i);
			assert_true(got <= right);
			exact += got == right;
			places++;
		}
		free(s);
	}
	assert_true(exact > places - places / 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pairs_are_found_where_looking_at_each_byte_finds_them),
	    cmocka_unit_test(test_triples_are_never_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
