/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of a pipeline. Long, because a chunk's way from its frame to its alerts is
 * read in one piece; what it asks of workers, its plan, its swap of rules and its
 * injected events are files of their own.
 */
#include "broker/pipeline/pipeline.h"

#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "broker/pipeline/internal.h"
#include "broker/supervisor/worker_internal.h"
#include "proto/plugin_api.h"

/* Chunks in one turn of the loop, so that other pipelines and the operators get theirs.
 */
enum {
	CHUNKS_PER_TURN = 16
};

static struct worker *
origin(const struct pipeline *p)
{
	return p->worker[0].worker;
}

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

static void
end(struct pipeline *p, enum pipeline_state state)
{
	p->state = state;
	drop_held(p);
	drop_chunk(p);
	if (p->sink.ended)
		p->sink.ended(p, p->sink.arg);
}

/* Beginning a chunk. */

static struct frame *
next_events_frame(struct pipeline *p)
{
	struct frame *f = TAILQ_FIRST(&p->backlog);

	if (f) {
		TAILQ_REMOVE(&p->backlog, f, link);
		p->n_backlog--;
		return f;
	}
	if (!p->has_origin || !worker_is_up(origin(p)) ||
	    pipeline_take(p, &p->worker[0], &f) != TAKE_OK)
		return NULL;
	return f;
}

