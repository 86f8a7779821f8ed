/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/format.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "rules/builtin.h"

enum {
	TOKEN_BYTES =
	    4096, /* one %token: longer than any list of transformer arguments seen */
	LIST_TEXT_BYTES = 1023,
};

struct piece {
	const char *text; /* literal when operand is NULL */
	size_t len;
	const struct operand *operand;
	uint32_t width; /* 0: as it is */
};

struct format_field {
	const char *key;
	const struct operand *operand;
};

struct format {
	struct piece *piece;
	uint32_t n_piece;
	struct format_field *field;
	uint32_t n_field;
	uint32_t *slot;
	uint32_t n_slot;
	const char **name; /* what tokens name, repeats too: for describing */
	uint32_t n_name;
};

/* -- compiling --------------------------------------------------------------------- */

struct building {
	struct compiler *c;
	struct format *f;
	uint32_t cap_piece, cap_field, cap_name;
	struct err *err;
};

static void *
grow(struct building *b, void *old, uint32_t n, uint32_t *cap, size_t size)
{
	if (n < *cap)
		return old;
	*cap = *cap ? *cap * 2 : 8;
	void *p = arena_array(b->c->arena, *cap, size);
	if (p && n)
		memcpy(p, old, n * size);
	return p;
}

static bool
add_piece(struct building *b, struct piece piece)
{
	struct format *f = b->f;

	f->piece = grow(b, f->piece, f->n_piece, &b->cap_piece, sizeof(*f->piece));
	if (!f->piece)
		return err_nomem(b->err);
	f->piece[f->n_piece++] = piece;
	return true;
}

/* The text of a field or of a whole token; NULL when memory is gone. */
static const char *
add_name(struct building *b, const struct ast *ast)
{
	struct format *f = b->f;
	struct buf out;
	const char *text;

	buf_init(&out, LIMIT_CONDITION_BYTES);
	ast_print(&out, ast);
	text = arena_strdup(b->c->arena, buf_str(&out));
	buf_release(&out);
	f->name = grow(b, f->name, f->n_name, &b->cap_name, sizeof(*f->name));
	if (!text || !f->name) {
		err_nomem(b->err);
		return NULL;
	}
	f->name[f->n_name++] = text;
	return text;
}

/* Every field of the token's tree, once. ast and operand have the same shape. */
static bool
add_fields(struct building *b, const struct ast *ast, const struct operand *o)
{
	struct format *f = b->f;
	const char *text;

	for (uint32_t i = 0; ast->kind != AST_FIELD && i < ast->n && i < o->n; i++) {
		if (ast->child[i]->kind != AST_VALUE &&
		    !add_fields(b, ast->child[i], o->arg[i]))
			return false;
	}
	if (ast->kind != AST_FIELD)
		return true;
	text = add_name(b, ast);
	if (!text)
		return false;
	for (uint32_t i = 0; i < f->n_field; i++) {
		if (strcmp(f->field[i].key, text) == 0)
			return true;
	}
	if (f->n_field == LIMIT_OUTPUT_FIELDS)
		return err_set(b->err, ERR_LIMIT,
		    "more than %u different fields in one output", LIMIT_OUTPUT_FIELDS);
	f->field = grow(b, f->field, f->n_field, &b->cap_field, sizeof(*f->field));
	if (!f->field)
		return err_nomem(b->err);
	f->field[f->n_field++] = (struct format_field){text, o};
	return true;
}

/* The longest field name that text begins with and that is shorter than n; 0: none. */
static size_t
shorter_name(const struct field_source *source, const char *text, size_t n)
{
	size_t best = 0;

	for (uint32_t i = 0; i < source->n_class; i++) {
		for (uint32_t k = 0; k < source->klass[i]->n; k++) {
			const char *name = source->klass[i]->field[k].name;
			size_t len = 0;
			while (len < n && name[len] && name[len] == text[len])
				len++;
			if (!name[len] && len < n && len > best)
				best = len;
		}
	}
	return best;
}

/*
 * The longest text behind "%" that is a field or transformer of this source. Falco tries
 * every length, downwards; only the parser's own end, and below it the ends of known
 * names, can be one.
 */
