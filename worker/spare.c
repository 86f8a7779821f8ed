/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/spare.h"

#include <stdbool.h>
#include <stdlib.h>

struct spare_piece {
	struct spare_piece *next;
	bool is_large;
	_Alignas(max_align_t) char bytes[];
};

void *
spare_take(struct spare *s, size_t bytes)
{
	struct spare_piece *p = s->first;
	bool is_large = bytes > SPARE_PIECE_BYTES;

	if (p && !is_large) {
		s->first = p->next;
		s->n--;
		return p->bytes;
	}
	p = malloc(sizeof(*p) + (is_large ? bytes : SPARE_PIECE_BYTES));
	if (!p)
		return NULL;
	p->is_large = is_large;
	return p->bytes;
}

void
spare_give_back(struct spare *s, void *bytes)
{
	struct spare_piece *p =
	    bytes ? (void *)((char *)bytes - offsetof(struct spare_piece, bytes)) : NULL;

	if (!p || p->is_large || s->n == SPARE_PIECES) {
		free(p);
		return;
	}
	p->next = s->first;
	s->first = p;
	s->n++;
}

void
spare_release(struct spare *s)
{
	struct spare_piece *p;

	while ((p = s->first)) {
		s->first = p->next;
		free(p);
	}
	s->n = 0;
}
