/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sieves: most values are no more than looked at, to see that no look-up would find
 * anything. One short loop a family over all values of a column, without a call or a
 * branch that depends on them; of substrings, one over the column's bytes.
 */
#include <stddef.h>
#include <string.h>

#include "rules/fast_private.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
	UNKNOWN,
	YES,
	NO
};

/* Bits by value, 64 a word. */
#define EACH_VALUE(t, v, condition)                                                      \
	for (uint32_t w = 0; w * 64 < (t)->n; w++) {                                     \
		const uint32_t left = (t)->n - w * 64, n = left < 64 ? left : 64;        \
		const struct span *v = (t)->span + w * 64;                               \
		uint64_t bits = 0;                                                       \
		for (uint32_t i = 0; i < n; i++, v++)                                    \
			bits |= (uint64_t)(condition) << i;                              \
		ret->w[w] = bits;                                                        \
	}

#if defined(__x86_64__)
_Static_assert(offsetof(struct span, len) == 4 && sizeof(struct span) == 8,
    "the upper half of a word");

/* The values of these lengths (63 stands for all from there on), four at a time. */
__attribute__((target("avx2"))) static uint64_t
of_lengths_32(uint64_t lengths, const struct span *v, uint32_t n)
{
	const __m256i set = _mm256_set1_epi64x((long long)lengths);
	const __m256i most = _mm256_set1_epi64x(63);
	uint64_t bits = 0;
	uint32_t i = 0;

	for (; i + 4 <= n; i += 4) {
		__m256i len = _mm256_srli_epi64(
		    _mm256_loadu_si256((const __m256i *)(const void *)(v + i)), 32);
		len = _mm256_min_epu32(len, most);
		__m256i has = _mm256_slli_epi64(_mm256_srlv_epi64(set, len), 63);
		bits |= (uint64_t)_mm256_movemask_pd(_mm256_castsi256_pd(has)) << i;
	}
	for (; i < n; i++)
		bits |= (lengths >> (v[i].len < 63 ? v[i].len : 63) & 1) << i;
	return bits;
}

/* Does each value lie behind the NUL of the one before? */
__attribute__((target("avx2"))) static uint32_t
dense_32(const struct span *v, uint32_t n, bool *ret)
{
	const __m256i low = _mm256_set1_epi64x(UINT32_MAX), one = _mm256_set1_epi64x(1);
	__m256i gaps = _mm256_setzero_si256();
	uint32_t i = 0;

	for (; i + 5 <= n; i += 4) {
		__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(v + i));
		__m256i b =
		    _mm256_loadu_si256((const __m256i *)(const void *)(v + i + 1));
		__m256i next = _mm256_add_epi64(
		    _mm256_add_epi64(_mm256_and_si256(a, low), _mm256_srli_epi64(a, 32)),
		    one);
		gaps = _mm256_or_si256(
		    gaps, _mm256_xor_si256(next, _mm256_and_si256(b, low)));
	}
	*ret = _mm256_testz_si256(gaps, gaps);
	return i;
}
#endif

static bool
is_wide(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("avx2");
#else
	return false;
#endif
}

/* Most values are told by their lengths alone. */
static void
sieve_hash(const struct index_hash *ix, const struct fast_text *t, struct mask *ret)
{
	const char *bytes = t->bytes;

	if (!is_wide()) {
		EACH_VALUE(t, v, index_hash_may(ix, bytes + v->off, v->len));
		return;
	}
#if defined(__x86_64__)
	for (uint32_t w = 0; w * 64 < t->n; w++) {
		const uint32_t left = t->n - w * 64;
		const struct span *v = t->span + w * 64;
		uint64_t bits = of_lengths_32(ix->all_lengths, v, left < 64 ? left : 64);
		for (uint64_t b = bits; b; b &= b - 1) {
			uint32_t i = (uint32_t)__builtin_ctzll(b);
			if (!index_hash_may(ix, bytes + v[i].off, v[i].len))
				bits &= ~(b & -b);
		}
		ret->w[w] = bits;
	}
#endif
}

static inline bool
may_end(const struct index_trie *ix, const char *s, uint32_t len)
{
	if (len < ix->shortest)
		return false;
	uint32_t h = index_edge_hash(s[len - 1], s[len - 2]);
	return ix->edge[h / 64] >> h % 64 & 1;
}

/* Of keys of two bytes and more. */
static void
sieve_suffix(const struct index_trie *ix, const struct fast_text *t, struct mask *ret)
{
	const char *bytes = t->bytes;

	EACH_VALUE(t, v, may_end(ix, bytes + v->off, v->len));
}

static void
sieve_path(const struct index_path *ix, const struct fast_text *t, struct mask *ret)
{
	const char *bytes = t->bytes;

	EACH_VALUE(t, v, index_path_may(ix, bytes + v->off, v->len));
}

static void
sieve_trie(const struct index_trie *ix, const struct fast_text *t, struct mask *ret)
{
	const char *bytes = t->bytes;

	EACH_VALUE(t, v, index_trie_may(ix, bytes + v->off, v->len));
}

/* A word may be read of all that does not lie behind last_word. */
static inline bool
may_begin(const struct index_trie *ix, const char *s, uint32_t len, const char *last_word)
{
	uint64_t word;

	if (s <= last_word)
		memcpy(&word, s, sizeof(word));
	else
		word = index_first_word(s, len);
	return len >= ix->shortest && index_trie_has_head(ix, word);
}

