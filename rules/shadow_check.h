/* SPDX-License-Identifier: Apache-2.0 */
/* What one check says of another on the same value. */
#ifndef RULES_SHADOW_CHECK_H
#define RULES_SHADOW_CHECK_H

#include "rules/compile.h"

/* Does b hold whenever a does? False: not proved. */
bool check_implies(const struct check *a, const struct check *b);
/* Can they not hold together? False: not proved. */
bool check_excludes(const struct check *a, const struct check *b);
/* Equal for operands that are the same, in one ruleset. */
uint64_t operand_hash(const struct operand *o);

#endif
