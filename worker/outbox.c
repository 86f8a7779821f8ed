/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"

bool
outbox_init(struct outbox *o, struct ring_map *up, const struct ring_map *down,
    int wake_fd, struct err *err)
{
	*o = (struct outbox){.wake_fd = wake_fd, .kept = malloc(LIMIT_FRAME_BYTES)};
	ring_writer_init(&o->ring, up, down);
	return o->kept || err_nomem(err);
}

static uint32_t
pad8(uint32_t n)
{
	return (n + 7) & ~7u;
}

uint32_t
frame_base_bytes(uint32_t n_columns)
{
	/* Each column: head, the end of its first[], and twice padding. */
	return (uint32_t)sizeof(struct chunk_head) +
	       n_columns * ((uint32_t)sizeof(struct column_head) + 4 + 7 + 7) + 16;
}

uint32_t
frame_event_bytes(uint32_t n_columns)
{
	return (uint32_t)sizeof(struct chunk_event) + n_columns * 4;
}

static uint32_t
frame_bytes(const struct frame_parts *f)
{
	uint64_t n = sizeof(f->head);

	if (f->event)
		n += f->head.n_events * sizeof(*f->event);
	for (uint32_t i = 0; i < f->head.n_columns; i++)
		n += column_store_frame_bytes(f->column[i]);
	if (f->event && f->raw) {
		n += pad8((f->head.n_events + 1) * 4);
		for (uint32_t i = 0; i < f->head.n_events; i++)
			n += pad8(f->event[i].len);
	}
	return n > LIMIT_FRAME_BYTES ? 0 : (uint32_t)n;
}

/* False only when the eventfd is not one, which main has seen. */
static void
wake(struct outbox *o)
{
	const uint64_t one = 1;

	if (!ring_writer_must_wake(&o->ring))
		return;
	while (write(o->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

bool
outbox_send(
    struct outbox *o, enum frame_type type, const struct frame_parts *f, struct err *err)
{
	uint32_t len = frame_bytes(f);
	void *p = o->kept;
	enum ring_rc rc = len ? ring_reserve(&o->ring, len, &p) : RING_OK;

	if (rc == RING_BROKEN)
		return err_set(err, ERR_PEER, "the broker's ring indices cannot be");
	len = len ? chunk_write(
			p, len, &f->head, f->event, f->raw, f->column, f->head.n_columns)
		  : 0;
	if (len == 0)
		return err_set(
		    err, ERR_LIMIT, "a frame is larger than %u bytes", LIMIT_FRAME_BYTES);
	if (rc == RING_FULL) {
		o->kept_len = len;
		o->kept_type = type;
		return true;
	}
	ring_commit(&o->ring, type, len);
	wake(o);
	return true;
}

bool
outbox_is_free(const struct outbox *o)
{
	return o->kept_len == 0;
}

bool
outbox_retry(struct outbox *o, struct err *err)
{
	if (outbox_is_free(o))
		return true;
	switch (ring_put(&o->ring, o->kept_type, o->kept, o->kept_len)) {
	case RING_OK:
		o->kept_len = 0;
		wake(o);
		return true;
	case RING_BROKEN:
		return err_set(err, ERR_PEER, "the broker's ring indices cannot be");
	default:
		return true;
	}
}

bool
outbox_sleep(struct outbox *o)
{
	return ring_writer_sleep(&o->ring, o->kept_len);
}

void
outbox_awake(struct outbox *o)
{
	ring_writer_awake(&o->ring);
}
