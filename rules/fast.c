/* SPDX-License-Identifier: Apache-2.0 */
/* Rules and nodes: masks over a chunk, unknown where a slot was not supplied yet. */
#include "rules/fast.h"

#include <stdlib.h>
#include <string.h>

#include "rules/fast_private.h"
#include "rules/plan.h"

/* -- a node on some events: where it is true, and where that is not known yet */

struct verdict {
	struct mask yes, unknown;
};

/* The events on which all slots of src are there; the others are asked for. */
static struct mask
available(struct fast *f, const struct graph_source *src, struct mask events)
{
	struct evaluator *ev = f->ev;
	struct mask live = events;

	if (f->complete)
		return live;
	for (uint32_t i = 0; i < src->n_slot; i++) {
		uint32_t slot = f->g->slot[src->slot + i];
		struct mask missing = mask_without(events, &ev->have[slot]);
		if (!mask_any(&missing))
			continue;
		live = mask_without(live, &missing);
		ev->wanted[slot] = mask_or(ev->wanted[slot], &missing);
	}
	return live;
}

static struct verdict
pred_verdict(struct fast *f, uint32_t pred, struct mask events)
{
	const struct graph_pred *p = &f->g->pred[pred];
	struct mask live = available(f, &p->source, events);
	struct verdict v = {.unknown = mask_without(events, &live)};

	if (!mask_any(&live))
		return v;
	if (p->kind == PRED_RANK) {
		v.yes = fast_scan_rank(f, pred, &live);
		return v;
	}
	if (p->kind == PRED_PLAIN)
		fast_scan_plain(f, pred, &live);
	for (uint32_t i = 0; i < p->n_unit; i++)
		fast_scan_unit(f, f->g->pred_unit[p->unit + i], &live);
	if (f->pred[pred].chunk == f->chunk)
		v.yes = f->pred[pred].hit;
	v.yes = mask_and(v.yes, &live);
	return v;
}

static struct verdict node_verdict(struct fast *f, uint32_t node, struct mask events);

/* Children narrow down where the node is undecided: for AND where all were true so far,
 * for OR where none was. Unknown events stay in, so that one pass asks for everything.
 * The child "but" of an AND is known to hold. */
static struct verdict
children_verdict(
    struct fast *f, const struct graph_node *n, struct mask events, uint32_t but)
{
	struct verdict all = {.yes = {{0}}};
	struct mask live = events;

	for (uint32_t i = 0; i < n->n_child && mask_any(&live); i++) {
		uint32_t child = f->g->child[n->child + i];
		if (child == but)
			continue;
		struct verdict c = node_verdict(f, child, live);
		all.unknown = mask_or(all.unknown, &c.unknown);
		if (n->kind == COND_AND) {
			live = mask_or(c.yes, &c.unknown);
		} else {
			all.yes = mask_or(all.yes, &c.yes);
			live = mask_without(live, &c.yes);
		}
	}
	all.unknown = mask_and(all.unknown, &live);
	if (n->kind == COND_AND)
		all.yes = mask_without(live, &all.unknown);
	return all;
}

static struct verdict
compute(struct fast *f, const struct graph_node *n, struct mask events)
{
	if (n->kind == COND_CHECK)
		return pred_verdict(f, n->pred, events);
	if (n->kind != COND_NOT)
		return children_verdict(f, n, events, GRAPH_NONE);
	struct verdict v = node_verdict(f, f->g->child[n->child], events);
	v.yes = mask_without(mask_without(events, &v.yes), &v.unknown);
	return v;
}

