/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/chunk.h"

#include <stdlib.h>
#include <string.h>

#include "proto/column.h"
#include "proto/plugin_api.h"
#include "proto/stream.h"

/* Twice what any event type has. */
enum {
	MAX_PARAMS = 64
};

static bool
has_plugin_id(uint16_t type)
{
	return type == PLUGIN_EVENT_TYPE || type == PLUGIN_ASYNC_EVENT_TYPE;
}

static uint64_t
pad8(uint64_t n)
{
	return (n + 7) & ~7ull;
}

/* A frame that is worth streaming: the end of it costs what a few lines do. */
enum {
	STREAM_BYTES = 4096
};

struct out {
	uint8_t *p;
	uint32_t cap, len;
	bool full, streams;
};

static void
put(struct out *o, const void *p, uint64_t n)
{
	uint64_t padded = pad8(n);

	if (o->full || padded > o->cap - o->len) {
		o->full = true;
		return;
	}
	if (n && o->streams)
		stream_copy(o->p + o->len, p, (uint32_t)n);
	else if (n)
		plain_copy(o->p + o->len, p, (uint32_t)n);
	o->len += (uint32_t)padded;
}

static void
put_offsets(struct out *o, const uint32_t *len, uint32_t n)
{
	uint32_t off[LIMIT_CHUNK_EVENTS + 1] = {0};

	for (uint32_t i = 0; i < n; i++) {
		/* Longer ones would not fit any frame; the sum then cannot overflow. */
		if (len[i] > LIMIT_EVENT_BYTES)
			o->full = true;
		off[i + 1] = off[i] + (uint32_t)pad8(len[i]);
	}
	put(o, off, (n + 1) * sizeof(*off));
}

/* Its header says what the summary says, whatever the plugin's memory says by now. */
static void
put_raw_event(struct out *o, const void *raw, const struct chunk_event *e)
{
	uint8_t *p = o->p + o->len;

	put(o, raw, e->len);
	if (o->full || e->len < sizeof(struct plugin_event))
		return;
	struct plugin_event h;
	memcpy(&h, p, sizeof(h));
	h.ts = e->ts_ns;
	h.tid = e->tid;
	h.len = e->len;
	h.type = e->type;
	memcpy(p, &h, sizeof(h));
	size_t id_off = sizeof(h) + h.nparams * sizeof(uint32_t);
	if (has_plugin_id(e->type) && h.nparams <= MAX_PARAMS &&
	    e->len >= id_off + sizeof(e->plugin_id))
		memcpy(p + id_off, &e->plugin_id, sizeof(e->plugin_id));
}

static void
put_column(struct out *o, const struct column_store *c)
{
	const struct column_head h = {
	    c->slot, c->kind | (c->even ? COLUMN_EVEN : 0), c->n_values, c->n_bytes};

	put(o, &h, sizeof(h));
	if (!c->even)
		put(o, c->first, (c->n_events + 1) * sizeof(*c->first));
	put(o, c->num, c->n_values * sizeof(*c->num));
	put(o, c->bytes, c->n_bytes);
}

uint32_t
chunk_write(uint8_t *p, uint32_t cap, const struct chunk_head *head,
    const struct chunk_event *event, const void *const *raw,
    const struct column_store *const *column, uint32_t n_columns)
{
	struct out o = {.p = p, .cap = cap};
	struct chunk_head filled = *head;
	uint32_t len[LIMIT_CHUNK_EVENTS];

	if (head->n_events > LIMIT_CHUNK_EVENTS)
		return 0;
	o.streams = cap >= STREAM_BYTES && (uintptr_t)p % 8 == 0;
	filled.n_columns = n_columns;
	filled.flags &= ~(uint32_t)CHUNK_HAS_EVENTS;
	if (raw && event)
		filled.flags |= CHUNK_HAS_EVENTS;
	put(&o, &filled, sizeof(filled));
	if (event)
		put(&o, event, head->n_events * sizeof(*event));
	for (uint32_t i = 0; i < n_columns; i++) {
		if (column_store_events(column[i]) != head->n_events)
			return 0;
		put_column(&o, column[i]);
	}
	if (o.streams)
		stream_end();
	o.streams = false;
	if (raw && event) {
		for (uint32_t i = 0; i < head->n_events; i++)
			len[i] = event[i].len;
		put_offsets(&o, len, head->n_events);
		for (uint32_t i = 0; i < head->n_events; i++)
			put_raw_event(&o, raw[i], &event[i]);
	}
	return o.full ? 0 : o.len;
}

