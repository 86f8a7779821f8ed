/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rulesets and columns out of numbers, for tests that compare the two evaluators: a
 * catalog with a field of every type, conditions with every operator, modifier and
 * transformer, columns with what plugins send at their worst.
 */
#ifndef RULES_PROPERTY_GEN_H
#define RULES_PROPERTY_GEN_H

#include "base/buf.h"
#include "rules/engine.h"

/* Where choices come from: bytes while there are some, then the seed; without a seed all
 * choices after the bytes are 0. */
struct property_source {
	const uint8_t *bytes;
	size_t n;
	uint64_t seed;
};

/* 0 <= result < below. */
uint32_t property_choice(struct property_source *s, uint32_t below);

/* A ruleset that was made by hand, and its memory. */
struct property_rules {
	struct arena arena;
	struct field_catalog catalog;
	struct slot_set slots;
	struct regex_list *regexes;
	struct rules_config config;
	struct ruleset rs;
	const struct rule **rule;
	const char **text; /* by rule: its condition */
	uint32_t cap;
	uint32_t n_refused; /* conditions that did not compile */
};

bool property_rules_init(struct property_rules *r, enum rule_matching matching);
void property_rules_release(struct property_rules *r);
/* false: the condition does not compile. */
bool property_rules_add(struct property_rules *r, const char *condition, struct err *err);
/* Adds one that the source makes up; no rule when it does not compile. */
void property_rules_make(struct property_rules *r, struct property_source *s);

/* Columns of n events for every slot. */
struct property_chunk {
	struct arena arena;
	uint32_t n;
	struct event_meta *meta;
	struct column *column; /* by slot */
};

bool property_chunk_make(
    struct property_chunk *c, const struct property_rules *r, struct property_source *s);
void property_chunk_release(struct property_chunk *c);

/* What an evaluator matches on the chunk; only what it asks for is supplied. */
bool property_run(struct evaluator *ev, const struct property_chunk *c);
/* Makes and compares until something differs (false, why says what) or all is done. */
bool property_compare(
    struct property_source *s, uint32_t n_rule, uint32_t n_chunk, struct buf *why);

#endif
