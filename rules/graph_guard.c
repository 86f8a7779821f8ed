/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guards. A rule can match only where its guard does: a node, or the negation of one,
 * that is a union of indexed predicates. Of the many that a condition offers, the one is
 * taken that is thought to hold least often: what many rules share is what most events
 * are, and equality is rarer than a substring.
 */
#include <stdlib.h>

#include "rules/graph_build.h"

enum {
	NEVER = UINT32_MAX, /* no guard */
};

/* What a guard of each node would cost, as it stands and negated. */
struct guards {
	struct graph *g;
	uint32_t
	    *constants; /* by operand: how many different ones the rules compare with */
	uint32_t *cost[2];  /* by node */
	uint32_t *group[2]; /* by node: number of its guard + 1 */
	uint32_t *mark, stamp;
	uint32_t *link_pred, *link_group, n_link, cap_link;
	bool failed;
};

static uint32_t
add(uint32_t a, uint32_t b)
{
	return a > NEVER - b ? NEVER : a + b;
}

static void
count_constants(struct guards *s)
{
	const struct graph *g = s->g;

	for (uint32_t i = 0; i < g->n_pred; i++) {
		if (g->pred[i].operand != GRAPH_NONE)
			s->constants[g->pred[i].operand] += g->pred[i].n_atom;
	}
}

static uint32_t
pred_cost(const struct guards *s, const struct graph_pred *p)
{
	const struct graph *g = s->g;
	uint32_t cost = 1;

	if (p->kind != PRED_ANY && p->kind != PRED_ALL)
		return NEVER;
	for (uint32_t i = 0; i < p->n_atom; i++) {
		enum graph_family f = g->atom[p->atom + i].family;
		if (f == FAMILY_PRESENT || f == FAMILY_VALID)
			return NEVER;
		cost = add(cost, graph_family_cost(f));
	}
	/* A list of many is not that much likelier than one. */
	cost = cost > 16 ? 16 + cost / 16 : cost;
	cost = cost > UINT16_MAX ? UINT16_MAX : cost;
	/* And a field of which rules know many values has many. */
	cost *= 8 + 64 / (s->constants[p->operand] + 1);
	return cost < NEVER / 2 / (p->uses + 1) ? cost * (p->uses + 1) : NEVER / 2;
}

/* AND needs one of its children: the cheapest. OR needs them all. */
static void
cost_nodes(struct guards *s)
{
	const struct graph *g = s->g;

	/* Children have smaller numbers. */
	for (uint32_t i = 0; i < g->n_node; i++) {
		const struct graph_node *n = &g->node[i];
		if (n->kind == COND_CHECK) {
			s->cost[0][i] = pred_cost(s, &g->pred[n->pred]);
			s->cost[1][i] = NEVER;
			continue;
		}
		if (n->kind == COND_NOT) {
			s->cost[0][i] = s->cost[1][g->child[n->child]];
			s->cost[1][i] = s->cost[0][g->child[n->child]];
			continue;
		}
		for (int negated = 0; negated < 2; negated++) {
			bool all = (n->kind == COND_OR) != negated;
			uint32_t cost = all ? 0 : NEVER;
			for (uint32_t k = 0; k < n->n_child; k++) {
				uint32_t c = s->cost[negated][g->child[n->child + k]];
				cost = all ? add(cost, c) : c < cost ? c : cost;
			}
			s->cost[negated][i] = cost;
		}
	}
}

/* Down to where the choice ends: a check, or a union. */
static uint32_t
choose(const struct guards *s, uint32_t node, bool *negated)
{
	const struct graph *g = s->g;

	for (;;) {
		const struct graph_node *n = &g->node[node];
		if (n->kind == COND_NOT) {
			*negated = !*negated;
			node = g->child[n->child];
			continue;
		}
		if (n->kind == COND_CHECK || (n->kind == COND_OR) != *negated)
			return node;
		uint32_t best = g->child[n->child];
		for (uint32_t k = 1; k < n->n_child; k++) {
			uint32_t c = g->child[n->child + k];
			if (s->cost[*negated][c] < s->cost[*negated][best])
				best = c;
		}
		node = best;
	}
}

static void
link_pred(struct guards *s, uint32_t pred, uint32_t group)
{
	if (s->n_link == s->cap_link) {
		uint32_t cap = s->cap_link ? s->cap_link * 2 : 256;
		uint32_t *p = reallocarray(s->link_pred, cap, sizeof(*p));
		if (p)
			s->link_pred = p;
		uint32_t *q = reallocarray(s->link_group, cap, sizeof(*q));
		if (q)
			s->link_group = q;
		if (!p || !q) {
			s->failed = true;
			return;
		}
		s->cap_link = cap;
	}
	s->link_pred[s->n_link] = pred;
	s->link_group[s->n_link++] = group;
}

