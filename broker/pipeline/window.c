/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the origin's frames to windows of events that are ready to be evaluated: the next
 * frame, its place in the order of batches, its events' numbers and times.
 */
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "broker/pipeline/internal.h"
#include "proto/plugin_api.h"

static struct frame *
next_events_frame(struct pipeline *p)
{
	struct frame *f = TAILQ_FIRST(&p->backlog);

	if (f) {
		TAILQ_REMOVE(&p->backlog, f, link);
		p->n_backlog--;
		return f;
	}
	if (!p->has_origin || !worker_is_up(pipeline_origin(p)) ||
	    pipeline_take(p, &p->worker[0], &f) != TAKE_OK)
		return NULL;
	return f;
}

bool
pipeline_next_chunk(struct pipeline *p)
{
	struct frame *f;

	if (p->swap.waits && pipeline_swap_between(p, NULL))
		return false;
	f = next_events_frame(p);
	if ((p->swap.next || p->swap.waits) && pipeline_swap_between(p, f)) {
		if (f) {
			TAILQ_INSERT_HEAD(&p->backlog, f, link);
			p->n_backlog++;
		}
		return false;
	}
	p->chunk = f;
	return true;
}

/* The chunks of a worker come in order: batch by batch, each from its beginning. */
bool
pipeline_is_next_chunk(struct pipeline *p, const struct chunk_head *h, struct err *err)
{
	if (h->batch != p->batch || h->first != p->next_first)
		return err_set(err, ERR_PEER, "chunks out of order");
	p->next_first = h->first + h->n_events;
	if (h->flags & CHUNK_LAST) {
		p->batch++;
		p->next_first = 0;
	}
	if (h->n_events == 0 && !(h->flags & CHUNK_LAST))
		return err_set(err, ERR_PEER, "a chunk of nothing");
	return true;
}

static bool
check_event(const struct pipeline *p, const struct chunk_event *e, struct err *err)
{
	const struct plugin *plugin = pipeline_origin(p)->plugin;

	/* Without an id it makes events of any type, and plugin events in any name but
	 * none. */
	if (plugin->id == 0 && (e->type != PLUGIN_EVENT_TYPE || e->plugin_id != 0))
		return true;
	if (e->type != PLUGIN_EVENT_TYPE)
		return err_set(err, ERR_PEER,
		    "malformed plugin event produced by plugin: '%s'", plugin->name);
	if (e->plugin_id != plugin->id)
		return err_set(err, ERR_PEER,
		    "unexpected plugin ID in plugin event: plugin='%s', expected_id=%u, "
		    "actual_id=%u",
		    plugin->name, plugin->id, e->plugin_id);
	return true;
}

bool
pipeline_check_events(
    const struct pipeline *p, const struct chunk_view *v, struct err *err)
{
	for (uint32_t i = 0; i < v->head.n_events; i++) {
		if (!check_event(p, &v->event[i], err))
			return false;
	}
	return true;
}

/* The numbers and times of the window's events; fewer events when -M or -n end the run.
 */
static void
number_events(struct pipeline *p)
{
	const struct plugin *plugin = pipeline_origin(p)->plugin;
	uint32_t id = plugin->id;
	uint64_t now = 0;

	for (uint32_t i = 0; i < p->n_events; i++) {
		const struct chunk_event *e = &p->view.event[p->at + i];
		uint64_t ts = e->ts_ns;

		if (ts == UINT64_MAX)
			ts = now ? now : (now = clock_wall_ns());
		if (!p->has_first_ts) {
			p->first_ts_ns = ts;
			p->has_first_ts = true;
		}
		if ((ts > p->first_ts_ns && ts - p->first_ts_ns >= p->max_time_ns) ||
		    p->max_time_ns == 0 || p->next_num > p->max_events) {
			p->n_events = i;
			p->view.head.n_events = p->at + i;
			p->n_ending = 1;
			p->chunk_rc = PLUGIN_EOF;
			return;
		}
		p->last_ts_ns = ts;
		p->meta[i] = (struct event_meta){
		    .num = p->next_num++,
		    .ts_ns = ts,
		    .first_ts_ns = p->first_ts_ns,
		    .type = e->type,
		    .plugin_name = e->type == PLUGIN_EVENT_TYPE && e->plugin_id == id
				       ? plugin->name
				       : NULL,
		};
	}
}

void
pipeline_note_chunk(struct pipeline *p, const struct chunk_head *h)
{
	if (h->flags & CHUNK_LAST) {
		p->n_ending++;
		p->ending = h->batch;
		p->chunk_rc = h->rc;
	}
	p->counts.dropped_large += h->dropped;
	if (h->progress)
		p->progress = h->progress;
	if (h->n_columns > 0)
		worker_took(pipeline_origin(p), h->extract_us * 1000ull);
	p->tune.extract_us += h->extract_us;
	p->counts.chunks++;
}

bool
pipeline_begin_chunk(struct pipeline *p, struct frame *f, struct err *err)
{
	if (f->type != FRAME_EVENTS)
		return err_set(err, ERR_PEER, "a frame of a kind that has no place here");
	if (!chunk_check(&p->view, f->bytes, f->len, FRAME_EVENTS, err))
		return false;
	/* One that has just started counts its batches anew. */
	if (f->incarnation != p->incarnation) {
		p->incarnation = f->incarnation;
		p->ack_is_due = false;
		p->batch = p->view.head.batch;
		p->next_first = 0;
	}
	if (!pipeline_is_next_chunk(p, &p->view.head, err))
		return false;
	p->at = p->n_ending = 0;
	pipeline_note_chunk(p, &p->view.head);
	return pipeline_check_events(p, &p->view, err);
}

void
pipeline_begin_evaluation(struct pipeline *p)
{
	p->all = mask_of(p->n_events);
	memset(p->have, 0, p->rules->slots->n * sizeof(*p->have));
	for (uint32_t i = 0; i < p->n_worker; i++)
		p->worker[i].poison = (struct mask){{0}};
	p->counts.events += p->n_events;
	p->counts.windows++;
	evaluator_begin(p->ev, p->n_events, p->meta);
}

void
pipeline_begin_asking(struct pipeline *p)
{
	p->next_parser = 0;
	p->state = PIPELINE_PARSE;
	if (p->lockstep)
		return;
	p->state = PIPELINE_MATCH;
	pipeline_ask_ahead(p);
}

bool
pipeline_begin_window(struct pipeline *p, struct err *err)
{
	uint32_t left = p->view.head.n_events - p->at;

	p->n_events = p->lockstep && left > 1 ? 1 : left;
	/* Not past an event that one injected comes before. */
	for (uint32_t i = 1; p->async.n > 0 && i < p->n_events; i++) {
		if (async_queue_is_due(&p->async, p->view.event[p->at + i].ts_ns))
			p->n_events = i;
	}
	number_events(p);
	if (p->n_events == 0)
		return true;
	for (uint32_t i = 0; i < p->n_events; i++) {
		uint32_t at = p->at + i;
		p->raw[i] = (struct raw_event){
		    .bytes = p->view.raw_off ? p->view.raw + p->view.raw_off[at] : NULL,
		    .len = p->view.event[at].len,
		};
	}
	pipeline_begin_evaluation(p);
	if (!pipeline_supply(p, p->worker, &p->view, p->at, &p->all, true, err))
		return false;
	pipeline_begin_asking(p);
	return true;
}
