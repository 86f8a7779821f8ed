/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast evaluator: a chunk at a time over a graph.
 *
 * Per chunk: the units that guards need are looked up on every event, but most values
 * only pass a sieve, a column at a time, that tells that there is nothing to find; where
 * much is left of a slot, its values are grouped, so that what repeats is looked up once;
 * from the guards that were hit come the rules worth trying, in order, each only on the
 * events of its guard and with masks for values. Everything else is looked up on demand.
 * The memory is made by fast_attach; a chunk allocates nothing but scratch for
 * transformed values.
 */
#ifndef RULES_FAST_H
#define RULES_FAST_H

#include "rules/eval_private.h"
#include "rules/graph.h"

/* Makes ev a fast evaluator. */
bool fast_attach(struct evaluator *ev, struct err *err);
/* NULL: ev is plain. */
const struct graph *fast_graph(const struct evaluator *ev);
/* Graph, indexes and scratch, without the rules themselves. */
size_t fast_memory_bytes(const struct evaluator *ev);

#endif
