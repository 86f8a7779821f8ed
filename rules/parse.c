/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of conditions, one function a production; recursion is bounded by depth.
 * Long, because a grammar is read as a whole.
 */
#include <string.h>

#include "rules/ast.h"
#include "rules/lex.h"

struct parser {
	struct lexer lx;
	uint32_t depth, max_depth;
	struct err *err;
};

#define TRANSFORMERS                                                                     \
	"'val', 'tolower', 'toupper', 'b64', 'basename', 'len', 'join', 'concat', "      \
	"'getopt'"

static const struct ast *parse_or(struct parser *p);
static const struct ast *parse_transformer(struct parser *p, const char *name);

static const struct ast *
fail(struct parser *p, const char *text)
{
	err_set(p->err, ERR_SYNTAX, "%s", text);
	return NULL;
}

static const struct ast *
fail_nomem(struct parser *p)
{
	err_set(p->err, ERR_LIMIT, "condition needs more memory than a ruleset may have");
	return NULL;
}

static bool
push(struct parser *p)
{
	if (++p->depth < p->max_depth)
		return true;
	err_set(p->err, ERR_LIMIT, "exceeded max depth limit of %u", p->max_depth);
	return false;
}

static void
pop(struct parser *p)
{
	p->depth--;
}

struct ast *
ast_new(struct arena *arena, enum ast_kind kind, struct ast_pos pos, uint32_t n)
{
	struct ast *a = arena_alloc(arena, sizeof(*a));

	if (!a)
		return NULL;
	a->kind = kind;
	a->pos = pos;
	a->n = n;
	if (n && !(a->child = arena_array(arena, n, sizeof(*a->child))))
		return NULL;
	return a;
}

static struct ast *
node(struct parser *p, enum ast_kind kind, struct ast_pos pos, uint32_t n)
{
	return ast_new(p->lx.arena, kind, pos, n);
}

static struct ast *
leaf(struct parser *p, enum ast_kind kind, struct ast_pos pos)
{
	struct ast *a = node(p, kind, pos, 0);

	if (a) {
		char *s = arena_strndup(p->lx.arena, p->lx.last.s, p->lx.last.n);
		if (!s)
			return NULL;
		a->text = (struct ast_str){s, p->lx.last.n};
	}
	return a;
}

/* A list of children that grows: doubled in the arena. */
struct nodes {
	const struct ast **v;
	uint32_t n, cap;
};

