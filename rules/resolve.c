/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/resolve.h"

#include <string.h>

#include "base/limits.h"
#include "rules/exception.h"

static const char blanks[] = " \t\n\r";

static bool
is_delimiter(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '(' || c == ')' ||
	       c == ',' || c == '=';
}

/* -- lists into conditions --
 *
 * A condition is a row of pieces: a token and the delimiters behind it; the row's head
 * has what stands before the first token. Falco goes through the text once for every
 * list, in order of definition, and never looks into what the list itself put in. So does
 * this, but by the list of places where each list's name stands. */

struct piece {
	const char *s;
	size_t n;
	struct text after;
	struct piece *prev, *next;
	struct piece *next_use; /* of the same list */
};

struct list_use {
	struct piece *first, *last;
};

struct substitution {
	struct resolution *s;
	struct piece head;
	uint32_t *heap; /* lists that have uses, smallest on top */
	uint32_t n_heap, cap_heap;
	uint32_t from;  /* uses of lists before this one are not looked for any more */
	size_t n_bytes; /* of all pieces, about */
};

static bool
heap_push(struct substitution *b, uint32_t list)
{
	uint32_t at = b->n_heap;

	if (b->n_heap == b->cap_heap) {
		uint32_t cap = b->cap_heap ? 2 * b->cap_heap : 16;
		uint32_t *grown = arena_array(&b->s->scratch, cap, sizeof(*grown));
		if (!grown)
			return false;
		if (b->n_heap)
			memcpy(grown, b->heap, b->n_heap * sizeof(*grown));
		b->heap = grown;
		b->cap_heap = cap;
	}
	b->n_heap++;
	for (; at && b->heap[(at - 1) / 2] > list; at = (at - 1) / 2)
		b->heap[at] = b->heap[(at - 1) / 2];
	b->heap[at] = list;
	return true;
}

static uint32_t
heap_pop(struct substitution *b)
{
	uint32_t top = b->heap[0], moved = b->heap[--b->n_heap], at = 0, child;

	while ((child = 2 * at + 1) < b->n_heap) {
		if (child + 1 < b->n_heap && b->heap[child + 1] < b->heap[child])
			child++;
		if (b->heap[child] >= moved)
			break;
		b->heap[at] = b->heap[child];
		at = child;
	}
	b->heap[at] = moved;
	return top;
}

/* Puts a token behind "at"; remembers it when it names a list that is still to come. */
static struct piece *
add_token(struct substitution *b, struct piece *at, const char *s, size_t n)
{
	struct piece *p = arena_alloc(&b->s->scratch, sizeof(*p));
	uintptr_t list = (uintptr_t)map_get(&b->s->c->lists, s, n);

	if (!p)
		return NULL;
	*p = (struct piece){.s = s, .n = n, .prev = at, .next = at->next};
	if (at->next)
		at->next->prev = p;
	at->next = p;
	if (list && list - 1 >= b->from) {
		struct list_use *use = &b->s->use[list - 1];
		if (use->first)
			use->last->next_use = p;
		else if (!heap_push(b, (uint32_t)list - 1))
			return NULL;
		else
			use->first = p;
		use->last = p;
	}
	return p;
}

/* Puts text behind "at"; returns the last piece, NULL when memory is gone. */
static struct piece *
add_tokens(struct substitution *b, struct piece *at, const char *s, size_t n)
{
	b->n_bytes += n;
	while (n) {
		size_t k = 0;
		while (k < n && is_delimiter(s[k]))
			k++;
		if (k && !text_add(&b->s->scratch, &at->after, s, k))
			return NULL;
		s += k;
		n -= k;
		for (k = 0; k < n && !is_delimiter(s[k]);)
			k++;
		if (k && !(at = add_token(b, at, s, k)))
			return NULL;
		s += k;
		n -= k;
	}
	return at;
}

