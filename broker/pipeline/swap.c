/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other rules for a running pipeline.
 *
 * Frames say nothing of the plan that they were made with, so it has to follow from the
 * order of things. A source takes a plan between batches, when everything it published is
 * acknowledged, and says so on the control channel before it publishes anything more. So
 * a frame that we find before that answer was made with the old plan, and one that we
 * find after it with the new one; finding both at once, the answer is what tells, and is
 * looked for after the frame. Helpers have no batches: they are told between chunks, and
 * asked for nothing until they have answered.
 */
#include <stdlib.h>

#include "base/log.h"
#include "broker/pipeline/internal.h"
#include "broker/supervisor/worker_internal.h"

static void
rules_free(struct pipeline *q)
{
	if (!q)
		return;
	pipeline_plan_release(q);
	evaluator_free(q->ev);
	free(q->parser);
	free(q->in_order);
	free(q->column);
	free(q->have);
	free(q->worker);
	free(q);
}

static struct pipeline *
rules_new(const struct pipeline *p, const struct ruleset *rules,
    const struct eval_config *config, const bool *early, struct err *err)
{
	struct pipeline *q = calloc(1, sizeof(*q));
	uint32_t n = rules->slots->n + 1;

	if (!q || !(q->worker = calloc(p->n_worker, sizeof(*q->worker)))) {
		free(q);
		err_nomem(err);
		return NULL;
	}
	q->sup = p->sup;
	q->name = p->name;
	q->rules = rules;
	q->has_origin = p->has_origin;
	q->lockstep = p->lockstep;
	q->deferred = p->deferred;
	q->config = *config;
	q->n_worker = p->n_worker;
	for (uint32_t i = 0; i < p->n_worker; i++)
		q->worker[i].worker = p->worker[i].worker;
	q->parser = calloc(p->n_worker, sizeof(*q->parser));
	q->in_order = calloc(p->n_worker, sizeof(*q->in_order));
	q->column = calloc(n, sizeof(*q->column));
	q->have = calloc(n, sizeof(*q->have));
	q->ev = evaluator_new(rules, config, err);
	if (q->ev && (!q->parser || !q->in_order || !q->column || !q->have))
		err_nomem(err);
	else if (q->ev && pipeline_plan_make(q, early, err))
		return q;
	rules_free(q);
	return NULL;
}

#define SWAP(a, b)                                                                       \
	do {                                                                             \
		__typeof__(a) swapped = (a);                                             \
		(a) = (b);                                                               \
		(b) = swapped;                                                           \
	} while (0)

/* All that hangs on rules; nothing is under way. */
static void
exchange(struct pipeline *p, struct pipeline *q)
{
	/* What was learnt of other rules' matches is worth nothing. */
	if (p->rules != q->rules)
		pipeline_tune_init(p);
	else
		pipeline_tune_begin(p);
	SWAP(p->rules, q->rules);
	SWAP(p->config, q->config);
	SWAP(p->ev, q->ev);
	SWAP(p->owner, q->owner);
	SWAP(p->first_stage, q->first_stage);
	SWAP(p->early, q->early);
	SWAP(p->wanted, q->wanted);
	SWAP(p->column, q->column);
	SWAP(p->have, q->have);
	for (uint32_t i = 0; i < p->n_worker; i++) {
		struct pipeline_worker *a = &p->worker[i], *b = &q->worker[i];

		SWAP(a->slot, b->slot);
		SWAP(a->plan, b->plan);
		SWAP(a->n_slot, b->n_slot);
		SWAP(a->request.slot, b->request.slot);
	}
}

static void
let_go(struct pipeline *p, struct pipeline *q)
{
	const struct ruleset *rules = q->rules;

	rules_free(q);
	/* Only fetched otherwise: they are in use still. */
	if (rules == p->rules || (p->swap.next && rules == p->swap.next->rules) ||
	    (p->swap.then && rules == p->swap.then->rules))
		return;
	if (p->sink.replaced)
		p->sink.replaced(p, rules, p->sink.arg);
}

