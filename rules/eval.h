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
 * asked for and cannot be had is supplied as missing. Built-in and static fields are
 * never asked for.
 *
 * There are two evaluators with one meaning. The fast one evaluates a chunk at a time
 * over one graph of all rules (graph.h) and asks for fields of later stages only on the
 * events that still need them. The plain one takes one event, one rule at a time, left to
 * right with short circuit; it wants every condition slot on every event. It is the
 * oracle of the fast one, and what explanations are made with.
 */
#ifndef RULES_EVAL_H
#define RULES_EVAL_H

#include "base/err.h"
#include "base/limits.h"
#include "rules/mask.h"
#include "rules/value.h"

struct operand;
struct ruleset;
struct slot_set;

/* What the engine must know of an event besides its columns. */
struct event_meta {
	uint64_t num;            /* counter of the pipeline, from 1 */
	uint64_t ts_ns;          /* since the epoch */
	uint64_t first_ts_ns;    /* of the first non-async event: base of evt.reltime */
	uint16_t type;           /* 322 plugin event, 402 async event */
	const char *plugin_name; /* owner of the id in the event; NULL: none */
	const char *async_name;  /* the name in a 402 event, else NULL */
};

struct eval_need {
	uint32_t slot;
	struct mask events; /* on which events its value is wanted */
};

struct eval_match {
	uint32_t event; /* position in the chunk */
	uint32_t rule;  /* index into ruleset.rule */
};

enum eval_rc {
	EVAL_DONE,
	EVAL_NEED
};

struct evaluator;

/* What evaluation needs to know of the world besides events. */
struct eval_config {
	/* Of now: evt.time and evt.datetime. NULL: none. */
	int64_t (*utc_offset_s)(void);
	const char *hostname; /* evt.hostname; NULL: no value */
	bool plain;           /* the plain evaluator, whatever is asked for */
};

struct evaluator *evaluator_new(
    const struct ruleset *rs, const struct eval_config *config, struct err *err);
struct evaluator *evaluator_new_plain(
    const struct ruleset *rs, const struct eval_config *config, struct err *err);
void evaluator_free(struct evaluator *ev);

/* 1 <= n <= LIMIT_CHUNK_EVENTS; meta[n] is borrowed like columns. A slot may be supplied
 * three times in a chunk (stage 0, on demand, for outputs), each time for other events.
 */
void evaluator_begin(struct evaluator *ev, uint32_t n, const struct event_meta *meta);
void evaluator_supply(struct evaluator *ev, uint32_t slot, const struct column *column,
    const struct mask *events);
enum eval_rc evaluator_run(struct evaluator *ev);
/* After EVAL_NEED: what to supply before the next run; never empty. */
const struct eval_need *evaluator_needs(const struct evaluator *ev, uint32_t *ret_n);
/* After EVAL_DONE: ordered by event, then by evaluation order of rules; with
 * rule_matching first at most one per event. */
const struct eval_match *evaluator_matches(const struct evaluator *ev, uint32_t *ret_n);
/* After EVAL_DONE: slots that the outputs of the matches need and that are not supplied.
 */
const struct eval_need *evaluator_output_needs(struct evaluator *ev, uint32_t *ret_n);

/* Slots of the enabled rules' conditions, those of them that are wanted on every event,
 * and slots of all their outputs. Whoever finds the fields cheap may supply all condition
 * slots at once: then evaluator_run never needs more. */
const uint32_t *evaluator_condition_slots(const struct evaluator *ev, uint32_t *ret_n);
const uint32_t *evaluator_stage0_slots(const struct evaluator *ev, uint32_t *ret_n);
const uint32_t *evaluator_output_slots(const struct evaluator *ev, uint32_t *ret_n);
const struct slot_set *evaluator_slots(const struct evaluator *ev);

/* The event as outputs read it: one event of the current chunk. */
struct event_view {
	struct evaluator *ev;
	uint32_t event;
};

/* The value of a slot (built-in fields are rendered into scratch memory), or of an
 * operand. */
void event_view_slot(
    const struct event_view *view, uint32_t slot, struct value_view *ret);
void event_view_operand(
    const struct event_view *view, const struct operand *o, struct value_view *ret);
const struct event_meta *event_view_meta(const struct event_view *view);
/* Forgets the scratch memory that values of this event took. */
void event_view_done(const struct event_view *view);

/* Run-time oddities that Falco ends on and we count: addresses of wrong length, … */
uint64_t evaluator_errors(const struct evaluator *ev);

#endif
