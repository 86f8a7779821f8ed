/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules that can never fire: because their condition contradicts itself, or because an
 * earlier rule of the same source matches whenever they do and rule_matching is "first".
 *
 * Only what is proved is told; much is not found. Proofs are by the shape of conditions
 * (a or b is implied by a, a and b implies a) and by what single checks on one field say
 * of each other (equality, sets, ranges, prefixes, parts).
 */
#ifndef RULES_SHADOW_H
#define RULES_SHADOW_H

#include "base/arena.h"
#include "base/err.h"
#include "rules/engine.h"

struct shadow {
	const struct rule *rule;
	/* The rule that matches first; NULL: nothing can match, because of two checks or
	 * conditions that exclude each other. */
	const struct rule *by;
	const char *one, *other; /* texts of the checks, when there are two; or NULL */
};

/*
 * In evaluation order, in the arena. *ret_complete is false when the rules are so many
 * and so alike that not all pairs were looked at.
 */
bool shadow_find(const struct ruleset *rs, struct arena *arena,
    const struct shadow **ret_shadow, uint32_t *ret_n, bool *ret_complete,
    struct err *err);

#endif
