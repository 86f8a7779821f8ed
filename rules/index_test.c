/* SPDX-License-Identifier: Apache-2.0 */
/* Each index alone, against the obvious way to find the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/index.h"
#include "rules/regex.h"

enum {
	KEYS_MAX = 400,
};

static struct arena arena;
static struct err err;

/* How often each posting was reported. */
struct reports {
	uint32_t hits[KEYS_MAX];
	uint32_t asks[KEYS_MAX];
};

static void
count_hits(void *arg, const uint32_t *post, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		((struct reports *)arg)->hits[post[i]]++;
}

static void
count_asks(void *arg, const uint32_t *post, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		((struct reports *)arg)->asks[post[i]]++;
}

static int
setup(void **state)
{
	arena_init(&arena, 64 << 20);
	return 0;
}

static int
teardown(void **state)
{
	arena_release(&arena);
	return 0;
}

static struct index_key
key(const char *s, uint32_t post)
{
	return (struct index_key){s, (uint32_t)strlen(s), post};
}

/* Short strings over a small alphabet: many equal, many overlap. */
static uint32_t
random_string(char *out, uint32_t max, const char *letters)
{
	uint32_t n = (uint32_t)rand() % (max + 1);

	for (uint32_t i = 0; i < n; i++)
		out[i] = letters[(size_t)rand() % strlen(letters)];
	out[n] = '\0';
	return n;
}

static void
test_index_hash_finds_each_key_with_all_its_postings(void **state)
{
	const struct index_key k[] = {key("a", 0), key("", 1), key("abc", 2), key("a", 3),
	    {"a\0b", 3, 4}, key("a long key of more than sixteen bytes", 5)};
	struct index_hash ix;
	const uint32_t *post;

	assert_true(index_hash_build(&ix, &arena, k, 6, &err));
	assert_int_equal(index_hash_find(&ix, "a", 1, index_hash_of("a", 1), &post), 2);
	assert_int_equal(post[0], 0);
	assert_int_equal(post[1], 3);
	assert_int_equal(index_hash_find(&ix, "", 0, index_hash_of("", 0), &post), 1);
	assert_int_equal(post[0], 1);
	assert_int_equal(
	    index_hash_find(&ix, "a\0b", 3, index_hash_of("a\0b", 3), &post), 1);
	assert_int_equal(post[0], 4);
	assert_int_equal(index_hash_find(&ix, k[5].s, k[5].len,
			     index_hash_of(k[5].s, k[5].len), &post),
	    1);
	assert_int_equal(index_hash_find(&ix, "ab", 2, index_hash_of("ab", 2), &post), 0);
}

static void
test_index_hash_of_nothing_finds_nothing(void **state)
{
	struct index_hash ix;
	const uint32_t *post;

	assert_true(index_hash_build(&ix, &arena, NULL, 0, &err));
	assert_int_equal(index_hash_find(&ix, "", 0, index_hash_of("", 0), &post), 0);
}

static bool
occurs(unsigned flags, const char *s, uint32_t n, const char *k, uint32_t m)
{
	if (m > n)
		return false;
	if (flags & INDEX_FOLDED)
		return strcasestr(s, k) != NULL;
	if (flags & INDEX_ANYWHERE)
		return memmem(s, n, k, m) != NULL;
	return memcmp(flags & INDEX_REVERSED ? s + n - m : s, k, m) == 0;
}

static void
trie_agrees(unsigned flags, const char *letters, uint32_t n_key)
{
	static char text[KEYS_MAX][8];
	struct index_key k[KEYS_MAX];
	struct index_trie ix;
	char s[40];

	for (uint32_t i = 0; i < n_key; i++) {
		random_string(text[i], 7, letters);
		k[i] = key(text[i], i);
	}
	assert_true(index_trie_build(&ix, &arena, flags, k, n_key, &err));
	for (int round = 0; round < 2000; round++) {
		struct reports r = {0};
		uint32_t n = random_string(s, 39, letters);
		index_trie_walk(&ix, s, n, count_hits, &r);
		for (uint32_t i = 0; i < n_key; i++)
			assert_int_equal(
			    r.hits[i], occurs(flags, s, n, k[i].s, k[i].len));
	}
}

static void
test_index_trie_agrees_with_plain_search(void **state)
{
	static const unsigned kinds[] = {
	    0, INDEX_REVERSED, INDEX_ANYWHERE, INDEX_ANYWHERE | INDEX_FOLDED};
	/* The last has nodes with tables of their own. */
	static const char *const letters[] = {
	    "a", "ab", "abC", "aAbBcC/.", "abcdefghijklmnopqrstuvwxyzABCDEFGH\xc3\xa9"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		for (size_t j = 0; j < sizeof(letters) / sizeof(*letters); j++) {
			trie_agrees(kinds[i], letters[j], 1);
			trie_agrees(kinds[i], letters[j], 20);
			trie_agrees(kinds[i], letters[j], KEYS_MAX);
		}
	}
}

