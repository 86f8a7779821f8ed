/* SPDX-License-Identifier: Apache-2.0 */
/* Checks and conditions: which operator goes with which type, and what constants mean. */
#include "rules/compile.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rules/regex.h"

/* -- operators by type
 * ---------------------------------------------------- */

#define OP(x) (1u << REL_##x)

enum {
	OPS_SET = OP(EQ) | OP(NE) | OP(IN) | OP(INTERSECTS) | OP(EXISTS),
	OPS_NUMBER = OPS_SET | OP(LT) | OP(LE) | OP(GT) | OP(GE),
	OPS_STRING = ((1u << REL_N) - 1) & ~(OP(BCONTAINS) | OP(BSTARTSWITH)),
	OPS_BYTES = OPS_SET | OP(CONTAINS) | OP(STARTSWITH) | OP(ENDSWITH) |
		    OP(BCONTAINS) | OP(BSTARTSWITH),
	OPS_LIST = OP(IN) | OP(INTERSECTS) | OP(EXISTS),
};

static bool
check_operator(const struct operand *lhs, enum rel_op op, enum rel_modifier modifier,
    struct err *err)
{
	const char *what;
	unsigned ops;

	if (lhs->list) {
		if (!(OPS_LIST & 1u << op) || modifier != MODIFIER_NONE)
			return err_set(err, ERR_SYNTAX,
			    "filter error: '%s' operator not supported list filters",
			    rel_op_text(op));
		switch (lhs->type) {
		case VALUE_CHARBUF:
		case VALUE_UINT64:
		case VALUE_RELTIME:
		case VALUE_ABSTIME:
		case VALUE_BOOL:
		case VALUE_IPADDR:
		case VALUE_IPNET:
			return true;
		default:
			return err_set(err, ERR_SYNTAX,
			    "filter error: list filters are not supported for type '%s'",
			    value_type_name(lhs->type));
		}
	}
	if (lhs->type == VALUE_OTHER)
		return true; /* decided by the event, which never comes here */
	if (lhs->type == VALUE_UID || lhs->type == VALUE_GID ||
	    lhs->type == VALUE_SOCKADDR || lhs->type == VALUE_SOCKTUPLE)
		return err_set(err, ERR_SYNTAX,
		    "filter error: '%s' operator not supported for type '%s'",
		    rel_op_text(op), value_type_name(lhs->type));
	if (value_type_is_string(lhs->type)) {
		ops = OPS_STRING;
		what = "string";
	} else if (lhs->type == VALUE_BYTEBUF) {
		ops = OPS_BYTES;
		what = "buffer";
	} else if (value_type_is_ip(lhs->type)) {
		ops = OPS_SET;
		what = "ip address and network";
	} else {
		ops = lhs->type == VALUE_BOOL ? OPS_SET : OPS_NUMBER;
		what = "numeric";
	}
	if (!(ops & 1u << op))
		return err_set(err, ERR_SYNTAX,
		    "filter error: '%s' operator not supported for %s filters",
		    rel_op_text(op), what);
	if (modifier != MODIFIER_NONE && value_type_is_ip(lhs->type) && op != REL_EQ &&
	    op != REL_NE)
		return err_set(err, ERR_SYNTAX,
		    "filter error: '%s' with modifier not supported for ip address and "
		    "network filters",
		    rel_op_text(op));
	return true;
}

/* -- constants
 * -------------------------------------------------------------- */

static bool
constant_number(
    struct constant *k, enum value_type type, const char *text, struct err *err)
{
	char *end;

	errno = 0;
	k->num = value_type_is_signed(type) ? (uint64_t)strtoll(text, &end, 10)
					    : strtoull(text, &end, 10);
	if (end == text || *end) {
		const struct servent *service =
		    type == VALUE_PORT ? getservbyname(text, NULL) : NULL;
		if (!service)
			return err_set(err, ERR_SYNTAX, "%s is not a valid number", text);
		k->num = ntohs((uint16_t)service->s_port);
	}
	return true;
}

static bool
constant_address(
    struct arena *arena, struct constant *k, const char *text, struct err *err)
{
	char *bytes = arena_alloc(arena, 16);
	bool v4 = strchr(text, '.') != NULL;

	if (!bytes)
		return err_nomem(err);
	if (inet_pton(v4 ? AF_INET : AF_INET6, text, bytes) != 1)
		return err_set(
		    err, ERR_SYNTAX, "unrecognized IPv%d address %s", v4 ? 4 : 6, text);
	k->s = bytes;
	k->len = v4 ? 4 : 16;
	return true;
}

