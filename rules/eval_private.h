/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two evaluators share: the chunk, what was supplied of it, the values of slots
 * and operands, the matches. eval.c owns it all; the fast evaluator (fast.h) hangs on it
 * through struct evaluator_ops.
 */
#ifndef RULES_EVAL_PRIVATE_H
#define RULES_EVAL_PRIVATE_H

#include "base/arena.h"
#include "rules/compile.h"
#include "rules/engine.h"
#include "rules/eval.h"
#include "rules/rel.h"

enum {
	SUPPLIES_MAX = 3, /* of one slot in one chunk: stage 0, on demand, for outputs */
};

struct evaluator_ops {
	/* Every slot wanted is there, or it was added to ev->need. */
	enum eval_rc (*run)(struct evaluator *ev);
	void (*begin)(struct evaluator *ev);
	void (*free)(struct evaluator *ev);
};

/* What was supplied of one slot. */
struct supply {
	uint32_t n;
	const struct column *column[SUPPLIES_MAX];
	struct mask events[SUPPLIES_MAX];
};

struct fast;

struct evaluator {
	const struct evaluator_ops *ops;
	struct fast *fast; /* NULL: the plain evaluator */
	const struct ruleset *rs;
	struct eval_config config;
	uint32_t n;
	struct mask all; /* the n events */
	const struct event_meta *meta;
	struct supply *supply; /* by slot */
	struct mask *have;     /* by slot: events whose value was supplied */
	uint32_t *condition_slot, n_condition_slot;
	uint32_t *stage0_slot, n_stage0_slot; /* all of condition_slot unless fast */
	uint32_t *output_slot, n_output_slot;
	struct mask *wanted; /* by slot: scratch of evaluator_output_needs */
	struct eval_need *need;
	uint32_t n_need;
	struct eval_match *match;
	uint32_t n_match, cap_match;
	bool done;
	struct arena scratch;
	uint64_t oddities;
};

/* The engine knows the value itself: nobody is asked. */
bool slot_is_ours(const struct slot *s);
/* The column that holds the value of an event; NULL: none was supplied. */
const struct column *eval_column(
    const struct evaluator *ev, uint32_t slot, uint32_t event);
/* Values may point into ev->scratch: good until it is reset. */
void eval_slot(
    struct evaluator *ev, uint32_t event, uint32_t slot, struct value_view *ret);
void eval_operand(struct evaluator *ev, uint32_t event, const struct operand *o,
    struct value_view *ret);
/* One check on one event by plain comparison. */
bool eval_check(struct evaluator *ev, uint32_t event, const struct check *k);
/* Adds what of slot is not there yet on the events wanted. */
void eval_need_add(struct evaluator *ev, uint32_t slot, const struct mask *wanted);

static inline struct scalar
value_view_element(const struct value_view *v, bool number, uint32_t i)
{
	struct scalar s = {0};

	if (number)
		s.num = v->num[i];
	else
		s.s = value_view_str(v, i, &s.len);
	return s;
}

#endif
