/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conditions of all rules of a ruleset as one graph: equal operands, checks and
 * sub-expressions are one node, whoever wrote them (what it means leaves us free to
 * share, order and skip: evaluation has no side effects).
 *
 * A check becomes a predicate on an operand, made of atoms: constants that one family of
 * index looks up (index.h). A predicate PRED_ANY holds when any of its atoms does, so
 * "x in (a, b)" is one predicate of two atoms. "x != a" is "x exists and not x = a". What
 * no index can decide is PRED_PLAIN and is compared by eval_check.
 *
 * A guard is a node that must hold, made of indexed predicates alone, for a rule to
 * match: rules are found from the guards that the events hit, not tried one by one.
 * Rules without a guard that share a conjunct are found from that, their gate, which is
 * evaluated once.
 *
 * A graph is immutable once built, but for the walks that its indexes count; it belongs
 * to one evaluator.
 */
#ifndef RULES_GRAPH_H
#define RULES_GRAPH_H

#include "rules/compile.h"
#include "rules/engine.h"
#include "rules/index.h"

#define GRAPH_NONE UINT32_MAX
/* In postings: not a predicate but an entry of graph.verify. */
#define GRAPH_VERIFY (1u << 31)

/* clang-format off */
/* FAMILY(id, name, cost): cost is what one look-up takes, relatively. */
#define GRAPH_FAMILIES(FAMILY) \
	FAMILY(PRESENT, "presence",  1)  \
	FAMILY(VALID,   "presence",  1)  \
	FAMILY(HASH,    "equality",  2)  \
	FAMILY(NUMBER,  "threshold", 2)  \
	FAMILY(PREFIX,  "prefix",    3)  \
	FAMILY(SUFFIX,  "suffix",    3)  \
	FAMILY(PATH,    "path",      4)  \
	FAMILY(NET,     "network",   4)  \
	FAMILY(SUBSTR,  "substring", 8)  \
	FAMILY(ISUBSTR, "substring, any case", 8) \
	FAMILY(REGEX,   "regex",     20) \
	FAMILY(PLAIN,   "comparison", 25)
/* clang-format on */

enum graph_family {
#define GRAPH_ENUM(id, name, cost) FAMILY_##id,
	GRAPH_FAMILIES(GRAPH_ENUM)
#undef GRAPH_ENUM
	FAMILY_N,
};

const char *graph_family_name(enum graph_family family);
uint32_t graph_family_cost(enum graph_family family);

/* On what a value depends. */
struct graph_source {
	uint32_t slot, n_slot; /* in graph.slot: those that must be supplied */
	uint32_t base; /* the one slot, not a list, that decides it; or GRAPH_NONE */
	bool constant; /* the same for all events of a chunk */
};

struct graph_operand {
	const struct operand *o;
	struct graph_source source;
	bool number;
	bool cstring; /* no value can hold a NUL */
};

struct graph_atom {
	enum graph_family family;
	enum rel_op op;
	bool verify; /* a hit means "maybe": compare with k */
	const char *s;
	uint32_t len;
	const char *rest;  /* a longer part than s that a value must contain, if any: */
	uint32_t rest_len; /* sought instead when too many patterns share s */
	const struct constant *k;
};

enum graph_pred_kind {
	PRED_ANY,   /* a value satisfies an atom */
	PRED_ALL,   /* every value satisfies an atom: "in" on lists */
	PRED_RANK,  /* a number against a threshold */
	PRED_PLAIN, /* eval_check says */
};

struct graph_pred {
	enum graph_pred_kind kind;
	enum rel_op op;     /* PRED_RANK */
	uint64_t threshold; /* PRED_RANK, as index_number_key */
	uint32_t rank;      /* PRED_RANK: "rank >= this", */
	bool below;         /* or the opposite */
	uint32_t operand;   /* GRAPH_NONE: PRED_PLAIN */
	uint32_t atom, n_atom;
	uint32_t unit, n_unit;   /* in graph.pred_unit */
	uint32_t group, n_group; /* in graph.pred_group: guards it belongs to */
	struct graph_source source;
	const struct check *check; /* one of the checks that it stands for */
	uint32_t cost;
	uint32_t uses; /* rules that have it */
};

struct graph_node {
	enum cond_kind kind;
	uint32_t pred;           /* COND_CHECK */
	uint32_t child, n_child; /* in graph.child, cheapest first */
	uint32_t shared; /* number among nodes of several parents, or GRAPH_NONE */
	uint32_t parents;
	uint32_t cost;
	uint32_t stage; /* the last of its slots' */
	uint32_t uses;  /* rules that have it */
};

/* One operand, one family: what is looked up together. */
struct graph_unit {
	uint32_t operand;
	enum graph_family family;
	uint32_t n_key;
	struct index_key *key;
	uint32_t *all, n_all; /* its PRED_ALL: they hold on an empty list */
	bool guards;          /* a guard needs it on every event */
	union {
		struct index_hash hash;
		struct index_trie trie;
		struct index_number number;
		struct index_net net;
		struct index_path path;
		struct index_regex regex;
	};
};

struct graph_verify {
	uint32_t pred;
	enum rel_op op;
	const struct constant *k;
	const char *rest; /* as in the atom: looked for first */
	uint32_t rest_len;
};

/* Predicates of which a rule needs one: one guard may serve many rules. */
struct graph_group {
	uint32_t node;         /* it holds, or (an AND) it does not */
	uint32_t rule, n_rule; /* in graph.group_rule */
};

/* A node that several rules without a guard need. */
struct graph_gate {
	uint32_t node;
	uint32_t rule, n_rule; /* in graph.gate_rule */
};

struct graph {
	struct arena arena;
	const struct ruleset *rs;
	struct graph_operand *operand;
	struct graph_atom *atom;
	struct graph_pred *pred;
	struct graph_node *node;
	struct graph_unit *unit;
	struct graph_verify *verify;
	struct graph_group *group;
	struct graph_gate *gate;
	uint32_t *slot, *child, *pred_unit, *pred_group, *group_rule, *gate_rule;
	uint32_t *root;       /* by rule: its node */
	uint32_t *rule_group; /* by rule: its guard, or GRAPH_NONE */
	uint32_t *rule_gate;  /* by rule: its gate, or GRAPH_NONE */
	uint32_t *stage;      /* by slot: plan.h */
	uint32_t *slot_rules; /* by slot: rules that use it */
	uint32_t n_operand, n_atom, n_pred, n_node, n_unit, n_verify, n_group, n_gate,
	    n_shared;
	uint32_t n_slot, n_child, n_pred_unit;
	size_t memory_bytes;
};

/* NULL on failure. */
struct graph *graph_new(const struct ruleset *rs, struct err *err);
void graph_free(struct graph *g);

/* Calls visit once for every node below and including node; mark: one per node, equal to
 * stamp when it was visited. */
void graph_visit(const struct graph *g, uint32_t node, uint32_t *mark, uint32_t stamp,
    void (*visit)(void *arg, uint32_t node), void *arg);

#endif
