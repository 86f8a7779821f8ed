/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of a pipeline. What it makes windows of, what it asks of workers, its plan,
 * its swap of rules and its injected events are files of their own.
 */
#include "broker/pipeline/pipeline.h"

#include <event2/event.h>
#include <poll.h>

#include "base/clock.h"
#include "broker/pipeline/internal.h"
#include "broker/supervisor/worker_internal.h"
#include "proto/plugin_api.h"

/* Chunks in one turn of the loop, so that other pipelines and the operators get theirs.
 */
enum {
	CHUNKS_PER_TURN = 16
};

bool
pipeline_is_origin(const struct pipeline *p, const struct pipeline_worker *pw)
{
	return p->has_origin && pw == p->worker;
}

static void
drop_chunk(struct pipeline *p)
{
	if (p->chunk)
		pipeline_frame_drop(p, p->chunk);
	p->chunk = NULL;
}

static void
drop_held(struct pipeline *p)
{
	struct frame *f;

	while ((f = TAILQ_FIRST(&p->held))) {
		TAILQ_REMOVE(&p->held, f, link);
		pipeline_frame_drop(p, f);
	}
}

void
pipeline_end(struct pipeline *p, enum pipeline_state state)
{
	p->state = state;
	drop_held(p);
	drop_chunk(p);
	if (p->sink.ended)
		p->sink.ended(p, p->sink.arg);
}

/* Ending a window. */

/* What the plugin said when next_batch failed: it may still be on its way to us. */
static const char *
last_words(struct pipeline *p)
{
	struct worker *w = pipeline_origin(p);
	struct pollfd pfd = {.fd = w->channel.fd, .events = POLLIN};

	worker_drain_control(w);
	if (!w->failure[0] && w->alive && pfd.fd >= 0 && poll(&pfd, 1, 200) > 0)
		worker_drain_control(w);
	return w->failure;
}

static void
end_batch(struct pipeline *p)
{
	p->counts.batches += p->n_ending;
	switch (p->chunk_rc) {
	case PLUGIN_SUCCESS:
	case PLUGIN_TIMEOUT:
		if (p->view.head.n_events == 0 && p->view.head.first == 0 &&
		    p->chunk_rc == PLUGIN_SUCCESS) {
			err_set(&p->err, ERR_PLUGIN,
			    "unexpected 0 size event returned by plugin %s",
			    pipeline_origin(p)->plugin->name);
			pipeline_end(p, PIPELINE_FAILED);
			return;
		}
		pipeline_acknowledge(p, p->ending);
		return;
	case PLUGIN_EOF:
		pipeline_end(p, PIPELINE_ENDED);
		return;
	default:
		err_set(&p->err, ERR_PLUGIN, "%s", last_words(p));
		pipeline_end(p, PIPELINE_FAILED);
	}
}

static void
deliver(struct pipeline *p)
{
	const struct eval_match *match;
	uint32_t n, at = 0, matched = 0;

	match = evaluator_matches(p->ev, &n);
	p->counts.matches += n;
	if (p->sink.window)
		p->sink.window(p, match, n, p->sink.arg);
	for (uint32_t i = 0; i < n; i++)
		matched += i == 0 || match[i].event != match[i - 1].event;
	for (uint32_t e = 0; p->sink.event && e < p->n_events; e++) {
		struct event_view view = {p->ev, e};
		p->sink.event(p, &view, p->sink.arg);
	}
	for (; at < n; at++) {
		struct event_view view = {p->ev, match[at].event};
		p->sink.match(p, p->rules->rule[match[at].rule], &view, p->sink.arg);
	}
	pipeline_tune_count(p, p->n_events, matched);
}

/* On to the next window, the next chunk, the next batch. */
static void
finish_window(struct pipeline *p)
{
	p->state = PIPELINE_IDLE;
	if (p->n_events > 0 && !p->is_state)
		deliver(p);
	drop_held(p);
	if (p->is_fed) {
		pipeline_end_fed(p);
		return;
	}
	if (p->is_injected) {
		pipeline_end_injected(p);
		return;
	}
	p->at += p->n_events;
	if (p->at < p->view.head.n_events)
		return;
	drop_chunk(p);
	if (p->n_ending > 0)
		end_batch(p);
}

/* Until when injected events are due: before the event at hand; without one, until the
 * last that there was. */
static uint64_t
injected_until(const struct pipeline *p)
{
	if (p->chunk && p->at < p->view.head.n_events)
		return p->view.event[p->at].ts_ns;
	return p->last_ts_ns ? p->last_ts_ns : clock_wall_ns();
}

