/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a rule matches an event or not: every term of its condition with its verdict and
 * the values that it saw, and the terms that decided.
 *
 * The event is one of the evaluator's current chunk, on which every slot of the condition
 * was supplied: a plain evaluator that has run. All terms are looked at, also those that
 * evaluation would have left out.
 */
#ifndef RULES_EXPLAIN_H
#define RULES_EXPLAIN_H

#include "base/buf.h"
#include "rules/engine.h"

/* Several lines, safe for a terminal. Returns whether the rule matches. */
bool explain_text(
    const struct rule *rule, const struct event_view *view, struct buf *out);
/* One JSON object: rule, matches, condition (kind, holds, terms or check and values), why
 * (the terms that decided). */
bool explain_json(
    const struct rule *rule, const struct event_view *view, struct buf *out);

#endif
