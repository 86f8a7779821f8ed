/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/publish.h"

#include "base/clock.h"
#include "base/limits.h"

/* A mask word's worth of events: below that a chunk's fixed cost shows, unless extracting
 * costs far more. */
enum {
	STEP_EVENTS = 64,
	DEAR_STEP_EVENTS = 32,
	DEAR_US = 5, /* an event */
	PIECES = 4,
	/* What both sides still have in their nearest caches when they come back to it.
	 */
	AHEAD_EVENTS = 128,
};

/*
 * How many of n events go into a chunk: all that fit when nobody works beside us; when
 * somebody does, about a quarter, in whole steps, unless the next batch is fetched
 * meanwhile.
 */
static uint32_t
chunk_target(const struct publisher *p, uint32_t n)
{
	const uint32_t step = p->dear ? DEAR_STEP_EVENTS : STEP_EVENTS;
	uint32_t target = n;

	if (p->parallel && p->plan->run_ahead > 1)
		target = AHEAD_EVENTS;
	else if (p->parallel)
		target = (n / PIECES + step - 1) / step * step;
	if (target < step)
		target = step;
	if (target > LIMIT_CHUNK_EVENTS)
		target = LIMIT_CHUNK_EVENTS;
	return target < n ? target : n;
}

static uint32_t
raw_bytes(const struct publisher *p, uint32_t len)
{
	return p->plan->want_events ? len + 7 + 4 : 0;
}

static uint32_t
us_since(struct publisher *p, uint64_t start_ns)
{
	p->now_ns = clock_mono_ns();
	uint64_t us = (p->now_ns - start_ns) / 1000;

	return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

/* Extracts events from first on until max, or until the chunk is large; how many, and
 * how long it took. */
static uint32_t
fill_chunk(struct publisher *p, uint32_t first, uint32_t max, struct chunk_event *event,
    const void **raw, uint32_t *ret_us)
{
	struct source *s = p->source;
	struct slot_set *set = &p->plan->first;
	/* A batch is only just there. */
	uint64_t start_ns = first == 0 ? p->now_ns : clock_mono_ns();
	uint32_t used = frame_base_bytes(set->n), n = 0;
	const uint32_t event_bytes = frame_event_bytes(set->n);

	slot_set_clear_values(set);
	for (; n < max; n++) {
		source_describe(s, first + n, &event[n]);
		uint32_t fixed = event_bytes + raw_bytes(p, event[n].len);
		if (n > 0 && used + fixed > LIMIT_CHUNK_BYTES)
			break;
		used += fixed;
		raw[n] = s->event[first + n];
		const struct plugin_event_input in = {
		    .evt = s->event[first + n],
		    .evtnum = s->first_number + first + n,
		    .evtsrc = p->plan->source,
		};
		if (p->plan->parse) {
			call_enter(p->call, CALL_PARSE);
			parse_event(p->parser, &in);
		}
		call_enter(p->call, CALL_EXTRACT);
		uint32_t room = LIMIT_FRAME_BYTES - used, had = room;
		extract_event(p->extractor, p->plan, set, &in, &room);
		used += had - room;
	}
	call_leave(p->call);
	*ret_us = us_since(p, start_ns);
	p->dear = *ret_us / DEAR_US >= n;
	return n;
}

bool
publish_chunk(struct publisher *p, struct err *err)
{
	struct source *s = p->source;
	struct chunk_event event[LIMIT_CHUNK_EVENTS];
	const void *raw[LIMIT_CHUNK_EVENTS];
	uint32_t max = s->n - s->published, n, us;

	if (chunk_target(p, s->n) < max)
		max = chunk_target(p, s->n);
	n = fill_chunk(p, s->published, max, event, raw, &us);
	bool last = s->published + n == s->n;
	if (last && *s->failure &&
	    !uplink_failed(p->extractor->host->up, CONTROL__FAILED__STEP__NEXT_BATCH,
		s->failure, err))
		return false;
	const struct frame_parts parts = {
	    .head =
		{
		    .batch = s->batch,
		    .first = s->published,
		    .n_events = n,
		    .n_columns = n > 0 ? p->plan->first.n : 0,
		    .flags = (last ? CHUNK_LAST : 0) |
			     (p->plan->want_events && n > 0 ? CHUNK_HAS_EVENTS : 0),
		    .rc = last ? s->rc : 0,
		    .dropped = last ? s->dropped : 0,
		    .progress = s->progress,
		    .extract_us = us,
		},
	    .event = event,
	    .raw = p->plan->want_events ? raw : NULL,
	    .column = p->plan->first.column,
	};
	if (!outbox_send(p->out, FRAME_EVENTS, &parts, err))
		return false;
	source_published(s, n, p->plan->run_ahead);
	return true;
}

/* Answers. */

static bool
collect_slots(struct publisher *p, const struct extract_view *v, struct err *err)
{
	p->requests++;
	slot_set_clear(&p->plan->request);
	for (uint32_t i = 0; i < v->head.n_slots; i++) {
		struct plan_slot *s = plan_find(p->plan, v->slot[i]);
		if (!s || s->in_request == p->requests)
			return err_set(err, ERR_PEER,
			    "extraction of slot %u, which is not in the plan or asked "
			    "for twice",
			    v->slot[i]);
		s->in_request = p->requests;
		slot_set_add(&p->plan->request, s);
	}
	slot_set_clear_values(&p->plan->request);
	return true;
}

static struct plugin_event_input
request_event(const struct publisher *p, const struct extract_view *v, uint32_t i)
{
	struct plugin_event_input in = {
	    .evtnum = v->number[i], .evtsrc = p->plan->source};

	if (v->head.target == EXTRACT_INLINE)
		in.evt = (const struct plugin_event *)(const void *)(v->raw + v->off[i]);
	else
		in.evt = p->source->event[v->head.first + i];
	return in;
}

bool
publish_answer(struct publisher *p, const struct extract_view *v, struct err *err)
{
	const struct extract_head *h = &v->head;
	struct slot_set *set = &p->plan->request;

	if (h->target == EXTRACT_BATCH &&
	    !source_holds(p->source, h->batch, h->first, h->n_events))
		return err_set(err, ERR_PEER,
		    "extraction from batch %u, which is not there", h->batch);
	if (!collect_slots(p, v, err))
		return false;
	uint64_t used =
	    frame_base_bytes(set->n) + (uint64_t)h->n_events * frame_event_bytes(set->n);
	if (used > LIMIT_FRAME_BYTES)
		return err_set(err, ERR_LIMIT, "%u slots of %u events do not fit a frame",
		    set->n, h->n_events);
	uint32_t room = LIMIT_FRAME_BYTES - (uint32_t)used;
	for (uint32_t i = 0; i < h->n_events; i++) {
		const struct plugin_event_input in = request_event(p, v, i);
		if (!(h->events[i / 64] >> i % 64 & 1)) {
			extract_nothing(set);
			continue;
		}
		if (h->flags & EXTRACT_PARSE) {
			call_enter(p->call, CALL_PARSE);
			parse_event(p->parser, &in);
		}
		call_enter(p->call, CALL_EXTRACT);
		extract_event(p->extractor, p->plan, set, &in, &room);
	}
	call_leave(p->call);
	const struct frame_parts parts = {
	    .head =
		{
		    .batch = h->request,
		    .first = h->first,
		    .n_events = h->n_events,
		    .n_columns = set->n,
		},
	    .column = set->column,
	};
	return outbox_send(p->out, FRAME_COLUMNS, &parts, err);
}
