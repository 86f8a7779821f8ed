/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to fetch the fields of outputs: for matching events alone, or with every event.
 *
 * Plugins written with an SDK take an event to pieces when its first field is asked for
 * and keep the pieces until another event comes. Coming back for the outputs of a
 * matching event makes them do it again. Where every fourth event matches that costs more
 * than fetching a few fields in vain; where hardly any does, fetching them in vain costs
 * more.
 */
#include "broker/pipeline/internal.h"

enum {
	WINDOW_EVENTS = 2048,
	/* After a change the next look is later, so that it never goes to and fro. */
	WINDOW_EVENTS_MAX = 1 << 20,
};

void
pipeline_tune_init(struct pipeline *p)
{
	p->tune.window = WINDOW_EVENTS;
}

/* Has some worker fields that only outputs print? */
static bool
has_output_fields(const struct pipeline *p)
{
	uint32_t n_condition, n_output;
	const uint32_t *condition = evaluator_condition_slots(p->ev, &n_condition);
	const uint32_t *output = evaluator_output_slots(p->ev, &n_output);

	/* Both lists are in ascending order. */
	for (uint32_t i = 0, k = 0; i < n_output; i++) {
		while (k < n_condition && condition[k] < output[i])
			k++;
		if (k == n_condition || condition[k] != output[i])
			return true;
	}
	return false;
}

void
pipeline_tune_count(struct pipeline *p, uint32_t n, uint32_t matched)
{
	struct pipeline_tune *t = &p->tune;
	bool eager = t->eager;

	t->events += n;
	t->matched += matched;
	if (t->events < t->window)
		return;
	if (t->matched > t->events / 4)
		eager = true;
	else if (t->matched < t->events / 16)
		eager = false;
	t->events = t->matched = 0;
	if (eager == t->eager || !has_output_fields(p))
		return;
	if (t->window < WINDOW_EVENTS_MAX)
		t->window *= 4;
	pipeline_refetch(p, eager);
}
