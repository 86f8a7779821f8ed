/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/chunk.h"

#include <stdlib.h>
#include <string.h>

#include "proto/plugin_api.h"

static uint32_t
pad8(uint32_t n)
{
	return (n + 7) & ~7u;
}

/* -- column stores ----------------------------------------------------------------- */

bool
column_store_init(struct column_store *c, uint32_t slot, enum column_kind kind, struct err *err)
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
}

static bool
reserve_value(struct column_store *c)
{
	if (c->n_values < c->cap_values)
		return true;
	if (c->n_values >= LIMIT_FRAME_BYTES / 8)
		return false;
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
	if (n >= LIMIT_FRAME_BYTES || c->n_bytes + n + 1 > LIMIT_FRAME_BYTES || !reserve_value(c))
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
	struct frame_span span = {c->n_bytes, n};
	memcpy(&c->num[c->n_values++], &span, sizeof(span));
	memcpy(c->bytes + c->n_bytes, p, n);
	c->bytes[c->n_bytes + n] = '\0';
	c->n_bytes += n + 1;
	return true;
}

void
column_store_next(struct column_store *c)
{
	c->first[++c->n_events] = c->n_values;
}

uint32_t
column_store_frame_bytes(const struct column_store *c)
{
	return (uint32_t)sizeof(struct column_head) + pad8((c->n_events + 1) * 4) + c->n_values * 8 +
	       pad8(c->n_bytes);
}

/* -- writing -------------------------------------------------------------------------- */

struct out {
	uint8_t *p;
	uint32_t cap, len;
	bool full;
};

static void
put(struct out *o, const void *p, size_t n)
{
	uint32_t padded = pad8((uint32_t)n);

	if (o->full || padded > o->cap - o->len) {
		o->full = true;
		return;
	}
	if (n)
		memcpy(o->p + o->len, p, n);
	memset(o->p + o->len + n, 0, padded - n);
	o->len += padded;
}

static void
put_raw(struct out *o, const void *const *raw, const uint32_t *len, uint32_t n)
{
	uint32_t off[LIMIT_CHUNK_EVENTS + 1] = {0};

	for (uint32_t i = 0; i < n; i++)
		off[i + 1] = off[i] + pad8(len[i]);
	put(o, off, (n + 1) * sizeof(*off));
	for (uint32_t i = 0; i < n; i++)
		put(o, raw[i], len[i]);
}

uint32_t
chunk_write(uint8_t *p, uint32_t cap, const struct chunk_head *head,
    const struct chunk_event *event, const void *const *raw,
    const struct column_store *const *column, uint32_t n_columns)
{
	struct out o = {.p = p, .cap = cap};
	uint32_t len[LIMIT_CHUNK_EVENTS];

	put(&o, head, sizeof(*head));
	if (event)
		put(&o, event, head->n_events * sizeof(*event));
	for (uint32_t i = 0; i < n_columns; i++) {
		const struct column_store *c = column[i];
		struct column_head h = {c->slot, c->kind, c->n_values, c->n_bytes};
		put(&o, &h, sizeof(h));
		put(&o, c->first, (head->n_events + 1) * sizeof(*c->first));
		put(&o, c->num, c->n_values * sizeof(*c->num));
		put(&o, c->bytes, c->n_bytes);
	}
	if (raw && event) {
		for (uint32_t i = 0; i < head->n_events; i++)
			len[i] = event[i].len;
		put_raw(&o, raw, len, head->n_events);
	}
	return o.full ? 0 : o.len;
}

/* -- checking ---------------------------------------------------------------------------- */

struct in {
	const uint8_t *p;
	uint32_t len, at;
};

/* n bytes, padded to 8; NULL when they are not there. */
static const void *
get(struct in *in, uint64_t n)
{
	uint64_t padded = (n + 7) & ~7ull;

	if (padded > in->len - in->at)
		return NULL;
	const void *p = in->p + in->at;
	in->at += (uint32_t)padded;
	return p;
}

static bool
breach(struct err *err, const char *what)
{
	return err_set(err, ERR_PEER, "frame: %s", what);
}