/* Depth is bounded by LIMIT_EXPR_DEPTH. */
static struct verdict
node_verdict(struct fast *f, uint32_t node, struct mask events)
{
	const struct graph_node *n = &f->g->node[node];

	if (n->shared == GRAPH_NONE)
		return compute(f, n, events);
	struct fast_node *memo = &f->node[n->shared];
	if (memo->chunk != f->chunk)
		*memo = (struct fast_node){.chunk = f->chunk};
	struct mask fresh = mask_without(events, &memo->known);
	struct verdict v = {.yes = {{0}}};
	if (mask_any(&fresh)) {
		v = compute(f, n, fresh);
		memo->value = mask_or(memo->value, &v.yes);
		fresh = mask_without(fresh, &v.unknown);
		memo->known = mask_or(memo->known, &fresh);
	}
	v.yes = mask_and(memo->value, &events);
	return v;
}

/* -- rules */

static void
wake_rule(struct fast *f, uint32_t rule)
{
	f->candidate[rule / 64] |= 1ull << (rule % 64);
}

static void
wake_group(struct fast *f, uint32_t id, const struct mask *hit)
{
	struct fast_group *group = &f->group[id];

	if (group->chunk == f->chunk) {
		group->events = mask_or(group->events, hit);
		return;
	}
	group->chunk = f->chunk;
	group->events = *hit;
	if (group->rule != GRAPH_NONE) {
		wake_rule(f, group->rule);
		return;
	}
	const struct graph_group *g = &f->g->group[id];
	for (uint32_t r = 0; r < g->n_rule; r++)
		wake_rule(f, f->g->group_rule[g->rule + r]);
}

static void
wake_guards(struct fast *f)
{
	for (uint32_t i = 0; i < f->n_touched; i++) {
		const struct fast_pred *p = &f->pred[f->touched[i]];
		/* None: a list of which only some values were members. */
		if (!mask_any(&p->hit))
			continue;
		if (p->group != GRAPH_NONE) {
			wake_group(f, p->group, &p->hit);
			continue;
		}
		const struct graph_pred *q = &f->g->pred[f->touched[i]];
		for (uint32_t k = 0; k < q->n_group; k++)
			wake_group(f, f->g->pred_group[q->group + k], &p->hit);
	}
}

static void
open_gates(struct fast *f)
{
	const struct graph *g = f->g;

	for (uint32_t i = 0; i < g->n_gate; i++) {
		const struct graph_gate *gate = &g->gate[i];
		struct verdict v = node_verdict(f, gate->node, f->ev->all);
		f->gate[i] = mask_or(v.yes, &v.unknown);
		if (!mask_any(&f->gate[i]))
			continue;
		for (uint32_t r = 0; r < gate->n_rule; r++)
			wake_rule(f, g->gate_rule[gate->rule + r]);
	}
}

static void
find_candidates(struct fast *f)
{
	memcpy(f->candidate, f->always, f->n_rule_word * sizeof(*f->candidate));
	for (uint32_t i = 0; i < f->n_guard_unit; i++) {
		const struct graph_unit *u = &f->g->unit[f->guard_unit[i]];
		const struct graph_source *src = &f->g->operand[u->operand].source;
		struct mask live = available(f, src, f->ev->all);
		fast_scan_unit(f, f->guard_unit[i], &live);
	}
	wake_guards(f);
	open_gates(f);
}

/* The events on which a rule is worth trying. */
static struct mask
events_of(const struct fast *f, uint32_t rule, struct mask open)
{
	const struct fast_rule *r = &f->rule[rule];

	if (r->group != GRAPH_NONE)
		return mask_and(open, &f->group[r->group].events);
	if (r->gate != GRAPH_NONE)
		return mask_and(open, &f->gate[r->gate]);
	return open;
}

static struct verdict
root_verdict(struct fast *f, const struct fast_rule *r, struct mask events)
{
	const struct graph_node *n = &f->g->node[r->root];

	if (r->root == r->guard)
		return (struct verdict){.yes = events};
	if (n->kind == COND_AND && n->shared == GRAPH_NONE)
		return children_verdict(f, n, events, r->guard);
	return node_verdict(f, r->root, events);
}

