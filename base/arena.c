/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	ALIGN = 16,
	FIRST_BLOCK_BYTES = 4096,
	MAX_STEP_BYTES = 1 << 20
};

struct arena_block {
	struct arena_block *next;
	size_t size_bytes; /* of data */
	size_t used_bytes; /* from the beginning */
	size_t text_bytes; /* from the end: texts, which need no alignment */
	_Alignas(ALIGN) unsigned char data[];
};

void
arena_init(struct arena *a, size_t limit_bytes)
{
	*a = (struct arena){.limit_bytes = limit_bytes};
}

void
arena_release(struct arena *a)
{
	struct arena_block *b = a->head;

	while (b) {
		struct arena_block *next = b->next;
		free(b);
		b = next;
	}
	a->head = NULL;
	a->used_bytes = 0;
}

void
arena_reset(struct arena *a)
{
	struct arena_block *keep = NULL, *b = a->head;

	while (b) {
		struct arena_block *next = b->next;
		if (!keep || b->size_bytes > keep->size_bytes) {
			free(keep);
			keep = b;
		} else {
			free(b);
		}
		b = next;
	}
	if (keep) {
		keep->next = NULL;
		keep->used_bytes = keep->text_bytes = 0;
	}
	a->head = keep;
	a->used_bytes = 0;
}

/* A block with so much room; NULL: there is none. */
static struct arena_block *
reserve(struct arena *a, size_t need)
{
	struct arena_block *b = a->head;

	if (need > a->limit_bytes || a->used_bytes > a->limit_bytes - need)
		return NULL;
	if (!b || b->size_bytes - b->used_bytes - b->text_bytes < need) {
		size_t size = b ? b->size_bytes * 2 : FIRST_BLOCK_BYTES;
		if (size > MAX_STEP_BYTES)
			size = MAX_STEP_BYTES;
		if (size < need)
			size = need;
		struct arena_block *fresh = malloc(sizeof(*fresh) + size);
		if (!fresh)
			return NULL;
		fresh->next = b;
		fresh->size_bytes = size;
		fresh->used_bytes = fresh->text_bytes = 0;
		a->head = b = fresh;
	}
	a->used_bytes += need;
	return b;
}

void *
arena_alloc(struct arena *a, size_t size_bytes)
{
	if (size_bytes > SIZE_MAX - ALIGN)
		return NULL;
	size_t need = (size_bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (need == 0)
		need = ALIGN;
	struct arena_block *b = reserve(a, need);
	if (!b)
		return NULL;
	void *p = b->data + b->used_bytes;
	b->used_bytes += need;
	return memset(p, 0, need);
}

void *
arena_array(struct arena *a, size_t n, size_t size_bytes)
{
	size_t total;

	if (__builtin_mul_overflow(n, size_bytes, &total))
		return NULL;
	return arena_alloc(a, total);
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
	struct arena_block *b = n < SIZE_MAX ? reserve(a, n + 1) : NULL;

	if (!b)
		return NULL;
	b->text_bytes += n + 1;
	char *p = (char *)b->data + b->size_bytes - b->text_bytes;
	if (n)
		memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}
