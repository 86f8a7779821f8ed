/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames on their way up. A frame is written into the ring where there is room; where
 * there is none it is kept, one at most, and nothing else may be sent until it is gone.
 */
#ifndef WORKER_OUTBOX_H
#define WORKER_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/column.h"
#include "proto/ring.h"

struct outbox {
	struct ring_writer ring;
	int wake_fd; /* eventfd of the broker */
	uint8_t *kept;
	uint32_t kept_len; /* 0: there is none */
	enum frame_type kept_type;
};

bool outbox_init(struct outbox *o, struct ring_map *up, const struct ring_map *down,
    int wake_fd, struct err *err);

struct frame_parts {
	struct chunk_head head;
	const struct chunk_event *event; /* NULL: a COLUMNS frame */
	const void *const *raw;          /* NULL: without the events themselves */
	const struct column_store *const *column;
};

/* What a frame takes before its first value, for this many columns, and for each event.
 */
uint32_t frame_base_bytes(uint32_t n_columns);
uint32_t frame_event_bytes(uint32_t n_columns);

/* Sends or keeps it. Only when outbox_is_free. */
bool outbox_send(struct outbox *o, enum frame_type type, const struct frame_parts *parts,
    struct err *err);
bool outbox_is_free(const struct outbox *o);
/* Tries again what was kept. */
bool outbox_retry(struct outbox *o, struct err *err);
/* Before sleeping until there is room, and after. False: there is room. */
bool outbox_sleep(struct outbox *o);
void outbox_awake(struct outbox *o);

#endif