struct in {
	const uint8_t *p;
	uint32_t len, at;
};

/* n bytes, padded to 8; NULL when they are not there. */
static const void *
get(struct in *in, uint64_t n)
{
	uint64_t padded = pad8(n);

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

/* How many of n bytes are 0. */
static uint32_t
count_nuls(const char *p, uint32_t n)
{
	typedef uint8_t lanes __attribute__((vector_size(16)));
	uint32_t i = 0, sum = 0;

	while (i + sizeof(lanes) <= n) {
		lanes count = {0}, v;
		/* Before a lane overflows. */
		for (uint32_t k = 0; k < 255 && i + sizeof(v) <= n; k++, i += sizeof(v)) {
			memcpy(&v, p + i, sizeof(v));
			count -= (lanes)(v == 0);
		}
		for (uint32_t k = 0; k < sizeof(lanes); k++)
			sum += count[k];
	}
	for (; i < n; i++)
		sum += p[i] == 0;
	return sum;
}

/* Every string begins where the one before ended and ends where its span says, with a NUL
 * behind it; and there are no other NULs. */
static bool
check_spans(const struct frame_column *c)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < c->n_values; i++) {
		struct frame_span s = c->str[i];
		if (s.off != at || at >= c->n_bytes || s.len >= c->n_bytes - at ||
		    c->bytes[at + s.len] != '\0')
			return false;
		at += s.len + 1;
	}
	return at == c->n_bytes &&
	       (c->kind != COLUMN_STR || count_nuls(c->bytes, at) == c->n_values);
}

/* An event whose values end before they begin has, unsigned, far too many. */
static bool
check_first(const struct frame_column *c, uint32_t n_events)
{
	bool bad = c->first[0] != 0 || c->first[n_events] != c->n_values;

	for (uint32_t i = 0; i < n_events; i++)
		bad |= c->first[i + 1] - c->first[i] > LIMIT_LIST_VALUES;
	return !bad;
}

static bool
get_column(struct in *in, struct frame_column *c, uint32_t n_events, struct err *err)
{
	const struct column_head *h = get(in, sizeof(*h));

	if (!h)
		return breach(err, "a column is cut short");
	bool even = h->kind & COLUMN_EVEN;
	*c = (struct frame_column){.slot = h->slot,
	    .kind = (enum column_kind)(h->kind & ~(uint32_t)COLUMN_EVEN),
	    .n_values = h->n_values,
	    .n_bytes = h->n_bytes,
	    .first = column_even_first};
	if (h->slot >= LIMIT_PLAN_SLOTS)
		return breach(err, "a column of a slot that cannot be");
	if (c->kind < COLUMN_NUM || c->kind > COLUMN_BIN ||
	    (c->kind == COLUMN_NUM && h->n_bytes))
		return breach(err, "a column of unknown kind");
	if (!even)
		c->first = get(in, (uint64_t)(n_events + 1) * sizeof(*c->first));
	const void *values = get(in, (uint64_t)h->n_values * 8);
	c->bytes = get(in, h->n_bytes);
	if (!c->first || !values || !c->bytes)
		return breach(err, "a column is cut short");
	if (even ? c->n_values != n_events : !check_first(c, n_events))
		return breach(err, "a column's values do not add up");
	if (c->kind == COLUMN_NUM) {
		c->num = values;
		return true;
	}
	c->str = values;
	return check_spans(c) || breach(err, "a value lies outside its column");
}

