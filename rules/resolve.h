/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists and macros put into conditions.
 *
 * Lists are text: each condition is cut into tokens once, and every token that names a
 * list is replaced by the list's items; what these name in turn is replaced only by lists
 * that were defined later, so that substitution ends. Macros are trees: a macro's tree,
 * itself complete, appears wherever its name stood, shared. Both are bounded: the errors
 * name the bound of limits.h.
 */
#ifndef RULES_RESOLVE_H
#define RULES_RESOLVE_H

#include "rules/ast.h"
#include "rules/collect.h"

struct resolved_list {
	struct text_list items; /* names of lists among them put in, one level deep */
	struct ast_str text;    /* the items as conditions take them */
	bool used;
};

struct resolved_macro {
	const struct ast *ast;    /* NULL: it has a mistake, reported already */
	struct ast_str condition; /* after lists, before macros */
	uint64_t n_node;
	uint32_t depth;
	bool complete; /* no macro names are left in it */
	bool used;
	/* Of the run that looked at it last; see resolve.c. */
	uint32_t run;
	bool in_progress;
	const struct ast *run_ast;
	uint64_t run_n_node;
	uint32_t run_depth;
};

/* Positions in list and macro are those of the collection. */
struct resolution {
	struct arena *arena;
	struct arena scratch; /* of one condition's tokens */
	struct load_result *result;
	const struct collection *c;
	struct resolved_list *list;
	struct resolved_macro *macro;
	struct list_use *use; /* of one condition: what is still to be put in, by list */
	uint32_t run;
};

bool resolution_init(struct resolution *s, struct arena *arena,
    struct load_result *result, const struct collection *c);
void resolution_release(struct resolution *s);

/*
 * Lists into lists, lists into macros, macros into macros. Mistakes are reported and
 * passed over. False only when the arena is full.
 */
bool resolution_definitions(struct resolution *s);

/* Lists into one condition. False: too long, or the arena is full. */
bool resolution_lists(struct resolution *s, struct ast_str condition,
    const struct diag_context *context, struct ast_str *ret_condition);

/*
 * Macros that are visible below this number into one tree. condition and context are for
 * the report. False: reported; what is missing only because of a macro's own mistake is
 * not reported again.
 */
bool resolution_macros(struct resolution *s, const struct ast *ast, uint32_t visibility,
    struct ast_str condition, const struct diag_context *context,
    const struct ast **ret_ast);

#endif
