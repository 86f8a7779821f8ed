/* SPDX-License-Identifier: Apache-2.0 */
/* Values of fields, copied out of the plugin's memory into columns. The inner loop of the
 * whole worker. */
#ifndef WORKER_VALUES_H
#define WORKER_VALUES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "proto/column.h"
#include "proto/plugin_api.h"

/* What a value takes in a frame beside its bytes: itself, or its span. */
enum {
	VALUE_HEAD_BYTES = 8
};

/*
 * Adds the values of f, which is of that type, to the open event. All of them or, when
 * they are more than LIMIT_LIST_VALUES or take more than *room bytes of a frame, none:
 * then false. NULLs are left out. *room becomes less by what was added.
 */
bool values_take(struct column_store *c, const struct plugin_extract_field *f,
    uint32_t type, uint32_t *room);

/* The same for a text. */
bool values_take_text(struct column_store *c, const char *text, uint32_t *room);

/* A text shorter than this is copied and measured in one go. */
enum {
	VALUE_BLOCK = 64
};

/*
 * Copies a text of less than VALUE_BLOCK bytes and its NUL to where VALUE_BLOCK bytes may
 * be written, and returns its length; VALUE_BLOCK for a longer one, or where it must be
 * done otherwise. Without a branch on the length, which nobody could predict: bytes
 * behind the text are read, never past its page, and copied too.
 */
#if defined(__SSE2__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static inline uint64_t
value_nuls(__m128i v)
{
	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128()));
}

static inline uint32_t
value_copy_block(char *to, const char *from)
{
	const __m128i *in = (const __m128i *)(const void *)from;
	__m128i *out = (__m128i *)(void *)to;

	if (((uintptr_t)from & 4095) > 4096 - VALUE_BLOCK)
		return VALUE_BLOCK;
	const __m128i a = _mm_loadu_si128(in), b = _mm_loadu_si128(in + 1);
	const __m128i c = _mm_loadu_si128(in + 2), d = _mm_loadu_si128(in + 3);
	_mm_storeu_si128(out, a);
	_mm_storeu_si128(out + 1, b);
	_mm_storeu_si128(out + 2, c);
	_mm_storeu_si128(out + 3, d);
	uint64_t nul = value_nuls(a) | value_nuls(b) << 16 | value_nuls(c) << 32 |
		       value_nuls(d) << 48;
	return nul ? (uint32_t)__builtin_ctzll(nul) : VALUE_BLOCK;
}
#else
static inline uint32_t
value_copy_block(char *to, const char *from)
{
	return VALUE_BLOCK;
}
#endif

/*
 * values_take for what most fields have: one number or string, for which the column has
 * memory already; ends the event, too. False: nothing was done, take the long way.
 */
static inline __attribute__((always_inline)) bool
values_take_one(struct column_store *c, const struct plugin_extract_field *f,
    uint32_t type, uint32_t *room)
{
	const uint32_t at = c->n_values;

	if (f->res_len != 1 || !f->res.str || at == c->cap_values ||
	    *room < VALUE_HEAD_BYTES + VALUE_BLOCK)
		return false;
	if (type == PLUGIN_FIELD_STRING) {
		const char *s = f->res.str[0];
		const uint32_t off = c->n_bytes, left = c->cap_bytes - off;
		if (!s || left < VALUE_BLOCK)
			return false;
		uint64_t n = value_copy_block(c->bytes + off, s);
		if (n == VALUE_BLOCK) {
			n = strlen(s);
			if (n >= left || n + 1 > *room - VALUE_HEAD_BYTES)
				return false;
			memcpy(c->bytes + off, s, n + 1);
		}
		c->num[at] = column_span(off, (uint32_t)n);
		c->n_bytes = off + (uint32_t)n + 1;
		*room -= (uint32_t)n + 1;
	} else if (type != PLUGIN_FIELD_IPADDR && type != PLUGIN_FIELD_IPNET) {
		c->num[at] =
		    type == PLUGIN_FIELD_BOOL ? f->res.boolean[0] : f->res.u64[0];
	} else {
		return false;
	}
	*room -= VALUE_HEAD_BYTES;
	c->n_values = at + 1;
	if (!c->even)
		c->first[++c->n_events] = at + 1;
	return true;
}

#endif
