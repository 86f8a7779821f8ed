/* SPDX-License-Identifier: Apache-2.0 */
/* Matches by rule and by priority, and their summary at exit (engine.md 3.9). */
#ifndef BROKER_STATISTICS_H
#define BROKER_STATISTICS_H

#include "base/buf.h"
#include "rules/engine.h"

struct statistics;

/* For the rules of the loader, which outlives it. */
struct statistics *statistics_new(const struct loader *loader, struct err *err);
void statistics_free(struct statistics *s);

/* Once per match, before any output. */
void statistics_count(struct statistics *s, const struct rule *rule);
uint64_t statistics_total(const struct statistics *s);
uint64_t statistics_of_rule(const struct statistics *s, const struct rule *rule);

void statistics_text(const struct statistics *s, struct buf *out);
/* The text on standard output. */
void statistics_print(const struct statistics *s);

#endif
