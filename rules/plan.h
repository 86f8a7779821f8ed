/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The extraction plan: which slots every event must have (stage 0) and which are fetched
 * only for events that still need them.
 *
 * Stage 0 are the slots of guards; for rules without a guard, the slots of a part of
 * their gate or condition (graph.h) that many rules use; and slots that a third of the
 * rules use. Stage 1 are the other slots of conditions, stage 2 slots that only outputs
 * print. Evaluation asks for everything a rule may still need in one go, so a chunk takes
 * two rounds at most.
 */
#ifndef RULES_PLAN_H
#define RULES_PLAN_H

#include "rules/graph.h"

enum {
	PLAN_EVERY_EVENT,
	PLAN_ON_DEMAND,
	PLAN_OUTPUT,
};

/* Fills graph.stage, and the cost, stage and order of nodes: parts that need no fetching
 * come first, then what is cheap. */
bool plan_make(struct graph *g, struct err *err);

#endif
