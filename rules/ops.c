/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/ops.h"

static const char *const op_texts[REL_N] = {
#define REL_TEXT(id, text, shape) [REL_##id] = text,
    REL_OPS(REL_TEXT)
#undef REL_TEXT
};

const char *
rel_op_text(enum rel_op op)
{
	return op_texts[op];
}

const char *
rel_modifier_text(enum rel_modifier m)
{
	static const char *const texts[] = {"", "oneof", "anyof", "allof"};

	return texts[m];
}