/* All predicates of a union, each once. */
static void
collect(struct guards *s, uint32_t node, bool negated, uint32_t group)
{
	const struct graph *g = s->g;

	node = choose(s, node, &negated);
	const struct graph_node *n = &g->node[node];
	if (s->mark[node] == s->stamp)
		return;
	s->mark[node] = s->stamp;
	if (n->kind == COND_CHECK) {
		link_pred(s, n->pred, group);
		return;
	}
	for (uint32_t k = 0; k < n->n_child; k++)
		collect(s, g->child[n->child + k], negated, group);
}

static void
guard_rule(struct guards *s, uint32_t rule)
{
	struct graph *g = s->g;
	bool negated = false;

	g->rule_group[rule] = GRAPH_NONE;
	if (s->cost[0][g->root[rule]] == NEVER)
		return;
	uint32_t node = choose(s, g->root[rule], &negated);
	uint32_t *group = &s->group[negated][node];
	if (!*group) {
		g->group[g->n_group] = (struct graph_group){.node = node};
		*group = ++g->n_group;
		s->stamp = g->n_group;
		collect(s, node, negated, *group - 1);
	}
	g->rule_group[rule] = *group - 1;
	g->group[*group - 1].n_rule++;
}

/* Rules by group, and groups by predicate. */
static bool
spread(struct guards *s, struct err *err)
{
	struct graph *g = s->g;
	uint32_t n_rule = g->rs->n_rule, at = 0;

	g->group_rule =
	    arena_array(&g->arena, (size_t)n_rule + 1, sizeof(*g->group_rule));
	g->pred_group =
	    arena_array(&g->arena, (size_t)s->n_link + 1, sizeof(*g->pred_group));
	if (!g->group_rule || !g->pred_group)
		return err_nomem(err);
	for (uint32_t i = 0; i < g->n_group; i++) {
		g->group[i].rule = at;
		at += g->group[i].n_rule;
		g->group[i].n_rule = 0;
	}
	for (uint32_t r = 0; r < n_rule; r++) {
		if (g->rule_group[r] == GRAPH_NONE)
			continue;
		struct graph_group *group = &g->group[g->rule_group[r]];
		g->group_rule[group->rule + group->n_rule++] = r;
	}
	for (uint32_t i = 0; i < s->n_link; i++)
		g->pred[s->link_pred[i]].n_group++;
	at = 0;
	for (uint32_t i = 0; i < g->n_pred; i++) {
		g->pred[i].group = at;
		at += g->pred[i].n_group;
		g->pred[i].n_group = 0;
	}
	for (uint32_t i = 0; i < s->n_link; i++) {
		struct graph_pred *p = &g->pred[s->link_pred[i]];
		g->pred_group[p->group + p->n_group++] = s->link_group[i];
	}
	return true;
}

bool
graph_find_guards(struct graph *g, struct err *err)
{
	struct guards s = {.g = g};
	size_t n = (size_t)g->n_node + 1;
	bool ok;

	for (int i = 0; i < 2; i++) {
		s.cost[i] = calloc(n, sizeof(*s.cost[i]));
		s.group[i] = calloc(n, sizeof(*s.group[i]));
	}
	s.mark = calloc(n, sizeof(*s.mark));
	s.constants = calloc((size_t)g->n_operand + 1, sizeof(*s.constants));
	g->rule_group =
	    arena_array(&g->arena, (size_t)g->rs->n_rule + 1, sizeof(*g->rule_group));
	g->group = arena_array(&g->arena, (size_t)g->rs->n_rule + 1, sizeof(*g->group));
	ok = s.cost[0] && s.cost[1] && s.group[0] && s.group[1] && s.mark &&
	     s.constants && g->rule_group && g->group;
	if (ok) {
		count_constants(&s);
		cost_nodes(&s);
		for (uint32_t r = 0; r < g->rs->n_rule; r++)
			guard_rule(&s, r);
		ok = !s.failed;
	}
	if (!ok)
		err_nomem(err);
	ok = ok && spread(&s, err);
	for (int i = 0; i < 2; i++) {
		free(s.cost[i]);
		free(s.group[i]);
	}
	free(s.mark);
	free(s.constants);
	free(s.link_pred);
	free(s.link_group);
	return ok;
}
