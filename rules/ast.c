/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/ast.h"

#include <string.h>

/* Of the control characters some are escaped, the others are plain. */
static bool
is_plain(char c)
{
	switch (c) {
	case '\0':
	case '\b':
	case '\f':
	case '\n':
	case '\r':
	case '\t':
	case ' ':
	case '=':
	case '"':
	case '\'':
	case '\\':
		return false;
	default:
		return true;
	}
}

static void
print_escaped(struct buf *out, struct ast_str s)
{
	bool plain = true;

	for (size_t i = 0; i < s.n && plain; i++)
		plain = is_plain(s.s[i]);
	if (plain) {
		buf_add(out, s.s, s.n);
		return;
	}
	buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		static const char from[] = "\b\f\n\r\t\\\"", to[] = "bfnrt\\\"";
		const char *at = s.s[i] ? strchr(from, s.s[i]) : NULL;
		if (at) {
			buf_addc(out, '\\');
			buf_addc(out, to[at - from]);
		} else {
			buf_addc(out, s.s[i]);
		}
	}
	buf_addc(out, '"');
}

static void
print_argument(struct buf *out, const struct ast *a)
{
	if (!a->has_arg)
		return;
	buf_addc(out, '[');
	if (a->arg.n == 0)
		buf_adds(out, "\"\"");
	else
		print_escaped(out, a->arg);
	buf_addc(out, ']');
}

static void
print_children(struct buf *out, const struct ast *a, const char *between)
{
	for (uint32_t i = 0; i < a->n; i++) {
		if (i)
			buf_adds(out, between);
		ast_print(out, a->child[i]);
	}
}

void
ast_print(struct buf *out, const struct ast *a)
{
	switch (a->kind) {
	case AST_AND:
	case AST_OR:
		buf_addc(out, '(');
		print_children(out, a, a->kind == AST_AND ? " and " : " or ");
		buf_addc(out, ')');
		break;
	case AST_NOT:
		buf_adds(out, "not ");
		ast_print(out, a->child[0]);
		break;
	case AST_IDENTIFIER:
		buf_add(out, a->text.s, a->text.n);
		break;
	case AST_VALUE:
		print_escaped(out, a->text);
		break;
	case AST_LIST:
		buf_addc(out, '(');
		print_children(out, a, ", ");
		buf_addc(out, ')');
		break;
	case AST_FIELD:
		buf_add(out, a->text.s, a->text.n);
		print_argument(out, a);
		break;
	case AST_TRANSFORMER:
		buf_add(out, a->text.s, a->text.n);
		buf_addc(out, '(');
		print_children(out, a, ",");
		buf_addc(out, ')');
		print_argument(out, a);
		break;
	case AST_TRANSFORMER_LIST:
		buf_addc(out, '(');
		print_children(out, a, ",");
		buf_addc(out, ')');
		break;
	case AST_CHECK:
		ast_print(out, a->child[0]);
		buf_addc(out, ' ');
		buf_adds(out, a->op_double_equal ? "==" : rel_op_text(a->op));
		if (a->modifier != MODIFIER_NONE) {
			buf_addc(out, ' ');
			buf_adds(out, rel_modifier_text(a->modifier));
		}
		if (a->n > 1) {
			buf_addc(out, ' ');
			ast_print(out, a->child[1]);
		}
		break;
	}
}

void
ast_walk(const struct ast *node, void (*visit)(const struct ast *, void *), void *arg)
{
	visit(node, arg);
	for (uint32_t i = 0; i < node->n; i++)
		ast_walk(node->child[i], visit, arg);
}