static bool
nodes_add(struct parser *p, struct nodes *l, const struct ast *a)
{
	if (!a)
		return false;
	if (l->n == l->cap) {
		uint32_t cap = l->cap ? l->cap * 2 : 4;
		const struct ast **v = arena_array(p->lx.arena, cap, sizeof(*v));
		if (!v) {
			fail_nomem(p);
			return false;
		}
		if (l->n)
			memcpy(v, l->v, l->n * sizeof(*v));
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = a;
	return true;
}

static const struct ast *
group(struct parser *p, enum ast_kind kind, struct ast_pos pos, const struct nodes *l)
{
	struct ast *a = node(p, kind, pos, 0);

	if (!a)
		return fail_nomem(p);
	a->n = l->n;
	a->child = l->v;
	return a;
}

/* Behind "(": an expression and ")". */
static const struct ast *
parse_embedded(struct parser *p)
{
	if (!push(p))
		return NULL;
	lex_blank(&p->lx);
	const struct ast *a = parse_or(p);
	if (!a)
		return NULL;
	lex_blank(&p->lx);
	if (!lex_literal(&p->lx, ")"))
		return fail(p, "expected a ')' token");
	pop(p);
	return a;
}

/* 0: none; 1: taken; -1: error. */
static int
take_quoted(struct parser *p)
{
	bool found;

	if (!lex_quoted(&p->lx, &found, p->err))
		return -1;
	return found;
}

/* "[arg]" behind a field or transformer, if there. */
static bool
parse_argument(struct parser *p, struct ast *a)
{
	if (!lex_literal(&p->lx, "["))
		return true;
	int quoted = take_quoted(p);
	if (quoted < 0)
		return false;
	if (!quoted && !lex_field_arg_bare(&p->lx)) {
		fail(p,
		    "expected a valid field argument: a quoted string or a bare string");
		return false;
	}
	a->has_arg = true;
	char *s = arena_strndup(p->lx.arena, p->lx.last.s, p->lx.last.n);
	if (!s) {
		fail_nomem(p);
		return false;
	}
	a->arg = (struct ast_str){s, p->lx.last.n};
	if (!lex_literal(&p->lx, "]")) {
		fail(p, "expected a ']' token");
		return false;
	}
	return true;
}

/* Behind a field name that was just taken. */
static const struct ast *
parse_field(struct parser *p, struct ast_pos pos)
{
	struct ast *a = leaf(p, AST_FIELD, pos);

	if (!a)
		return fail_nomem(p);
	return parse_argument(p, a) ? a : NULL;
}

static const char *const transformer_names[] = {
    "tolower", "toupper", "b64", "basename", "len", "join", "concat", "getopt"};

bool
ast_is_transformer_name(const char *s, size_t n)
{
	if (n == 3 && memcmp(s, "val", 3) == 0)
		return true;
	for (size_t i = 0; i < sizeof(transformer_names) / sizeof(*transformer_names);
	     i++) {
		if (strlen(transformer_names[i]) == n &&
		    memcmp(s, transformer_names[i], n) == 0)
			return true;
	}
	return false;
}

/* A transformer's name directly followed by "(", both taken; NULL: not here. */
static const char *
take_transformer_name(struct parser *p)
{
	for (size_t i = 0; i < sizeof(transformer_names) / sizeof(*transformer_names);
	     i++) {
		const char *name = transformer_names[i];
		size_t n = strlen(name);
		if (lex_peek(&p->lx, name) && p->lx.len - p->lx.pos.idx > n &&
		    p->lx.text[p->lx.pos.idx + n] == '(') {
			lex_literal(&p->lx, name);
			lex_literal(&p->lx, "(");
			return name;
		}
	}
	return NULL;
}

static const struct ast *
number_or_string(struct parser *p, struct ast_pos pos, bool number)
{
	struct ast *a = leaf(p, AST_VALUE, pos);

	if (!a)
		return fail_nomem(p);
	a->number = number;
	return a;
}

/* Element of a transformer list: Field | Transformer | Quoted | Num. */
static const struct ast *
parse_list_argument(struct parser *p)
{
	struct ast_pos pos = p->lx.pos;

	if (lex_field_name(&p->lx))
		return parse_field(p, pos);
	const char *name = take_transformer_name(p);
	if (name)
		return parse_transformer(p, name);
	int quoted = take_quoted(p);
	if (quoted < 0)
		return NULL;
	if (quoted)
		return number_or_string(p, pos, false);
	if (lex_hex(&p->lx) || lex_num(&p->lx))
		return number_or_string(p, pos, true);
	return fail(p, "expected transformer list argument: field, transformer, quoted "
		       "string, or number");
}

/* Behind "(" among transformer arguments. */
static const struct ast *
parse_transformer_list(struct parser *p, struct ast_pos pos)
{
	struct nodes l = {0};

	if (!push(p))
		return NULL;
	lex_blank(&p->lx);
	if (!lex_literal(&p->lx, ")")) {
		for (;;) {
			lex_blank(&p->lx);
			if (!nodes_add(p, &l, parse_list_argument(p)))
				return NULL;
			lex_blank(&p->lx);
			if (lex_literal(&p->lx, ")"))
				break;
			if (!lex_literal(&p->lx, ","))
				return fail(p, "expected ')'");
		}
	}
	pop(p);
	return group(p, AST_TRANSFORMER_LIST, pos, &l);
}

static const struct ast *
parse_transformer_argument(struct parser *p)
{
	struct ast_pos pos = p->lx.pos;

	if (lex_hex(&p->lx) || lex_num(&p->lx))
		return number_or_string(p, pos, true);
	int quoted = take_quoted(p);
	if (quoted < 0)
		return NULL;
	if (quoted)
		return number_or_string(p, pos, false);
	if (lex_literal(&p->lx, "("))
		return parse_transformer_list(p, pos);
	const char *name = take_transformer_name(p);
	if (name)
		return parse_transformer(p, name);
	if (lex_field_name(&p->lx))
		return parse_field(p, pos);
	return fail(p,
	    "expected field transformer argument: field, transformer, quoted string, "
	    "number, or transformer list");
}

/* Behind "name(". */
static const struct ast *
parse_transformer(struct parser *p, const char *name)
{
	struct ast_pos pos = p->lx.pos;
	struct nodes l = {0};

	if (!push(p))
		return NULL;
	do {
		lex_blank(&p->lx);
		if (!nodes_add(p, &l, parse_transformer_argument(p)))
			return NULL;
		lex_blank(&p->lx);
	} while (lex_literal(&p->lx, ","));
	if (!lex_literal(&p->lx, ")"))
		return fail(p, "expected a ')' token closing the transformer");
	struct ast *a = node(p, AST_TRANSFORMER, pos, 0);
	if (!a)
		return fail_nomem(p);
	a->n = l.n;
	a->child = l.v;
	a->text = (struct ast_str){name, strlen(name)};
	if (!parse_argument(p, a))
		return NULL;
	pop(p);
	return a;
}

/* val(field) or a transformer on the right side. *ret is NULL when neither is here. */
static bool
parse_rhs_transformer(struct parser *p, const struct ast **ret)
{
	struct ast_pos pos = p->lx.pos;

	*ret = NULL;
	if (lex_literal(&p->lx, "val(")) {
		lex_blank(&p->lx);
		struct ast_pos inner = p->lx.pos;
		if (!lex_field_name(&p->lx)) {
			fail(p, "expected a field within 'val' transformer");
			return false;
		}
		const struct ast *f = parse_field(p, inner);
		if (!f)
			return false;
		lex_blank(&p->lx);
		if (!lex_literal(&p->lx, ")")) {
			fail(p, "expected a ')' token closing the transformer");
			return false;
		}
		struct ast *a = node(p, AST_TRANSFORMER, pos, 1);
		if (!a) {
			fail_nomem(p);
			return false;
		}
		a->text = (struct ast_str){"val", 3};
		a->child[0] = f;
		*ret = a;
		return true;
	}
	const char *name = take_transformer_name(p);
	if (!name)
		return true;
	*ret = parse_transformer(p, name);
	return *ret != NULL;
}

static const struct ast *
parse_number_value(struct parser *p)
{
	const struct ast *a;
	struct ast_pos pos = p->lx.pos;

	if (lex_hex(&p->lx) || lex_num(&p->lx))
		return number_or_string(p, pos, true);
	if (!parse_rhs_transformer(p, &a))
		return NULL;
	return a ? a
		 : fail(p, "expected a number value or a field with a valid "
			   "transformer: " TRANSFORMERS);
}

static const struct ast *
parse_string(struct parser *p, const char *otherwise)
{
	struct ast_pos pos = p->lx.pos;
	int quoted = take_quoted(p);

	if (quoted < 0)
		return NULL;
	if (quoted || lex_bare_str(&p->lx))
		return number_or_string(p, pos, false);
	return fail(p, otherwise);
}

static const struct ast *
parse_string_value(struct parser *p)
{
	const struct ast *a;

	if (!parse_rhs_transformer(p, &a))
		return NULL;
	return a ? a
		 : parse_string(p, "expected a string value or a field with a valid "
				   "transformer: " TRANSFORMERS);
}

/* Behind "(" of a list of strings. */
static const struct ast *
parse_list(struct parser *p, struct ast_pos pos)
{
	struct nodes l = {0};

	lex_blank(&p->lx);
	struct ast_pos at = p->lx.pos;
	int quoted = take_quoted(p);
	if (quoted < 0)
		return NULL;
	if (quoted || lex_bare_str(&p->lx)) {
		if (!nodes_add(p, &l, number_or_string(p, at, false)))
			return NULL;
		lex_blank(&p->lx);
		while (lex_literal(&p->lx, ",")) {
			lex_blank(&p->lx);
			if (!nodes_add(p, &l, parse_string(p, "expected a string value")))
				return NULL;
			lex_blank(&p->lx);
		}
	}
	if (!lex_literal(&p->lx, ")"))
		return fail(p, "expected a ')' token");
	return group(p, AST_LIST, pos, &l);
}

/* A bare identifier where a list may stand: one value. */
static const struct ast *
identifier_list(struct parser *p, struct ast_pos pos)
{
	struct nodes l = {0};

	if (!nodes_add(p, &l, number_or_string(p, pos, false)))
		return NULL;
	return group(p, AST_LIST, pos, &l);
}

static const struct ast *
parse_list_value(struct parser *p)
{
	const struct ast *a;
	struct ast_pos pos = p->lx.pos;

	if (lex_literal(&p->lx, "("))
		return parse_list(p, pos);
	if (!parse_rhs_transformer(p, &a))
		return NULL;
	if (a)
		return a;
	if (lex_identifier(&p->lx))
		return identifier_list(p, pos);
	return fail(p, "expected a list, an identifier, or a field with a valid "
		       "transformer: " TRANSFORMERS);
}

static bool
is_keyword(const struct lexer *lx)
{
	static const char *const words[] = {"and", "or", "not"};

	for (int i = 0; i < 3; i++) {
		size_t n = strlen(words[i]);
		if (!lex_peek(lx, words[i]))
			continue;
		if (lx->len - lx->pos.idx == n)
			return true;
		char c = lx->text[lx->pos.idx + n];
		if (!((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z')))
			return true;
	}
	return false;
}

/* oneof, anyof, allof: only when a list or an identifier follows; else an ordinary word.
 */
static enum rel_modifier
take_modifier(struct parser *p)
{
	struct lexer saved = p->lx;

	for (enum rel_modifier m = MODIFIER_ONEOF; m <= MODIFIER_ALLOF; m++) {
		if (!lex_literal(&p->lx, rel_modifier_text(m)))
			continue;
		if (lex_blank(&p->lx)) {
			if (lex_peek(&p->lx, "("))
				return m;
			struct lexer ahead = p->lx;
			if (!is_keyword(&p->lx) && lex_identifier(&ahead))
				return m;
		}
		p->lx = saved;
	}
	return MODIFIER_NONE;
}

static const struct ast *
parse_modified(struct parser *p)
{
	struct ast_pos pos = p->lx.pos;

	if (lex_literal(&p->lx, "("))
		return parse_list(p, pos);
	if (lex_identifier(&p->lx))
		return identifier_list(p, pos);
	return fail(p, "expected a list or an identifier");
}

/* Operators in the order in which they are tried; word operators want a blank behind. */
static const struct {
	const char *text;
	enum rel_op op;
	enum {
		UNARY,
		NUMBER,
		SYMBOL,
		WORD,
		SET
	} shape;
} trial[] = {
    {"exists", REL_EXISTS, UNARY},
    {"<=", REL_LE, NUMBER},
    {"<", REL_LT, NUMBER},
    {">=", REL_GE, NUMBER},
    {">", REL_GT, NUMBER},
    {"==", REL_EQ, SYMBOL},
    {"=", REL_EQ, SYMBOL},
    {"!=", REL_NE, SYMBOL},
    {"glob", REL_GLOB, WORD},
    {"iglob", REL_IGLOB, WORD},
    {"contains", REL_CONTAINS, WORD},
    {"icontains", REL_ICONTAINS, WORD},
    {"bcontains", REL_BCONTAINS, WORD},
    {"startswith", REL_STARTSWITH, WORD},
    {"bstartswith", REL_BSTARTSWITH, WORD},
    {"endswith", REL_ENDSWITH, WORD},
    {"regex", REL_REGEX, WORD},
    {"intersects", REL_INTERSECTS, SET},
    {"in", REL_IN, SET},
    {"pmatch", REL_PMATCH, SET},
};

/* Behind the left side of a check. */
static const struct ast *
parse_condition(struct parser *p, const struct ast *lhs, struct ast_pos pos)
{
	const struct ast *rhs = NULL;
	enum rel_modifier modifier = MODIFIER_NONE;
	size_t i = 0;

	lex_blank(&p->lx);
	for (; i < sizeof(trial) / sizeof(*trial); i++) {
		struct lexer saved = p->lx;
		if (!lex_literal(&p->lx, trial[i].text))
			continue;
		bool blank = lex_blank(&p->lx);
		if (trial[i].shape == WORD && !blank) {
			p->lx = saved;
			continue;
		}
		if (trial[i].shape == WORD || (trial[i].shape == SYMBOL && blank))
			modifier = take_modifier(p);
		break;
	}
	if (i == sizeof(trial) / sizeof(*trial))
		return fail(p, "expected a valid check operator: one of 'exists', '<=', "
			       "'<', '>=', '>', "
			       "'==', '=', '!=', 'glob', 'iglob', 'contains', "
			       "'icontains', 'bcontains', "
			       "'startswith', 'bstartswith', 'endswith', 'regex', "
			       "'intersects', 'in', "
			       "'pmatch'");
	if (modifier != MODIFIER_NONE)
		rhs = parse_modified(p);
	else if (trial[i].shape == NUMBER)
		rhs = parse_number_value(p);
	else if (trial[i].shape == SET)
		rhs = parse_list_value(p);
	else if (trial[i].shape != UNARY)
		rhs = parse_string_value(p);
	if (!rhs && trial[i].shape != UNARY)
		return NULL;
	struct ast *a = node(p, AST_CHECK, pos, 2);
	if (!a)
		return fail_nomem(p);
	a->op = trial[i].op;
	a->op_double_equal = strcmp(trial[i].text, "==") == 0;
	a->modifier = modifier;
	a->child[0] = lhs;
	a->child[1] = rhs;
	a->n = rhs ? 2 : 1;
	return a;
}

static const struct ast *
parse_check(struct parser *p)
{
	const struct ast *a;
	const char *name;

	if (!push(p))
		return NULL;
	lex_blank(&p->lx);
	struct ast_pos pos = p->lx.pos;
	if (lex_literal(&p->lx, "(")) {
		a = parse_embedded(p);
	} else if (lex_field_name(&p->lx)) {
		a = parse_field(p, pos);
		a = a ? parse_condition(p, a, pos) : NULL;
	} else if ((name = take_transformer_name(p))) {
		a = parse_transformer(p, name);
		a = a ? parse_condition(p, a, pos) : NULL;
	} else if (lex_identifier(&p->lx)) {
		a = leaf(p, AST_IDENTIFIER, pos);
		if (!a)
			return fail_nomem(p);
	} else {
		return fail(p, "expected a '(' token, a field check, or an identifier");
	}
	pop(p);
	return a;
}

static const struct ast *
parse_not(struct parser *p)
{
	bool negate = false;
	const struct ast *a;

	if (!push(p))
		return NULL;
	lex_blank(&p->lx);
	struct ast_pos pos = p->lx.pos;
	while (lex_not_blank(&p->lx))
		negate = !negate;
	if (lex_literal(&p->lx, "not(")) {
		negate = !negate;
		a = parse_embedded(p);
	} else {
		a = parse_check(p);
	}
	pop(p);
	if (!a || !negate)
		return a;
	struct ast *n = node(p, AST_NOT, pos, 1);
	if (!n)
		return fail_nomem(p);
	n->child[0] = a;
	return n;
}

/* One level of "and" or "or": operands by next(), joined by word. */
static const struct ast *
parse_joined(struct parser *p, enum ast_kind kind, const char *word, const char *no_blank,
    const struct ast *(*next)(struct parser *))
{
	struct nodes l = {0};

	if (!push(p))
		return NULL;
	lex_blank(&p->lx);
	struct ast_pos pos = p->lx.pos;
	if (!nodes_add(p, &l, next(p)))
		return NULL;
	lex_blank(&p->lx);
	while (lex_literal(&p->lx, word)) {
		const struct ast *a;
		if (lex_blank(&p->lx))
			a = next(p);
		else if (lex_literal(&p->lx, "("))
			a = parse_embedded(p);
		else
			return fail(p, no_blank);
		if (!nodes_add(p, &l, a))
			return NULL;
		lex_blank(&p->lx);
	}
	pop(p);
	return l.n == 1 ? l.v[0] : group(p, kind, pos, &l);
}

static const struct ast *
parse_and(struct parser *p)
{
	return parse_joined(
	    p, AST_AND, "and", "expected blank or '(' after 'and'", parse_not);
}

static const struct ast *
parse_or(struct parser *p)
{
	return parse_joined(
	    p, AST_OR, "or", "expected blank or '(' after 'or'", parse_and);
}

bool
ast_parse(struct arena *arena, const char *text, size_t len, uint32_t max_depth,
    const struct ast **ret_ast, struct ast_pos *reterr_pos, struct err *err)
{
	struct parser p = {.max_depth = max_depth, .err = err};

	lex_init(&p.lx, arena, text, len);
	if (len == 0) {
		*reterr_pos = p.lx.pos;
		return err_set(err, ERR_SYNTAX, "filter input string is empty");
	}
	const struct ast *a = parse_or(&p);
	if (a && !lex_at_end(&p.lx)) {
		err_set(err, ERR_SYNTAX,
		    "unexpected token after '%.*s', expecting 'or', 'and'",
		    (int)p.lx.last.n, p.lx.last.s);
		a = NULL;
	}
	if (!a) {
		*reterr_pos = p.lx.pos;
		return false;
	}
	*ret_ast = a;
	return true;
}

bool
ast_parse_operand(struct arena *arena, const char *text, size_t len, uint32_t max_depth,
    const struct ast **ret_ast, size_t *ret_used, struct ast_pos *reterr_pos,
    struct err *err)
{
	struct parser p = {.max_depth = max_depth, .err = err};
	const struct ast *a = NULL;
	const char *name;

	lex_init(&p.lx, arena, text, len);
	struct ast_pos pos = p.lx.pos;
	if (lex_field_name(&p.lx))
		a = parse_field(&p, pos);
	else if ((name = take_transformer_name(&p)))
		a = parse_transformer(&p, name);
	else
		fail(&p, "expected a field or a transformer");
	if (!a) {
		*reterr_pos = p.lx.pos;
		return false;
	}
	*ret_ast = a;
	*ret_used = p.lx.pos.idx;
	return true;
}
