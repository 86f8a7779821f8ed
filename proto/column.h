/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A column on its way into a frame: the values of one slot on the events of a chunk, one
 * event after the other. The worker's side of chunk.h.
 *
 * While each event so far has one value the column is even: there are as many values as
 * events, and where an event's begin needs no writing down.
 */
#ifndef PROTO_COLUMN_H
#define PROTO_COLUMN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/chunk.h"

/* What adding a value touches comes first. */
struct column_store {
	uint64_t *num; /* or spans, packed as two u32 */
	char *bytes;
	uint32_t *first; /* LIMIT_CHUNK_EVENTS + 1; of what is not even */
	uint32_t n_values, cap_values;
	uint32_t n_bytes, cap_bytes;
	uint32_t n_events; /* ended so far; of what is not even, or open */
	bool even, open;   /* open: the event that is next has been looked at */
	enum column_kind kind;
	uint32_t slot;
};

bool column_store_init(
    struct column_store *c, uint32_t slot, enum column_kind kind, struct err *err);
void column_store_release(struct column_store *c);
void column_store_clear(struct column_store *c);
/* Each adds a value to the event that is open (_bytes with a NUL behind it); false past
 * LIMIT_FRAME_BYTES or LIMIT_LIST_VALUES, or when memory is gone. */
bool column_store_num(struct column_store *c, uint64_t v);
bool column_store_bytes(struct column_store *c, const void *p, uint32_t n);
/* Ends the open event (with the values added since the last call; none: missing). At most
 * LIMIT_CHUNK_EVENTS of them. */
void column_store_next(struct column_store *c);
/* Forgets the last event, which was ended, and its values. */
void column_store_undo(struct column_store *c);
/* Bytes it takes in a frame. */
uint32_t column_store_frame_bytes(const struct column_store *c);

/* A struct frame_span as a value. */
static inline uint64_t
column_span(uint32_t off, uint32_t len)
{
	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "off comes first");
	return off | (uint64_t)len << 32;
}

/* How many were ended. */
static inline uint32_t
column_store_events(const struct column_store *c)
{
	return c->even && !c->open ? c->n_values : c->n_events;
}

#endif
