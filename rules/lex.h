/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of the condition language. The parser asks for one kind of token
 * at the cursor; a token that is not there leaves the cursor where it was. The token
 * taken last is remembered for error texts; blanks never count.
 */
#ifndef RULES_LEX_H
#define RULES_LEX_H

#include "rules/ast.h"

struct lexer {
	const char *text;
	size_t len;
	struct ast_pos pos;
	struct ast_str last; /* the last token */
	struct arena *arena; /* of unescaped strings */
};

void lex_init(struct lexer *lx, struct arena *arena, const char *text, size_t len);
bool lex_at_end(const struct lexer *lx);
bool lex_blank(struct lexer *lx);
/* A plain prefix, without any word boundary. */
bool lex_literal(struct lexer *lx, const char *s);
/* As lex_literal, looking only. */
bool lex_peek(const struct lexer *lx, const char *s);
bool lex_identifier(struct lexer *lx);
bool lex_field_name(struct lexer *lx);
bool lex_field_arg_bare(struct lexer *lx);
bool lex_hex(struct lexer *lx);
bool lex_num(struct lexer *lx);
bool lex_bare_str(struct lexer *lx);
bool lex_not_blank(struct lexer *lx);
/* *ret_found says whether there is one; false only for a bad escape (err has Falco's
 * text). */
bool lex_quoted(struct lexer *lx, bool *ret_found, struct err *err);
/* Longest match of one of the patterns "identifier" and "list name" over all of s. */
bool lex_is_identifier(const char *s, size_t n);
bool lex_is_bare_str(const char *s, size_t n);

#endif