static void
test_index_number_rank_says_all_comparisons(void **state)
{
	const uint64_t t[] = {10, 0, 7, 10, UINT64_MAX, 1ull << 63},
		       sorted[] = {0, 7, 10, 1ull << 63, UINT64_MAX},
		       v[] = {0, 1, 6, 7, 8, 9, 10, 11, INT64_MAX, 1ull << 63,
			   UINT64_MAX - 1, UINT64_MAX};
	struct index_number ix;

	assert_true(index_number_build(&ix, &arena, t, 6, &err));
	assert_int_equal(ix.n, 5);
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		uint32_t rank = index_number_rank(&ix, v[i]);
		for (uint32_t j = 0; j < 5; j++) {
			assert_int_equal(rank >= 2 * j + 1, v[i] >= sorted[j]);
			assert_int_equal(rank >= 2 * j + 2, v[i] > sorted[j]);
		}
	}
	assert_true(index_number_key((uint64_t)-5, true) < index_number_key(3, true));
}

static void
test_index_net_finds_every_network_around(void **state)
{
	static const struct {
		uint8_t bytes[17];
		uint32_t len;
	} nets[] = {
	    {{10, 0, 0, 0, 8}, 5},
	    {{10, 1, 2, 3, 16}, 5}, /* bits behind the prefix do not count */
	    {{0, 0, 0, 0, 0}, 5},
	    {{10, 1, 2, 3, 32}, 5},
	    {{10, 1, 2, 2, 31}, 5},
	    {{0x20, 1, [16] = 16}, 17},
	    {{0x20, 1, 0x0d, 0xb8, [16] = 33}, 17},
	};
	struct index_key k[7];
	struct index_net ix;
	struct reports r = {0}, other = {0}, odd = {0};
	const char in[4] = {10, 1, 2, 3}, six[16] = {0x20, 1, 0x0d, (char)0xb8};

	for (uint32_t i = 0; i < 7; i++)
		k[i] = (struct index_key){(const char *)nets[i].bytes, nets[i].len, i};
	assert_true(index_net_build(&ix, &arena, k, 7, &err));
	index_net_walk(&ix, in, 4, count_hits, &r);
	for (uint32_t i = 0; i < 7; i++)
		assert_int_equal(r.hits[i], i < 5);
	index_net_walk(&ix, six, 16, count_hits, &other);
	for (uint32_t i = 0; i < 7; i++)
		assert_int_equal(other.hits[i], i >= 5);
	index_net_walk(&ix, six, 5, count_hits, &odd);
	for (uint32_t i = 0; i < 7; i++)
		assert_int_equal(odd.hits[i], 0);
}

static void
test_index_path_steps_by_component(void **state)
{
	const struct index_key k[] = {key("/etc", 0), key("/etc/pass", 1),
	    key("//etc///passwd/", 2), key("/", 3), key("usr/bin", 4), key("/etc", 5)};
	struct index_path ix;
	struct reports r = {0}, none = {0};

	assert_true(index_path_build(&ix, &arena, k, 6, &err));
	index_path_walk(&ix, "/etc/passwd/x", 13, count_hits, &r);
	const uint32_t want[] = {1, 0, 1, 1, 0, 1};
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(r.hits[i], want[i]);
	index_path_walk(&ix, "", 0, count_hits, &none);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(none.hits[i], i == 3);
}

static void
test_index_regex_matches_all_of_the_value(void **state)
{
	static char many[100][8];
	struct index_key k[KEYS_MAX];
	struct index_regex ix;
	struct reports r = {0}, bad = {0};
	uint32_t n = 0;

	k[n++] = key("a+b?", 0);
	k[n++] = key("a", 1);
	k[n++] = key("(aa|aab)", 2);
	k[n++] = key(".*", 3);
	k[n++] = key("a.*\xef\xbf\xbd", 4);
	for (uint32_t i = 0; i < 100; i++) { /* more than one set takes */
		snprintf(many[i], sizeof(many[i]), "x%ua*", i);
		k[n] = key(many[i], n);
		n++;
	}
	assert_true(index_regex_build(&ix, &arena, k, n, &err));
	index_regex_walk(&ix, "aab", 3, count_hits, count_asks, &r);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(r.hits[i], i == 0 || i == 2 || i == 3);
		assert_int_equal(r.asks[i], 0);
	}
	index_regex_walk(&ix, "ab\xff", 3, count_hits, count_asks, &bad);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(bad.hits[i], i == 3 || i == 4);
	struct reports last = {0};
	index_regex_walk(&ix, "x99aa", 5, count_hits, count_asks, &last);
	assert_int_equal(last.hits[n - 1], 1);
	index_regex_release(&ix);
}

