/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/index_pairs.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static uint8_t
fold(const struct index_pairs *p, uint8_t c)
{
	return p->folded && c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Both folded already. */
static bool
has(const struct index_pairs *p, uint8_t first, uint8_t second)
{
	return p->bit[first][second / 64] >> second % 64 & 1;
}

void
index_pairs_add(struct index_pairs *p, uint8_t first, uint8_t second)
{
	p->bit[first][second / 64] |= 1ull << second % 64;
}

void
index_pairs_add_any(struct index_pairs *p, uint8_t first)
{
	memset(p->bit[first], 0xff, sizeof(p->bit[first]));
}

void
index_pairs_finish(struct index_pairs *p, bool folded)
{
	uint8_t class_of[256] = {0};
	uint32_t n = 0;

	p->folded = folded;
	for (uint32_t c = 0; c < 256; c++) {
		if (p->bit[c][0] | p->bit[c][1] | p->bit[c][2] | p->bit[c][3])
			class_of[c] = (uint8_t)(1u << n++ % 8);
	}
	for (uint32_t c = 0; c < 256; c++) {
		uint8_t first = fold(p, (uint8_t)c), class = class_of[first];

		p->first_low[c & 15] |= class;
		p->first_high[c >> 4] |= class;
		for (uint32_t k = 0; class && k < 256; k++) {
			if (!has(p, first, fold(p, (uint8_t)k)))
				continue;
			p->second_low[k & 15] |= class;
			p->second_high[k >> 4] |= class;
		}
	}
}

#if defined(__x86_64__)
/* By low and high half of each byte: the classes that it belongs to in a pair of tables.
 */
__attribute__((target("ssse3"))) static inline __m128i
classes(__m128i bytes, const uint8_t low[16], const uint8_t high[16])
{
	const __m128i half = _mm_set1_epi8(15);
	__m128i l = _mm_loadu_si128((const __m128i *)(const void *)low);
	__m128i h = _mm_loadu_si128((const __m128i *)(const void *)high);

	return _mm_and_si128(_mm_shuffle_epi8(l, _mm_and_si128(bytes, half)),
	    _mm_shuffle_epi8(h, _mm_and_si128(_mm_srli_epi16(bytes, 4), half)));
}

/* The first of the sixteen places from s + skip on that is a pair's; 16: none is. */
__attribute__((target("ssse3"))) static inline uint32_t
pair_of_sixteen(const struct index_pairs *p, const char *s, uint32_t skip)
{
	__m128i a = _mm_loadu_si128((const __m128i *)(const void *)s);
	__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(s + 1));
	__m128i both = _mm_and_si128(classes(a, p->first_low, p->first_high),
	    classes(b, p->second_low, p->second_high));
	uint32_t maybe = 0xffffu ^ (uint32_t)_mm_movemask_epi8(
				       _mm_cmpeq_epi8(both, _mm_setzero_si128()));

	for (maybe = maybe >> skip << skip; maybe; maybe &= maybe - 1) {
		uint32_t at = (uint32_t)__builtin_ctz(maybe);
		if (has(p, fold(p, (uint8_t)s[at]), fold(p, (uint8_t)s[at + 1])))
			return at;
	}
	return 16;
}

/* Of a text of at least 17 bytes; the last sixteen places overlap those before. */
__attribute__((target("ssse3"))) static uint32_t
next_wide(const struct index_pairs *p, const char *s, uint32_t len, uint32_t i)
{
	uint32_t at, last = len - 17;

	for (; i <= last; i += 16) {
		if ((at = pair_of_sixteen(p, s + i, 0)) < 16)
			return i + at;
	}
	if (i + 1 < len && (at = pair_of_sixteen(p, s + last, i - last)) < 16)
		return last + at;
	return len - 1;
}
#endif

uint32_t
index_pairs_next(const struct index_pairs *p, const char *s, uint32_t len, uint32_t i)
{
#if defined(__x86_64__)
	if (len >= 17 && i + 1 < len && __builtin_cpu_supports("ssse3"))
		return next_wide(p, s, len, i);
#endif
	for (; i + 1 < len; i++) {
		if (has(p, fold(p, (uint8_t)s[i]), fold(p, (uint8_t)s[i + 1])))
			break;
	}
	return i;
}
