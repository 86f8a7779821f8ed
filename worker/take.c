/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/take.h"

#include "worker/values.h"

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#include <immintrin.h>

enum {
	PAGE_BYTES = 4096
};

#define WIDE __attribute__((target("avx2,bmi")))

/* As value_copy_block, in half as many steps. */
WIDE static inline uint64_t
copy_block(char *to, const char *from)
{
	const __m256i *in = (const __m256i *)(const void *)from;
	__m256i *out = (__m256i *)(void *)to;
	const __m256i a = _mm256_loadu_si256(in), b = _mm256_loadu_si256(in + 1);
	const __m256i zero = _mm256_setzero_si256();

	_mm256_storeu_si256(out, a);
	_mm256_storeu_si256(out + 1, b);
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, zero)) |
	       (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, zero)) << 32;
}

WIDE static uint32_t
run(const struct take_call *c, uint32_t *ret_bytes, uintptr_t *ret_moved)
{
	/* Beside each other in registers: for all the compiler knows, what is stored
	 * below may be *c. */
	const struct plugin_extract_field *f = c->field;
	struct column_store *const *store = c->store;
	const struct field_place *place = c->place;
	const uint8_t *kind = c->kind;
	const uint32_t n = c->n;
	uintptr_t moved = 0;
	uint32_t bytes = 0, i = 0;

	for (; i < n; i++, f++, place++) {
		struct column_store *s = store[i];
		const char *const *value = f->res.str;
		const uint32_t at = s->n_values;

		if (f->res_len != 1 || !value || !s->even)
			break;
		if (kind[i] == COLUMN_STR) {
			const char *text = value[0];
			const uint32_t off = s->n_bytes;
			if (!text ||
			    (uintptr_t)text % PAGE_BYTES > PAGE_BYTES - VALUE_BLOCK ||
			    s->cap_bytes - off < VALUE_BLOCK)
				break;
			const uint64_t nuls = copy_block(s->bytes + off, text);
			if (!nuls)
				break;
			const uint32_t len = (uint32_t)__builtin_ctzll(nuls);
			s->num[at] = column_span(off, len);
			s->n_bytes = off + len + 1;
			bytes += len + 1;
			moved |= (uintptr_t)text ^ (uintptr_t)place->text;
		} else if (kind[i] == COLUMN_NUM) {
			s->num[at] = f->ftype == PLUGIN_FIELD_BOOL ? f->res.boolean[0]
								   : f->res.u64[0];
		} else {
			break;
		}
		moved |= (uintptr_t)value ^ (uintptr_t)place->values;
		s->n_values = at + 1;
	}
	*ret_bytes = bytes;
	*ret_moved |= moved;
	return i;
}

uint32_t
take_run(const struct take_call *c, uint32_t *room, uintptr_t *moved)
{
	uint32_t bytes, n;

	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") ||
	    *room / (VALUE_BLOCK + VALUE_HEAD_BYTES) < c->n)
		return 0;
	n = run(c, &bytes, moved);
	*room -= bytes + n * VALUE_HEAD_BYTES;
	return n;
}
#else
uint32_t
take_run(const struct take_call *c, uint32_t *room, uintptr_t *moved)
{
	return 0;
}
#endif
