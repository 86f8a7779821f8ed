/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matches by rule and by priority, and their summary at exit. Counted by
 * the name of the rule, so that they survive a reload; each ruleset that is evaluated has
 * an index of its own into the one table.
 */
#ifndef BROKER_OPERATORS_STATISTICS_H
#define BROKER_OPERATORS_STATISTICS_H

#include "base/buf.h"
#include "rules/engine.h"

struct statistics;
struct statistics_index;

/* One rule's matches; name and labels live as long as the table. */
struct statistics_row {
	char *name;
	char *labels; /* priority="4",rule_name="…",source="…",tag_x="true" */
	uint64_t n;
};

struct statistics *statistics_new(struct err *err);
void statistics_free(struct statistics *s);

/* For the rules of a loader, which is not kept: from now on they are the table's rules,
 * in their order; those that went keep their counts behind them. */
struct statistics_index *statistics_index_new(
    struct statistics *s, const struct loader *loader, struct err *err);
void statistics_index_free(struct statistics_index *x);

/* Once per match, before any output; rule is one of the index's loader. */
void statistics_count(struct statistics_index *x, const struct rule *rule);

uint64_t statistics_total(const struct statistics *s);
/* Rows in the order of definition. */
const struct statistics_row *const *statistics_rows(
    const struct statistics *s, uint32_t *ret_n);

void statistics_text(const struct statistics *s, struct buf *out);
/* The text on standard output; given up when nobody reads there. */
void statistics_print(const struct statistics *s);

#endif
