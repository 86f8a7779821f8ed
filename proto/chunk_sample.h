/* SPDX-License-Identifier: Apache-2.0 */
/* For tests and fuzz targets: good frames with something of everything in them. */
#ifndef PROTO_CHUNK_SAMPLE_H
#define PROTO_CHUNK_SAMPLE_H

#include <stdlib.h>
#include <string.h>

#include "proto/column.h"
#include "proto/plugin_api.h"

enum {
	SAMPLE_EVENTS = 3,
	SAMPLE_COLUMNS = 5,
	SAMPLE_CAP = 8192
};

struct sample {
	struct chunk_head head;
	struct chunk_event event[SAMPLE_EVENTS];
	uint8_t raw[SAMPLE_EVENTS][64];
	const void *raw_at[SAMPLE_EVENTS];
	struct column_store
	    column[SAMPLE_COLUMNS]; /* numbers, strings, bytes; even: numbers, strings */
	const struct column_store *column_at[SAMPLE_COLUMNS];
};

/* Its parameters are a plugin id of 9 and then each of the strings with its NUL. */
static inline uint32_t
sample_event(
    uint8_t *p, struct chunk_event *e, uint16_t type, const char *a, const char *b)
{
	uint32_t len[3] = {4, (uint32_t)strlen(a) + 1, b ? (uint32_t)strlen(b) + 1 : 0},
		 id = 9;
	struct plugin_event h = {.ts = 1700000000000000000ull + type,
	    .tid = UINT64_MAX,
	    .type = type,
	    .nparams = b ? 3 : 2};

	h.len = (uint32_t)sizeof(h) + h.nparams * 4 + len[0] + len[1] + len[2];
	memcpy(p, &h, sizeof(h));
	p += sizeof(h);
	memcpy(p, len, h.nparams * sizeof(*len));
	p += h.nparams * sizeof(*len);
	memcpy(p, &id, 4);
	memcpy(p + 4, a, len[1]);
	if (b)
		memcpy(p + 4 + len[1], b, len[2]);
	*e = (struct chunk_event){.ts_ns = h.ts,
	    .tid = h.tid,
	    .len = h.len,
	    .payload_len = type == PLUGIN_EVENT_TYPE ? len[1] : 0,
	    .plugin_id = id,
	    .type = type};
	return h.len;
}

/* Two plugin events and an asynchronous one; the second event has no number, a list of
 * three strings, and an empty list of bytes. */
static inline void
sample_init(struct sample *s)
{
	static const enum column_kind kinds[] = {
	    COLUMN_NUM, COLUMN_STR, COLUMN_BIN, COLUMN_NUM, COLUMN_STR};
	struct err err;

	memset(s, 0, sizeof(*s));
	s->head = (struct chunk_head){.batch = 3,
	    .first = 7,
	    .n_events = SAMPLE_EVENTS,
	    .flags = CHUNK_LAST,
	    .rc = -1,
	    .dropped = 2};
	sample_event(s->raw[0], &s->event[0], PLUGIN_EVENT_TYPE, "payload", NULL);
	sample_event(s->raw[1], &s->event[1], PLUGIN_EVENT_TYPE, "", NULL);
	sample_event(s->raw[2], &s->event[2], PLUGIN_ASYNC_EVENT_TYPE, "name", "data");
	for (uint32_t i = 0; i < SAMPLE_COLUMNS; i++) {
		if (!column_store_init(&s->column[i], 10 + i, kinds[i], &err))
			abort();
		s->column_at[i] = &s->column[i];
	}
	for (uint32_t i = 0; i < SAMPLE_EVENTS; i++) {
		s->raw_at[i] = s->raw[i];
		if (i != 1)
			column_store_num(&s->column[0], 0x0102030405060708 + i);
		for (uint32_t k = 0; k < (i == 1 ? 3 : 1); k++)
			column_store_bytes(&s->column[1], "some text" + k, 9 - k);
		if (i != 1)
			/* With its NUL 8 bytes, so that no padding hides a byte too far.
			 */
			column_store_bytes(&s->column[2], "\x0a\0\0\x01\0\0\0", 7);
		column_store_num(&s->column[3], 0x1122334455667788 * (i + 1));
		column_store_bytes(&s->column[4], "eight by eight" + i, 14 - i);
		for (uint32_t k = 0; k < SAMPLE_COLUMNS; k++)
			column_store_next(&s->column[k]);
	}
}

static inline void
sample_release(struct sample *s)
{
	for (uint32_t i = 0; i < SAMPLE_COLUMNS; i++)
		column_store_release(&s->column[i]);
}

static inline uint32_t
sample_chunk(const struct sample *s, uint8_t *p, bool with_raw, enum frame_type type)
{
	struct chunk_head head = s->head;

	if (type == FRAME_COLUMNS)
		head.flags = 0;
	return chunk_write(p, SAMPLE_CAP, &head, type == FRAME_EVENTS ? s->event : NULL,
	    with_raw ? s->raw_at : NULL, s->column_at, SAMPLE_COLUMNS);
}

static inline uint32_t
sample_extract(const struct sample *s, uint8_t *p, enum extract_target target)
{
	static const uint32_t slot[] = {10, 4000, 12};
	static const uint64_t number[SAMPLE_EVENTS] = {100, 101, 105};
	struct extract_head head = {.request = 5,
	    .target = target,
	    .batch = 3,
	    .first = 7,
	    .n_events = SAMPLE_EVENTS,
	    .n_slots = 3,
	    .events = {5}};
	uint32_t len[SAMPLE_EVENTS];

	for (uint32_t i = 0; i < SAMPLE_EVENTS; i++)
		len[i] = s->event[i].len;
	return extract_write(p, SAMPLE_CAP, &head, slot, number, s->raw_at, len);
}

#endif
