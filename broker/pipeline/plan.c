/* SPDX-License-Identifier: Apache-2.0 */
/* Who answers for which slot, and the extraction plan that each worker is told. */
#include <stdlib.h>
#include <string.h>

#include "broker/pipeline/internal.h"
#include "broker/tables/tables.h"

/* The worker that holds a plugin; UINT32_MAX when the pipeline has none. */
static uint32_t
worker_of_plugin(const struct pipeline *p, uint32_t plugin)
{
	for (uint32_t i = 0; i < p->n_worker; i++) {
		if (p->worker[i].worker->plugin->index == plugin)
			return i;
	}
	return UINT32_MAX;
}

static void
fill_slot(Control__Slot *out, uint32_t number, const struct slot *s, bool first_stage)
{
	control__slot__init(out);
	out->has_slot = out->has_field_id = out->has_type = out->has_is_list = true;
	out->has_arg_present = out->has_arg_index = out->has_first_stage =
	    out->has_event_text = true;
	out->slot = number;
	out->field_id = s->ref.field->field_id;
	out->field = (char *)s->ref.field->name;
	out->type = (uint32_t)s->ref.field->type;
	out->is_list = s->ref.field->flags & FIELD_LIST;
	out->arg_present = s->ref.arg_present;
	out->arg_index = s->ref.arg_index;
	out->arg_key = (char *)s->ref.arg_key;
	out->first_stage = first_stage;
	out->event_text = s->ref.field->provider == PROVIDER_EVENT_TEXT;
}

/* Who comes before whom, and who parses what the pipeline's source gives. */
static void
find_parsers(struct pipeline *p)
{
	for (uint32_t i = 0; i < p->n_worker; i++) {
		uint32_t index = p->worker[i].worker->plugin->index, at = i;

		for (; at > 0 &&
		       p->worker[p->in_order[at - 1]].worker->plugin->index > index;
		     at--)
			p->in_order[at] = p->in_order[at - 1];
		p->in_order[at] = i;
	}
	for (uint32_t i = 0; i < p->n_worker; i++) {
		struct pipeline_worker *pw = &p->worker[p->in_order[i]];

		pw->parses = plugin_parses_for(pw->worker->plugin, p->name);
		pw->stateful = pw->parses;
		if (pw->parses)
			p->parser[p->n_parser++] = p->in_order[i];
	}
}

/* Must events be parsed by all before they are extracted from, one by one? So it is when
 * one sees in tables what another does. */
static bool
needs_lockstep(struct pipeline *p)
{
	bool shared = false;

	for (uint32_t i = 0; i < p->n_worker; i++) {
		if (!tables_are_shared_by(p->worker[i].worker))
			continue;
		shared = true;
		p->worker[i].stateful = true;
	}
	return shared;
}

/* Others may inject events between the origin's, which it then can neither number nor
 * parse before their turn has come. */
static bool
is_injected_into(const struct pipeline *p)
{
	bool injected = false;

	for (uint32_t i = 0; i < p->n_worker; i++)
		injected |= plugin_injects_for(p->worker[i].worker->plugin, p->name);
	return injected && p->has_origin;
}

/* The worker of the plugin whose events they are; UINT32_MAX: there is none. */
static uint32_t
source_worker(const struct pipeline *p)
{
	for (uint32_t i = 0; i < p->n_worker; i++) {
		const struct plugin *plugin = p->worker[i].worker->plugin;
		if (pipeline_is_origin(p, &p->worker[i]) ||
		    ((plugin->caps & PLUGIN_CAP_SOURCING) && plugin->id != 0 &&
			strcmp(plugin->source, p->name) == 0))
			return i;
	}
	return UINT32_MAX;
}

static void
assign_slots(struct pipeline *p, const uint32_t *list, uint32_t n)
{
	const uint32_t source = source_worker(p);
	const struct slot_set *set = p->rules->slots;

	for (uint32_t i = 0; i < n; i++) {
		const struct slot *s = &set->slot[list[i]];
		bool is_text = s->ref.field->provider == PROVIDER_EVENT_TEXT;
		uint32_t at =
		    !is_text ? worker_of_plugin(p, s->ref.field->plugin) : source;
		if (p->owner[list[i]] == UINT32_MAX && at != UINT32_MAX) {
			p->owner[list[i]] = at;
			p->worker[at].n_slot++;
		}
		if (p->early[list[i]] ||
		    (at != UINT32_MAX && p->worker[at].stateful && !is_text))
			p->first_stage[list[i]] = true;
	}
}

