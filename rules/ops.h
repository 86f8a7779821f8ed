/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The relation operators, once: REL(id, text, shape). The parser, the type checks, the
 * text form and --list all come from this table. Shapes: unary, number (right side is a
 * number), string (a string), list.
 */
#ifndef RULES_OPS_H
#define RULES_OPS_H

/* clang-format off */
#define REL_OPS(REL) \
	REL(EXISTS,      "exists",      unary)  \
	REL(LE,          "<=",          number) \
	REL(LT,          "<",           number) \
	REL(GE,          ">=",          number) \
	REL(GT,          ">",           number) \
	REL(EQ,          "=",           string) \
	REL(NE,          "!=",          string) \
	REL(GLOB,        "glob",        string) \
	REL(IGLOB,       "iglob",       string) \
	REL(CONTAINS,    "contains",    string) \
	REL(ICONTAINS,   "icontains",   string) \
	REL(BCONTAINS,   "bcontains",   string) \
	REL(STARTSWITH,  "startswith",  string) \
	REL(BSTARTSWITH, "bstartswith", string) \
	REL(ENDSWITH,    "endswith",    string) \
	REL(REGEX,       "regex",       string) \
	REL(INTERSECTS,  "intersects",  list)   \
	REL(IN,          "in",          list)   \
	REL(PMATCH,      "pmatch",      list)
/* clang-format on */

enum rel_op {
#define REL_ENUM(id, text, shape) REL_##id,
	REL_OPS(REL_ENUM)
#undef REL_ENUM
	REL_N,
};

enum rel_modifier {
	MODIFIER_NONE,
	MODIFIER_ONEOF,
	MODIFIER_ANYOF,
	MODIFIER_ALLOF
};

const char *rel_op_text(enum rel_op op);
/* "oneof" …; "" for none. */
const char *rel_modifier_text(enum rel_modifier m);

#endif