/* Where the rule matches, of the events that no rule before it took. In the second round
 * only rules that were pending are evaluated again: at is the place in former. */
static struct verdict
rule_verdict(struct fast *f, uint32_t rule, struct mask open, uint32_t *at)
{
	uint64_t bit = 1ull << (rule % 64);
	struct verdict v = {.yes = {{0}}};

	if (f->tried) {
		const struct fast_found *old =
		    *at < f->n_former && f->former[*at].rule == rule ? &f->former[(*at)++]
								     : NULL;
		if (!(f->pending[rule / 64] & bit)) {
			if (old)
				v.yes = mask_and(old->events, &open);
			return v;
		}
	}
	struct mask events = events_of(f, rule, open);
	if (mask_any(&events))
		v = root_verdict(f, &f->rule[rule], events);
	if (mask_any(&v.unknown))
		f->pending[rule / 64] |= bit;
	return v;
}

/* Every candidate in order; true when all is known. */
static bool
try_rules(struct fast *f)
{
	struct evaluator *ev = f->ev;
	bool first = ev->rs->config->matching == RULE_MATCHING_FIRST;
	struct mask open = ev->all, unknown = {{0}};
	struct fast_found *former = f->former;
	uint32_t at = 0;

	f->former = f->found;
	f->n_former = f->n_found;
	f->found = former;
	f->n_found = 0;
	for (uint32_t w = 0; w < f->n_rule_word && mask_any(&open); w++) {
		for (uint64_t bits = f->candidate[w]; bits; bits &= bits - 1) {
			uint32_t rule = w * 64 + (uint32_t)__builtin_ctzll(bits);
			struct verdict v = rule_verdict(f, rule, open, &at);
			unknown = mask_or(unknown, &v.unknown);
			if (!mask_any(&v.yes))
				continue;
			f->found[f->n_found].rule = rule;
			f->found[f->n_found++].events = v.yes;
			if (first)
				open = mask_without(open, &v.yes);
		}
	}
	f->tried = true;
	return !mask_any(&unknown);
}

/* From rules with events to events with rules. */
static void
list_matches(struct fast *f)
{
	struct evaluator *ev = f->ev;
	uint32_t at[LIMIT_CHUNK_EVENTS + 1];

	if (f->n_found == 0)
		return;
	memset(at, 0, sizeof(at));
	for (uint32_t i = 0; i < f->n_found; i++) {
		for (struct mask m = f->found[i].events; mask_any(&m);) {
			uint32_t e = mask_first(&m);
			at[e + 1]++;
			m.w[e / 64] &= m.w[e / 64] - 1;
		}
	}
	for (uint32_t e = 1; e <= LIMIT_CHUNK_EVENTS; e++)
		at[e] += at[e - 1];
	ev->n_match = at[LIMIT_CHUNK_EVENTS];
	for (uint32_t i = 0; i < f->n_found; i++) {
		for (struct mask m = f->found[i].events; mask_any(&m);) {
			uint32_t e = mask_first(&m);
			ev->match[at[e]++] = (struct eval_match){e, f->found[i].rule};
			m.w[e / 64] &= m.w[e / 64] - 1;
		}
	}
}

static enum eval_rc
fast_run(struct evaluator *ev)
{
	struct fast *f = ev->fast;

	for (uint32_t i = 0; i < ev->n_stage0_slot; i++)
		eval_need_add(ev, ev->stage0_slot[i], &ev->all);
	if (ev->n_need)
		return EVAL_NEED;
	f->complete = true;
	for (uint32_t i = 0; f->complete && i < ev->n_condition_slot; i++) {
		struct mask missing =
		    mask_without(ev->all, &ev->have[ev->condition_slot[i]]);
		f->complete = !mask_any(&missing);
	}
	if (!f->tried)
		find_candidates(f);
	/* What gates lacked is forgotten: their rules ask for it, and on fewer events. */
	for (uint32_t i = 0; i < ev->n_condition_slot; i++)
		ev->wanted[ev->condition_slot[i]] = (struct mask){0};
	if (try_rules(f)) {
		list_matches(f);
		return EVAL_DONE;
	}
	for (uint32_t i = 0; i < ev->n_condition_slot; i++)
		eval_need_add(
		    ev, ev->condition_slot[i], &ev->wanted[ev->condition_slot[i]]);
	return EVAL_NEED;
}

