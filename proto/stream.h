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

#if defined(__SSE2__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#include <emmintrin.h>
#define STREAM_IS_POSSIBLE 1
#endif

/* n bytes and, up to a multiple of 8, zeros. to is at a multiple of 8. */
static inline void
stream_copy(uint8_t *to, const uint8_t *from, uint32_t n)
{
	uint32_t i = 0, whole = n & ~7u;
	uint64_t word = 0;

#ifdef STREAM_IS_POSSIBLE
	if ((uintptr_t)to % 16 && whole) {
		memcpy(&word, from, 8);
		_mm_stream_si64((long long *)(void *)to, (long long)word);
		i = 8;
	}
	for (; i + 64 <= whole; i += 64) {
		const __m128i *in = (const __m128i *)(const void *)(from + i);
		__m128i *out = (__m128i *)(void *)(to + i);
		const __m128i a = _mm_loadu_si128(in), b = _mm_loadu_si128(in + 1);
		const __m128i c = _mm_loadu_si128(in + 2), d = _mm_loadu_si128(in + 3);
		_mm_stream_si128(out, a);
		_mm_stream_si128(out + 1, b);
		_mm_stream_si128(out + 2, c);
		_mm_stream_si128(out + 3, d);
	}
	for (; i < whole; i += 8) {
		memcpy(&word, from + i, 8);
		_mm_stream_si64((long long *)(void *)(to + i), (long long)word);
	}
	if (whole < n) {
		word = 0;
		memcpy(&word, from + whole, n - whole);
		_mm_stream_si64((long long *)(void *)(to + whole), (long long)word);
	}
#else
	memcpy(to, from, n);
	memset(to + n, 0, -n & 7);
#endif
}

static inline void
stream_end(void)
{
#ifdef STREAM_IS_POSSIBLE
	_mm_sfence();
#endif
}

#endif
