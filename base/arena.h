/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena: memory that is taken piece by piece and given back whole.
 *
 * Pieces are 16-byte aligned and zeroed; they live until arena_reset or arena_release.
 * The total is bounded by the limit given at init; past it, or when memory is gone,
 * arena_alloc returns NULL (the caller says ERR_LIMIT or ERR_NOMEM).
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *head; /* newest block */
	size_t used_bytes;        /* handed out in all blocks */
	size_t limit_bytes;
};

void arena_init(struct arena *a, size_t limit_bytes);
void arena_release(struct arena *a);
/* Forgets every piece but keeps the largest block for use again. */
void arena_reset(struct arena *a);

void *arena_alloc(struct arena *a, size_t size_bytes);
/* Zeroed array; NULL also when n * size overflows. */
void *arena_array(struct arena *a, size_t n, size_t size_bytes);
/* Copies n bytes and adds a NUL. */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_strdup(struct arena *a, const char *s);

#endif