/* Where values lie one after another, a word may be read even of short ones. */
static void
sieve_heads(const struct index_trie *ix, const struct fast_text *t, struct mask *ret)
{
	const struct span *end = t->span + t->n - 1;
	const char *bytes = t->bytes;
	const uint32_t n_bytes = end->off + end->len - t->span[0].off;

	if (n_bytes < sizeof(uint64_t)) {
		sieve_trie(ix, t, ret);
		return;
	}
	const char *last_word = bytes + end->off + end->len - sizeof(uint64_t);
	EACH_VALUE(t, v, may_begin(ix, bytes + v->off, v->len, last_word));
}

/* The values lie one after another: so they are searched in one go, and a place belongs
 * to the value that ends behind it. What begins in one and goes on in the next is taken
 * for a hit here, and found to be none later. */
static void
sieve_substring(const struct index_trie *ix, const struct fast_text *t, struct mask *ret)
{
	const uint32_t begin = t->span[0].off;
	const uint32_t end = t->span[t->n - 1].off + t->span[t->n - 1].len;
	const char *s = t->bytes + begin;
	uint32_t at = 0, k = 0;

	*ret = (struct mask){0};
	/* A key of one byte may be the last one, after which no pair begins. */
	if (ix->shortest == 1)
		mask_set(ret, t->n - 1);
	while (at + 1 < end - begin) {
		at = index_trie_next(ix, s, end - begin, at);
		if (at + 1 >= end - begin)
			break;
		while (t->span[k].off + t->span[k].len < begin + at)
			k++;
		mask_set(ret, k);
		at = t->span[k].off + t->span[k].len + 1 - begin;
	}
}

/* Each value behind the NUL of the one before? */
static bool
are_dense(const struct span *v, uint32_t n)
{
	uint32_t gaps = 0, i = 0;
	bool dense = true;

#if defined(__x86_64__)
	if (is_wide())
		i = dense_32(v, n, &dense);
#endif
	for (; i + 1 < n; i++)
		gaps |= v[i + 1].off ^ (v[i].off + v[i].len + 1);
	return dense && gaps == 0;
}

/* Who needs it asks: it takes a look at all of them. */
static bool
is_dense(struct fast_text *t)
{
	if (t->dense == UNKNOWN)
		t->dense = are_dense(t->span, t->n) ? YES : NO;
	return t->dense == YES;
}

bool
fast_sieve(const struct graph_unit *u, struct fast_text *t, struct mask *ret)
{
	*ret = (struct mask){0};
	if (t->n == 0)
		return true;
	switch (u->family) {
	case FAMILY_HASH:
		sieve_hash(&u->hash, t, ret);
		return true;
	case FAMILY_PREFIX:
		if (u->trie.n_head && is_dense(t))
			sieve_heads(&u->trie, t, ret);
		else
			sieve_trie(&u->trie, t, ret);
		return true;
	case FAMILY_SUFFIX:
		if (u->trie.shortest > 1)
			sieve_suffix(&u->trie, t, ret);
		else
			sieve_trie(&u->trie, t, ret);
		return true;
	case FAMILY_PATH:
		sieve_path(&u->path, t, ret);
		return true;
	case FAMILY_SUBSTR:
	case FAMILY_ISUBSTR:
		if (u->trie.shortest == 0 || !is_dense(t))
			return false;
		sieve_substring(&u->trie, t, ret);
		return true;
	default:
		return false;
	}
}

bool
fast_may_hit(const struct graph_unit *u, const char *s, uint32_t len)
{
	switch (u->family) {
	case FAMILY_HASH:
		return index_hash_may(&u->hash, s, len);
	case FAMILY_PREFIX:
	case FAMILY_SUFFIX:
	case FAMILY_SUBSTR:
	case FAMILY_ISUBSTR:
		return index_trie_may(&u->trie, s, len);
	case FAMILY_PATH:
		return index_path_may(&u->path, s, len);
	default:
		return true;
	}
}

struct fast_text *
fast_text_now(struct fast *f, uint32_t slot)
{
	const struct evaluator *ev = f->ev;
	const struct supply *s = &ev->supply[slot];
	const struct column *c = s->column[0];
	struct fast_text *t = &f->text[slot];

	if (s->n != 1 || c->n != ev->n)
		return NULL;
	if (t->chunk == f->chunk)
		return t->n <= c->n ? t : NULL;
	t->chunk = f->chunk;
	t->n = c->first[c->n] - c->first[0];
	if (t->n > c->n)
		return NULL;
	t->first = c->first;
	t->even = t->n == c->n;
	t->span = t->n ? c->str + c->first[0] : NULL;
	t->bytes = c->bytes;
	t->dense = UNKNOWN;
	return t;
}

struct mask
fast_text_events(const struct fast_text *t, uint32_t n, const struct mask *values)
{
	struct mask events = {0};

	if (t->even || !mask_any(values))
		return *values;
	for (uint32_t e = 0; e < n; e++) {
		if (t->first[e] != t->first[e + 1] &&
		    mask_has(values, t->first[e] - t->first[0]))
			mask_set(&events, e);
	}
	return events;
}