/* The next chunk, if there is one, unless other rules are taken on before it: false. */
static bool
next_chunk(struct pipeline *p)
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
static bool
is_next_chunk(struct pipeline *p, const struct frame *f, struct err *err)
{
	const struct chunk_head *h = &p->view.head;

	if (f->incarnation != p->incarnation) {
		p->incarnation = f->incarnation;
		p->ack_is_due = false;
		p->batch = h->batch;
		p->next_first = 0;
	}
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
	const struct plugin *plugin = origin(p)->plugin;

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

/* The numbers and times of the window's events; fewer events when -M or -n end the run.
 */
static void
number_events(struct pipeline *p)
{
	const struct plugin *plugin = origin(p)->plugin;
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
			p->chunk_is_last = true;
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

static void
mask_first(struct mask *m, uint32_t n)
{
	for (uint32_t i = 0; i < sizeof(m->w) / sizeof(*m->w); i++) {
		uint32_t left = n > 64 * i ? n - 64 * i : 0;
		m->w[i] = left >= 64 ? ~0ull : (1ull << left) - 1;
	}
}

static bool
begin_chunk(struct pipeline *p, struct frame *f, struct err *err)
{
	if (f->type != FRAME_EVENTS)
		return err_set(err, ERR_PEER, "a frame of a kind that has no place here");
	if (!chunk_check(&p->view, f->bytes, f->len, FRAME_EVENTS, err) ||
	    !is_next_chunk(p, f, err))
		return false;
	p->at = 0;
	p->chunk_is_last = p->view.head.flags & CHUNK_LAST;
	p->chunk_rc = p->view.head.rc;
	p->counts.dropped_large += p->view.head.dropped;
	if (p->view.head.progress)
		p->progress = p->view.head.progress;
	if (p->view.head.n_columns > 0)
		worker_took(p->worker[0].worker, p->view.head.extract_us * 1000ull);
	p->counts.chunks++;
	for (uint32_t i = 0; i < p->view.head.n_events; i++) {
		if (!check_event(p, &p->view.event[i], err))
			return false;
	}
	return true;
}

/* Evaluation of the window's events, which are numbered. */
void
pipeline_begin_evaluation(struct pipeline *p)
{
	mask_first(&p->all, p->n_events);
	memset(p->have, 0, p->rules->slots->n * sizeof(*p->have));
	for (uint32_t i = 0; i < p->n_worker; i++)
		p->worker[i].poison = (struct mask){{0}};
	p->counts.events += p->n_events;
	evaluator_begin(p->ev, p->n_events, p->meta);
}

/* What is asked for before the evaluator asks. */
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

/* The next window of the chunk; its n_events is 0 when the run ends before it. */
static bool
begin_window(struct pipeline *p, struct err *err)
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

/* Ending one. */

/* What the plugin said when next_batch failed: it may still be on its way to us. */
static const char *
last_words(struct pipeline *p)
{
	struct worker *w = origin(p);
	struct pollfd pfd = {.fd = w->channel.fd, .events = POLLIN};

	worker_drain_control(w);
	if (!w->failure[0] && w->alive && pfd.fd >= 0 && poll(&pfd, 1, 200) > 0)
		worker_drain_control(w);
	return w->failure;
}

static void
end_batch(struct pipeline *p)
{
	p->counts.batches++;
	switch (p->chunk_rc) {
	case PLUGIN_SUCCESS:
	case PLUGIN_TIMEOUT:
		if (p->view.head.n_events == 0 && p->view.head.first == 0 &&
		    p->chunk_rc == PLUGIN_SUCCESS) {
			err_set(&p->err, ERR_PLUGIN,
			    "unexpected 0 size event returned by plugin %s",
			    origin(p)->plugin->name);
			end(p, PIPELINE_FAILED);
			return;
		}
		pipeline_rate_acknowledge(p, p->view.head.batch);
		return;
	case PLUGIN_EOF:
		end(p, PIPELINE_ENDED);
		return;
	default:
		err_set(&p->err, ERR_PLUGIN, "%s", last_words(p));
		end(p, PIPELINE_FAILED);
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
	if (p->chunk_is_last)
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
		if (!next_chunk(p))
			return false;
		if (p->chunk && !begin_chunk(p, p->chunk, &err))
			goto breach;
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
		end(p, PIPELINE_ENDED);
	if (!p->chunk)
		return false;
	if (!begin_window(p, &err))
		goto breach;
	if (p->n_events == 0)
		finish_window(p);
	return true;

breach:
	drop_held(p);
	drop_chunk(p);
	p->state = PIPELINE_IDLE;
	worker_breach(origin(p), &err);
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
			pipeline_ask(p, need, n);
			return true;
		}
		p->state = PIPELINE_OUTPUT;
		need = evaluator_output_needs(p->ev, &n);
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
	end(p, PIPELINE_FAILED);
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

static void
on_turn(int fd, short what, void *arg)
{
	pipeline_pump(arg);
}

/* From time to time: has the same request been under way since the last look? */
static void
on_deadline(int fd, short what, void *arg)
{
	struct pipeline *p = arg;
	uint32_t oldest = p->deadline_number;

	p->deadline_number = p->next_request;
	for (uint32_t i = 0; i < p->n_worker; i++) {
		struct pipeline_worker *pw = &p->worker[i];

		if (pw->request.under_way && pw->request.number <= oldest &&
		    worker_is_up(pw->worker)) {
			log_warning("plugin '%s' does not answer an extraction in time",
			    pw->worker->plugin->setting->name);
			worker_event(pw->worker, WORKER_ON_DEADLINE);
		}
	}
}

/* What workers tell. */

static struct pipeline_worker *
find_worker(struct pipeline *p, const struct worker *w)
{
	for (uint32_t i = 0; i < p->n_worker; i++) {
		if (p->worker[i].worker == w)
			return &p->worker[i];
	}
	return NULL;
}

static void
on_reached(struct worker *w, void *arg)
{
	struct pipeline *p = arg;
	struct pipeline_worker *pw = find_worker(p, w);

	if (!p->starting && w->counts.launches > 1 && p->state < PIPELINE_ENDED) {
		log_notice(
		    "plugin '%s' is back (source %s)", w->plugin->setting->name, p->name);
		pipeline_send_again(p, pw);
		pipeline_attach(p, pw);
	}
	pipeline_swap_reached(p, w);
	pipeline_pump(p);
}

static void
on_replanned(struct worker *w, void *arg)
{
	pipeline_swap_replanned(arg, w);
	pipeline_pump(arg);
}

static void
on_frames(struct worker *w, void *arg)
{
	pipeline_pump(arg);
}

static bool
on_async(struct worker *w, uint32_t type, const void *peer_event, uint32_t len, void *arg,
    struct err *err)
{
	struct pipeline *p = arg;

	return pipeline_inject(p, find_worker(p, w), type, peer_event, len, err);
}

static void
on_answered(struct worker *w, bool done, void *arg)
{
	struct pipeline *p = arg;

	pipeline_answered(p, find_worker(p, w), done);
}

static void
on_ended(struct worker *w, bool restarts, void *arg)
{
	struct pipeline *p = arg;
	struct pipeline_worker *pw = find_worker(p, w);

	if (pipeline_is_origin(p, pw)) {
		/* What it published before counts; not so what it said before it broke
		 * the rules. */
		if (w->doom.code != ERR_PEER)
			pipeline_salvage(p, pw);
		w->next_event = p->next_num;
	}
	pw->gone = !restarts;
	pipeline_request_orphaned(p, pw, restarts);
	if (pw->gone && pipeline_is_origin(p, pw) && p->state < PIPELINE_ENDED) {
		p->err = w->doom;
		p->fails = true;
	}
	pipeline_pump(p);
	w->next_event = p->next_num;
	if (pw->gone && !pipeline_is_origin(p, pw) && p->state < PIPELINE_ENDED &&
	    w->plugin->profile->required) {
		p->err = w->doom;
		end(p, PIPELINE_FAILED);
	}
}

/* An operator wants it back: its failure, of any kind, is forgotten. */
static void
on_restarted(struct worker *w, void *arg)
{
	struct pipeline *p = arg;
	struct pipeline_worker *pw = find_worker(p, w);
	bool was_it = pw->gone || pipeline_is_origin(p, pw);

	pw->gone = false;
	if (pipeline_is_origin(p, pw))
		p->fails = false;
	if (p->state != PIPELINE_FAILED || !was_it)
		return;
	p->state = PIPELINE_IDLE;
	p->err.code = ERR_NONE;
	if (p->sink.revived)
		p->sink.revived(p, p->sink.arg);
}

static const struct worker_owner owner_hooks = {
    .reached = on_reached,
    .frames = on_frames,
    .ended = on_ended,
    .plan = pipeline_plan_tell,
    .replanned = on_replanned,
    .restarted = on_restarted,
    .async = on_async,
    .answered = on_answered,
};

/* Life. */

static bool
allocate(struct pipeline *p, struct err *err)
{
	uint32_t n = p->rules->slots->n + 1;
	uint32_t ms =
	    p->n_worker ? p->worker[0].worker->plugin->profile->limits.extract_ms : 0;
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	p->in_order = calloc(p->n_worker + 1, sizeof(*p->in_order));
	p->parser = calloc(p->n_worker + 1, sizeof(*p->parser));
	p->injected = calloc(LIMIT_CHUNK_EVENTS, sizeof(*p->injected));
	p->raw = calloc(LIMIT_CHUNK_EVENTS, sizeof(*p->raw));
	p->meta = calloc(LIMIT_CHUNK_EVENTS, sizeof(*p->meta));
	p->column = calloc(n, sizeof(*p->column));
	p->have = calloc(n, sizeof(*p->have));
	p->on_turn = event_new(p->sup->base, -1, 0, on_turn, p);
	p->on_deadline = event_new(p->sup->base, -1, EV_PERSIST, on_deadline, p);
	if (!p->in_order || !p->injected || !async_queue_init(&p->async, err) ||
	    !p->parser || !p->raw || !p->meta || !p->column || !p->have || !p->on_turn ||
	    !p->on_deadline)
		return err_nomem(err);
	if (ms && event_add(p->on_deadline, &tv) < 0)
		return err_nomem(err);
	return chunk_view_init(&p->view, err) && chunk_view_init(&p->answer, err);
}

struct pipeline *
pipeline_new(struct supervisor *sup, const struct ruleset *rules,
    const struct eval_config *config, struct worker *first, struct worker *const *helper,
    uint32_t n_helper, const struct pipeline_sink *sink, struct err *err)
{
	struct pipeline *p = calloc(1, sizeof(*p));

	uint32_t n_first = first != NULL;

	if (!p || !(p->worker = calloc(n_first + n_helper + 1, sizeof(*p->worker)))) {
		free(p);
		err_nomem(err);
		return NULL;
	}
	p->sup = sup;
	p->name = rules->source->name;
	p->rules = rules;
	p->sink = *sink;
	p->has_origin = first != NULL;
	p->n_worker = n_first + n_helper;
	p->next_num = 1;
	p->max_time_ns = p->max_events = UINT64_MAX;
	TAILQ_INIT(&p->backlog);
	TAILQ_INIT(&p->spare);
	TAILQ_INIT(&p->held);
	for (uint32_t i = 0; i < p->n_worker; i++) {
		p->worker[i].worker = i < n_first ? first : helper[i - n_first];
		worker_assign(p->worker[i].worker, p->name, &owner_hooks, p);
	}
	p->config = *config;
	pipeline_tune_init(p);
	p->ev = evaluator_new(rules, config, err);
	if (!p->ev || !allocate(p, err) || !pipeline_plan_make(p, err)) {
		pipeline_free(p);
		return NULL;
	}
	return p;
}

static void
free_frames(struct frame_list *list)
{
	struct frame *f;

	while ((f = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, f, link);
		free(f->bytes);
		free(f);
	}
}

void
pipeline_free(struct pipeline *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < p->n_worker; i++)
		worker_assign(p->worker[i].worker, "", NULL, NULL);
	pipeline_swap_release(p);
	pipeline_rate_release(p);
	pipeline_plan_release(p);
	evaluator_free(p->ev);
	chunk_view_release(&p->view);
	chunk_view_release(&p->answer);
	drop_chunk(p);
	free_frames(&p->backlog);
	free_frames(&p->spare);
	free_frames(&p->held);
	if (p->on_turn)
		event_free(p->on_turn);
	if (p->on_deadline)
		event_free(p->on_deadline);
	if (p->is_injected)
		pipeline_end_injected(p);
	async_queue_release(&p->async);
	free(p->injected);
	free(p->in_order);
	free(p->parser);
	free(p->raw);
	free(p->meta);
	free(p->column);
	free(p->have);
	free(p->worker);
	free(p);
}

static bool
start(struct pipeline *p, struct err *err)
{
	/* The source is opened last, so that its first event finds everybody there. */
	for (uint32_t i = p->n_worker; i-- > 0;) {
		struct worker *w = p->worker[i].worker;

		worker_pursue(w,
		    pipeline_is_origin(p, &p->worker[i]) ? WORKER_OPEN : WORKER_PLANNED);
		if (!supervisor_await(p->sup, w, err))
			return false;
	}
	if (!pipeline_attach_all(p, err))
		return false;
	if (!p->has_origin)
		return true;
	worker_pursue(origin(p), WORKER_RUNNING);
	return supervisor_await(p->sup, origin(p), err);
}

bool
pipeline_start(struct pipeline *p, struct err *err)
{
	p->starting = true;
	if (!start(p, err))
		return false;
	p->starting = false;
	for (uint32_t i = 0; i < p->n_worker; i++) {
		p->worker[i].worker->restartable = true;
		worker_ask_metrics(p->worker[i].worker);
	}
	pipeline_pump(p);
	return true;
}
