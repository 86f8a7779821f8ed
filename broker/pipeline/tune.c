/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which fields to fetch with every event, and which for those events alone that need
 * them.
 *
 * Plugins written with an SDK take an event to pieces when its first field is asked for
 * and keep the pieces until another event comes. Coming back for more makes them do it
 * again. Where many events need a field that costs more than fetching it in vain for the
 * others; where hardly any does, fetching it in vain costs more.
 *
 * Fields that only outputs print come with matching events, until every fourth event
 * matches; then those come with every event that matches print. Not all of them: one may
 * cost as much as all others, as that does which is the event as text. Where fields are
 * cheap all that the origin has come, so that it never has to wait with what is asked
 * for.
 *
 * Fields of conditions come with every event, which is cheapest where a field is cheap:
 * nobody waits. Where the origin takes long to extract, it is tried for a while who asks
 * for what when only that comes which the evaluator cannot begin without; then what many
 * events ask for comes with every event. When the rest is asked for so often that it is
 * no cheaper, all of them do again.
 */
#include <stdlib.h>
#include <string.h>

#include "broker/pipeline/internal.h"
#include "rules/engine.h"

enum {
	WINDOW_EVENTS = 2048,
	/* After a change the next look is later, so that it never goes to and fro. */
	WINDOW_EVENTS_MAX = 1 << 20,
	/* Of what is printed: one match in so many events prints it, and it becomes
	 * early; and it no longer is. */
	EARLY_SHARE = 32,
	LATE_SHARE = 128,
	/* Taking an event to pieces costs an SDK's plugin as much as so many fields: what
	 * one in so many events asks for comes with every event. */
	PIECES_FIELDS = 16,
	/* With less by event, and fewer events by batch, waiting costs more than fields.
	 */
	DEAR_NS = 4000,
	BATCH_EVENTS = 16,
	/* Until another trial: what events need changes with the events. */
	REST_EVENTS = 1 << 20,
};

void
pipeline_tune_init(struct pipeline *p)
{
	p->tune = (struct pipeline_tune){.window = WINDOW_EVENTS};
}

void
pipeline_tune_begin(struct pipeline *p)
{
	p->tune.events = p->tune.matched = p->tune.asked = 0;
	p->tune.extract_us = 0;
	p->tune.batches = p->counts.batches;
}

void
pipeline_tune_asked(struct pipeline *p, const struct eval_need *need, uint32_t n)
{
	struct mask again = {{0}};

	for (uint32_t i = 0; i < n; i++) {
		if (p->state == PIPELINE_MATCH)
			p->wanted[need[i].slot] += mask_count(&need[i].events);
		if (p->owner[need[i].slot] == 0)
			again = mask_or(again, &need[i].events);
	}
	p->tune.asked += mask_count(&again);
}

static void
count_printed(struct pipeline *p)
{
	uint32_t n;
	const struct eval_match *match = evaluator_matches(p->ev, &n);

	for (uint32_t i = 0; i < n; i++) {
		const struct rule *r = p->rules->rule[match[i].rule];
		for (uint32_t k = 0; k < r->n_output_slot; k++)
			p->wanted[r->output_slot[k]]++;
	}
}

static bool
is_in(const uint32_t *list, uint32_t n, uint32_t slot)
{
	/* In ascending order. */
	for (uint32_t i = 0; i < n && list[i] <= slot; i++)
		if (list[i] == slot)
			return true;
	return false;
}

/* The origin waits at the end of each batch, where it could have gone on to the next, if
 * anything is left out of what comes with every event. */
static bool
has_large_batches(const struct pipeline *p)
{
	const struct pipeline_tune *t = &p->tune;

	return (p->counts.batches - t->batches) * BATCH_EVENTS <= t->events;
}

/* Is it worth it to leave something out? */
static bool
is_dear(const struct pipeline *p)
{
	const struct pipeline_tune *t = &p->tune;

	return has_large_batches(p) && t->extract_us * 1000 / t->events >= DEAR_NS;
}