/* From idleness; false: there is nothing to do. */
static bool
begin_something(struct pipeline *p, uint32_t *chunks)
{
	struct err err;

	if (!p->chunk) {
		if (!pipeline_next_chunk(p))
			return false;
		if (p->chunk && !pipeline_begin_chunk(p, p->chunk, &err))
			goto breach;
		if (p->chunk)
			pipeline_merge_chunks(p);
		*chunks += p->chunk != NULL;
	}
	if (p->n_fed > 0) {
		pipeline_begin_fed(p);
		++*chunks;
		return true;
	}
	/* After the end of the source nothing is injected any more. */
	if (p->async.n > 0 && (!p->chunk || p->view.head.n_events > 0) &&
	    pipeline_begin_injected(p, injected_until(p))) {
		++*chunks;
		return true;
	}
	if (!p->chunk && p->next_num > p->max_events)
		pipeline_end(p, PIPELINE_ENDED);
	if (!p->chunk)
		return false;
	if (!pipeline_begin_window(p, &err))
		goto breach;
	if (p->n_events == 0)
		finish_window(p);
	return true;

breach:
	drop_held(p);
	drop_chunk(p);
	p->state = PIPELINE_IDLE;
	worker_breach(pipeline_origin(p), &err);
	return false;
}

/* In lockstep: the next parser, if any is left. */
static void
parse_next(struct pipeline *p)
{
	while (p->next_parser < p->n_parser) {
		if (pipeline_ask_to_parse(p, &p->worker[p->parser[p->next_parser++]]))
			return;
	}
	p->state = PIPELINE_MATCH;
	pipeline_ask_ahead(p);
}

/* One step; false: nothing can be done before something arrives. */
static bool
step(struct pipeline *p, uint32_t *chunks)
{
	const struct eval_need *need;
	uint32_t n;

	switch (p->state) {
	case PIPELINE_IDLE:
		return begin_something(p, chunks);
	case PIPELINE_PARSE:
		if (!pipeline_answers(p))
			return false;
		parse_next(p);
		return true;
	case PIPELINE_MATCH:
		if (!pipeline_answers(p))
			return false;
		if (p->is_state) {
			finish_window(p);
			return true;
		}
		if (evaluator_run(p->ev) == EVAL_NEED) {
			need = evaluator_needs(p->ev, &n);
			pipeline_tune_asked(p, need, n);
			pipeline_ask(p, need, n);
			return true;
		}
		p->state = PIPELINE_OUTPUT;
		need = evaluator_output_needs(p->ev, &n);
		pipeline_tune_asked(p, need, n);
		pipeline_ask(p, need, n);
		return true;
	case PIPELINE_OUTPUT:
		if (!pipeline_answers(p))
			return false;
		finish_window(p);
		return true;
	case PIPELINE_ENDED:
	case PIPELINE_FAILED:
		return false;
	}
	return false;
}

/* Before the loop sleeps: the workers that we wait for must wake us. True when one of
 * them has something after all. */
static bool
fall_asleep(struct pipeline *p)
{
	bool more = false;

	for (uint32_t i = 0; i < p->n_worker; i++) {
		struct pipeline_worker *pw = &p->worker[i];

		if (!worker_is_up(pw->worker))
			continue;
		if (pw->request.under_way ||
		    (pipeline_is_origin(p, pw) && p->state == PIPELINE_IDLE &&
			!p->swap.waits))
			more |= !ring_reader_sleep(&pw->worker->reader);
	}
	return more;
}

static void
pump(struct pipeline *p)
{
	uint32_t chunks = 0;

	do {
		for (uint32_t i = 0; i < p->n_worker; i++) {
			if (worker_is_up(p->worker[i].worker))
				ring_reader_awake(&p->worker[i].worker->reader);
		}
		while (step(p, &chunks)) {
			if (chunks >= CHUNKS_PER_TURN && p->state == PIPELINE_IDLE) {
				event_active(p->on_turn, EV_TIMEOUT, 0);
				return;
			}
		}
		if (p->has_origin)
			pipeline_acknowledge_all(p);
	} while (p->state < PIPELINE_ENDED && (pipeline_linger(p) || fall_asleep(p)));
}

static void
fail_when_through(struct pipeline *p)
{
	if (!p->fails || p->state != PIPELINE_IDLE || p->chunk ||
	    !TAILQ_EMPTY(&p->backlog))
		return;
	p->fails = false;
	pipeline_end(p, PIPELINE_FAILED);
}

/* A step may read a worker's messages, and what they say may lead here again: the loop
 * that is at work already goes on with it. */
void
pipeline_pump(struct pipeline *p)
{
	if (p->is_pumping)
		return;
	p->is_pumping = true;
	p->turn_end_ns = 0;
	pump(p);
	pipeline_linger_no_more(p);
	fail_when_through(p);
	p->is_pumping = false;
}
