/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/lex.h"

#include <string.h>

#include "base/utf8.h"

void
lex_init(struct lexer *lx, struct arena *arena, const char *text, size_t len)
{
	*lx = (struct lexer){
	    .text = text, .len = len, .pos = {0, 1, 1}, .last = {"", 0}, .arena = arena};
}

bool
lex_at_end(const struct lexer *lx)
{
	return lx->pos.idx >= lx->len;
}

static const char *
cursor(const struct lexer *lx)
{
	return lx->text + lx->pos.idx;
}

static size_t
left(const struct lexer *lx)
{
	return lx->len - lx->pos.idx;
}

static void
advance(struct lexer *lx, size_t n)
{
	for (; n; n--) {
		char c = lx->text[lx->pos.idx++];
		if (c == '\n' || c == '\r') {
			lx->pos.line++;
			lx->pos.col = 1;
		} else {
			lx->pos.col++;
		}
	}
}

static bool
take(struct lexer *lx, size_t n)
{
	if (n == 0)
		return false;
	lx->last = (struct ast_str){cursor(lx), n};
	advance(lx, n);
	return true;
}

bool
lex_blank(struct lexer *lx)
{
	const char *p = cursor(lx);
	size_t n = 0, max = left(lx);

	while (n < max && (p[n] == ' ' || p[n] == '\t' || p[n] == '\b' || p[n] == '\r' ||
			      p[n] == '\n'))
		n++;
	advance(lx, n);
	return n > 0;
}

bool
lex_peek(const struct lexer *lx, const char *s)
{
	size_t n = strlen(s);

	return n <= left(lx) && memcmp(cursor(lx), s, n) == 0;
}

bool
lex_literal(struct lexer *lx, const char *s)
{
	return lex_peek(lx, s) && take(lx, strlen(s));
}

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t
match_identifier(const char *p, size_t n)
{
	size_t i = 0;

	if (n == 0 || !is_alpha(p[0]))
		return 0;
	while (i < n && (is_alpha(p[i]) || is_digit(p[i]) || p[i] == '_'))
		i++;
	return i;
}

bool
lex_identifier(struct lexer *lx)
{
	return take(lx, match_identifier(cursor(lx), left(lx)));
}

bool
lex_field_name(struct lexer *lx)
{
	const char *p = cursor(lx);
	size_t n = left(lx), i = match_identifier(p, n), dots = 0;

	while (i > 0 && i < n && p[i] == '.') {
		size_t more = match_identifier(p + i + 1, n - i - 1);
		if (more == 0)
			break;
		i += 1 + more;
		dots++;
	}
	return dots > 0 && take(lx, i);
}

/* A run of valid UTF-8 characters that are neither blank nor in "not". */
static size_t
match_none_of(const char *p, size_t n, const char * not )
{
	size_t i = 0, bad;

	while (i < n) {
		/* No set has one of these, and most are. */
		if (is_alpha(p[i]) || is_digit(p[i])) {
			i++;
			continue;
		}
		if ((unsigned char)p[i] < 0x80) {
			if (is_space(p[i]) || (p[i] && strchr(not, p[i])))
				break;
			i++;
			continue;
		}
		size_t k = utf8_step(p + i, n - i, &bad);
		if (k == 0)
			break;
		i += k;
	}
	return i;
}

bool
lex_field_arg_bare(struct lexer *lx)
{
	return take(lx, match_none_of(cursor(lx), left(lx), "][\"'"));
}

static size_t
match_bare(const char *p, size_t n)
{
	return match_none_of(p, n, "()\"'=,");
}

bool
lex_bare_str(struct lexer *lx)
{
	return take(lx, match_bare(cursor(lx), left(lx)));
}

bool
lex_is_bare_str(const char *s, size_t n)
{
	return n > 0 && match_bare(s, n) == n;
}

bool
lex_is_identifier(const char *s, size_t n)
{
	return n > 0 && match_identifier(s, n) == n;
}

