/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/column.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* clang-format off */
#define FOUR(n)    n, n + 1, n + 2, n + 3
#define SIXTEEN(n) FOUR(n), FOUR(n + 4), FOUR(n + 8), FOUR(n + 12)
#define MANY(n)    SIXTEEN(n), SIXTEEN(n + 16), SIXTEEN(n + 32), SIXTEEN(n + 48)

const uint32_t column_even_first[] = {MANY(0), MANY(64), MANY(128), MANY(192), 256};
/* clang-format on */

bool
column_store_init(
    struct column_store *c, uint32_t slot, enum column_kind kind, struct err *err)
{
	*c = (struct column_store){.kind = kind, .slot = slot};
	c->first = calloc(LIMIT_CHUNK_EVENTS + 1, sizeof(*c->first));
	c->cap_values = LIMIT_CHUNK_EVENTS;
	c->num = calloc(c->cap_values, sizeof(*c->num));
	c->cap_bytes = kind == COLUMN_NUM ? 0 : 4096;
	c->bytes = c->cap_bytes ? malloc(c->cap_bytes) : NULL;
	if (!c->first || !c->num || (c->cap_bytes && !c->bytes)) {
		column_store_release(c);
		return err_nomem(err);
	}
	column_store_clear(c);
	return true;
}

void
column_store_release(struct column_store *c)
{
	free(c->first);
	free(c->num);
	free(c->bytes);
	*c = (struct column_store){0};
}

void
column_store_clear(struct column_store *c)
{
	c->n_events = c->n_values = c->n_bytes = 0;
	c->even = true;
	c->open = false;
}

/* Before the open event's first value. */
static void
open_event(struct column_store *c)
{
	if (!c->even || c->open)
		return;
	c->open = true;
	c->n_events = c->n_values;
	c->first[c->n_events] = c->n_values;
}

static bool
reserve_value(struct column_store *c)
{
	open_event(c);
	if (c->n_values - c->first[c->n_events] >= LIMIT_LIST_VALUES ||
	    c->n_values >= LIMIT_FRAME_BYTES / 8)
		return false;
	if (c->n_values < c->cap_values)
		return true;
	uint64_t *num = reallocarray(c->num, c->cap_values * 2, sizeof(*num));
	if (!num)
		return false;
	c->num = num;
	c->cap_values *= 2;
	return true;
}

bool
column_store_num(struct column_store *c, uint64_t v)
{
	if (!reserve_value(c))
		return false;
	c->num[c->n_values++] = v;
	return true;
}

bool
column_store_bytes(struct column_store *c, const void *p, uint32_t n)
{
	if (n >= LIMIT_FRAME_BYTES || c->n_bytes + n + 1 > LIMIT_FRAME_BYTES ||
	    !reserve_value(c))
		return false;
	if (c->cap_bytes - c->n_bytes < n + 1) {
		uint32_t cap = c->cap_bytes * 2 > c->n_bytes + n + 1 ? c->cap_bytes * 2
								     : c->n_bytes + n + 1;
		char *bytes = realloc(c->bytes, cap);
		if (!bytes)
			return false;
		c->bytes = bytes;
		c->cap_bytes = cap;
	}
	c->num[c->n_values++] = column_span(c->n_bytes, n);
	memcpy(c->bytes + c->n_bytes, p, n);
	c->bytes[c->n_bytes + n] = '\0';
	c->n_bytes += n + 1;
	return true;
}

void
column_store_next(struct column_store *c)
{
	open_event(c);
	if (c->even && c->n_values != c->n_events + 1) {
		c->even = false;
		memcpy(c->first, column_even_first, c->n_events * sizeof(*c->first));
	}
	c->n_events++;
	if (!c->even)
		c->first[c->n_events] = c->n_values;
	c->open = false;
}

void
column_store_undo(struct column_store *c)
{
	struct frame_span last;

	if (c->even)
		c->n_values--;
	else
		c->n_values = c->first[--c->n_events];
	c->n_bytes = 0;
	if (c->kind == COLUMN_NUM || c->n_values == 0)
		return;
	memcpy(&last, &c->num[c->n_values - 1], sizeof(last));
	c->n_bytes = last.off + last.len + 1;
}

uint32_t
column_store_frame_bytes(const struct column_store *c)
{
	uint64_t first =
	    c->even ? 0 : ((c->n_events + 1) * sizeof(*c->first) + 7) & ~7ull;

	return (uint32_t)(sizeof(struct column_head) + first + c->n_values * 8ull +
			  ((c->n_bytes + 7ull) & ~7ull));
}