/* Falco's own treatment of the blanks and commas around a name. */
static bool
replace_piece(struct substitution *b, struct piece *p, const struct resolved_list *list)
{
	struct arena *scratch = &b->s->scratch;
	struct piece *prev = p->prev, *last;
	struct text *left = &prev->after;
	const char *right = p->after.n ? p->after.s : "";
	size_t n_right = p->after.n;

	while (left->n && strchr(blanks, left->s[left->n - 1]))
		left->n--;
	while (n_right && strchr(blanks, *right)) {
		right++;
		n_right--;
	}
	if (!list->items.n) {
		if (left->n && left->s[left->n - 1] == ',') {
			left->n--;
		} else if (n_right && *right == ',') {
			right++;
			n_right--;
		}
	}
	prev->next = p->next;
	if (p->next)
		p->next->prev = prev;
	if ((left->n || prev != &b->head) && !text_add(scratch, left, " ", 1))
		return false;
	last = add_tokens(b, prev, list->text.s, list->text.n);
	b->n_bytes += 2;
	return last && text_add(scratch, &last->after, " ", 1) &&
	       text_add(scratch, &last->after, right, n_right);
}

static bool
join_pieces(struct substitution *b, struct ast_str *ret)
{
	size_t n = 0, at = 0;
	char *s;

	for (const struct piece *p = &b->head; p; p = p->next)
		n += p->n + p->after.n;
	s = arena_alloc(b->s->arena, n + 1);
	if (!s)
		return false;
	for (const struct piece *p = &b->head; p; p = p->next) {
		if (p->n)
			memcpy(s + at, p->s, p->n);
		at += p->n;
		if (p->after.n)
			memcpy(s + at, p->after.s, p->after.n);
		at += p->after.n;
	}
	*ret = (struct ast_str){s, n};
	return true;
}

bool
resolution_lists(struct resolution *s, struct ast_str condition,
    const struct diag_context *context, struct ast_str *ret_condition)
{
	struct substitution b = {.s = s};
	bool ok = add_tokens(&b, &b.head, condition.s, condition.n), any = b.n_heap > 0;

	while (ok && b.n_heap && b.n_bytes <= LIMIT_CONDITION_BYTES) {
		uint32_t list = heap_pop(&b);
		struct list_use *use = &s->use[list];
		struct piece *p = use->first;
		*use = (struct list_use){0};
		b.from = list + 1;
		s->list[list].used = true;
		for (; ok && p && b.n_bytes <= LIMIT_CONDITION_BYTES; p = p->next_use)
			ok = replace_piece(&b, p, &s->list[list]);
	}
	for (uint32_t i = 0; i < b.n_heap; i++)
		s->use[b.heap[i]] = (struct list_use){0};
	if (b.n_bytes > LIMIT_CONDITION_BYTES) {
		load_report(s->result, DIAG_ERR_COMPILE_CONDITION, context,
		    "The condition has more than %u bytes after lists are put in",
		    LIMIT_CONDITION_BYTES);
		arena_reset(&s->scratch);
		return false;
	}
	if (!any)
		*ret_condition = condition;
	else
		ok = ok && join_pieces(&b, ret_condition);
	arena_reset(&s->scratch);
	s->result->is_full |= !ok;
	return ok;
}

/* -- lists into lists -- */

static bool
resolve_list(struct resolution *s, uint32_t at, bool *names)
{
	const struct list_info *info = &s->c->list[at];
	struct text_list *items = &s->list[at].items;

	for (uint32_t i = 0; i < info->items.n; i++) {
		const struct list_info *inner =
		    collection_list(s->c, info->items.item[i]);
		if (!inner || inner->index >= info->visibility) {
			if (!text_list_add(s->arena, items, info->items.item[i]))
				return false;
			continue;
		}
		names[inner - s->c->list] = true;
		if ((uint64_t)inner->items.n + items->n > LIMIT_LIST_ITEMS) {
			load_report(s->result, DIAG_ERR_VALIDATE, info->context,
			    "List '%s' has more than %u items after lists are put in",
			    info->name, LIMIT_LIST_ITEMS);
			return true;
		}
		for (uint32_t k = 0; k < inner->items.n; k++) {
			if (!text_list_add(s->arena, items, inner->items.item[k]))
				return false;
		}
	}
	return true;
}