/*
 * An event's own lengths: it fills its room but for the padding, its parameters lie
 * within it. The lengths of other types than plugins' own are 2 or 4 bytes wide by the
 * event table, which is not known here: of those only the narrow form is demanded.
 */
static bool
check_event(const uint8_t *p, uint32_t room)
{
	struct plugin_event h;

	if (room < sizeof(h))
		return false;
	memcpy(&h, p, sizeof(h));
	if (h.len < sizeof(h) || h.len > LIMIT_EVENT_BYTES || pad8(h.len) != room ||
	    h.nparams > MAX_PARAMS)
		return false;
	uint64_t sum = sizeof(h) + h.nparams * (has_plugin_id(h.type) ? 4ull : 2ull);
	if (sum > h.len)
		return false;
	if (has_plugin_id(h.type)) {
		uint32_t n[MAX_PARAMS];
		memcpy(n, p + sizeof(h), h.nparams * sizeof(*n));
		if (h.nparams != (h.type == PLUGIN_EVENT_TYPE ? 2 : 3) ||
		    n[0] != sizeof(uint32_t))
			return false;
		for (uint32_t i = 0; i < h.nparams; i++)
			sum += n[i];
	}
	return sum <= h.len;
}

/* n events, whose offsets run from 0 to the end of all of them. */
static bool
get_raw(struct in *in, uint32_t n, const uint32_t **ret_off, const uint8_t **ret_raw,
    struct err *err)
{
	const uint32_t *off = get(in, (n + 1ull) * sizeof(*off));

	if (!off || off[0] != 0)
		return breach(err, "raw events do not add up");
	const uint8_t *raw = get(in, off[n]);
	if (!raw)
		return breach(err, "raw events are cut short");
	for (uint32_t i = 0; i < n; i++) {
		if (off[i] > off[i + 1] || off[i + 1] > off[n])
			return breach(err, "raw events do not add up");
		if (!check_event(raw + off[i], off[i + 1] - off[i]))
			return breach(err, "a raw event is malformed");
	}
	*ret_off = off;
	*ret_raw = raw;
	return true;
}

