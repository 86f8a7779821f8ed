/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a rule adds to the graph: which predicates and fields are its own and which it
 * shares with other rules, how it is found, what is fetched for it.
 */
#ifndef RULES_GRAPH_COST_H
#define RULES_GRAPH_COST_H

#include "base/buf.h"
#include "rules/eval.h"
#include "rules/graph.h"

struct graph_cost_predicate {
	const struct check *check; /* text: one way to write it */
	const char *index;         /* "equality", "substring", … */
	uint32_t n_constant;       /* looked up by that index */
	uint32_t others;           /* rules besides this one that have it */
	bool guard;                /* the rule is tried only where this holds */
};

struct graph_cost_slot {
	uint32_t slot;
	uint32_t others;
	bool every_event; /* fetched for every event; else where it is still needed */
};

struct graph_cost {
	struct graph_cost_predicate *predicate;
	uint32_t n_predicate, n_own_predicate;
	struct graph_cost_slot *slot;
	uint32_t n_slot, n_own_slot;
	uint32_t n_node, n_own_node; /* and, or, not */
	bool guarded;                /* false: tried on every chunk */
};

/* rule: index into ruleset.rule of a fast evaluator. The lists live in the arena. */
bool graph_cost_of(const struct graph *g, uint32_t rule, struct arena *arena,
    struct graph_cost *ret, struct err *err);
/* The same from outside; false also when ev is plain. */
bool evaluator_rule_cost(const struct evaluator *ev, uint32_t rule, struct arena *arena,
    struct graph_cost *ret, struct err *err);
/* For people, several lines; one JSON object. */
void graph_cost_text(
    const struct graph *g, const struct graph_cost *cost, struct buf *out);
void graph_cost_json(
    const struct graph *g, const struct graph_cost *cost, struct buf *out);

#endif
