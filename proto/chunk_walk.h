/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests and fuzz targets: what must hold of every frame that a check accepted, looked
 * at from outside. Reads every byte that a view gives access to; aborts on what must not
 * be.
 */
#ifndef PROTO_CHUNK_WALK_H
#define PROTO_CHUNK_WALK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/chunk.h"
#include "proto/plugin_api.h"

#define WALK_MUST(holds)                                                                 \
	do {                                                                             \
		if (!(holds)) {                                                          \
			fprintf(stderr, "accepted, but not: %s\n", #holds);              \
			abort();                                                         \
		}                                                                        \
	} while (0)

struct walk {
	const uint8_t *p;
	uint32_t len;
	uint64_t sum; /* so that no read is left out by the compiler */
};

static inline void
walk_bytes(struct walk *w, const void *p, uint64_t n)
{
	const uint8_t *at = p;

	WALK_MUST(
	    at >= w->p && at <= w->p + w->len && n <= (uint64_t)(w->p + w->len - at));
	for (uint64_t i = 0; i < n; i++)
		w->sum += at[i];
}

static inline void
walk_event(struct walk *w, const uint8_t *p, uint32_t room)
{
	struct plugin_event h;
	uint64_t sum = sizeof(h);

	walk_bytes(w, p, sizeof(h));
	memcpy(&h, p, sizeof(h));
	WALK_MUST(h.len >= sizeof(h) && h.len <= room && h.len <= LIMIT_EVENT_BYTES);
	walk_bytes(w, p, h.len);
	if (h.type != PLUGIN_EVENT_TYPE && h.type != PLUGIN_ASYNC_EVENT_TYPE)
		return;
	for (uint32_t i = 0; i < h.nparams; i++) {
		uint32_t n;
		WALK_MUST(sizeof(h) + (i + 1) * 4ull <= h.len);
		memcpy(&n, p + sizeof(h) + i * 4ull, 4);
		sum += 4ull + n;
	}
	WALK_MUST(sum <= h.len);
}

static inline void
walk_column(struct walk *w, const struct frame_column *c, uint32_t n_events)
{
	WALK_MUST(c->slot < LIMIT_PLAN_SLOTS);
	if (c->first != column_even_first)
		walk_bytes(w, c->first, (n_events + 1) * 4ull);
	walk_bytes(w, c->bytes, c->n_bytes);
	WALK_MUST(c->first[0] == 0 && c->first[n_events] == c->n_values);
	for (uint32_t i = 0; i < n_events; i++) {
		WALK_MUST(c->first[i] <= c->first[i + 1]);
		WALK_MUST(c->first[i + 1] - c->first[i] <= LIMIT_LIST_VALUES);
	}
	if (c->kind == COLUMN_NUM) {
		walk_bytes(w, c->num, c->n_values * 8ull);
		return;
	}
	WALK_MUST(c->kind == COLUMN_STR || c->kind == COLUMN_BIN);
	walk_bytes(w, c->str, c->n_values * 8ull);
	for (uint32_t i = 0; i < c->n_values; i++) {
		uint64_t end = (uint64_t)c->str[i].off + c->str[i].len;
		WALK_MUST(end < c->n_bytes && c->bytes[end] == '\0');
		if (c->kind == COLUMN_STR)
			WALK_MUST(strlen(c->bytes + c->str[i].off) == c->str[i].len);
	}
}

static inline uint64_t
walk_chunk(const struct chunk_view *v, const void *p, uint32_t len, enum frame_type type)
{
	struct walk w = {.p = p, .len = len};

	WALK_MUST(v->head.n_events <= LIMIT_CHUNK_EVENTS);
	WALK_MUST(v->head.first + v->head.n_events <= LIMIT_BATCH_EVENTS);
	if (type == FRAME_EVENTS)
		walk_bytes(&w, v->event, v->head.n_events * sizeof(*v->event));
	for (uint32_t i = 0; i < v->head.n_columns; i++)
		walk_column(&w, &v->column[i], v->head.n_events);
	WALK_MUST(!!v->raw_off == !!(v->head.flags & CHUNK_HAS_EVENTS));
	for (uint32_t i = 0; v->raw_off && i < v->head.n_events; i++) {
		WALK_MUST(v->raw_off[i] % 8 == 0 && v->raw_off[i] <= v->raw_off[i + 1]);
		walk_event(&w, v->raw + v->raw_off[i], v->raw_off[i + 1] - v->raw_off[i]);
		WALK_MUST(memcmp(v->raw + v->raw_off[i], &v->event[i].ts_ns, 8) == 0);
	}
	return w.sum;
}

static inline uint64_t
walk_extract(const struct extract_view *v, const void *p, uint32_t len)
{
	struct walk w = {.p = p, .len = len};

	WALK_MUST(v->head.n_events > 0 && v->head.n_events <= LIMIT_CHUNK_EVENTS);
	for (uint32_t i = v->head.n_events; i < LIMIT_CHUNK_EVENTS; i++)
		WALK_MUST(!(v->head.events[i / 64] >> (i % 64) & 1));
	walk_bytes(&w, v->slot, v->head.n_slots * 4ull);
	for (uint32_t i = 0; i < v->head.n_slots; i++)
		WALK_MUST(v->slot[i] < LIMIT_PLAN_SLOTS);
	if (v->head.target != EXTRACT_INLINE)
		return w.sum;
	walk_bytes(&w, v->number, v->head.n_events * 8ull);
	walk_bytes(&w, v->off, (v->head.n_events + 1) * 4ull);
	for (uint32_t i = 0; i < v->head.n_events; i++) {
		WALK_MUST(v->off[i] % 8 == 0 && v->off[i] <= v->off[i + 1]);
		walk_event(&w, v->raw + v->off[i], v->off[i + 1] - v->off[i]);
	}
	return w.sum;
}

#endif
