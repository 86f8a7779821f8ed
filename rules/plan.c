/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/plan.h"

#include <stdlib.h>

enum {
	TRANSFORM_COST = 4, /* on top of the family's */
	COST_MAX = 1 << 24,
	MANY_RULES = 8,
	MANY_SHARE = 3, /* one in three */
	RARE = 1000,    /* what a slot costs that one rule uses, against one for all */
};

struct planning {
	struct graph *g;
	uint32_t *lead; /* by node: what having its slots on every event costs */
	uint32_t *mark;
};

static uint32_t
capped(uint32_t a, uint32_t b)
{
	return a + b > COST_MAX ? COST_MAX : a + b;
}

static uint32_t
pred_cost(const struct graph *g, const struct graph_pred *p)
{
	uint32_t cost = 0;

	if (p->kind == PRED_PLAIN)
		return graph_family_cost(FAMILY_PLAIN);
	if (p->kind == PRED_RANK)
		cost = graph_family_cost(FAMILY_NUMBER);
	for (uint32_t i = 0; i < p->n_atom; i++) {
		enum graph_family f = g->atom[p->atom + i].family;
		if (i == 0 || f != g->atom[p->atom + i - 1].family)
			cost += graph_family_cost(f);
	}
	if (g->operand[p->operand].o->kind != OPERAND_SLOT)
		cost += TRANSFORM_COST;
	return cost;
}

/* What guards need; and what so many rules use that hardly a chunk would do without. */
static void
stage_guards(struct graph *g)
{
	for (uint32_t i = 0; i < g->rs->slots->n; i++) {
		if (g->slot_rules[i] >= MANY_RULES &&
		    g->slot_rules[i] >= g->rs->n_rule / MANY_SHARE)
			g->stage[i] = PLAN_EVERY_EVENT;
	}
	for (uint32_t i = 0; i < g->n_pred; i++) {
		const struct graph_pred *p = &g->pred[i];
		for (uint32_t k = 0; p->n_group && k < p->source.n_slot; k++)
			g->stage[g->slot[p->source.slot + k]] = PLAN_EVERY_EVENT;
	}
}

/* AND can be decided by any child, OR and NOT need all. */
static void
cost_leads(struct planning *s)
{
	const struct graph *g = s->g;

	for (uint32_t i = 0; i < g->n_node; i++) {
		const struct graph_node *n = &g->node[i];
		uint32_t cost = n->kind == COND_AND ? COST_MAX : 0;
		if (n->kind == COND_CHECK) {
			const struct graph_source *src = &g->pred[n->pred].source;
			for (uint32_t k = 0; k < src->n_slot; k++) {
				uint32_t slot = g->slot[src->slot + k];
				if (g->stage[slot] != PLAN_EVERY_EVENT)
					cost = capped(
					    cost, 1 + RARE / (g->slot_rules[slot] + 1));
			}
		}
		for (uint32_t k = 0; k < n->n_child; k++) {
			uint32_t c = s->lead[g->child[n->child + k]];
			if (n->kind == COND_AND)
				cost = c < cost ? c : cost;
			else
				cost = capped(cost, c);
		}
		s->lead[i] = cost;
	}
}

static void
stage_lead(struct planning *s, uint32_t node)
{
	struct graph *g = s->g;
	const struct graph_node *n = &g->node[node];

	if (s->mark[node] || s->lead[node] == 0)
		return;
	s->mark[node] = 1;
	if (n->kind == COND_CHECK) {
		const struct graph_source *src = &g->pred[n->pred].source;
		for (uint32_t k = 0; k < src->n_slot; k++)
			g->stage[g->slot[src->slot + k]] = PLAN_EVERY_EVENT;
		return;
	}
	uint32_t best = 0;
	for (uint32_t k = 0; k < n->n_child; k++) {
		if (n->kind != COND_AND)
			stage_lead(s, g->child[n->child + k]);
		else if (s->lead[g->child[n->child + k]] <
			 s->lead[g->child[n->child + best]])
			best = k;
	}
	if (n->kind == COND_AND)
		stage_lead(s, g->child[n->child + best]);
}

static bool
goes_before(const struct graph_node *a, const struct graph_node *b)
{
	return a->stage != b->stage ? a->stage < b->stage : a->cost < b->cost;
}

static int
by_order(const void *x, const void *y, void *arg)
{
	const struct graph *g = arg;
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	if (goes_before(&g->node[a], &g->node[b]))
		return -1;
	return goes_before(&g->node[b], &g->node[a]) ? 1 : (a > b) - (a < b);
}

static void
order_nodes(struct graph *g)
{
	for (uint32_t i = 0; i < g->n_node; i++) {
		struct graph_node *n = &g->node[i];
		if (n->kind == COND_CHECK) {
			const struct graph_source *src = &g->pred[n->pred].source;
			n->cost = g->pred[n->pred].cost;
			for (uint32_t k = 0; k < src->n_slot; k++) {
				uint32_t stage = g->stage[g->slot[src->slot + k]];
				n->stage = stage > n->stage ? stage : n->stage;
			}
		}
		for (uint32_t k = 0; k < n->n_child; k++) {
			const struct graph_node *c = &g->node[g->child[n->child + k]];
			n->cost = capped(n->cost, c->cost);
			n->stage = c->stage > n->stage ? c->stage : n->stage;
		}
		if (n->n_child > 1)
			qsort_r(g->child + n->child, n->n_child, sizeof(*g->child),
			    by_order, g);
	}
}

bool
plan_make(struct graph *g, struct err *err)
{
	struct planning s = {.g = g};
	uint32_t n_slot = g->rs->slots->n;
	bool ok;

	g->stage = arena_array(&g->arena, (size_t)n_slot + 1, sizeof(*g->stage));
	s.lead = calloc((size_t)g->n_node + 1, sizeof(*s.lead));
	s.mark = calloc((size_t)g->n_node + 1, sizeof(*s.mark));
	ok = g->stage && s.lead && s.mark;
	for (uint32_t i = 0; ok && i < n_slot; i++)
		g->stage[i] = g->slot_rules[i] ? PLAN_ON_DEMAND : PLAN_OUTPUT;
	for (uint32_t i = 0; ok && i < g->n_pred; i++)
		g->pred[i].cost = pred_cost(g, &g->pred[i]);
	if (ok) {
		stage_guards(g);
		cost_leads(&s);
		for (uint32_t r = 0; r < g->rs->n_rule; r++) {
			if (g->rule_gate[r] != GRAPH_NONE)
				stage_lead(&s, g->gate[g->rule_gate[r]].node);
			else if (g->rule_group[r] == GRAPH_NONE)
				stage_lead(&s, g->root[r]);
		}
		order_nodes(g);
	}
	free(s.lead);
	free(s.mark);
	return ok || err_nomem(err);
}