static void
test_index_regex_literal_is_in_every_match(void **state)
{
	static const struct {
		const char *pattern, *literal;
	} cases[] = {
	    {"abc", "abc"},
	    {".*abc.*", "abc"},
	    {"abc*", "ab"},
	    {"abc+d", "ab"},
	    {"ab|cd", ""},
	    {"(ab|cd)efg", "efg"},
	    {"[ab]cde[f]g", "cde"},
	    {"a{2,3}bcd", "bcd"},
	    {"^foo$", "foo"},
	    {"x\\.yz", "yz"},
	    {"ab\\d", ""},
	    {"(foo)?ba", "ba"},
	    {"[]a]bcd", "bcd"},
	    {"[[:alpha:]x]yz", "yz"},
	    {"[^]]ab", "ab"},
	    {"(a(b)[)]c)xyz", "xyz"},
	    {"(\\()xyz", "xyz"},
	    {"caf\xc3\xa9*le", "caf"},
	    {"a?", ""},
	    {"", ""},
	    {"ab{", ""},
	    {"[ab", ""},
	    {"(ab", ""},
	    {"ab\\", ""},
	    {"longest.short", "longest"},
	    {"a**bc", "bc"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *s = "";
		uint32_t n = index_regex_literal(
		    cases[i].pattern, (uint32_t)strlen(cases[i].pattern), &s);
		char got[32] = "";
		memcpy(got, s, n);
		assert_string_equal(got, cases[i].literal);
	}
}

static bool
has_hits(const struct reports *r, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (r->hits[i])
			return true;
	}
	return false;
}

/* What a look at a value's edges rules out, no look-up finds. */
static void
test_index_may_denies_nothing_that_is_found(void **state)
{
	static const unsigned flags[] = {0, INDEX_REVERSED};
	static char text[40][16];
	uint32_t denied = 0, found = 0;

	for (int round = 0; round < 600; round++) {
		struct index_key k[40];
		struct index_hash hash;
		struct index_trie trie;
		struct index_path path;
		const uint32_t *post;
		uint32_t n = 1 + (uint32_t)rand() % (round % 2 ? 3 : 40);
		unsigned flag = flags[round / 2 % 2];

		for (uint32_t i = 0; i < n; i++) {
			k[i] = (struct index_key){text[i], 0, i};
			do
				k[i].len = random_string(text[i], 12, "ab/");
			while (round % 5 && k[i].len < 1 + (uint32_t)round % 5);
		}
		assert_true(index_hash_build(&hash, &arena, k, n, &err));
		assert_true(index_trie_build(&trie, &arena, flag, k, n, &err));
		assert_true(index_path_build(&path, &arena, k, n, &err));
		for (int i = 0; i < 200; i++) {
			struct reports r = {0};
			char value[20];
			uint32_t len = random_string(value, 16, "ab/");

			index_trie_walk(&trie, value, len, count_hits, &r);
			bool may = index_trie_may(&trie, value, len);
			assert_true(may || !has_hits(&r, n));
			denied += !may;
			found += has_hits(&r, n);
			if (index_hash_find(
				&hash, value, len, index_hash_of(value, len), &post))
				assert_true(index_hash_may(&hash, value, len));
			memset(&r, 0, sizeof(r));
			index_path_walk(&path, value, len, count_hits, &r);
			assert_true(
			    index_path_may(&path, value, len) || !has_hits(&r, n));
		}
	}
	assert_true(denied > 1000);
	assert_true(found > 1000);
}

static void
test_index_trie_may_knows_where_prefixes_part(void **state)
{
	const struct index_key k[] = {key("/api/v3/", 0), key("/api/v13/", 1),
	    key("/srv/", 2), key("/opt/application/", 3)};
	struct index_trie ix;

	assert_true(index_trie_build(&ix, &arena, 0, k, 4, &err));
	assert_int_equal(ix.n_head, 4);
	assert_true(index_trie_may(&ix, "/api/v3/pods", 12));
	assert_false(index_trie_may(&ix, "/api/v4/pods", 12));
	assert_true(index_trie_may(&ix, "/srv/", 5));
	assert_false(index_trie_may(&ix, "/srv", 4));
	assert_false(index_trie_may(&ix, "/api/core/12345678", 18));
	assert_false(index_trie_may(&ix, "/opt/ap", 7));
	assert_false(index_trie_may(&ix, "srv/srv/srv", 11));
}