static bool
constant_network(
    struct arena *arena, struct constant *k, const char *text, struct err *err)
{
	char *bytes = arena_alloc(arena, 16), address[LIMIT_CONSTANT_BYTES];
	bool v4 = strchr(text, '.') != NULL;
	const char *slash = strchr(text, '/');
	char *end;

	if (!bytes)
		return err_nomem(err);
	if (!slash)
		return v4 ? err_set(err, ERR_SYNTAX, "unrecognized IP network %s", text)
			  : err_set(err, ERR_SYNTAX, "invalid v6 netmask: %s", text);
	snprintf(address, sizeof(address), "%.*s", (int)(slash - text), text);
	if (v4) {
		/* The length is read and cut to eight bits, as Falco does. */
		k->prefix = (uint8_t)strtoul(slash + 1, &end, 10);
		if (end == slash + 1 || *end)
			return err_set(
			    err, ERR_SYNTAX, "%s is not a valid number", slash + 1);
		if (k->prefix > 32)
			return err_set(err, ERR_SYNTAX, "invalid netmask %s", slash + 1);
		if (inet_pton(AF_INET, address, bytes) != 1)
			return err_set(
			    err, ERR_SYNTAX, "unrecognized IP address %s", text);
		k->len = 4;
	} else {
		unsigned long bits = strtoul(slash + 1, NULL, 10);
		if (bits < 1 || bits > 128)
			return err_set(err, ERR_SYNTAX, "invalid v6 netmask: %s", text);
		if (inet_pton(AF_INET6, address, bytes) != 1)
			return err_set(
			    err, ERR_SYNTAX, "unrecognized IPv6 address %s", address);
		k->prefix = (uint8_t)bits;
		k->len = 16;
	}
	k->s = bytes;
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
constant_hex(
    struct arena *arena, struct constant *k, struct ast_str text, struct err *err)
{
	char *out = arena_alloc(arena, text.n / 2 + 1);

	if (!out)
		return err_nomem(err);
	for (size_t i = 0; i + 1 < text.n + (text.n & 1); i += 2) {
		if (i + 1 >= text.n || hex_digit(text.s[i]) < 0 ||
		    hex_digit(text.s[i + 1]) < 0)
			return err_set(err, ERR_SYNTAX,
			    "filter error: bcontains and bstartswith operator support "
			    "hex strings only");
		out[i / 2] = (char)(hex_digit(text.s[i]) << 4 | hex_digit(text.s[i + 1]));
	}
	k->s = out;
	k->len = (uint32_t)(text.n / 2);
	return true;
}

static bool
constant_regex(
    struct compiler *c, struct constant *k, struct ast_str text, struct err *err)
{
	char why[256];
	struct regex_list *link = arena_alloc(c->arena, sizeof(*link));

