/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/values.h"

#include <string.h>

#include "base/limits.h"

static bool
add_bytes(struct column_store *c, const void *p, size_t n, uint32_t *room)
{
	if (n >= *room || *room - n < VALUE_HEAD_BYTES + 1 ||
	    !column_store_bytes(c, p, (uint32_t)n))
		return false;
	*room -= (uint32_t)n + 1 + VALUE_HEAD_BYTES;
	return true;
}

static bool
add_num(struct column_store *c, uint64_t v, uint32_t *room)
{
	if (*room < VALUE_HEAD_BYTES || !column_store_num(c, v))
		return false;
	*room -= VALUE_HEAD_BYTES;
	return true;
}

static bool
add_value(struct column_store *c, const struct plugin_extract_field *f, uint32_t type,
    uint64_t i, uint32_t *room)
{
	const char *s;

	switch (type) {
	case PLUGIN_FIELD_STRING:
		s = f->res.str[i];
		return !s || add_bytes(c, s, strnlen(s, *room), room);
	case PLUGIN_FIELD_IPADDR:
	case PLUGIN_FIELD_IPNET:
		s = f->res.buf[i].ptr;
		return !s || add_bytes(c, s, f->res.buf[i].len, room);
	case PLUGIN_FIELD_BOOL:
		return add_num(c, f->res.boolean[i], room);
	default:
		return add_num(c, f->res.u64[i], room);
	}
}

bool
values_take(struct column_store *c, const struct plugin_extract_field *f, uint32_t type,
    uint32_t *room)
{
	const uint32_t n_values = c->n_values, n_bytes = c->n_bytes, had = *room;

	if (f->res_len == 0 || !f->res.str)
		return true;
	bool fits = f->res_len <= LIMIT_LIST_VALUES;
	for (uint64_t i = 0; fits && i < f->res_len; i++)
		fits = add_value(c, f, type, i, room);
	if (!fits) {
		/* A part of a list would be a lie. */
		c->n_values = n_values;
		c->n_bytes = n_bytes;
		*room = had;
	}
	return fits;
}

bool
values_take_text(struct column_store *c, const char *text, uint32_t *room)
{
	return add_bytes(c, text, strnlen(text, *room), room);
}