/* Every string ends where its span says, and holds no NUL before. */
static bool
check_spans(const struct frame_column *c)
{
	for (uint32_t i = 0; i < c->n_values; i++) {
		struct frame_span s = c->str[i];
		if (s.off >= c->n_bytes || s.len >= c->n_bytes - s.off || c->bytes[s.off + s.len] != '\0')
			return false;
		if (c->kind == COLUMN_STR && memchr(c->bytes + s.off, '\0', s.len))
			return false;
	}
	return true;
}

static bool
check_first(const struct frame_column *c, uint32_t n_events)
{
	bool bad = c->first[0] != 0 || c->first[n_events] != c->n_values;

	for (uint32_t i = 0; i < n_events; i++)
		bad |= c->first[i] > c->first[i + 1] ||
		       c->first[i + 1] - c->first[i] > LIMIT_LIST_VALUES;
	return !bad;
}

static bool
check_column(struct in *in, struct frame_column *c, uint32_t n_events, struct err *err)
{
	const struct column_head *h = get(in, sizeof(*h));

	if (!h)
		return breach(err, "a column is cut short");
	*c = (struct frame_column){
	    .slot = h->slot, .kind = (enum column_kind)h->kind, .n_values = h->n_values, .n_bytes = h->n_bytes};
	if (h->slot >= LIMIT_PLAN_SLOTS)
		return breach(err, "a column of a slot that cannot be");
	if (h->kind < COLUMN_NUM || h->kind > COLUMN_BIN || (h->kind == COLUMN_NUM && h->n_bytes))
		return breach(err, "a column of unknown kind");
	c->first = get(in, (uint64_t)(n_events + 1) * sizeof(*c->first));
	const void *values = get(in, (uint64_t)h->n_values * 8);
	c->bytes = get(in, h->n_bytes);
	if (!c->first || !values || !c->bytes)
		return breach(err, "a column is cut short");
	if (!check_first(c, n_events))
		return breach(err, "a column's values do not add up");
	if (c->kind == COLUMN_NUM) {
		c->num = values;
		return true;
	}
	c->str = values;
	return check_spans(c) || breach(err, "a value lies outside its column");
}

/* Parameters lie inside the event, and its header says what the summary says. */
static bool
check_raw_event(const uint8_t *p, const struct chunk_event *e)
{
	struct plugin_event h;
	uint64_t sum = sizeof(h);

	if (e->len < sizeof(h))
		return false;
	memcpy(&h, p, sizeof(h));
	if (h.len != e->len || h.type != e->type || h.nparams > 64 ||
	    sum + h.nparams * 4ull > e->len)
		return false;
	sum += h.nparams * 4ull;
	bool wide = h.type == PLUGIN_EVENT_TYPE || h.type == PLUGIN_ASYNC_EVENT_TYPE;
	for (uint32_t i = 0; wide && i < h.nparams; i++) {
		uint32_t n;
		memcpy(&n, p + sizeof(h) + i * 4ull, 4);
		sum += n;
	}
	return sum <= e->len;
}

static bool
check_offsets(const uint32_t *off, const uint32_t *len, uint32_t stride, uint32_t n)
{
	uint64_t at = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (off[i] != at)
			return false;
		uint32_t l;
		memcpy(&l, (const uint8_t *)len + (size_t)i * stride, 4);
		at += ((uint64_t)l + 7) & ~7ull;
	}
	return off[n] == at;
}

bool
chunk_view_init(struct chunk_view *v, struct err *err)
{
	*v = (struct chunk_view){0};
	v->column = calloc(LIMIT_PLAN_SLOTS, sizeof(*v->column));
	return v->column || err_nomem(err);
}

void
chunk_view_release(struct chunk_view *v)
{
	free(v->column);
	v->column = NULL;
}

static bool
check_events(struct in *in, struct chunk_view *v, struct err *err)
{
	v->event = get(in, (uint64_t)v->head.n_events * sizeof(*v->event));
	if (!v->event)
		return breach(err, "events are cut short");
	for (uint32_t i = 0; i < v->head.n_events; i++) {
		if (v->event[i].len > LIMIT_EVENT_BYTES || v->event[i].payload_len > v->event[i].len)
			return breach(err, "an event is larger than allowed");
	}
	return true;
}

