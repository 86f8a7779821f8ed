/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions of rules become text of the condition. Their validation is
 * declared in collect.h.
 */
#ifndef RULES_EXCEPTION_H
#define RULES_EXCEPTION_H

#include "rules/collect.h"

/*
 * *ret_condition: the rule's condition, in parentheses and with " and not …" for every
 * exception that has values, when the rule has exceptions; else as it is. *ret_fields:
 * the fields they name, sorted. Both are the arena's. False: reported into the result, or
 * the arena is full.
 */
bool exception_expand(struct arena *arena, struct load_result *result,
    const struct rule_info *rule, struct ast_str *ret_condition,
    struct text_list *ret_fields);

/* A list item or value as a condition takes it: in double quotes when it has a blank and
 * does not begin with a quote. */
void exception_quote(struct buf *out, const char *s);

#endif