static bool
take_token(
    struct building *b, const char *text, size_t len, uint32_t width, size_t *ret_used)
{
	const struct operand *o;
	const struct ast *ast;
	struct ast_pos pos;
	struct err err;
	size_t used;

	if (len > TOKEN_BYTES)
		len = TOKEN_BYTES;
	for (size_t n = len; n > 0; n = shorter_name(b->c->source, text, n)) {
		if (!ast_parse_operand(b->c->arena, text, n, LIMIT_FORMAT_DEPTH, &ast,
			&used, &pos, &err) ||
		    !operand_compile(b->c, ast, false, &o, &err))
			continue;
		*ret_used = used;
		return add_piece(b, (struct piece){.operand = o, .width = width}) &&
		       add_fields(b, ast, o) &&
		       (ast->kind == AST_FIELD || add_name(b, ast));
	}
	return err_set(b->err, ERR_SYNTAX, "unknown filter: unexpected token after '");
}

static bool
collect_slots(struct building *b)
{
	struct format *f = b->f;

	f->slot = arena_array(b->c->arena, f->n_field ? f->n_field : 1, sizeof(*f->slot));
	if (!f->slot)
		return err_nomem(b->err);
	for (uint32_t i = 0; i < f->n_field; i++)
		f->slot[f->n_slot++] = f->field[i].operand->slot;
	return true;
}

bool
format_compile(struct compiler *c, const char *text, const struct format **ret_format,
    struct err *err)
{
	struct building b = {.c = c, .err = err};
	size_t n = strlen(text), at = 0;

	if (!(b.f = arena_alloc(c->arena, sizeof(*b.f))))
		return err_nomem(err);
	if (n == 0)
		return err_set(err, ERR_SYNTAX, "empty formatting token");
	/* "Print even when values are missing": this is always so. */
	if (text[0] == '*')
		at = 1;
	while (at < n) {
		size_t plain = strcspn(text + at, "%");
		if (plain) {
			const char *copy = arena_strndup(c->arena, text + at, plain);
			if (!copy)
				return err_nomem(err);
			if (!add_piece(&b, (struct piece){.text = copy, .len = plain}))
				return false;
			at += plain;
			continue;
		}
		uint32_t width = 0;
		size_t used;
		at++;
		if (at == n)
			return err_set(err, ERR_SYNTAX,
			    "invalid formatting syntax: formatting cannot end with a %%");
		for (; at < n && text[at] >= '0' && text[at] <= '9'; at++)
			width = width > 100000 ? width
					       : width * 10 + (uint32_t)(text[at] - '0');
		if (at == n)
			return err_set(err, ERR_SYNTAX,
			    "invalid formatting syntax: formatting cannot end with a "
			    "number");
		if (!take_token(&b, text + at, n - at, width, &used))
			return false;
		at += used;
	}
	if (!collect_slots(&b))
		return false;
	*ret_format = b.f;
	return true;
}

const uint32_t *
format_slots(const struct format *f, uint32_t *ret_n)
{
	*ret_n = f->n_slot;
	return f->slot;
}

uint32_t
format_n_fields(const struct format *f)
{
	return f->n_field;
}

const char *
format_field_key(const struct format *f, uint32_t i)
{
	return f->field[i].key;
}

const char *const *
format_names(const struct format *f, uint32_t *ret_n)
{
	*ret_n = f->n_name;
	return f->name;
}

/* -- rendering ------------------------------------------------------------------------
 */

static void
address_text(char out[INET6_ADDRSTRLEN], const char *s, uint32_t n)
{
	if ((n != 4 && n != 16) ||
	    !inet_ntop(n == 4 ? AF_INET : AF_INET6, s, out, INET6_ADDRSTRLEN))
		snprintf(out, INET6_ADDRSTRLEN, "<NA>");
}

static void
bytes_text(const char *s, uint32_t n, struct buf *out)
{
	for (uint32_t i = 0; i < n; i++)
		buf_addc(out, s[i] >= 0x20 && s[i] < 0x7f ? s[i] : '.');
}