/* Of an event that check_event found good. */
static bool
event_is_as_told(const uint8_t *p, const struct chunk_event *e)
{
	struct plugin_event h;
	uint32_t payload_len = 0, id = 0;

	memcpy(&h, p, sizeof(h));
	if (has_plugin_id(h.type))
		memcpy(&id, p + sizeof(h) + h.nparams * 4ull, sizeof(id));
	if (h.type == PLUGIN_EVENT_TYPE)
		memcpy(&payload_len, p + sizeof(h) + 4, sizeof(payload_len));
	return h.ts == e->ts_ns && h.tid == e->tid && h.len == e->len &&
	       h.type == e->type && id == e->plugin_id && payload_len == e->payload_len;
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
get_events(struct in *in, struct chunk_view *v, struct err *err)
{
	v->event = get(in, (uint64_t)v->head.n_events * sizeof(*v->event));
	if (!v->event)
		return breach(err, "events are cut short");
	for (uint32_t i = 0; i < v->head.n_events; i++) {
		const struct chunk_event *e = &v->event[i];
		if (e->len < sizeof(struct plugin_event) || e->len > LIMIT_EVENT_BYTES ||
		    e->payload_len > e->len)
			return breach(err, "an event of a size that cannot be");
		if (e->zero)
			return breach(err, "a reserved field is set");
	}
	return true;
}

bool
chunk_check(struct chunk_view *v, const void *p, uint32_t len, enum frame_type type,
    struct err *err)
{
	struct in in = {.p = p, .len = len};
	const struct chunk_head *h = get(&in, sizeof(*h));

	if (!h)
		return breach(err, "cut short");
	v->head = *h;
	v->event = NULL;
	v->raw_off = NULL;
	v->raw = NULL;
	if (h->n_events > LIMIT_CHUNK_EVENTS || h->n_columns > LIMIT_PLAN_SLOTS ||
	    h->first > LIMIT_BATCH_EVENTS - h->n_events)
		return breach(err, "more events or columns than allowed");
	if (h->flags & ~(type == FRAME_EVENTS ? CHUNK_LAST | CHUNK_HAS_EVENTS : 0u) ||
	    h->progress > (type == FRAME_EVENTS ? CHUNK_PROGRESS_MAX : 0u) ||
	    (h->extract_us && type != FRAME_EVENTS) || h->zero)
		return breach(err, "a reserved field is set");
	if (h->n_events == 0 && !(h->flags & CHUNK_LAST))
		return breach(err, "no events");
	if (type == FRAME_EVENTS && !get_events(&in, v, err))
		return false;
	for (uint32_t i = 0; i < h->n_columns; i++) {
		if (!get_column(&in, &v->column[i], h->n_events, err))
			return false;
	}
	if (h->flags & CHUNK_HAS_EVENTS) {
		if (!get_raw(&in, h->n_events, &v->raw_off, &v->raw, err))
			return false;
		for (uint32_t i = 0; i < h->n_events; i++) {
			if (!event_is_as_told(v->raw + v->raw_off[i], &v->event[i]))
				return breach(
				    err, "a raw event is not what its summary says");
		}
	}
	return in.at == in.len || breach(err, "bytes left over");
}

uint32_t
extract_write(uint8_t *p, uint32_t cap, const struct extract_head *head,
    const uint32_t *slot, const uint64_t *number, const void *const *raw,
    const uint32_t *raw_len)
{
	struct out o = {.p = p, .cap = cap};

	if (head->n_events > LIMIT_CHUNK_EVENTS)
		return 0;
	put(&o, head, sizeof(*head));
	put(&o, slot, head->n_slots * sizeof(*slot));
	put(&o, number, head->n_events * sizeof(*number));
	if (head->target == EXTRACT_INLINE) {
		put_offsets(&o, raw_len, head->n_events);
		for (uint32_t i = 0; i < head->n_events; i++)
			put(&o, raw[i], raw_len[i]);
	}
	return o.full ? 0 : o.len;
}

static bool
mask_is_within(const uint64_t *mask, uint32_t n)
{
	for (uint32_t i = n; i < LIMIT_CHUNK_EVENTS; i++) {
		if (mask[i / 64] >> (i % 64) & 1)
			return false;
	}
	return true;
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
	if (h->n_events == 0 || h->n_events > LIMIT_CHUNK_EVENTS ||
	    h->n_slots > LIMIT_PLAN_SLOTS || h->first > LIMIT_BATCH_EVENTS ||
	    !mask_is_within(h->events, h->n_events))
		return breach(err, "a request asks for too much");
	if (h->flags & ~(uint32_t)EXTRACT_PARSE || h->zero)
		return breach(err, "a reserved field is set");
	if (h->n_slots == 0 && !(h->flags & EXTRACT_PARSE))
		return breach(err, "a request for nothing");
	v->slot = get(&in, (uint64_t)h->n_slots * sizeof(*v->slot));
	if (!v->slot)
		return breach(err, "a request is cut short");
	for (uint32_t i = 0; i < h->n_slots; i++) {
		if (v->slot[i] >= LIMIT_PLAN_SLOTS)
			return breach(err, "a request for a slot that cannot be");
	}
	v->number = get(&in, (uint64_t)h->n_events * sizeof(*v->number));
	if (!v->number)
		return breach(err, "a request is cut short");
	if (h->target == EXTRACT_INLINE) {
		if (!get_raw(&in, h->n_events, &v->off, &v->raw, err))
			return false;
	} else if (h->target != EXTRACT_BATCH) {
		return breach(err, "a request of unknown target");
	}
	return in.at == in.len || breach(err, "bytes left over");
}
