/* SPDX-License-Identifier: Apache-2.0 */
/* A pipeline's beginning and its end. */
#include <event2/event.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "broker/pipeline/internal.h"
#include "broker/supervisor/worker_internal.h"

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
	return chunk_view_init(&p->view, err) && chunk_view_init(&p->answer, err) &&
	       (!p->has_origin || pipeline_merge_init(p, err));
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
		worker_assign(p->worker[i].worker, p->name, &pipeline_hooks, p);
	}
	p->config = *config;
	pipeline_tune_init(p);
	p->ev = evaluator_new(rules, config, err);
	if (!p->ev || !allocate(p, err) || !pipeline_plan_make(p, NULL, err)) {
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
	pipeline_merge_release(p);
	pipeline_plan_release(p);
	evaluator_free(p->ev);
	chunk_view_release(&p->view);
	chunk_view_release(&p->answer);
	if (p->chunk)
		pipeline_frame_drop(p, p->chunk);
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
	worker_pursue(pipeline_origin(p), WORKER_RUNNING);
	return supervisor_await(p->sup, pipeline_origin(p), err);
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
