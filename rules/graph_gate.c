/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gates: for rules that no guard finds. Of a rule's conjuncts one is taken that neither
 * few nor nearly all rules share: the first would have to be evaluated for few rules
 * each, the second holds for most events.
 */
#include <stdlib.h>

#include "rules/graph_build.h"

struct gates {
	struct graph *g;
	uint32_t *by_node; /* gate + 1 */
	uint32_t *chosen;  /* by rule: its node */
};

static uint32_t
price(const struct graph *g, uint32_t node)
{
	uint32_t uses = g->node[node].uses;

	return g->rs->n_rule / uses + uses;
}

static uint32_t
choose(const struct graph *g, uint32_t node)
{
	const struct graph_node *n = &g->node[node];
	uint32_t best = node;

	for (uint32_t i = 0; n->kind == COND_AND && i < n->n_child; i++) {
		uint32_t c = choose(g, g->child[n->child + i]);
		if (price(g, c) < price(g, best))
			best = c;
	}
	return best;
}

static void
count_rules(struct gates *s, uint32_t rule)
{
	struct graph *g = s->g;
	uint32_t node = choose(g, g->root[rule]);

	s->chosen[rule] = node;
	if (!s->by_node[node]) {
		g->gate[g->n_gate] = (struct graph_gate){.node = node};
		s->by_node[node] = ++g->n_gate;
	}
	g->gate[s->by_node[node] - 1].n_rule++;
}

/* What one rule alone would use is no gate: it would be evaluated twice. */
static void
drop_single(struct gates *s)
{
	struct graph *g = s->g;
	uint32_t kept = 0, at = 0;

	for (uint32_t i = 0; i < g->n_gate; i++) {
		struct graph_gate gate = g->gate[i];
		s->by_node[gate.node] = gate.n_rule > 1 ? kept + 1 : 0;
		if (gate.n_rule < 2)
			continue;
		gate.rule = at;
		at += gate.n_rule;
		gate.n_rule = 0;
		g->gate[kept++] = gate;
	}
	g->n_gate = kept;
}

bool
graph_find_gates(struct graph *g, struct err *err)
{
	struct gates s = {.g = g};
	uint32_t n_rule = g->rs->n_rule;
	bool ok;

	s.by_node = calloc((size_t)g->n_node + 1, sizeof(*s.by_node));
	s.chosen = calloc((size_t)n_rule + 1, sizeof(*s.chosen));
	g->gate = arena_array(&g->arena, (size_t)n_rule + 1, sizeof(*g->gate));
	g->gate_rule = arena_array(&g->arena, (size_t)n_rule + 1, sizeof(*g->gate_rule));
	g->rule_gate = arena_array(&g->arena, (size_t)n_rule + 1, sizeof(*g->rule_gate));
	ok = s.by_node && s.chosen && g->gate && g->gate_rule && g->rule_gate;
	for (uint32_t r = 0; ok && r < n_rule; r++) {
		if (g->rule_group[r] == GRAPH_NONE)
			count_rules(&s, r);
	}
	if (ok)
		drop_single(&s);
	for (uint32_t r = 0; ok && r < n_rule; r++) {
		uint32_t id = g->rule_group[r] == GRAPH_NONE ? s.by_node[s.chosen[r]] : 0;
		g->rule_gate[r] = id - 1;
		if (id)
			g->gate_rule[g->gate[id - 1].rule + g->gate[id - 1].n_rule++] = r;
	}
	free(s.by_node);
	free(s.chosen);
	return ok || err_nomem(err);
}
