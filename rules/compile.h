/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From AST to typed conditions: fields become slots, constants are parsed by the type
 * they are compared with, transformers are checked. What is
 * compiled is immutable, lives in the arena and holds all that either evaluator needs.
 */
#ifndef RULES_COMPILE_H
#define RULES_COMPILE_H

#include "base/arena.h"
#include "base/err.h"
#include "rules/ast.h"
#include "rules/slot.h"

/* Name, then the letter of the argument rule: see transform_rules in compile_operand.c.
 */
enum transform {
	TRANSFORM_TOLOWER,
	TRANSFORM_TOUPPER,
	TRANSFORM_BASENAME,
	TRANSFORM_B64,
	TRANSFORM_LEN,
	TRANSFORM_JOIN,
	TRANSFORM_CONCAT,
	TRANSFORM_GETOPT,
};

enum operand_kind {
	OPERAND_SLOT,      /* a field: the value of a slot */
	OPERAND_LITERAL,   /* a constant string among transformer arguments */
	OPERAND_TRANSFORM, /* of arg[n] */
	OPERAND_LIST, /* TList: the arguments' values in a row, numbers as decimal strings
		       */
};

struct operand {
	enum operand_kind kind;
	enum value_type type;
	bool list;
	uint32_t slot; /* OPERAND_SLOT */
	const struct field
	    *field; /* of the innermost field; NULL: none (messages, checks) */
	struct ast_str literal;   /* OPERAND_LITERAL */
	enum transform transform; /* OPERAND_TRANSFORM */
	char option;              /* getopt's [c]; 0: none */
	const struct operand **arg;
	uint32_t n;
};

struct regex;

/* A right-hand constant, parsed. */
struct constant {
	uint64_t num;   /* number types, as the column has them */
	const char *s;  /* strings, bytes (decoded for b-operators), address bytes */
	uint32_t len;   /* of s; 4 or 16 for addresses */
	uint8_t prefix; /* IPNET: bits */
	const struct regex *re; /* REL_REGEX */
};

struct check {
	enum rel_op op;
	enum rel_modifier modifier;
	const struct operand *lhs;
	const struct operand *rhs; /* a field or transformer instead of constants */
	const struct constant
	    *constant; /* one, or the set of in/intersects/pmatch/modifiers */
	uint32_t n_constant;
	const char *text; /* the AST text: equal checks have equal texts */
};

enum cond_kind {
	COND_AND,
	COND_OR,
	COND_NOT,
	COND_CHECK
};

struct cond {
	enum cond_kind kind;
	const struct cond **child;
	uint32_t n;
	const struct check *check; /* COND_CHECK */
};

/* Regexes are not arena memory: whoever owns the arena owns this list and releases it. */
struct regex_list {
	struct regex_list *next;
	struct regex *re;
};

struct compiler {
	struct arena *arena;
	const struct field_source *source;
	struct slot_set *slots;
	struct regex_list **regexes;
	enum slot_use use;
	/* Is it a name that evt.type can have? NULL: anything is. */
	bool (*is_evttype)(const char *name, void *arg);
	void *is_evttype_arg;
	/* Where the compiler is: of the node that an error is about. */
	struct ast_pos pos;
	/* Gets each warning (about the value at warn_pos); may be NULL.
	 */
	struct ast_pos warn_pos;
	void (*warn)(const char *text, void *arg);
	void *warn_arg;
};

/* Macros must have been put in: an identifier left over is an error. */
bool cond_compile(struct compiler *c, const struct ast *ast, const struct cond **ret_cond,
    struct err *err);
void regex_list_free(struct regex_list *list);

/* A field or transformer. as_rhs: val() is allowed. */
bool operand_compile(struct compiler *c, const struct ast *ast, bool as_rhs,
    const struct operand **ret_operand, struct err *err);

bool value_type_is_string(enum value_type type);
bool value_type_is_ip(enum value_type type);
bool value_type_is_signed(enum value_type type);

#endif