static void
fast_begin(struct evaluator *ev)
{
	struct fast *f = ev->fast;

	f->chunk++;
	f->n_touched = 0;
	f->tried = false;
	f->n_found = 0;
	memset(f->pending, 0, f->n_rule_word * sizeof(*f->pending));
}

/* -- making and freeing */

static void
fast_free(struct evaluator *ev)
{
	struct fast *f = ev->fast;

	free(f->text);
	for (uint32_t i = 0; f->groups && i < ev->rs->slots->n; i++)
		free(f->groups[i]);
	for (uint32_t i = 0; f->g && f->unit && i < f->g->n_unit; i++) {
		if (f->unit[i].ranks)
			free(f->unit[i].ranks->at);
		free(f->unit[i].ranks);
	}
	graph_free(f->g);
	free(f->verify);
	free(f->groups);
	free(f->unit);
	free(f->pred);
	free(f->node);
	free(f->known);
	free(f->group);
	free(f->rule);
	free(f->guard_unit);
	free(f->touched);
	free(f->gate);
	free(f->always);
	free(f->pending);
	free(f->former);
	free(f->candidate);
	free(f->found);
	free(f);
	ev->fast = NULL;
}

static const struct evaluator_ops fast_ops = {
    .run = fast_run, .begin = fast_begin, .free = fast_free};

static void *
array(struct fast *f, size_t n, size_t size_bytes)
{
	f->memory_bytes += (n + 1) * size_bytes;
	/* Cache lines: some of what is here is laid out for them. */
	size_t size = ((n + 1) * size_bytes + 63) / 64 * 64;
	void *p = aligned_alloc(64, size);
	return p ? memset(p, 0, size) : NULL;
}

static bool
make_arrays(struct fast *f)
{
	const struct graph *g = f->g;
	uint32_t n_rule = g->rs->n_rule;

	f->n_rule_word = (n_rule + 63) / 64;
	f->verify = array(f, g->n_verify, sizeof(*f->verify));
	f->groups = array(f, g->rs->slots->n, sizeof(*f->groups));
	f->text = array(f, g->rs->slots->n, sizeof(*f->text));
	f->unit = array(f, g->n_unit, sizeof(*f->unit));
	f->pred = array(f, g->n_pred, sizeof(*f->pred));
	f->node = array(f, g->n_shared, sizeof(*f->node));
	f->known = array(f, g->n_pred, sizeof(*f->known));
	f->group = array(f, g->n_group, sizeof(*f->group));
	f->rule = array(f, n_rule, sizeof(*f->rule));
	f->guard_unit = array(f, g->n_unit, sizeof(*f->guard_unit));
	f->touched = array(f, g->n_pred, sizeof(*f->touched));
	f->always = array(f, f->n_rule_word, sizeof(*f->always));
	f->candidate = array(f, f->n_rule_word, sizeof(*f->candidate));
	f->pending = array(f, f->n_rule_word, sizeof(*f->pending));
	f->gate = array(f, g->n_gate, sizeof(*f->gate));
	f->found = array(f, n_rule, sizeof(*f->found));
	f->former = array(f, n_rule, sizeof(*f->former));
	return f->verify && f->groups && f->text && f->unit && f->pred && f->node &&
	       f->known && f->group && f->rule && f->guard_unit && f->touched &&
	       f->always && f->candidate && f->pending && f->gate && f->found &&
	       f->former;
}