static bool
list_text(struct resolution *s, struct resolved_list *list)
{
	struct buf out;

	buf_init(&out, LIMIT_RULES_FILE_BYTES);
	for (uint32_t i = 0; i < list->items.n; i++) {
		if (i)
			buf_adds(&out, ", ");
		exception_quote(&out, list->items.item[i]);
	}
	list->text.n = out.len;
	list->text.s =
	    out.failed ? NULL : arena_strndup(s->arena, buf_str(&out), out.len);
	buf_release(&out);
	return list->text.s != NULL;
}

/* -- macros into macros -- */

struct tree {
	const struct ast *ast; /* NULL: left out because of a mistake */
	uint64_t n_node;       /* shared ones counted each time */
	uint32_t depth;
};

/* One tree with one set of visible macros. A macro that is not complete yet is made so
 * for this run alone, once: run_ast. */
struct run {
	struct resolution *s;
	uint32_t visibility;
	const char *loop, *unknown; /* the first of each */
	struct ast_pos loop_at, unknown_at;
	bool silent; /* something is missing that was reported elsewhere */
	bool too_deep, too_large;
};

static struct tree put_macros(struct run *run, const struct ast *a, uint32_t depth);

static struct tree
put_macro(struct run *run, const struct ast *a, uint32_t depth)
{
	struct resolution *s = run->s;
	const struct macro_info *info = collection_macro(s->c, a->text.s);
	struct resolved_macro *m = info ? &s->macro[info - s->c->macro] : NULL;
	struct tree t = {0};

	if (!info || info->index >= run->visibility) {
		if (!run->unknown) {
			run->unknown = a->text.s;
			run->unknown_at = a->pos;
		}
		return t;
	}
	m->used = true;
	if (m->run != s->run) {
		m->run = s->run;
		m->in_progress = false;
		m->run_ast = NULL;
		if (m->complete) {
			m->run_ast = m->ast;
			m->run_n_node = m->n_node;
			m->run_depth = m->depth;
		} else if (m->ast) {
			m->in_progress = true;
			t = put_macros(run, m->ast, depth + 1);
			m->in_progress = false;
			m->run_ast = t.ast;
			m->run_n_node = t.n_node;
			m->run_depth = t.depth;
		}
	} else if (m->in_progress && !run->loop) {
		run->loop = a->text.s;
		run->loop_at = a->pos;
	}
	if (!m->run_ast)
		run->silent = true;
	return (struct tree){m->run_ast, m->run_n_node, m->run_depth};
}

static struct tree
put_macros(struct run *run, const struct ast *a, uint32_t depth)
{
	struct tree t = {a, 1, 1};
	struct ast *copy = NULL;

	if (depth > LIMIT_EXPR_DEPTH) {
		run->too_deep = true;
		return (struct tree){0};
	}
	if (a->kind == AST_IDENTIFIER)
		return put_macro(run, a, depth);
	for (uint32_t i = 0; i < a->n; i++) {
		struct tree child = put_macros(run, a->child[i], depth + 1);
		if (!child.ast)
			t.ast = NULL;
		t.n_node += child.n_node;
		if (t.depth <= child.depth)
			t.depth = child.depth + 1;
		if (child.ast == a->child[i] || !child.ast)
			continue;
		if (!copy) {
			copy = ast_new(run->s->arena, a->kind, a->pos, a->n);
			if (!copy) {
				run->s->result->is_full = true;
				return (struct tree){0};
			}
			memcpy(copy->child, a->child, a->n * sizeof(*a->child));
		}
		copy->child[i] = child.ast;
	}
	if (t.n_node > LIMIT_EXPR_NODES)
		run->too_large = true;
	if (t.depth > LIMIT_EXPR_DEPTH)
		run->too_deep = true;
	if (run->too_large || run->too_deep)
		t.ast = NULL;
	if (copy && t.ast)
		t.ast = copy;
	return t;
}