static void
tell_origin(struct pipeline *p)
{
	struct worker *w = p->worker[0].worker;

	if (!p->swap.next || !p->has_origin || w->state != WORKER_RUNNING)
		return;
	p->swap.is_told = true;
	p->swap.telling = p->swap.next;
	worker_replan(w);
	p->swap.telling = NULL;
}

static void
begin(struct pipeline *p, struct pipeline *next)
{
	p->swap.next = next;
	p->swap.is_told = p->swap.is_due = false;
	tell_origin(p);
}

static void
swap(struct pipeline *p)
{
	struct pipeline *old = p->swap.next;

	exchange(p, old);
	for (uint32_t i = p->has_origin; i < p->n_worker; i++)
		worker_replan(p->worker[i].worker);
	p->swap.waits = true;
	begin(p, p->swap.then);
	p->swap.then = NULL;
	let_go(p, old);
}

static bool
helpers_are_planned(const struct pipeline *p)
{
	for (uint32_t i = p->has_origin; i < p->n_worker; i++) {
		const struct worker *w = p->worker[i].worker;

		if (worker_is_ready(w) && w->planned_generation != w->plan_generation)
			return false;
	}
	return true;
}

/* Without a frame: is there none that was made with the old plan either? */
static bool
is_free_to_swap(const struct pipeline *p, const struct frame *f)
{
	const struct worker *w = p->worker[0].worker;

	return p->swap.is_due || !p->has_origin || (!f && !worker_is_up(w));
}

bool
pipeline_swap_between(struct pipeline *p, struct frame *f)
{
	struct pipeline_swap *s = &p->swap;

	if (f && s->is_told && !s->is_due && f->incarnation == p->worker[0].worker->id)
		worker_drain_control(p->worker[0].worker);
	while (s->next && is_free_to_swap(p, f))
		swap(p);
	s->waits = s->waits && !helpers_are_planned(p);
	return s->waits;
}

void
pipeline_swap_reached(struct pipeline *p, struct worker *w)
{
	if (p->has_origin && w == p->worker[0].worker && !p->swap.is_due)
		tell_origin(p);
}

void
pipeline_swap_replanned(struct pipeline *p, struct worker *w)
{
	if (p->has_origin && w == p->worker[0].worker && p->swap.is_told)
		p->swap.is_due = true;
}

void
pipeline_swap_release(struct pipeline *p)
{
	rules_free(p->swap.prepared);
	rules_free(p->swap.next);
	rules_free(p->swap.then);
	p->swap = (struct pipeline_swap){.prepared = NULL};
}

bool
pipeline_prepare_rules(struct pipeline *p, const struct ruleset *rules,
    const struct eval_config *config, struct err *err)
{
	pipeline_forget_rules(p);
	p->swap.prepared = rules_new(p, rules, config, NULL, err);
	return p->swap.prepared != NULL;
}

bool
pipeline_refetch(struct pipeline *p, const bool *early)
{
	struct pipeline *q;
	struct err err;

	/* One thing at a time: whatever is on its way is looked at again later. */
	if (p->swap.prepared || p->swap.next)
		return false;
	q = rules_new(p, p->rules, &p->config, early, &err);
	if (q)
		begin(p, q);
	else
		log_warning("source %s: %s", p->name, err.msg);
	return q != NULL;
}

void
pipeline_forget_rules(struct pipeline *p)
{
	rules_free(p->swap.prepared);
	p->swap.prepared = NULL;
}

void
pipeline_replace_rules(struct pipeline *p)
{
	struct pipeline *q = p->swap.prepared, *dropped = p->swap.then;

	p->swap.prepared = NULL;
	if (p->swap.next)
		p->swap.then = q;
	else
		begin(p, q);
	if (dropped)
		let_go(p, dropped);
	pipeline_pump(p);
}
