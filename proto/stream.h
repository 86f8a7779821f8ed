/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying past the caches: for memory that another processor reads next, and that has
 * what was there before. An ordinary store would first have to get that; a streaming
 * store hands the line to memory as it is. stream_end orders what was streamed before the
 * stores that follow.
 */
#ifndef PROTO_STREAM_H
#define PROTO_STREAM_H

#include <stdint.h>
#include <string.h>

/* n bytes, one at least, and zeros up to a multiple of 8, by the caches. */
static inline void
plain_copy(uint8_t *to, const uint8_t *from, uint32_t n)
{
	/* The padding, before what it is behind. */
	memset(to + ((n + 7) & ~7u) - 8, 0, 8);
	memcpy(to, from, n);
}

#if defined(__SSE2__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#include <emmintrin.h>

static inline void
stream_word(uint8_t *to, const uint8_t *from, uint32_t n)
{
	long long word = 0;

	memcpy(&word, from, n);
	_mm_stream_si64((long long *)(void *)to, word);
}

/* The same past the caches. to is at a multiple of 8. */
static inline void
stream_copy(uint8_t *to, const uint8_t *from, uint32_t n)
{
	uint32_t i = 0;

	if ((uintptr_t)to % 16 && n >= 8) {
		stream_word(to, from, 8);
		i = 8;
	}
	for (; i + 64 <= n; i += 64) {
		const __m128i *in = (const __m128i *)(const void *)(from + i);
		__m128i *out = (__m128i *)(void *)(to + i);
		const __m128i a = _mm_loadu_si128(in), b = _mm_loadu_si128(in + 1);
		const __m128i c = _mm_loadu_si128(in + 2), d = _mm_loadu_si128(in + 3);
		_mm_stream_si128(out, a);
		_mm_stream_si128(out + 1, b);
		_mm_stream_si128(out + 2, c);
		_mm_stream_si128(out + 3, d);
	}
	for (; i < n; i += 8)
		stream_word(to + i, from + i, n - i < 8 ? n - i : 8);
}

static inline void
stream_end(void)
{
	_mm_sfence();
}
#else
static inline void
stream_copy(uint8_t *to, const uint8_t *from, uint32_t n)
{
	plain_copy(to, from, n);
}

static inline void
stream_end(void)
{
}
#endif

#endif