bool
pipeline_plan_make(struct pipeline *p, const bool *early, struct err *err)
{
	uint32_t n_slots = p->rules->slots->n, n;
	const uint32_t *list;

	p->owner = calloc(n_slots + 1, sizeof(*p->owner));
	p->first_stage = calloc(n_slots + 1, sizeof(*p->first_stage));
	p->early = calloc(n_slots + 1, sizeof(*p->early));
	p->wanted = calloc(n_slots + 1, sizeof(*p->wanted));
	if (!p->owner || !p->first_stage || !p->early || !p->wanted)
		return err_nomem(err);
	list = evaluator_condition_slots(p->ev, &n);
	for (uint32_t i = 0; i < n; i++)
		p->early[list[i]] = true;
	if (early)
		memcpy(p->early, early, n_slots * sizeof(*early));
	for (uint32_t i = 0; i < n_slots; i++)
		p->owner[i] = UINT32_MAX;
	find_parsers(p);
	p->lockstep = needs_lockstep(p);
	p->deferred = p->lockstep || is_injected_into(p);
	list = evaluator_condition_slots(p->ev, &n);
	assign_slots(p, list, n);
	list = evaluator_output_slots(p->ev, &n);
	assign_slots(p, list, n);
	for (uint32_t i = 0; i < p->n_worker; i++) {
		struct pipeline_worker *pw = &p->worker[i];

		pw->slot = calloc(pw->n_slot + 1, sizeof(*pw->slot));
		pw->plan = calloc(pw->n_slot + 1, sizeof(*pw->plan));
		pw->request.slot = calloc(pw->n_slot + 1, sizeof(*pw->request.slot));
		if (!pw->slot || !pw->plan || !pw->request.slot)
			return err_nomem(err);
		n = 0;
		for (uint32_t k = 0; k < n_slots; k++) {
			if (p->owner[k] != i)
				continue;
			fill_slot(&pw->slot[n], k, &p->rules->slots->slot[k],
			    p->first_stage[k]);
			pw->plan[n] = &pw->slot[n];
			n++;
		}
	}
	return true;
}

void
pipeline_plan_release(struct pipeline *p)
{
	for (uint32_t i = 0; i < p->n_worker; i++) {
		free(p->worker[i].slot);
		free(p->worker[i].plan);
		free(p->worker[i].request.slot);
	}
	free(p->owner);
	free(p->first_stage);
	free(p->early);
	free(p->wanted);
}

/* Batches of the origin that may be under way at once. So many only of batches of an
 * event or two: the worker bounds them by their events. */
enum {
	RUN_AHEAD_BATCHES = 256
};

/* Whatever the origin can be asked for comes with its chunks: nothing of a batch is
 * wanted any more when the next one is fetched. */
static bool
may_run_ahead(const struct pipeline *p, const struct pipeline_worker *pw)
{
	for (uint32_t i = 0; i < pw->n_slot; i++) {
		if (p->deferred || !p->first_stage[pw->slot[i].slot])
			return false;
	}
	return pipeline_is_origin(p, pw);
}

/* Do others than the origin need the events themselves? */
static bool
others_want_events(const struct pipeline *p)
{
	for (uint32_t i = 1; i < p->n_worker; i++) {
		if (p->worker[i].n_slot > 0 || p->worker[i].parses)
			return true;
	}
	return false;
}

/* Is there a use for the events themselves when these are the rules? */
static bool
keeps_events(enum pipeline_keep keep, const struct ruleset *rules)
{
	bool wanted = keep == PIPELINE_KEEPS_ALL;

	for (uint32_t i = 0; keep == PIPELINE_KEEPS_FOR_RULES && i < rules->n_rule; i++)
		wanted |= rules->rule[i]->capture;
	return wanted;
}

bool
pipeline_plan_tell(struct worker *w, Control__Plan *m, void *arg)
{
	const struct pipeline *p = arg;
	const enum pipeline_keep keep = p->keep;

	if (p->swap.telling)
		p = p->swap.telling;
	for (uint32_t i = 0; i < p->n_worker; i++) {
		const struct pipeline_worker *pw = &p->worker[i];
		bool is_origin = pipeline_is_origin(p, pw);

		if (pw->worker != w)
			continue;
		m->n_slots = pw->n_slot;
		m->slots = pw->plan;
		m->has_want_events = true;
		m->want_events =
		    is_origin && (others_want_events(p) || keeps_events(keep, p->rules));
		m->has_parse = m->has_deferred = true;
		m->deferred = is_origin ? p->deferred : p->lockstep;
		m->parse = is_origin && pw->parses && !p->deferred;
		m->has_run_ahead = true;
		m->run_ahead = may_run_ahead(p, pw) ? RUN_AHEAD_BATCHES : 1;
		return true;
	}
	return false;
}
