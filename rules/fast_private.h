/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the fast evaluator, shared by fast.c (rules and nodes), fast_scan.c
 * (values and look-ups), fast_sieve.c (values that need none) and fast_rank.c (numbers).
 * Whatever bears an old chunk number is blank. */
#ifndef RULES_FAST_PRIVATE_H
#define RULES_FAST_PRIVATE_H

#include "rules/fast.h"

/* Events of a slot by value. */
struct fast_groups {
	uint64_t chunk;
	uint64_t flat_until; /* the chunk until which it is not worth it */
	struct mask grouped; /* events that were looked at */
	struct mask present; /* those of them that have a value */
	uint32_t n;
	uint16_t table[LIMIT_CHUNK_EVENTS * 2]; /* group + 1 by hash */
	uint8_t group_of[LIMIT_CHUNK_EVENTS];
	uint64_t hash[LIMIT_CHUNK_EVENTS];
	struct scalar value[LIMIT_CHUNK_EVENTS];
	struct mask events[LIMIT_CHUNK_EVENTS];
};

/* Ranks of a chunk's numbers among the thresholds of a unit. */
struct fast_ranks {
	uint32_t n;
	bool summed;
	uint16_t *at; /* by rank: position + 1 */
	uint32_t rank[LIMIT_CHUNK_EVENTS];
	struct mask events[LIMIT_CHUNK_EVENTS];
	struct mask from[LIMIT_CHUNK_EVENTS + 1]; /* events of this rank and higher */
};

/* The texts of a slot that came in one column. */
struct fast_text {
	uint64_t chunk;
	uint32_t n; /* values, at most one an event */
	bool even;  /* exactly one */
	/* They lie one after another, a NUL between them; fast_sieve.c finds out. */
	uint8_t dense;
	const uint32_t *first;
	const struct span *span;
	const char *bytes;
};

/* An entry of graph.verify. */
struct fast_verify {
	uint64_t serial;    /* of its last comparison */
	uint64_t low, high; /* of a pattern: between these begins what matches */
	bool ranged;        /* they were asked for */
};

struct fast_unit {
	uint64_t chunk;
	struct mask scanned;
	uint32_t compared;        /* FAMILY_NUMBER: predicates that did without ranks */
	struct fast_ranks *ranks; /* FAMILY_NUMBER */
};

struct fast_pred {
	_Alignas(64) struct mask hit;
	uint64_t chunk;
	uint64_t list;    /* PRED_ALL: the list being looked at, */
	uint32_t members; /* and how many of its values were members so far */
	uint32_t group;   /* its guard; GRAPH_NONE: see graph_pred.n_group */
	bool guards;
};

struct fast_group {
	_Alignas(64) struct mask events;
	uint64_t chunk;
	uint32_t rule; /* the one it serves; GRAPH_NONE: see graph_group */
};

/* What of the graph is read for each candidate. */
struct fast_rule {
	uint32_t root, group, gate;
	uint32_t guard; /* a check that holds wherever the group does; or GRAPH_NONE */
};

struct fast_node {
	uint64_t chunk;
	struct mask known, value;
};

/* A rule that matched. */
struct fast_found {
	uint32_t rule;
	struct mask events;
};

struct fast {
	struct graph *g;
	struct evaluator *ev;
	uint64_t chunk;
	uint64_t serial;             /* of the value or list being looked up */
	struct fast_verify *verify;  /* by graph.verify */
	struct fast_groups **groups; /* by slot; NULL: its look-ups are cheap */
	struct fast_text *text;      /* by slot */
	struct fast_unit *unit;
	struct fast_pred *pred;
	struct fast_node *node;   /* by graph_node.shared */
	struct mask *known;       /* by predicate: PRED_PLAIN */
	struct fast_group *group; /* by guard */
	struct fast_rule *rule;
	uint32_t *guard_unit, n_guard_unit;
	uint32_t *touched, n_touched; /* guard predicates hit in this chunk */
	bool complete;                /* every condition slot is there on every event */
	struct mask *gate;            /* by gate: events on which it holds or may hold */
	uint64_t *always;             /* a bit a rule: it has neither guard nor gate */
	uint64_t *candidate;          /* a bit a rule */
	uint64_t *pending;            /* a bit a rule: what it needs was not all there */
	uint32_t n_rule_word;
	struct fast_found *found; /* in order of rules */
	uint32_t n_found;
	struct fast_found *former; /* what the last round found */
	uint32_t n_former;
	bool tried;
	size_t memory_bytes;
};

/* Looks unit up on events (which must be available) that it was not looked up on. */
void fast_scan_unit(struct fast *f, uint32_t unit, const struct mask *events);
/* Blank for this chunk. */
void fast_unit_start(struct fast *f, struct fast_unit *u);
/* Compares a PRED_PLAIN on events (available) where it is not known. */
void fast_scan_plain(struct fast *f, uint32_t pred, const struct mask *events);
/* Of the events (available), those whose number is on the right side of the threshold. */
struct mask fast_scan_rank(struct fast *f, uint32_t pred, const struct mask *events);

/* NULL: they came in no single column. Not for lists and numbers. */
struct fast_text *fast_text_now(struct fast *f, uint32_t slot);
/* The values (a bit each) in which a look-up may find anything; false: it cannot be told
 * without a look-up. */
bool fast_sieve(const struct graph_unit *u, struct fast_text *t, struct mask *ret_values);
/* The same of one value. */
bool fast_may_hit(const struct graph_unit *u, const char *s, uint32_t len);
/* The events, n of them, that have these values. */
struct mask fast_text_events(
    const struct fast_text *t, uint32_t n, const struct mask *values);

static inline struct fast_pred *
fast_pred_now(struct fast *f, uint32_t pred)
{
	struct fast_pred *p = &f->pred[pred];

	if (p->chunk != f->chunk) {
		p->chunk = f->chunk;
		p->hit = (struct mask){{0}};
		if (p->guards)
			f->touched[f->n_touched++] = pred;
	}
	return p;
}

#endif
