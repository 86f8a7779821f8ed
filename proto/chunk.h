/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of the data plane: what the records in the rings hold. PROTOCOL.md draws them.
 *
 * Up: FRAME_EVENTS (a chunk of a batch with the columns of the extraction plan) and
 * FRAME_COLUMNS (the answer to an extraction request). Down: FRAME_EXTRACT and FRAME_ACK.
 * All integers are host order; every array starts at a multiple of 8.
 *
 * chunk_write fills reserved ring memory. A chunk_view is made by checking a private
 * copy: afterwards every offset, length, count and terminator in it is proven to lie
 * inside the copy, and columns may be used as they are.
 */
#ifndef PROTO_CHUNK_H
#define PROTO_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

enum frame_type {
	FRAME_EVENTS = 1,
	FRAME_COLUMNS = 2,
	FRAME_EXTRACT = 3,
	FRAME_ACK = 4,
	/* In the side rings: async.h, table.h. */
	FRAME_ASYNC = 5,
	FRAME_STATE = 6,
	FRAME_TABLE = 7,
};

enum chunk_flag {
	CHUNK_LAST = 1,       /* last chunk of its batch: rc is next_batch's */
	CHUNK_HAS_EVENTS = 2, /* raw events are inside */
};

/* How a column's values are laid out. */
enum column_kind {
	COLUMN_NUM = 1, /* u64 each: uint64, reltime, abstime, bool */
	COLUMN_STR = 2, /* NUL-terminated strings without inner NUL */
	COLUMN_BIN = 3, /* byte strings: ipaddr, ipnet */
};

struct chunk_head {
	uint32_t batch;    /* EVENTS: counts next_batch calls; COLUMNS: the request */
	uint32_t first;    /* position of the first event in its batch */
	uint32_t n_events; /* 0 only with CHUNK_LAST */
	uint32_t n_columns;
	uint32_t flags;   /* enum chunk_flag */
	int32_t rc;       /* return code of next_batch; valid with CHUNK_LAST */
	uint32_t dropped; /* events left out because they exceed LIMIT_EVENT_BYTES */
	/* Of EVENTS: how much of the source is read, hundredths of a percent plus 1; 0:
	 * unknown. */
	uint32_t progress;
	/* Of EVENTS: what extracting its columns took, microseconds. */
	uint32_t extract_us;
	uint32_t zero;
};

enum {
	CHUNK_PROGRESS_MAX = 10001
};

struct chunk_event {
	uint64_t ts_ns; /* all ones: now */
	uint64_t tid;
	uint32_t len;         /* of the whole raw event */
	uint32_t payload_len; /* type 322: of parameter 1; else 0 */
	uint32_t plugin_id;   /* types 322 and 402: parameter 0; else 0 */
	uint16_t type;
	uint16_t zero;
};

enum {
	/* In kind: each event has one value, and first[] is left out. */
	COLUMN_EVEN = 256
};

struct column_head {
	uint32_t slot;
	uint32_t kind; /* enum column_kind, perhaps with COLUMN_EVEN */
	uint32_t n_values;
	uint32_t n_bytes; /* of the byte area; 0 for COLUMN_NUM */
};
/* Then u32 first[n_events + 1]; padding; n_values × u64, or n_values × {u32 off, u32 len}
 * into the byte area; the byte area; padding. Byte strings follow one another without
 * gaps, each with a NUL after its len bytes: overlapping ones would let a small frame
 * cost a long check. */

struct frame_span {
	uint32_t off, len;
};

/* The first[] of a column that leaves it out: 0, 1, 2, … */
extern const uint32_t column_even_first[LIMIT_CHUNK_EVENTS + 1];

struct frame_column {
	uint32_t slot;
	enum column_kind kind;
	uint32_t n_values, n_bytes;
	const uint32_t *first;
	const uint64_t *num;
	const struct frame_span *str;
	const char *bytes;
};

/* The worker's side, building. */
struct column_store;

/*
 * A whole EVENTS or COLUMNS frame into p; 0 when it exceeds cap, or a column is not of
 * head->n_events events. event is NULL for COLUMNS. raw may be NULL; else raw[i] has
 * event[i].len bytes, copied with the header fields (and the plugin id) that event[i]
 * says. n_columns and CHUNK_HAS_EVENTS of head are filled in here.
 */
uint32_t chunk_write(uint8_t *p, uint32_t cap, const struct chunk_head *head,
    const struct chunk_event *event, const void *const *raw,
    const struct column_store *const *column, uint32_t n_columns);

/* The broker's side, checking. */
struct chunk_view {
	struct chunk_head head;
	const struct chunk_event *event;
	struct frame_column *column; /* head.n_columns; room for LIMIT_PLAN_SLOTS */
	/* n_events + 1 offsets into raw; both NULL without CHUNK_HAS_EVENTS. */
	const uint32_t *raw_off;
	const uint8_t *raw;
};

bool chunk_view_init(struct chunk_view *v, struct err *err);
void chunk_view_release(struct chunk_view *v);

/*
 * Checks a frame in private memory (8-byte aligned, which outlives the view's use).
 * Proves: counts within limits.h, no bit of flags or zero fields set that has no meaning,
 * first[] (that of even columns is column_even_first) non-decreasing from 0 to n_values,
 * strings inside the byte area, terminated and without inner NUL, raw events' header
 * fields equal to event[] and parameters inside the event (of types 322 and 402; the
 * lengths of others are known to the event table alone). Costs time linear in len. What
 * it cannot know (is this slot wanted, once; is this kind the slot's; is the plugin id
 * the plugin's; is rc one) is the caller's to check.
 */
bool chunk_check(struct chunk_view *v, const void *p, uint32_t len, enum frame_type type,
    struct err *err);

/* Requests, down. */
enum extract_target {
	EXTRACT_BATCH = 1,  /* events first .. first + n_events - 1 of the named batch */
	EXTRACT_INLINE = 2, /* events that come with the request */
};

enum extract_flag {
	EXTRACT_PARSE = 1, /* parse_event on each wanted event, just before its values */
};

struct extract_head {
	uint32_t request, target, batch, first, n_events, n_slots;
	uint32_t flags; /* enum extract_flag */
	uint32_t zero;
	/* On which of the n_events values are wanted: bit i % 64 of word i / 64. */
	uint64_t events[LIMIT_CHUNK_EVENTS / 64];
};
/* Then u32 slot[n_slots], none only with EXTRACT_PARSE; u64 number[n_events] (evt.num,
 * which the worker cannot know of its own events when others inject some between them);
 * for EXTRACT_INLINE: u32 off[n_events + 1], raw events, each at a multiple of 8. */

struct extract_view {
	struct extract_head head;
	const uint32_t *slot;
	const uint64_t *number;
	const uint32_t *off;
	const uint8_t *raw;
};

uint32_t extract_write(uint8_t *p, uint32_t cap, const struct extract_head *head,
    const uint32_t *slot, const uint64_t *number, const void *const *raw,
    const uint32_t *raw_len);
/* The worker trusts the broker, but checks all the same. */
bool extract_check(struct extract_view *v, const void *p, uint32_t len, struct err *err);

/* All of a batch and of those before it is evaluated: their memory may be given back. */
struct ack_frame {
	uint32_t batch, zero;
};

#endif