/* No key is passed over, wherever its window lies. */
static void
test_index_trie_next_passes_no_key_over(void **state)
{
	static char text[60][16];
	uint32_t ends = 0, places = 0, passed = 0;

	for (int round = 0; round < 600; round++) {
		unsigned flags = INDEX_ANYWHERE | (round % 3 ? 0 : INDEX_FOLDED);
		uint32_t n = 1 + (uint32_t)rand() % 60, least = 1 + (uint32_t)rand() % 5;
		struct index_key k[60];
		struct index_trie ix;

		for (uint32_t i = 0; i < n; i++) {
			k[i] = (struct index_key){text[i], 0, i};
			while (k[i].len < least)
				k[i].len = random_string(text[i], 8, "abcd-xyzABC");
			/* Half of them end all alike. */
			if (round % 2 && k[i].len > 3)
				memcpy(text[i] + k[i].len - 3, "-z/", 3);
		}
		assert_true(index_trie_build(&ix, &arena, flags, k, n, &err));
		ends += ix.end != NULL;
		for (int i = 0; i < 50; i++) {
			struct reports r = {0};
			char value[120];
			uint32_t len = random_string(value, 110, "abcd-xyzABC/"), at;

			index_trie_walk(&ix, value, len, count_hits, &r);
			at = index_trie_next(&ix, value, len, 0);
			/* A key of one byte may be the last. */
			if (has_hits(&r, n))
				assert_true(at + 1 < len || ix.shortest == 1);
			places++;
			passed += at + 1 >= len;
		}
	}
	assert_true(ends > 50);
	assert_true(passed > places / 20);
}

/* The first eight bytes, as they are ordered. */
static int
order(const char *a, const char *b)
{
	return memcmp(a, b, REGEX_RANGE_BYTES);
}

static void
test_regex_range_holds_what_matches(void **state)
{
	static const char *const patterns[] = {"^/(srv|opt)/[a-z]+-6/.*", "abc", "a*",
	    "a+b", "(a|ab|b)c*", ".*b", "^a.*", "a.c", "[ab]{2,9}c", "(ab)*c", "^(b|)a$",
	    "[^a].*", "aaaaaaaaaa*", "(abcabcabc|abcabcabd)", "(a|b)*", "a?b?c?", "$a",
	    "a^b"};
	uint32_t outside = 0, matched = 0, known = 0;
	char reason[100];

	for (size_t p = 0; p < sizeof(patterns) / sizeof(*patterns); p++) {
		struct regex *re =
		    regex_new(patterns[p], strlen(patterns[p]), reason, sizeof(reason));
		char low[REGEX_RANGE_BYTES], high[REGEX_RANGE_BYTES], value[32];

		assert_non_null(re);
		bool ranged = regex_range(re, low, high);
		known += ranged;
		for (int i = 0; ranged && i < 20000; i++) {
			memset(value, 0, sizeof(value));
			uint32_t len = random_string(value, 1 + (uint32_t)i % 14, "abc");
			bool inside = order(low, value) <= 0 && order(value, high) <= 0;
			bool matches = regex_matches(re, value, len);
			assert_true(inside || !matches);
			outside += !inside;
			matched += matches;
		}
		if (p == 0) {
			assert_true(ranged);
			assert_true(order("/api/cor", low) < 0);
			assert_true(order(low, "/opt/a-6") <= 0);
			assert_true(order("/srv/a-6", high) <= 0);
			assert_true(order(high, "/tmp/a-6") < 0);
		}
		regex_free(re);
	}
	assert_true(known > 8);
	assert_true(outside > 1000);
	assert_true(matched > 1000);
}

int
main(void)
{
#define INDEX_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    INDEX_TEST(test_index_hash_finds_each_key_with_all_its_postings),
	    INDEX_TEST(test_index_hash_of_nothing_finds_nothing),
	    INDEX_TEST(test_index_trie_agrees_with_plain_search),
	    INDEX_TEST(test_index_number_rank_says_all_comparisons),
	    INDEX_TEST(test_index_net_finds_every_network_around),
	    INDEX_TEST(test_index_path_steps_by_component),
	    INDEX_TEST(test_index_regex_matches_all_of_the_value),
	    INDEX_TEST(test_index_regex_literal_is_in_every_match),
	    INDEX_TEST(test_index_may_denies_nothing_that_is_found),
	    INDEX_TEST(test_index_trie_may_knows_where_prefixes_part),
	    INDEX_TEST(test_index_trie_next_passes_no_key_over),
	    INDEX_TEST(test_regex_range_holds_what_matches),
	};

	srand(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