/* What went wrong in a run, in Falco's order of importance. */
static bool
report_run(struct run *run, struct ast_str condition, const struct diag_context *context)
{
	struct load_result *result = run->s->result;
	struct diag_context at;

	if (run->too_deep)
		return load_report(result, DIAG_ERR_VALIDATE, context,
		    "The condition is more than %u levels deep after macros are put in",
		    LIMIT_EXPR_DEPTH);
	if (run->too_large)
		return load_report(result, DIAG_ERR_VALIDATE, context,
		    "The condition has more than %u nodes after macros are put in",
		    LIMIT_EXPR_NODES);
	if (run->loop) {
		at = diag_expression(run->s->arena, &run->loop_at, condition, context);
		return load_report(result, DIAG_ERR_VALIDATE, &at,
		    "reference loop in macro '%s'", run->loop);
	}
	if (run->unknown) {
		at = diag_expression(run->s->arena, &run->unknown_at, condition, context);
		return load_report(result, DIAG_ERR_VALIDATE, &at,
		    "Undefined macro '%s' used in filter.", run->unknown);
	}
	return false;
}

static bool
run_macros(struct resolution *s, const struct ast *ast, uint32_t visibility,
    struct ast_str condition, const struct diag_context *context, struct tree *ret_tree)
{
	struct run run = {.s = s, .visibility = visibility};

	s->run++;
	*ret_tree = put_macros(&run, ast, 0);
	if (ret_tree->ast && !run.loop && !run.unknown && !run.silent)
		return true;
	return report_run(&run, condition, context);
}

bool
resolution_macros(struct resolution *s, const struct ast *ast, uint32_t visibility,
    struct ast_str condition, const struct diag_context *context,
    const struct ast **ret_ast)
{
	struct tree t;

	if (!run_macros(s, ast, visibility, condition, context, &t))
		return false;
	*ret_ast = t.ast;
	return true;
}

static bool
parse_macro(struct resolution *s, const struct macro_info *info, struct resolved_macro *m)
{
	struct ast_str text = {info->condition.s, info->condition.n};
	const struct ast *ast;
	struct ast_pos pos = {0};
	struct err err;
	struct diag_context at;

	if (!resolution_lists(s, text, info->condition_context, &m->condition))
		return false;
	if (ast_parse(s->arena, m->condition.s, m->condition.n, LIMIT_CONDITION_DEPTH,
		&ast, &pos, &err)) {
		m->ast = ast;
		return true;
	}
	at = diag_expression(s->arena, &pos, m->condition, info->condition_context);
	return load_report(s->result, DIAG_ERR_COMPILE_CONDITION, &at, "%s", err.msg);
}

bool
resolution_definitions(struct resolution *s)
{
	const struct collection *c = s->c;
	bool *names = arena_array(s->arena, c->n_list + 1, sizeof(*names));
	struct tree t;

	if (!names)
		s->result->is_full = true;
	for (uint32_t i = 0; i < c->n_list && !s->result->is_full; i++)
		s->result->is_full =
		    !resolve_list(s, i, names) || !list_text(s, &s->list[i]);
	for (uint32_t i = 0; i < c->n_list && !s->result->is_full; i++)
		s->list[i].used = names[i];
	for (uint32_t i = 0; i < c->n_macro && !s->result->is_full; i++)
		parse_macro(s, &c->macro[i], &s->macro[i]);
	for (uint32_t i = 0; i < c->n_macro && !s->result->is_full; i++) {
		struct resolved_macro *m = &s->macro[i];
		const struct macro_info *info = &c->macro[i];
		if (!m->ast)
			continue;
		if (!run_macros(
			s, m->ast, info->visibility, m->condition, info->context, &t)) {
			m->ast = NULL;
			continue;
		}
		m->ast = t.ast;
		m->n_node = t.n_node;
		m->depth = t.depth;
		m->complete = true;
	}
	return !s->result->is_full;
}

bool
resolution_init(struct resolution *s, struct arena *arena, struct load_result *result,
    const struct collection *c)
{
	*s = (struct resolution){.arena = arena, .result = result, .c = c};
	arena_init(&s->scratch, LIMIT_RULES_MEMORY);
	s->list = arena_array(arena, c->n_list + 1, sizeof(*s->list));
	s->use = arena_array(arena, c->n_list + 1, sizeof(*s->use));
	s->macro = arena_array(arena, c->n_macro + 1, sizeof(*s->macro));
	if (s->list && s->use && s->macro)
		return true;
	result->is_full = true;
	resolution_release(s);
	return false;
}

void
resolution_release(struct resolution *s)
{
	arena_release(&s->scratch);
}
