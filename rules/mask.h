/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of events of a chunk. */
#ifndef RULES_MASK_H
#define RULES_MASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

enum {
	MASK_WORDS = LIMIT_CHUNK_EVENTS / 64
};

/* One bit per event of a chunk. */
struct mask {
	uint64_t w[MASK_WORDS];
};

/* The first n events. */
static inline struct mask
mask_of(uint32_t n)
{
	struct mask m;

	for (uint32_t w = 0; w < MASK_WORDS; w++) {
		uint32_t left = n > w * 64 ? n - w * 64 : 0;
		m.w[w] = left >= 64 ? UINT64_MAX : (1ull << left) - 1;
	}
	return m;
}

static inline bool
mask_has(const struct mask *m, uint32_t i)
{
	return m->w[i / 64] >> (i % 64) & 1;
}

static inline void
mask_set(struct mask *m, uint32_t i)
{
	m->w[i / 64] |= 1ull << (i % 64);
}

static inline bool
mask_any(const struct mask *m)
{
	uint64_t any = 0;

	for (uint32_t i = 0; i < MASK_WORDS; i++)
		any |= m->w[i];
	return any != 0;
}

static inline struct mask
mask_and(struct mask a, const struct mask *b)
{
	for (uint32_t i = 0; i < MASK_WORDS; i++)
		a.w[i] &= b->w[i];
	return a;
}

static inline struct mask
mask_or(struct mask a, const struct mask *b)
{
	for (uint32_t i = 0; i < MASK_WORDS; i++)
		a.w[i] |= b->w[i];
	return a;
}

static inline struct mask
mask_without(struct mask a, const struct mask *b)
{
	for (uint32_t i = 0; i < MASK_WORDS; i++)
		a.w[i] &= ~b->w[i];
	return a;
}

/* The lowest event of a mask that has one. */
static inline uint32_t
mask_first(const struct mask *m)
{
	uint32_t i = 0;

	while (!m->w[i])
		i++;
	return i * 64 + (uint32_t)__builtin_ctzll(m->w[i]);
}

static inline uint32_t
mask_count(const struct mask *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < MASK_WORDS; i++)
		n += (uint32_t)__builtin_popcountll(m->w[i]);
	return n;
}

#endif
