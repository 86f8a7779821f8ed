/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/index_pairs.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static inline uint8_t
fold(const struct index_pairs *p, uint8_t c)
{
	return p->folded && c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Both folded already. */
static inline bool
has(const struct index_pairs *p, uint8_t first, uint8_t second)
{
	return p->bit[first][second / 64] >> second % 64 & 1;
}

static inline uint32_t
triple_hash(uint8_t a, uint8_t b, uint8_t c)
{
	uint32_t v = (uint32_t)a << 16 | (uint32_t)b << 8 | c;

	return v * 0x9e3779b1u >> (32 - INDEX_TRIPLE_BITS);
}

/* Is what stands at s, of which n bytes are left, what a key begins with? Where the wide
 * instructions are used there must be no call. */
__attribute__((always_inline)) static inline bool
is_begin(const struct index_pairs *p, const char *s, uint32_t n)
{
	uint8_t a = fold(p, (uint8_t)s[0]), b = fold(p, (uint8_t)s[1]);

	if (!has(p, a, b))
		return false;
	if (!p->has_triples)
		return true;
	if (n < 3)
		return false;
	uint32_t h = triple_hash(a, b, fold(p, (uint8_t)s[2]));
	return p->triple[h / 64] >> h % 64 & 1;
}

void
index_pairs_add_triple(
    struct index_pairs *p, uint8_t first, uint8_t second, uint8_t third)
{
	uint32_t h = triple_hash(first, second, third);

	p->has_triples = true;
	p->third[first][third / 64] |= 1ull << third % 64;
	p->triple[h / 64] |= 1ull << h % 64;
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
#if defined(__x86_64__)
	p->width = __builtin_cpu_supports("avx2")    ? 32
		   : __builtin_cpu_supports("ssse3") ? 16
						     : 0;
#endif
	for (uint32_t c = 0; c < 256; c++) {
		if (p->bit[c][0] | p->bit[c][1] | p->bit[c][2] | p->bit[c][3])
			class_of[c] = (uint8_t)(1u << n++ % 8);
	}
	for (uint32_t c = 0; c < 256; c++) {
		uint8_t first = fold(p, (uint8_t)c), class = class_of[first];

		p->first_low[c & 15] |= class;
		p->first_high[c >> 4] |= class;
		for (uint32_t k = 0; class && k < 256; k++) {
			const uint8_t other = fold(p, (uint8_t)k);
			if (has(p, first, other)) {
				p->second_low[k & 15] |= class;
				p->second_high[k >> 4] |= class;
			}
			if (p->third[first][other / 64] >> other % 64 & 1) {
				p->third_low[k & 15] |= class;
				p->third_high[k >> 4] |= class;
			}
		}
	}
}

#if defined(__x86_64__)
/* The coarse tables in registers, of 16 bytes or of twice the same. */
struct tables_16 {
	__m128i first_low, first_high, second_low, second_high;
};

struct tables_32 {
	__m256i first_low, first_high, second_low, second_high;
};

struct tables_32_triple {
	struct tables_32 pair;
	__m256i third_low, third_high;
};

__attribute__((target("ssse3"))) static inline struct tables_16
load_16(const struct index_pairs *p)
{
#define TABLE(name) _mm_loadu_si128((const __m128i *)(const void *)p->name)
	return (struct tables_16){
	    TABLE(first_low), TABLE(first_high), TABLE(second_low), TABLE(second_high)};
#undef TABLE
}

#define TABLE(name)                                                                      \
	_mm256_broadcastsi128_si256(                                                     \
	    _mm_loadu_si128((const __m128i *)(const void *)p->name))
__attribute__((target("avx2"))) static inline struct tables_32
load_32(const struct index_pairs *p)
{
	return (struct tables_32){
	    TABLE(first_low), TABLE(first_high), TABLE(second_low), TABLE(second_high)};
}

__attribute__((target("avx2"))) static inline struct tables_32_triple
load_32_triple(const struct index_pairs *p)
{
	return (struct tables_32_triple){load_32(p), TABLE(third_low), TABLE(third_high)};
}
#undef TABLE

/* Of the places from s on, one a bit, those that may be a pair's: the bytes' classes by
 * their low and high halves, in both pairs of tables. */
__attribute__((target("ssse3"))) static inline uint32_t
maybe_16(const struct tables_16 *t, const char *s)
{
	const __m128i half = _mm_set1_epi8(15);
	__m128i a = _mm_loadu_si128((const __m128i *)(const void *)s);
	__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(s + 1));
#define LOW(bytes)  _mm_and_si128(bytes, half)
#define HIGH(bytes) _mm_and_si128(_mm_srli_epi16(bytes, 4), half)
	a = _mm_and_si128(_mm_shuffle_epi8(t->first_low, LOW(a)),
	    _mm_shuffle_epi8(t->first_high, HIGH(a)));
	b = _mm_and_si128(_mm_shuffle_epi8(t->second_low, LOW(b)),
	    _mm_shuffle_epi8(t->second_high, HIGH(b)));
#undef LOW
#undef HIGH
	return 0xffffu & ~(uint32_t)_mm_movemask_epi8(
			     _mm_cmpeq_epi8(_mm_and_si128(a, b), _mm_setzero_si128()));
}

