/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small chunks as one. A source that returns an event or a few per next_batch makes a
 * frame of each batch, and evaluating costs about as much for one event as for a dozen.
 * So chunks that wait behind the one that has begun are evaluated with it, if everything
 * that can be asked of their events came along.
 *
 * Each is copied and checked as if it were alone, and joins only when nothing is wrong
 * with it: one that is not as it should be, or that differs, becomes the next chunk, and
 * what there is to say about it is said then. Values stay where the copies are; a merged
 * column has the places of all of them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "broker/pipeline/internal.h"
#include "proto/plugin_api.h"

enum {
	/* Beyond that a chunk's fixed costs are lost among its events'. */
	FEW_EVENTS = 64,
	/* About as much as the nearest caches have room for. */
	ENOUGH_EVENTS = 128,
	ENOUGH_BYTES = 128 << 10,
	COLUMN_VALUES = 2 * LIMIT_CHUNK_EVENTS, /* lists have several */
};

struct merged_column {
	uint32_t slot;
	enum column_kind kind;
	uint32_t n_values;
	bool even; /* so far; first is not filled in */
	uint32_t first[LIMIT_CHUNK_EVENTS + 1];
	union {
		uint64_t num[COLUMN_VALUES];
		struct frame_span str[COLUMN_VALUES];
	};
	/* Columns do not lie at the same places of cache sets. */
	uint8_t apart[64];
};

bool
pipeline_merge_init(struct pipeline *p, struct err *err)
{
	struct pipeline_merge *m = &p->merge;

	/* Only what is used becomes memory. */
	m->bytes = aligned_alloc(8, ENOUGH_BYTES + 2 * LIMIT_FRAME_BYTES);
	m->event = calloc(LIMIT_CHUNK_EVENTS, sizeof(*m->event));
	return (m->bytes && m->event) || err_nomem(err);
}

void
pipeline_merge_release(struct pipeline *p)
{
	free(p->merge.bytes);
	free(p->merge.event);
	free(p->merge.column);
}

/* Other rules may have more fields. */
static bool
reserve_columns(struct pipeline_merge *m, uint32_t n)
{
	if (n <= m->n_column)
		return true;
	free(m->column);
	m->column = calloc(n, sizeof(*m->column));
	m->n_column = m->column ? n : 0;
	return m->column != NULL;
}

/* Does the source go on behind this chunk? */
static bool
goes_on(const struct chunk_head *h)
{
	return !(h->flags & CHUNK_LAST) || h->rc == PLUGIN_SUCCESS ||
	       h->rc == PLUGIN_TIMEOUT;
}

/* Do all values that the origin can give come with its chunks, and does nothing happen
 * between two of them? What else needs the events has them brought along. */
static bool
is_only_to_be_evaluated(const struct pipeline *p)
{
	return !p->lockstep && !p->deferred && !p->view.raw_off &&
	       p->view.head.n_columns == p->worker[0].n_slot && !p->swap.next &&
	       !p->swap.waits;
}

/* Is the run's end (-n, -M) not near? It may be within a chunk. */
static bool
is_far_from_the_end(const struct pipeline *p)
{
	return p->max_time_ns == UINT64_MAX && p->next_num <= p->max_events &&
	       p->max_events - p->next_num >= LIMIT_CHUNK_EVENTS;
}

static bool
may_begin(const struct pipeline *p)
{
	const struct chunk_head *h = &p->view.head;

	return h->n_events > 0 && h->n_events <= FEW_EVENTS && goes_on(h) &&
	       is_only_to_be_evaluated(p) && is_far_from_the_end(p) &&
	       TAILQ_EMPTY(&p->backlog) && worker_is_up(pipeline_origin(p)) &&
	       pipeline_origin(p)->id == p->incarnation;
}

/* At most one value per event, unless the field is a list. */
static bool
has_fit_values(const struct pipeline *p, const struct frame_column *c, uint32_t n_events)
{
	const struct slot_set *slots = p->rules->slots;

	if (c->slot >= slots->n)
		return false;
	if (slots->slot[c->slot].ref.field->flags & FIELD_LIST)
		return true;
	for (uint32_t i = 0; i < n_events; i++) {
		if (c->first[i + 1] - c->first[i] > 1)
			return false;
	}
	return true;
}

/* Are its columns those that were merged so far, and is there room for the values? */
static bool
columns_fit(const struct pipeline *p, const struct chunk_view *v)
{
	for (uint32_t i = 0; i < v->head.n_columns; i++) {
		const struct merged_column *to = &p->merge.column[i];
		const struct frame_column *c = &v->column[i];

		if (c->slot != to->slot || c->kind != to->kind ||
		    c->n_values > COLUMN_VALUES - to->n_values)
			return false;
		if (c->first != column_even_first &&
		    !has_fit_values(p, c, v->head.n_events))
			return false;
	}
	return true;
}

/* The first[] that was left out. */
static void
make_uneven(struct merged_column *to, uint32_t n_events)
{
	memcpy(to->first, column_even_first, (n_events + 1) * sizeof(*to->first));
	to->even = false;
}

/* Adds what a chunk has of a column behind n_events events. moved: from where it was
 * checked to where it is in merge.bytes. */
