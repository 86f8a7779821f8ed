/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that build a graph share; nobody else includes it. */
#ifndef RULES_GRAPH_BUILD_H
#define RULES_GRAPH_BUILD_H

#include "base/hash.h"
#include "rules/graph.h"

/* A growing array of anything; its memory belongs to the graph at the end. */
struct graph_build {
	struct graph *g;
	struct arena keys; /* forgotten when all is interned */
	struct map by_key; /* everything interned: first byte of a key says what */
	struct buf key;    /* scratch */
	uint32_t *stack;   /* children of the nodes being made */
	uint32_t n_stack, cap_stack;
	struct graph_atom *atoms; /* of the predicate being made */
	uint32_t n_atoms, cap_atoms;
	uint32_t cap_operand, cap_atom, cap_pred, cap_node, cap_slot, cap_child;
	struct err *err;
};

/* Makes room for one more; false (and err) when memory is gone. */
bool graph_grow(
    struct graph_build *b, void *array, uint32_t n, uint32_t *cap, size_t size_bytes);

/* What b->key stands for, or GRAPH_NONE. */
uint32_t graph_key_find(const struct graph_build *b);
bool graph_key_put(struct graph_build *b, uint32_t v);

/* GRAPH_NONE on failure, as all that follow. Equal arguments give equal numbers. */
uint32_t graph_intern_operand(struct graph_build *b, const struct operand *o);
/* AND or OR of child[n], in any order. */
uint32_t graph_intern_group(
    struct graph_build *b, enum cond_kind kind, uint32_t *child, uint32_t n);
uint32_t graph_intern_not(struct graph_build *b, uint32_t child);
/* The node that says what the check says. */
uint32_t graph_intern_check(struct graph_build *b, const struct check *k);
/* The node of a predicate under the bytes in b->key. */
uint32_t graph_intern_pred(struct graph_build *b, const struct graph_pred *p);
/* The slots of two operands (either may be NULL) as one source. */
bool graph_source_of(struct graph_build *b, const struct operand *x,
    const struct operand *y, struct graph_source *ret);

/* After all nodes are there: who uses what, guards, stages and order, indexes. */
bool graph_find_guards(struct graph *g, struct err *err);
bool graph_find_gates(struct graph *g, struct err *err);
bool graph_build_units(struct graph *g, struct err *err);

#endif