bool
lex_hex(struct lexer *lx)
{
	const char *p = cursor(lx);
	size_t n = left(lx), i = 2;

	if (n < 3 || p[0] != '0' || (p[1] != 'x' && p[1] != 'X'))
		return false;
	while (i < n && (is_digit(p[i]) || ((p[i] | 32) >= 'a' && (p[i] | 32) <= 'f')))
		i++;
	return i > 2 && take(lx, i);
}

bool
lex_num(struct lexer *lx)
{
	const char *p = cursor(lx);
	size_t n = left(lx), i = 0, first;

	if (i < n && (p[i] == '+' || p[i] == '-'))
		i++;
	first = i;
	while (i < n && is_digit(p[i]))
		i++;
	if (i == first)
		return false;
	if (i < n && p[i] == '.')
		i++;
	while (i < n && is_digit(p[i]))
		i++;
	if (i + 2 < n && (p[i] == 'e' || p[i] == 'E') &&
	    (p[i + 1] == '+' || p[i + 1] == '-') && is_digit(p[i + 2])) {
		i += 3;
		while (i < n && is_digit(p[i]))
			i++;
	}
	return take(lx, i);
}

bool
lex_not_blank(struct lexer *lx)
{
	const char *p = cursor(lx);
	size_t n = left(lx), i = 3;

	if (!lex_peek(lx, "not"))
		return false;
	while (i < n && is_space(p[i]))
		i++;
	return i > 3 && take(lx, i);
}

static int
hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The body of a quoted string, escapes undone, in the arena. */
static bool
unescape(struct lexer *lx, const char *p, size_t n, char quote, struct ast_str *ret,
    struct err *err)
{
	char *out = arena_alloc(lx->arena, n + 1);
	size_t k = 0;

	if (!out)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		if (p[i] != '\\') {
			out[k++] = p[i];
			continue;
		}
		if (++i == n)
			return err_set(
			    err, ERR_SYNTAX, "unsupported string escape sequence: \\");
		switch (p[i]) {
		case 'b':
			out[k++] = '\b';
			break;
		case 'f':
			out[k++] = '\f';
			break;
		case 'n':
			out[k++] = '\n';
			break;
		case 'r':
			out[k++] = '\r';
			break;
		case 't':
			out[k++] = '\t';
			break;
		case ' ': /* kept for old rules: the space disappears */
		case '\\':
			out[k++] = '\\';
			break;
		case '/':
			out[k++] = '/';
			break;
		case '"':
			if (quote != '"')
				return err_set(err, ERR_SYNTAX,
				    "invalid \\\" escape in '-quoted string");
			out[k++] = '"';
			break;
		case '\'':
			if (quote != '\'')
				return err_set(err, ERR_SYNTAX,
				    "invalid \\' escape in \"-quoted string");
			out[k++] = '\'';
			break;
		case 'x':
			if (n - i < 3)
				return err_set(err, ERR_SYNTAX,
				    "truncated hex char escape sequence");
			if (hex_digit(p[i + 1]) < 0 || hex_digit(p[i + 2]) < 0)
				return err_set(err, ERR_SYNTAX,
				    "invalid hex char escape sequence: %.2s", p + i + 1);
			out[k++] = (char)(hex_digit(p[i + 1]) << 4 | hex_digit(p[i + 2]));
			i += 2;
			break;
		default:
			return err_set(err, ERR_SYNTAX,
			    "unsupported string escape sequence: \\%c", p[i]);
		}
	}
	*ret = (struct ast_str){out, k};
	return true;
}

bool
lex_quoted(struct lexer *lx, bool *ret_found, struct err *err)
{
	const char *p = cursor(lx);
	size_t n = left(lx), i = 1;

	*ret_found = false;
	if (n < 2 || (p[0] != '"' && p[0] != '\''))
		return true;
	while (i < n && !(p[i] == p[0] && p[i - 1] != '\\'))
		i++;
	if (i == n)
		return true;
	struct ast_str body;
	if (!unescape(lx, p + 1, i - 1, p[0], &body, err))
		return false;
	lx->last = body;
	advance(lx, i + 1);
	*ret_found = true;
	return true;
}
