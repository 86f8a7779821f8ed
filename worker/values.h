/* SPDX-License-Identifier: Apache-2.0 */
/* Values of fields, copied out of the plugin's memory into columns. The inner loop of the
 * whole worker. */
#ifndef WORKER_VALUES_H
#define WORKER_VALUES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "proto/chunk.h"
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

/* memcpy without a call for what values mostly are; from and to do not overlap. */
static inline void
value_copy(char *to, const char *from, size_t n)
{
	if (n > 32) {
		memcpy(to, from, n);
	} else if (n >= 16) {
		char head[16], tail[16];
		memcpy(head, from, 16);
		memcpy(tail, from + n - 16, 16);
		memcpy(to, head, 16);
		memcpy(to + n - 16, tail, 16);
	} else if (n >= 8) {
		uint64_t head, tail;
		memcpy(&head, from, 8);
		memcpy(&tail, from + n - 8, 8);
		memcpy(to, &head, 8);
		memcpy(to + n - 8, &tail, 8);
	} else {
		for (size_t i = 0; i < n; i++)
			to[i] = from[i];
	}
}

/*
 * values_take for what most fields have: one number or string, for which the column has
 * memory already. False: nothing was done, take the long way.
 */
static inline bool
values_take_one(struct column_store *c, const struct plugin_extract_field *f,
    uint32_t type, uint32_t *room)
{
	if (f->res_len != 1 || !f->res.str || c->n_values == c->cap_values ||
	    *room < VALUE_HEAD_BYTES)
		return false;
	if (type == PLUGIN_FIELD_STRING) {
		const char *s = f->res.str[0];
		if (!s)
			return true;
		size_t n = strlen(s);
		if (n >= c->cap_bytes - c->n_bytes || n + 1 > *room - VALUE_HEAD_BYTES)
			return false;
		const struct frame_span span = {c->n_bytes, (uint32_t)n};
		value_copy(c->bytes + c->n_bytes, s, n + 1);
		c->n_bytes += (uint32_t)n + 1;
		memcpy(&c->num[c->n_values++], &span, sizeof(span));
		*room -= (uint32_t)n + 1 + VALUE_HEAD_BYTES;
		return true;
	}
	if (type == PLUGIN_FIELD_IPADDR || type == PLUGIN_FIELD_IPNET)
		return false;
	c->num[c->n_values++] =
	    type == PLUGIN_FIELD_BOOL ? f->res.boolean[0] : f->res.u64[0];
	*room -= VALUE_HEAD_BYTES;
	return true;
}

#endif
