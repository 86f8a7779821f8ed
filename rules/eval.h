/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluation: columns in, matches out.
 *
 * One evaluator belongs to one pipeline and one ruleset; it holds scratch memory sized at
 * creation and allocates nothing per event. A chunk is evaluated in rounds:
 *
 *   evaluator_begin(ev, n, meta);
 *   supply every column of stage 0;
 *   while (evaluator_run(ev) == EVAL_NEED)
 *           fetch and supply what evaluator_needs() lists;
 *   read evaluator_matches();
 *
 * Columns that are supplied are borrowed until the next evaluator_begin. A value that was
 * asked for and cannot be had is supplied as missing. Built-in and static fields are never
 * asked for. There are two implementations behind one table: the plain one (one event, one
 * rule at a time: the oracle) and the fast one.
 */
#ifndef RULES_EVAL_H
#define RULES_EVAL_H

#include "base/err.h"
#include "base/limits.h"
#include "rules/value.h"

struct ruleset;

/* What the engine must know of an event besides its columns. */
struct event_meta {
	uint64_t num;        /* counter of the pipeline, from 1 */
	uint64_t ts_ns;      /* since the epoch */
	uint64_t first_ts_ns; /* of the first non-async event: base of evt.reltime */
	uint16_t type;       /* 322 plugin event, 402 async event */
	const char *plugin_name; /* owner of the id in the event; NULL: none */
	const char *async_name;  /* the name in a 402 event, else NULL */
};

/* One bit per event of a chunk. */
struct mask {
	uint64_t w[LIMIT_CHUNK_EVENTS / 64];
};

struct eval_need {
	uint32_t slot;
	struct mask events; /* on which events its value is wanted */
};

struct eval_match {
	uint32_t event; /* position in the chunk */
	uint32_t rule;  /* index into ruleset.rule */
};

enum eval_rc { EVAL_DONE, EVAL_NEED };

enum eval_kind { EVAL_PLAIN, EVAL_FAST };

struct evaluator;

/* What evaluation needs to know of the world besides events. */
struct eval_config {
	int64_t utc_offset_s;   /* of now: evt.time and evt.datetime (engine.md 3.4) */
	const char *hostname;   /* evt.hostname; NULL: no value */
};

struct evaluator *evaluator_new(enum eval_kind kind, const struct ruleset *rs,
    const struct eval_config *config, struct err *err);
void evaluator_free(struct evaluator *ev);

/* 1 <= n <= LIMIT_CHUNK_EVENTS; meta[n] is borrowed like columns. */
void evaluator_begin(struct evaluator *ev, uint32_t n, const struct event_meta *meta);
void evaluator_supply(struct evaluator *ev, uint32_t slot, const struct column *column,
    const struct mask *events);
enum eval_rc evaluator_run(struct evaluator *ev);
/* After EVAL_NEED: what to supply before the next run; never empty. */
const struct eval_need *evaluator_needs(const struct evaluator *ev, uint32_t *ret_n);
/* After EVAL_DONE: ordered by event, then by evaluation order of rules; with
 * rule_matching first at most one per event. */
const struct eval_match *evaluator_matches(const struct evaluator *ev, uint32_t *ret_n);
/* After EVAL_DONE: slots that the outputs of the matches need and that are not supplied. */
const struct eval_need *evaluator_output_needs(struct evaluator *ev, uint32_t *ret_n);

/* The event as outputs read it: the value of a slot on one event of the current chunk. */
struct event_view {
	const struct evaluator *ev;
	uint32_t event;
};

/* The elements of a slot's value: *ret_column and the range [first, end). Zero elements:
 * no value. Built-in fields are rendered into the evaluator's scratch memory. */
uint32_t event_view_value(const struct event_view *view, uint32_t slot,
    const struct column **ret_column, uint32_t *ret_first);
const struct event_meta *event_view_meta(const struct event_view *view);

/* Run-time oddities that Falco ends on and we count: addresses of wrong length, … */
uint64_t evaluator_errors(const struct evaluator *ev);

#endif
