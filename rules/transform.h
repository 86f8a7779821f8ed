/* SPDX-License-Identifier: Apache-2.0 */
/* Transformers at run time: values in, values out, all in scratch
 * memory. */
#ifndef RULES_TRANSFORM_H
#define RULES_TRANSFORM_H

#include "base/arena.h"
#include "rules/compile.h"
#include "rules/value.h"

/* arg[n] are the evaluated arguments (all present). false: the extraction fails. */
bool transform_apply(const struct operand *o, const struct value_view *arg,
    struct arena *scratch, struct value_view *ret);
/* TList: the arguments' values in a row. */
bool transform_list(const struct operand *o, const struct value_view *arg,
    struct arena *scratch, struct value_view *ret);

/* A view of n strings to be filled; NULL when scratch is full. Offsets are from one base.
 */
struct view_builder {
	struct arena *scratch;
	struct span *span;
	uint32_t n, cap;
	char *bytes;
	uint32_t len, size;
	bool failed;
};

void view_builder_init(struct view_builder *b, struct arena *scratch);
void view_builder_add(struct view_builder *b, const char *s, size_t n);
bool view_builder_finish(struct view_builder *b, struct value_view *ret);

#endif