__attribute__((target("avx2"))) static inline __m256i
classes_32(const __m256i low, const __m256i high, const char *s)
{
	const __m256i half = _mm256_set1_epi8(15);
	__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)s);

	return _mm256_and_si256(_mm256_shuffle_epi8(low, _mm256_and_si256(v, half)),
	    _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(v, 4), half)));
}

__attribute__((target("avx2"))) static inline uint32_t
any_32(const __m256i v)
{
	return ~(uint32_t)_mm256_movemask_epi8(
	    _mm256_cmpeq_epi8(v, _mm256_setzero_si256()));
}

__attribute__((target("avx2"))) static inline uint32_t
maybe_32(const struct tables_32 *t, const char *s)
{
	return any_32(_mm256_and_si256(classes_32(t->first_low, t->first_high, s),
	    classes_32(t->second_low, t->second_high, s + 1)));
}

__attribute__((target("avx2"))) static inline uint32_t
maybe_32_triple(const struct tables_32_triple *t, const char *s)
{
	return any_32(_mm256_and_si256(
	    _mm256_and_si256(classes_32(t->pair.first_low, t->pair.first_high, s),
		classes_32(t->pair.second_low, t->pair.second_high, s + 1)),
	    classes_32(t->third_low, t->third_high, s + 2)));
}

/* The first of them that is one; UINT32_MAX: none is. n: bytes left. */
static inline uint32_t
first_of(const struct index_pairs *p, const char *s, uint32_t n, uint32_t maybe)
{
	for (; maybe; maybe &= maybe - 1) {
		uint32_t at = (uint32_t)__builtin_ctz(maybe);
		if (is_begin(p, s + at, n - at))
			return at;
	}
	return UINT32_MAX;
}

/* Of a text of more bytes than are looked at in one go, which is so many places and the
 * bytes "more" that begin at the last one; the last look overlaps the one before. */
#define NEXT_WIDE(kind, lanes, more, instructions)                                       \
	__attribute__((target(instructions))) static uint32_t next_##kind(               \
	    const struct index_pairs *p, const char *s, uint32_t len, uint32_t i)        \
	{                                                                                \
		const struct tables_##kind t = load_##kind(p);                           \
		uint32_t at, last = len - lanes - more;                                  \
                                                                                         \
		for (; i <= last; i += lanes) {                                          \
			at = first_of(p, s + i, len - i, maybe_##kind(&t, s + i));       \
			if (at != UINT32_MAX)                                            \
				return i + at;                                           \
		}                                                                        \
		if (i + more >= len)                                                     \
			return len - 1;                                                  \
		at = maybe_##kind(&t, s + last) >> (i - last) << (i - last);             \
		at = first_of(p, s + last, lanes + more, at);                            \
		return at == UINT32_MAX ? len - 1 : last + at;                           \
	}
NEXT_WIDE(16, 16, 1, "ssse3")
NEXT_WIDE(32, 32, 1, "avx2")
NEXT_WIDE(32_triple, 32, 2, "avx2")
#endif

uint32_t
index_pairs_next(const struct index_pairs *p, const char *s, uint32_t len, uint32_t i)
{
#if defined(__x86_64__)
	if (i + 1 >= len)
		return i;
	if (p->width == 32 && p->has_triples && len > 33)
		return next_32_triple(p, s, len, i);
	if (p->width == 32 && len > 32)
		return next_32(p, s, len, i);
	if (p->width >= 16 && len > 16)
		return next_16(p, s, len, i);
#endif
	while (i + 1 < len && !is_begin(p, s + i, len - i))
		i++;
	return i;
}