/* Worth it to find out which events share a value? */
static bool
is_dear(const struct graph *g, const struct graph_pred *p)
{
	if (p->kind == PRED_PLAIN || g->operand[p->operand].o->kind != OPERAND_SLOT)
		return true;
	for (uint32_t i = 0; i < p->n_atom; i++) {
		if (graph_family_cost(g->atom[p->atom + i].family) >=
		    graph_family_cost(FAMILY_SUBSTR))
			return true;
	}
	return false;
}

static bool
make_groups(struct fast *f, const struct graph_pred *p)
{
	uint32_t slot = p->source.base;

	if (slot == GRAPH_NONE || f->groups[slot] || !is_dear(f->g, p))
		return true;
	f->groups[slot] = array(f, 0, sizeof(**f->groups));
	return f->groups[slot] != NULL;
}

static bool
make_unit(struct fast *f, uint32_t unit)
{
	const struct graph_unit *u = &f->g->unit[unit];

	if (u->guards)
		f->guard_unit[f->n_guard_unit++] = unit;
	if (u->family != FAMILY_NUMBER)
		return true;
	struct fast_ranks *r = f->unit[unit].ranks = array(f, 0, sizeof(*r));
	if (r)
		r->at = array(f, 2 * (size_t)u->number.n, sizeof(*r->at));
	return r && r->at;
}

/* What is read again and again, next to what is written there. */
static void
copy_links(struct fast *f)
{
	const struct graph *g = f->g;

	for (uint32_t i = 0; i < g->n_pred; i++) {
		const struct graph_pred *p = &g->pred[i];
		f->pred[i].guards = p->n_group > 0;
		f->pred[i].group = p->n_group == 1 ? g->pred_group[p->group] : GRAPH_NONE;
	}
	for (uint32_t i = 0; i < g->n_group; i++)
		f->group[i].rule = g->group[i].n_rule == 1
				       ? g->group_rule[g->group[i].rule]
				       : GRAPH_NONE;
	for (uint32_t r = 0; r < g->rs->n_rule; r++) {
		uint32_t group = g->rule_group[r];
		uint32_t guard = group == GRAPH_NONE ? GRAPH_NONE : g->group[group].node;
		if (guard != GRAPH_NONE && g->node[guard].kind != COND_CHECK)
			guard = GRAPH_NONE;
		f->rule[r] =
		    (struct fast_rule){g->root[r], group, g->rule_gate[r], guard};
		if (g->rule_group[r] == GRAPH_NONE && g->rule_gate[r] == GRAPH_NONE)
			f->always[r / 64] |= 1ull << (r % 64);
	}
}

bool
fast_attach(struct evaluator *ev, struct err *err)
{
	struct fast *f = calloc(1, sizeof(*f));
	bool ok;

	if (!f)
		return err_nomem(err);
	ev->fast = f;
	ev->ops = &fast_ops;
	f->ev = ev;
	f->g = graph_new(ev->rs, err);
	if (!f->g)
		return false;
	ok = make_arrays(f);
	for (uint32_t i = 0; ok && i < f->g->n_pred; i++)
		ok = make_groups(f, &f->g->pred[i]);
	for (uint32_t i = 0; ok && i < f->g->n_unit; i++)
		ok = make_unit(f, i);
	if (!ok)
		return err_nomem(err);
	copy_links(f);
	ev->n_stage0_slot = 0;
	for (uint32_t i = 0; i < ev->n_condition_slot; i++) {
		if (f->g->stage[ev->condition_slot[i]] == PLAN_EVERY_EVENT)
			ev->stage0_slot[ev->n_stage0_slot++] = ev->condition_slot[i];
	}
	return true;
}

const struct graph *
fast_graph(const struct evaluator *ev)
{
	return ev->fast ? ev->fast->g : NULL;
}

size_t
fast_memory_bytes(const struct evaluator *ev)
{
	return ev->fast ? ev->fast->memory_bytes + ev->fast->g->memory_bytes : 0;
}