static void
add_column(const struct pipeline_merge *m, struct merged_column *to,
    const struct frame_column *c, uint32_t n_events, uint32_t n_more, ptrdiff_t moved)
{
	uint32_t n = c->n_values, at = to->n_values;

	if (to->even && c->first != column_even_first)
		make_uneven(to, n_events);
	for (uint32_t i = 1; !to->even && i <= n_more; i++)
		to->first[n_events + i] = at + c->first[i];
	if (c->kind == COLUMN_NUM) {
		for (uint32_t i = 0; i < n; i++)
			to->num[at + i] = c->num[i];
	} else {
		const uint8_t *bytes = (const uint8_t *)c->bytes + moved;
		uint32_t base = (uint32_t)(bytes - m->bytes);

		for (uint32_t i = 0; i < n; i++)
			to->str[at + i] =
			    (struct frame_span){base + c->str[i].off, c->str[i].len};
	}
	to->n_values = at + n;
}

static void
add_chunk(struct pipeline_merge *m, const struct chunk_view *v, uint32_t n_events,
    ptrdiff_t moved)
{
	uint32_t n = v->head.n_events;

	memcpy(m->event + n_events, v->event, n * sizeof(*m->event));
	for (uint32_t i = 0; i < v->head.n_columns; i++)
		add_column(m, &m->column[i], &v->column[i], n_events, n, moved);
}

/* The columns as those of the chunk that has begun, without values. */
static void
begin_columns(struct pipeline_merge *m, const struct chunk_view *v)
{
	for (uint32_t i = 0; i < v->head.n_columns; i++) {
		struct merged_column *to = &m->column[i];

		to->slot = v->column[i].slot;
		to->kind = v->column[i].kind;
		to->n_values = 0;
		to->even = true;
		to->first[0] = 0;
	}
}

/* The frame that was copied last, as the chunk that comes next. */
static void
put_back(struct pipeline *p, uint32_t type, uint32_t len)
{
	struct frame *f = pipeline_frame_new(p, pipeline_origin(p));

	if (!f)
		return;
	memcpy(f->bytes, p->merge.bytes + p->merge.used, len);
	f->type = type;
	f->len = len;
	TAILQ_INSERT_HEAD(&p->backlog, f, link);
	p->n_backlog++;
}

/* The frame that was copied last: is it one to merge with n_events others? If it is, it
 * counts as begun. */
static bool
fits(struct pipeline *p, uint32_t type, uint32_t len, uint32_t n_events)
{
	struct chunk_view *v = &p->answer;
	struct err err;

	return type == FRAME_EVENTS &&
	       chunk_check(v, p->merge.bytes + p->merge.used, len, type, &err) &&
	       v->head.n_events > 0 &&
	       v->head.n_events <= LIMIT_CHUNK_EVENTS - n_events && !v->raw_off &&
	       v->head.n_columns == p->view.head.n_columns && columns_fit(p, v) &&
	       pipeline_check_events(p, v, &err) &&
	       pipeline_is_next_chunk(p, &v->head, &err);
}

static uint32_t
pad8(uint32_t n)
{
	return (n + 7) & ~7u;
}

/* The chunk that has begun, moved to where the others will be. */
static void
move_first(struct pipeline *p)
{
	struct pipeline_merge *m = &p->merge;

	memcpy(m->bytes, p->chunk->bytes, p->chunk->len);
	add_chunk(m, &p->view, 0, m->bytes - p->chunk->bytes);
}

/* Takes chunks until there are enough events; how many there are then. */
static uint32_t
gather(struct pipeline *p)
{
	struct worker *w = pipeline_origin(p);
	struct pipeline_merge *m = &p->merge;
	uint32_t n_events = p->view.head.n_events, n_last = n_events, type, len;

	m->used = pad8(p->chunk->len);
	while (n_events + n_last <= ENOUGH_EVENTS && m->used <= ENOUGH_BYTES) {
		if (ring_take(&w->reader, m->bytes + m->used, LIMIT_FRAME_BYTES, &type,
			&len) != RING_OK)
			break;
		w->counts.frames++;
		if (n_events == p->view.head.n_events)
			move_first(p);
		if (!fits(p, type, len, n_events)) {
			put_back(p, type, len);
			break;
		}
		m->used += pad8(len);
		add_chunk(m, &p->answer, n_events, 0);
		pipeline_note_chunk(p, &p->answer.head);
		n_last = p->answer.head.n_events;
		n_events += n_last;
		if (!goes_on(&p->answer.head))
			break;
	}
	return n_events;
}

/* What was gathered, as one chunk. */
static void
view_merged(struct pipeline *p, uint32_t n_events)
{
	const struct pipeline_merge *m = &p->merge;
	struct chunk_view *v = &p->view;

	v->head.n_events = n_events;
	v->event = m->event;
	for (uint32_t i = 0; i < v->head.n_columns; i++) {
		const struct merged_column *c = &m->column[i];

		v->column[i] = (struct frame_column){
		    .slot = c->slot,
		    .kind = c->kind,
		    .n_values = c->n_values,
		    .n_bytes = m->used,
		    .first = c->even ? column_even_first : c->first,
		    .num = c->kind == COLUMN_NUM ? c->num : NULL,
		    .str = c->kind == COLUMN_NUM ? NULL : c->str,
		    .bytes = (const char *)m->bytes,
		};
	}
}

void
pipeline_merge_chunks(struct pipeline *p)
{
	struct worker *w = pipeline_origin(p);
	uint64_t taken;
	uint32_t n_events;

	if (!may_begin(p) || !reserve_columns(&p->merge, p->view.head.n_columns))
		return;
	begin_columns(&p->merge, &p->view);
	if (!columns_fit(p, &p->view))
		return;
	taken = w->counts.frames;
	n_events = gather(p);
	if (w->counts.frames == taken)
		return;
	if (n_events > p->view.head.n_events)
		view_merged(p, n_events);
	if (ring_reader_must_wake(&w->reader))
		worker_wake(w);
}