static void
element_text(
    const struct operand *o, const struct value_view *v, uint32_t i, struct buf *out)
{
	char address[INET6_ADDRSTRLEN];
	uint32_t n;
	const char *s;

	if (o->type == VALUE_BOOL) {
		buf_adds(out, v->num[i] ? "true" : "false");
	} else if (value_type_is_number(o->type)) {
		if (o->kind == OPERAND_SLOT && o->field->flags & FIELD_PADDED)
			buf_addf(out, "%09" PRIu64, v->num[i]);
		else if (value_type_is_signed(o->type))
			buf_addf(out, "%" PRId64, (int64_t)v->num[i]);
		else
			buf_addu64(out, v->num[i]);
	} else if (o->type == VALUE_IPNET) {
		buf_adds(out, "<IPNET>");
	} else if (o->type == VALUE_IPADDR) {
		s = value_view_str(v, i, &n);
		address_text(address, s, n);
		buf_adds(out, address);
	} else {
		s = value_view_str(v, i, &n);
		if (o->type == VALUE_BYTEBUF)
			bytes_text(s, n, out);
		else
			buf_add(out, s, strnlen(s, n));
	}
}

static void
operand_text(const struct operand *o, const struct event_view *view, struct buf *out)
{
	struct value_view v;
	size_t start = out->len;

	event_view_operand(view, o, &v);
	if (!v.present) {
		buf_adds(out, "<NA>");
		return;
	}
	if (!o->list) {
		if (v.n)
			element_text(o, &v, 0, out);
		return;
	}
	buf_addc(out, '(');
	for (uint32_t i = 0; i < v.n && out->len - start <= LIST_TEXT_BYTES; i++) {
		if (i)
			buf_addc(out, ',');
		element_text(o, &v, i, out);
	}
	buf_addc(out, ')');
	if (out->len - start > LIST_TEXT_BYTES)
		buf_splice(out, start + LIST_TEXT_BYTES,
		    out->len - start - LIST_TEXT_BYTES, "", 0);
}

void
format_text(const struct format *f, const struct event_view *view, struct buf *out)
{
	for (uint32_t i = 0; i < f->n_piece; i++) {
		const struct piece *p = &f->piece[i];
		if (!p->operand) {
			buf_add(out, p->text, p->len);
			continue;
		}
		size_t start = out->len;
		operand_text(p->operand, view, out);
		if (!p->width)
			continue;
		size_t have = out->len - start;
		if (have > p->width)
			buf_splice(out, start + p->width, have - p->width, "", 0);
		for (; have < p->width; have++)
			buf_addc(out, ' ');
	}
}

static void
element_json(const struct operand *o, const struct value_view *v, uint32_t i,
    struct json_writer *w)
{
	char address[INET6_ADDRSTRLEN];
	uint32_t n;
	const char *s;

	if (o->type == VALUE_BOOL) {
		json_bool(w, v->num[i] != 0);
	} else if (value_type_is_number(o->type)) {
		if (value_type_is_signed(o->type))
			json_i64(w, (int64_t)v->num[i]);
		else
			json_u64(w, v->num[i]);
	} else if (o->type == VALUE_IPNET) {
		json_str(w, "<IPNET>");
	} else if (o->type == VALUE_IPADDR) {
		s = value_view_str(v, i, &n);
		address_text(address, s, n);
		json_str(w, address);
	} else {
		s = value_view_str(v, i, &n);
		json_str_n(w, s, strnlen(s, n));
	}
}

/* evt.time and its kin are the event's time in ns, whatever their text looks like. */
static bool
is_time_field(const struct operand *o)
{
	if (o->kind != OPERAND_SLOT || o->field->provider != PROVIDER_BUILTIN)
		return false;
	return o->field->field_id >= EVT_FIELD_TIME &&
	       o->field->field_id <= EVT_FIELD_DATETIME_S;
}

void
format_field_json(const struct format *f, uint32_t i, const struct event_view *view,
    struct json_writer *w)
{
	const struct operand *o = f->field[i].operand;
	struct value_view v;

	if (is_time_field(o)) {
		json_u64(w, event_view_meta(view)->ts_ns);
		return;
	}
	event_view_operand(view, o, &v);
	if (!v.present) {
		json_write_null(w);
		return;
	}
	if (!o->list) {
		element_json(o, &v, 0, w);
		return;
	}
	json_begin_array(w);
	for (uint32_t k = 0; k < v.n; k++)
		element_json(o, &v, k, w);
	json_end_array(w);
}