	if (!link)
		return err_nomem(err);
	link->re = regex_new(text.s, text.n, why, sizeof(why));
	if (!link->re)
		return err_set(err, ERR_SYNTAX, "invalid regex pattern: %s", why);
	link->next = *c->regexes;
	*c->regexes = link;
	k->re = link->re;
	return true;
}

static bool
constant_parse(struct compiler *c, struct constant *k, const struct operand *lhs,
    enum rel_op op, struct ast_str text, struct err *err)
{
	if (op == REL_BCONTAINS || op == REL_BSTARTSWITH)
		return constant_hex(c->arena, k, text, err);
	if (lhs->type == VALUE_BYTEBUF) {
		if (text.n >= LIMIT_CONSTANT_BYTES)
			return err_set(
			    err, ERR_SYNTAX, "filter parameter too long (byte buf)");
	} else if (memchr(text.s, '\0', text.n)) {
		return err_set(err, ERR_SYNTAX,
		    "filter error: filter value cannot contain a NUL byte (\\x00)");
	}
	/* The tree need not stay. */
	if (!(k->s = arena_strndup(c->arena, text.s, text.n)))
		return err_nomem(err);
	k->len = (uint32_t)text.n;
	if (lhs->type == VALUE_BYTEBUF || lhs->type == VALUE_OTHER)
		return true;
	if (value_type_is_string(lhs->type)) {
		if (text.n >= LIMIT_CONSTANT_BYTES)
			return err_set(err, ERR_SYNTAX,
			    "filter parameter too long (used=%zu, available=%u):%s",
			    text.n + 1, LIMIT_CONSTANT_BYTES, text.s);
		return op != REL_REGEX || constant_regex(c, k, text, err);
	}
	if (lhs->type == VALUE_IPADDR)
		return constant_address(c->arena, k, text.s, err);
	if (lhs->type == VALUE_IPNET)
		return constant_network(c->arena, k, text.s, err);
	if (lhs->type == VALUE_BOOL) {
		k->num = strcmp(text.s, "true") == 0;
		if (k->num || strcmp(text.s, "false") == 0)
			return true;
		return err_set(err, ERR_SYNTAX,
		    "filter error: unrecognized boolean value %s", text.s);
	}
	return constant_number(k, lhs->type, text.s, err);
}

/* -- warnings
 * ----------------------------------------------------------------- */

static bool
looks_like_field(struct compiler *c, const char *s, size_t n)
{
	const struct ast *ast;
	struct ast_pos pos;
	struct field_ref ref;
	struct err ignored;
	struct arena scratch;
	size_t used;
	bool yes = false;

	/* A field's name begins with a letter and has a dot: most values are done here.
	 */
	if (!isalpha((unsigned char)*s) || !memchr(s, '.', n))
		return false;
	arena_init(&scratch, 1 << 20);
	if (ast_parse_operand(
		&scratch, s, n, LIMIT_FORMAT_DEPTH, &ast, &used, &pos, &ignored) &&
	    ast->kind == AST_FIELD && used == n)
		yes = field_resolve(c->source, &scratch, ast->text.s, ast->text.n,
		    ast->arg.s, ast->arg.n, ast->has_arg, &ref, &ignored);
	arena_release(&scratch);
	return yes;
}

static bool
looks_like_transformer(const char *s, size_t n)
{
	const char *open = memchr(s, '(', n);

	return open && s[n - 1] == ')' && ast_is_transformer_name(s, (size_t)(open - s));
}

/* No special character but ^ in front, $ behind, and .* .+ .? at either end. */
static bool
regex_is_simple(const char *s, size_t n)
{
	if (n && s[0] == '^') {
		s++;
		n--;
	}
	if (n && s[n - 1] == '$')
		n--;
	if (n >= 2 && s[0] == '.' && strchr("*+?", s[1]) && s[1]) {
		s += 2;
		n -= 2;
	}
	if (n >= 2 && s[n - 2] == '.' && strchr("*+?", s[n - 1]) && s[n - 1])
		n -= 2;
	for (size_t i = 0; i < n; i++) {
		if (s[i] && strchr(".+*?^$()[]{}|\\", s[i]))
			return false;
	}
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

static void
warn_constant(struct compiler *c, enum rel_op op, struct ast_str v)
{
	char text[700], bare[LIMIT_CONSTANT_BYTES];
	size_t n = 0;

	if (!c->warn)
		return;
	for (size_t i = 0; i < v.n && n + 1 < sizeof(bare); i++) {
		if (!is_blank(v.s[i]))
			bare[n++] = v.s[i];
	}
	bare[n] = '\0';
	if (n && looks_like_field(c, bare, n)) {
		snprintf(text, sizeof(text),
		    "'%s' may be a valid field misused as a const string value", v.s);
		c->warn(text, c->warn_arg);
	} else if (n && looks_like_transformer(bare, n)) {
		snprintf(text, sizeof(text),
		    "'%s' may be a valid field transformer misused as a const string "
		    "value",
		    v.s);
		c->warn(text, c->warn_arg);
	}
	if (op == REL_REGEX && regex_is_simple(v.s, v.n)) {
		snprintf(text, sizeof(text),
		    "regex check with '%s' may be optimized with simpler operators such "
		    "as '=', 'contains', 'startswith', 'endswith'",
		    v.s);
		c->warn(text, c->warn_arg);
	}
}

/* -- checks
 * --------------------------------------------------------------------------------------
 */

static const char *
type_shown(char *out, size_t size, const struct operand *o)
{
	snprintf(out, size, "%s%s", value_type_name(o->type), o->list ? " (list)" : "");
	return out;
}

static bool
check_rhs(const struct check *k, struct err *err)
{
	const struct operand *l = k->lhs, *r = k->rhs;
	const char *ln = l->field ? l->field->name : "",
		   *rn = r->field ? r->field->name : "";
	char a[40], b[40];

	if (l->type == VALUE_IPNET)
		return err_set(err, ERR_SYNTAX,
		    "field type 'IPNET' doesn't support right-hand side fields");
	if (l->field && l->field->flags & FIELD_NO_RHS)
		return err_set(err, ERR_SYNTAX,
		    "field '%s' doesn't support right-hand side fields", ln);
	if (r->field && r->field->flags & FIELD_NO_RHS)
		return err_set(err, ERR_SYNTAX,
		    "field '%s' can't be used as a right-hand side field", rn);
	if (k->op == REL_REGEX || k->op == REL_PMATCH)
		return err_set(err, ERR_SYNTAX,
		    "operator '%s' doesn't support right-hand side fields",
		    k->op == REL_REGEX ? "REGEX" : "PMATCH");
	if (l->type != r->type || l->list != r->list)
		return err_set(err, ERR_SYNTAX,
		    "field '%s' has type '%s' while the right-hand side field '%s' has "
		    "incompatible type '%s'",
		    ln, type_shown(a, sizeof(a), l), rn, type_shown(b, sizeof(b), r));
	return true;
}

static bool
compile_constants(
    struct compiler *c, struct check *k, const struct ast *rhs, struct err *err)
{
	uint32_t n = rhs->kind == AST_LIST ? rhs->n : 1;
	struct constant *v = arena_array(c->arena, n ? n : 1, sizeof(*v));
	bool named = c->is_evttype && k->lhs->kind == OPERAND_SLOT &&
		     strcmp(k->lhs->field->name, "evt.type") == 0;

	if (!v)
		return err_nomem(err);
	for (uint32_t i = 0; i < n; i++) {
		struct ast_str text =
		    rhs->kind == AST_LIST ? rhs->child[i]->text : rhs->text;
		c->warn_pos = rhs->pos;
		warn_constant(c, k->op, text);
		if (named && !c->is_evttype(text.s, c->is_evttype_arg))
			return err_set(err, ERR_SYNTAX, "unknown event type %s", text.s);
		if (!constant_parse(c, &v[i], k->lhs, k->op, text, err))
			return false;
	}
	k->constant = v;
	k->n_constant = n;
	return true;
}

static bool
compile_check(
    struct compiler *c, const struct ast *ast, const struct check **ret, struct err *err)
{
	struct check *k = arena_alloc(c->arena, sizeof(*k));
	struct buf text;

	if (!k)
		return err_nomem(err);
	k->op = ast->op;
	k->modifier = ast->modifier;
	if (!operand_compile(c, ast->child[0], false, &k->lhs, err))
		return false;
	buf_init(&text, LIMIT_CONDITION_BYTES);
	ast_print(&text, ast);
	k->text = arena_strdup(c->arena, buf_str(&text));
	buf_release(&text);
	if (!k->text)
		return err_nomem(err);
	if (!check_operator(k->lhs, k->op, k->modifier, err))
		return false;
	*ret = k;
	if (ast->n < 2)
		return true;
	const struct ast *rhs = ast->child[1];
	if (rhs->kind != AST_VALUE && rhs->kind != AST_LIST)
		return operand_compile(c, rhs, true, &k->rhs, err) && check_rhs(k, err);
	return compile_constants(c, k, rhs, err);
}

bool
cond_compile(struct compiler *c, const struct ast *ast, const struct cond **ret_cond,
    struct err *err)
{
	struct cond *k = arena_alloc(c->arena, sizeof(*k));

	if (!k)
		return err_nomem(err);
	c->pos = ast->pos;
	switch (ast->kind) {
	case AST_CHECK:
		k->kind = COND_CHECK;
		if (!compile_check(c, ast, &k->check, err))
			return false;
		*ret_cond = k;
		return true;
	case AST_AND:
		k->kind = COND_AND;
		break;
	case AST_OR:
		k->kind = COND_OR;
		break;
	case AST_NOT:
		k->kind = COND_NOT;
		break;
	default:
		return err_set(err, ERR_SYNTAX,
		    "filter error: unexpected identifier '%s'",
		    ast->text.s ? ast->text.s : "");
	}
	k->n = ast->n;
	k->child = arena_array(c->arena, ast->n, sizeof(*k->child));
	if (!k->child)
		return err_nomem(err);
	for (uint32_t i = 0; i < ast->n; i++) {
		if (!cond_compile(c, ast->child[i], &k->child[i], err))
			return false;
	}
	*ret_cond = k;
	return true;
}

void
regex_list_free(struct regex_list *list)
{
	for (; list; list = list->next)
		regex_free(list->re);
}