static bool
is_early_output(const struct pipeline *p, uint32_t slot)
{
	const struct pipeline_tune *t = &p->tune;

	if (t->matched < t->events / 16)
		return false;
	if (p->has_origin && p->owner[slot] == 0 && !is_dear(p))
		return p->early[slot] || t->matched > t->events / 4;
	if (p->early[slot])
		return p->wanted[slot] >= t->events / LATE_SHARE;
	return t->matched > t->events / 4 && p->wanted[slot] > t->events / EARLY_SHARE;
}

/* May a field of conditions come late? Not where the order of calls counts, and not to
 * who looks at events as they pass. */
static bool
may_be_late(const struct pipeline *p)
{
	return p->has_origin && !p->deferred && !p->worker[0].stateful && !p->sink.event;
}

/* Does what is left out save more than it costs to come back for? */
static bool
pays(const struct pipeline *p)
{
	const struct pipeline_tune *t = &p->tune;
	uint32_t n, late = 0;
	const uint32_t *condition = evaluator_condition_slots(p->ev, &n);

	for (uint32_t i = 0; i < n; i++)
		late += p->owner[condition[i]] == 0 && !p->early[condition[i]];
	return (uint64_t)t->asked * PIECES_FIELDS < (uint64_t)late * t->events;
}

/* What comes after the phase that is over. */
static enum tune_phase
next_phase(struct pipeline *p)
{
	struct pipeline_tune *t = &p->tune;

	if (!may_be_late(p) || !has_large_batches(p))
		return TUNE_ALL;
	if (t->phase == TUNE_TRYING)
		return TUNE_CHOSEN;
	if (t->phase == TUNE_CHOSEN && !pays(p))
		return TUNE_ALL;
	if (t->rest > 0 || (t->phase == TUNE_ALL && !is_dear(p)))
		return t->phase;
	t->rest = REST_EVENTS;
	return TUNE_TRYING;
}

static bool
is_early_condition(const struct pipeline *p, uint32_t slot, enum tune_phase phase)
{
	const struct pipeline_tune *t = &p->tune;
	const bool many = p->wanted[slot] > t->events / PIECES_FIELDS;

	switch (phase) {
	case TUNE_ALL:
		return true;
	case TUNE_TRYING:
		return false;
	default:
		return many || (p->early[slot] && t->phase == TUNE_CHOSEN);
	}
}

/* Those that should be early in that phase, in early; true when that is a change. */
static bool
choose(const struct pipeline *p, enum tune_phase phase, bool *early)
{
	bool changes = false;
	uint32_t n_condition, n_output, n_first;
	const uint32_t *condition = evaluator_condition_slots(p->ev, &n_condition);
	const uint32_t *output = evaluator_output_slots(p->ev, &n_output);
	const uint32_t *first = evaluator_stage0_slots(p->ev, &n_first);

	for (uint32_t i = 0; i < n_output; i++)
		early[output[i]] = is_early_output(p, output[i]);
	for (uint32_t i = 0; i < n_condition; i++) {
		uint32_t slot = condition[i];
		early[slot] = p->owner[slot] != 0 || is_in(first, n_first, slot) ||
			      is_early_condition(p, slot, phase);
	}
	for (uint32_t i = 0; i < p->rules->slots->n; i++)
		changes |= early[i] != p->early[i];
	return changes;
}

static void
look(struct pipeline *p)
{
	struct pipeline_tune *t = &p->tune;
	const uint32_t n_slots = p->rules->slots->n;
	enum tune_phase phase = next_phase(p);
	bool *early = calloc(n_slots + 1, sizeof(*early));

	if (early && choose(p, phase, early)) {
		if (phase == t->phase && t->window < WINDOW_EVENTS_MAX)
			t->window *= 4;
		if (pipeline_refetch(p, early))
			t->phase = phase;
	} else if (early) {
		t->phase = phase;
	}
	free(early);
	pipeline_tune_begin(p);
	memset(p->wanted, 0, n_slots * sizeof(*p->wanted));
}

void
pipeline_tune_count(struct pipeline *p, uint32_t n, uint32_t matched)
{
	struct pipeline_tune *t = &p->tune;

	/* Others are on their way. */
	if (p->swap.next)
		return;
	t->events += n;
	t->matched += matched;
	t->rest -= n < t->rest ? n : t->rest;
	if (matched > 0)
		count_printed(p);
	if (t->events >= t->window || (t->phase != TUNE_ALL && !may_be_late(p)))
		look(p);
}
