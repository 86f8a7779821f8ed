/* SPDX-License-Identifier: Apache-2.0 */
/* The side ring of a worker: taken apart as it fills, a bounded number of frames in a
 * turn of the loop, so that no worker keeps the others waiting. */
#include <event2/event.h>
#include <stdlib.h>

#include "base/limits.h"
#include "broker/supervisor/worker_internal.h"
#include "proto/chunk.h"

enum {
	FRAMES_PER_TURN = 256,
	/* So many of the smallest events fill the ring. */
	FRAMES_OF_A_RING = LIMIT_RING_SIDE_UP_BYTES / 48,
};

/* All frames of all workers are copied to one place, one after the other: the loop has
 * one thread. */
static uint8_t *
frame_memory(void)
{
	static uint8_t *memory;

	if (!memory)
		memory = aligned_alloc(8, LIMIT_FRAME_BYTES);
	return memory;
}

static bool
dispatch(struct worker *w, uint32_t type, uint8_t *frame, uint32_t len, struct err *err)
{
	switch (type) {
	case FRAME_ASYNC:
	case FRAME_STATE:
		/* One that comes before there is a pipeline is for nobody. */
		return !w->owner || !w->owner->async ||
		       w->owner->async(w, type, frame, len, w->owner_arg, err);
	case FRAME_TABLE:
		return w->port ? w->port->take(w, frame, len, w->port_arg, err)
			       : err_set(err, ERR_PEER, "a table operation of no source");
	default:
		return err_set(
		    err, ERR_PEER, "a frame of a kind that has no place beside events");
	}
}

/* What there is, without announcing a sleep; false: at most that much, or its end. */
static bool
take_some(struct worker *w, uint8_t *frame, uint32_t most, uint32_t *n)
{
	uint32_t type, len;
	struct err err;
	enum ring_rc rc;

	while ((rc = ring_take(&w->side_reader, frame, LIMIT_FRAME_BYTES, &type, &len)) ==
	       RING_OK) {
		w->counts.side_frames++;
		w->counts.table_frames += type == FRAME_TABLE;
		if (ring_reader_must_wake(&w->side_reader))
			worker_wake(w);
		if (!dispatch(w, type, frame, len, &err)) {
			worker_breach(w, &err);
			return false;
		}
		/* What it led to may have ended the worker. */
		if (!w->alive || w->doomed)
			return false;
		if (++*n == most) {
			event_active(w->on_wake, EV_READ, 0);
			return false;
		}
	}
	if (rc == RING_EMPTY)
		return true;
	err_set(&err, ERR_PEER, "its side ring is not what it should be");
	worker_breach(w, &err);
	return false;
}

static bool
can_take(const struct worker *w)
{
	return w->alive && !w->doomed && w->side_up.data && frame_memory();
}

static uint32_t
take(struct worker *w, uint32_t most)
{
	uint32_t n = 0;

	if (!can_take(w))
		return 0;
	ring_reader_awake(&w->side_reader);
	while (
	    take_some(w, frame_memory(), most, &n) && !ring_reader_sleep(&w->side_reader))
		;
	return n;
}

void
worker_side_take(struct worker *w)
{
	take(w, FRAMES_PER_TURN);
}

void
worker_side_take_all(struct worker *w)
{
	take(w, FRAMES_OF_A_RING);
}

bool
worker_side_look(struct worker *w)
{
	uint64_t others = w->counts.side_frames - w->counts.table_frames;
	uint32_t n = 0;

	if (!can_take(w))
		return false;
	ring_reader_awake(&w->side_reader);
	take_some(w, frame_memory(), FRAMES_PER_TURN, &n);
	return w->counts.side_frames - w->counts.table_frames != others;
}

bool
worker_side_sleep(struct worker *w)
{
	return take(w, FRAMES_PER_TURN) > 0;
}
