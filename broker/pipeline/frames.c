/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of a pipeline: each is copied out of its ring once, and checked in the copy. */
#include <stdlib.h>

#include "base/limits.h"
#include "broker/pipeline/internal.h"

/* A worker can have this many frames with us: a ring full of small chunks, and answers.
 */
enum {
	FRAMES_MAX = 4096
};

static struct frame *
frame_new(struct pipeline *p)
{
	struct frame *f = TAILQ_FIRST(&p->spare);

	if (f) {
		TAILQ_REMOVE(&p->spare, f, link);
		return f;
	}
	if (p->n_frames == FRAMES_MAX || !(f = calloc(1, sizeof(*f))))
		return NULL;
	/* Only the pages that a frame touches become memory. */
	f->bytes = aligned_alloc(8, LIMIT_FRAME_BYTES);
	if (!f->bytes) {
		free(f);
		return NULL;
	}
	p->n_frames++;
	return f;
}

void
pipeline_frame_drop(struct pipeline *p, struct frame *f)
{
	TAILQ_INSERT_HEAD(&p->spare, f, link);
}

struct frame *
pipeline_frame_new(struct pipeline *p, struct worker *w)
{
	struct frame *f = frame_new(p);
	struct err err;

	if (f) {
		f->incarnation = w->id;
	} else if (p->n_frames < FRAMES_MAX) {
		err_nomem(&err);
		worker_give_up(w, &err);
	} else {
		err_set(&err, ERR_LIMIT, "more frames than the broker keeps");
		worker_breach(w, &err);
	}
	return f;
}

enum take_rc
pipeline_take(struct pipeline *p, struct pipeline_worker *pw, struct frame **ret_frame)
{
	struct worker *w = pw->worker;
	struct frame *f = pipeline_frame_new(p, w);
	struct err err;

	if (!f)
		return TAKE_BROKEN;
	switch (ring_take(&w->reader, f->bytes, LIMIT_FRAME_BYTES, &f->type, &f->len)) {
	case RING_OK:
		w->counts.frames++;
		if (ring_reader_must_wake(&w->reader))
			worker_wake(w);
		pipeline_take_side(p, w);
		*ret_frame = f;
		return TAKE_OK;
	case RING_EMPTY:
		pipeline_frame_drop(p, f);
		return TAKE_EMPTY;
	default:
		pipeline_frame_drop(p, f);
		err_set(&err, ERR_PEER, "its ring is not what it should be");
		worker_breach(w, &err);
		return TAKE_BROKEN;
	}
}

void
pipeline_salvage(struct pipeline *p, struct pipeline_worker *pw)
{
	struct frame *f;

	/* The ring's size bounds this, and FRAMES_MAX. */
	while (pw->worker->up.data && pipeline_take(p, pw, &f) == TAKE_OK) {
		if (f->type == FRAME_EVENTS) {
			TAILQ_INSERT_TAIL(&p->backlog, f, link);
			p->n_backlog++;
		} else {
			pipeline_frame_drop(p, f);
		}
	}
}
