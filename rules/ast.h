/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of a condition, as the parser leaves it: no types, no catalog.
 *
 * Nodes live in the arena given to the parser and are never changed after; trees may
 * share sub-trees (a macro's tree appears wherever it is used).
 */
#ifndef RULES_AST_H
#define RULES_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Where a node starts in the text that was parsed: index from 0, line and column from 1.
 */
struct ast_pos {
	uint32_t idx, line, col;
};

/* A byte string; may hold NUL; a NUL follows it. */
struct ast_str {
	const char *s;
	size_t n;
};

enum ast_kind {
	AST_AND,        /* child[n]: two or more */
	AST_OR,         /* child[n]: two or more */
	AST_NOT,        /* child[0] */
	AST_IDENTIFIER, /* text: a macro reference */
	AST_CHECK,      /* child[0] left (AST_FIELD or AST_TRANSFORMER), op, modifier;
			   child[1] right: AST_VALUE, AST_LIST, AST_FIELD, AST_TRANSFORMER;
			   absent (n == 1) for exists */
	AST_VALUE,      /* text: one constant */
	AST_LIST, /* child[n] of AST_VALUE: the right side of list operators and modifiers
		   */
	AST_FIELD,       /* text: name; arg (has_arg) */
	AST_TRANSFORMER, /* text: name; child[n]: arguments; arg (has_arg); val() on the
			    right side is a transformer named "val" */
	AST_TRANSFORMER_LIST, /* child[n]: a TList among transformer arguments */
};

#include "rules/ops.h"

struct ast {
	enum ast_kind kind;
	enum rel_op op;             /* AST_CHECK */
	enum rel_modifier modifier; /* AST_CHECK */
	bool op_double_equal; /* "==" was written: kept apart in the text form only */
	bool has_arg;
	bool number; /* AST_VALUE inside transformers: a numeric literal */
	struct ast_str text, arg;
	struct ast_pos pos;
	uint32_t n;
	const struct ast **child;
};

/*
 * Parses a condition. max_depth as Falco has it (LIMIT_CONDITION_DEPTH for rules and
 * macros). On failure err holds Falco's text and *reterr_pos where it happened.
 */
bool ast_parse(struct arena *arena, const char *text, size_t len, uint32_t max_depth,
    const struct ast **ret_ast, struct ast_pos *reterr_pos, struct err *err);

/*
 * Parses one Field or Transformer at the start of text, as output formats have them.
 * *ret_used is how many bytes it took.
 */
bool ast_parse_operand(struct arena *arena, const char *text, size_t len,
    uint32_t max_depth, const struct ast **ret_ast, size_t *ret_used,
    struct ast_pos *reterr_pos, struct err *err);

/* The text form (condition_compiled, keys of output_fields). */
void ast_print(struct buf *out, const struct ast *node);

/* Node constructors for whoever rewrites trees (macros). NULL when the arena is full. */
struct ast *ast_new(
    struct arena *arena, enum ast_kind kind, struct ast_pos pos, uint32_t n);

/* Visits every node, parents first. Depth is bounded by the parser's. */
void ast_walk(
    const struct ast *node, void (*visit)(const struct ast *node, void *arg), void *arg);

/* True for the names after which "(" starts a transformer, and for val. */
bool ast_is_transformer_name(const char *s, size_t n);

#endif
