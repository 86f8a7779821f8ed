/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules and events for the benchmark of the rules engine: a mix as audit rules have it
 * (macros, equality, lists of 10 to 1,000, prefixes, substrings, globs, regexes, numbers,
 * networks, negations), and events of which a given share matches.
 */
#ifndef TESTS_BENCH_RULES_GEN_H
#define TESTS_BENCH_RULES_GEN_H

#include "base/arena.h"
#include "base/buf.h"
#include "rules/engine.h"

/* A catalog with the source "audit". */
bool bench_catalog_init(struct field_catalog *c, struct err *err);
/* The rules file of n_rule rules. */
void bench_rules_write(struct buf *out, uint32_t n_rule);

/* A chunk of events: a column for every slot. */
struct bench_chunk {
	struct column *column;
	struct event_meta *meta;
	uint32_t n;
};

/* The share match_permille of the events matches one of n_rule rules; two in a hundred
 * look like a match but for the stage, the verb and the user. Column memory is the
 * arena's. */
bool bench_chunk_make(struct bench_chunk *c, struct arena *arena,
    const struct slot_set *slots, uint32_t n_rule, uint32_t match_permille,
    uint64_t *seed);

#endif