static bool
check_raw(struct in *in, struct chunk_view *v, struct err *err)
{
	uint32_t n = v->head.n_events;

	v->raw_off = get(in, (n + 1) * sizeof(*v->raw_off));
	if (!v->raw_off || !check_offsets(v->raw_off, &v->event[0].len, sizeof(*v->event), n))
		return breach(err, "raw events do not add up");
	v->raw = get(in, v->raw_off[n]);
	if (!v->raw)
		return breach(err, "raw events are cut short");
	for (uint32_t i = 0; i < n; i++) {
		if (!check_raw_event(v->raw + v->raw_off[i], &v->event[i]))
			return breach(err, "a raw event is malformed");
	}
	return true;
}

bool
chunk_check(
    struct chunk_view *v, const void *p, uint32_t len, enum frame_type type, struct err *err)
{
	struct in in = {.p = p, .len = len};
	const struct chunk_head *h = get(&in, sizeof(*h));

	if (!h)
		return breach(err, "cut short");
	v->head = *h;
	v->event = NULL;
	v->raw_off = NULL;
	v->raw = NULL;
	if (h->n_events > LIMIT_CHUNK_EVENTS || h->n_columns > LIMIT_PLAN_SLOTS)
		return breach(err, "more events or columns than allowed");
	if (h->n_events == 0 && (type != FRAME_EVENTS || !(h->flags & CHUNK_LAST)))
		return breach(err, "no events");
	if (type == FRAME_EVENTS && !check_events(&in, v, err))
		return false;
	for (uint32_t i = 0; i < h->n_columns; i++) {
		if (!check_column(&in, &v->column[i], h->n_events, err))
			return false;
	}
	if (type == FRAME_EVENTS && h->flags & CHUNK_HAS_EVENTS && h->n_events && !check_raw(&in, v, err))
		return false;
	return in.at == in.len || breach(err, "bytes left over");
}

/* -- extraction requests --------------------------------------------------------------------- */

uint32_t
extract_write(uint8_t *p, uint32_t cap, const struct extract_head *head, const uint32_t *slot,
    const uint64_t *number, const void *const *raw, const uint32_t *raw_len)
{
	struct out o = {.p = p, .cap = cap};

	put(&o, head, sizeof(*head));
	put(&o, slot, head->n_slots * sizeof(*slot));
	if (head->target == EXTRACT_INLINE) {
		put(&o, number, head->n_events * sizeof(*number));
		put_raw(&o, raw, raw_len, head->n_events);
	}
	return o.full ? 0 : o.len;
}

bool
extract_check(struct extract_view *v, const void *p, uint32_t len, struct err *err)
{
	struct in in = {.p = p, .len = len};
	const struct extract_head *h = get(&in, sizeof(*h));

	*v = (struct extract_view){0};
	if (!h)
		return breach(err, "cut short");
	v->head = *h;
	if (h->n_events == 0 || h->n_events > LIMIT_CHUNK_EVENTS || h->n_slots > LIMIT_PLAN_SLOTS)
		return breach(err, "a request asks for too much");
	v->slot = get(&in, (uint64_t)h->n_slots * sizeof(*v->slot));
	if (!v->slot)
		return breach(err, "a request is cut short");
	if (h->target == EXTRACT_INLINE) {
		v->number = get(&in, (uint64_t)h->n_events * sizeof(*v->number));
		v->off = get(&in, ((uint64_t)h->n_events + 1) * sizeof(*v->off));
		if (!v->number || !v->off || v->off[0] != 0)
			return breach(err, "a request is cut short");
		for (uint32_t i = 0; i < h->n_events; i++) {
			if (v->off[i] > v->off[i + 1] || v->off[i] % 8 ||
			    v->off[i + 1] - v->off[i] < sizeof(struct plugin_event))
				return breach(err, "a request's events do not add up");
		}
		v->raw = get(&in, v->off[h->n_events]);
		if (!v->raw)
			return breach(err, "a request is cut short");
		for (uint32_t i = 0; i < h->n_events; i++) {
			struct plugin_event e;
			memcpy(&e, v->raw + v->off[i], sizeof(e));
			if (e.len > v->off[i + 1] - v->off[i])
				return breach(err, "a request's event is cut short");
		}
	} else if (h->target != EXTRACT_BATCH) {
		return breach(err, "a request of unknown target");
	}
	return in.at == in.len || breach(err, "bytes left over");
}
