/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/transform.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void
view_builder_init(struct view_builder *b, struct arena *scratch)
{
	*b = (struct view_builder){.scratch = scratch};
}

static void *
grown(struct arena *scratch, const void *old, size_t used, size_t size)
{
	void *p = arena_alloc(scratch, size);

	if (p && used)
		memcpy(p, old, used);
	return p;
}

void
view_builder_add(struct view_builder *b, const char *s, size_t n)
{
	if (b->failed)
		return;
	if (b->n == b->cap) {
		uint32_t cap = b->cap ? b->cap * 2 : 4;
		b->span = grown(
		    b->scratch, b->span, b->n * sizeof(*b->span), cap * sizeof(*b->span));
		b->cap = cap;
	}
	if (n >= UINT32_MAX / 4 - b->len) {
		b->failed = true;
		return;
	}
	if (b->size - b->len < n + 1) {
		uint32_t size = (b->len + (uint32_t)n + 1) * 2;
		b->bytes = grown(b->scratch, b->bytes, b->len, size);
		b->size = size;
	}
	if (!b->span || !b->bytes) {
		b->failed = true;
		return;
	}
	b->span[b->n++] = (struct span){b->len, (uint32_t)n};
	if (n)
		memcpy(b->bytes + b->len, s, n);
	b->bytes[b->len + n] = '\0';
	b->len += (uint32_t)n + 1;
}

bool
view_builder_finish(struct view_builder *b, struct value_view *ret)
{
	*ret = (struct value_view){
	    .present = !b->failed, .n = b->n, .str = b->span, .bytes = b->bytes};
	return !b->failed;
}

static void
add_folded(struct view_builder *b, const char *s, uint32_t n, char first, char last)
{
	view_builder_add(b, s, n);
	if (b->failed)
		return;
	char *p = b->bytes + b->span[b->n - 1].off;
	for (uint32_t i = 0; i < n; i++) {
		if (p[i] >= first && p[i] <= last)
			p[i] ^= 0x20;
	}
}

static int
b64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Padding is optional, at most two; bits left over must be zero. */
static bool
add_b64(struct view_builder *b, const char *s, uint32_t n, struct arena *scratch)
{
	uint32_t bits = 0, have = 0, len = 0, pad = 0;
	char *out = arena_alloc(scratch, n + 1);

	if (!out)
		return false;
	while (n && s[n - 1] == '=' && pad < 2) {
		n--;
		pad++;
	}
	for (uint32_t i = 0; i < n; i++) {
		int d = b64_digit(s[i]);
		if (d < 0)
			return false;
		bits = bits << 6 | (uint32_t)d;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[len++] = (char)(bits >> have);
			bits &= (1u << have) - 1;
		}
	}
	if (have >= 6 || bits)
		return false;
	view_builder_add(b, out, len);
	return true;
}

static bool
apply_unary(const struct operand *o, const struct value_view *in, struct arena *scratch,
    struct value_view *ret)
{
	struct view_builder b;
	bool ok = true;

	view_builder_init(&b, scratch);
	for (uint32_t i = 0; i < in->n && ok; i++) {
		uint32_t n;
		const char *s = value_view_str(in, i, &n), *slash;
		switch (o->transform) {
		case TRANSFORM_TOLOWER:
			add_folded(&b, s, n, 'A', 'Z');
			break;
		case TRANSFORM_TOUPPER:
			add_folded(&b, s, n, 'a', 'z');
			break;
		case TRANSFORM_BASENAME:
			slash = memrchr(s, '/', n);
			if (slash) {
				n -= (uint32_t)(slash + 1 - s);
				s = slash + 1;
			}
			view_builder_add(&b, s, n);
			break;
		default:
			ok = add_b64(&b, s, n, scratch);
			break;
		}
	}
	return ok && view_builder_finish(&b, ret);
}

static bool
apply_len(const struct operand *o, const struct value_view *in, struct arena *scratch,
    struct value_view *ret)
{
	uint64_t *v = arena_alloc(scratch, sizeof(*v));
	uint32_t n;

	if (!v)
		return false;
	if (o->arg[0]->list) {
		*v = in->n;
	} else {
		const char *s = value_view_str(in, 0, &n);
		*v = o->arg[0]->type == VALUE_BYTEBUF ? n : strnlen(s, n);
	}
	*ret = (struct value_view){.present = true, .n = 1, .num = v};
	return true;
}

/* Any element as text: numbers in decimal. */
static void
add_element(struct view_builder *b, const struct operand *o, const struct value_view *v,
    uint32_t i)
{
	char digits[24];
	uint32_t n;

	if (value_type_is_number(o->type)) {
		int k =
		    value_type_is_signed(o->type)
			? snprintf(digits, sizeof(digits), "%" PRId64, (int64_t)v->num[i])
			: snprintf(digits, sizeof(digits), "%" PRIu64, v->num[i]);
		view_builder_add(b, digits, (size_t)k);
	} else {
		const char *s = value_view_str(v, i, &n);
		view_builder_add(b, s, n);
	}
}

bool
transform_list(const struct operand *o, const struct value_view *arg,
    struct arena *scratch, struct value_view *ret)
{
	struct view_builder b;

	view_builder_init(&b, scratch);
	for (uint32_t i = 0; i < o->n; i++) {
		for (uint32_t k = 0; k < arg[i].n; k++)
			add_element(&b, o->arg[i], &arg[i], k);
	}
	return view_builder_finish(&b, ret);
}

/* One string made of pieces with sep between. */
static bool
glue(const struct value_view *pieces, const char *sep, uint32_t sep_len,
    struct arena *scratch, struct value_view *ret)
{
	struct view_builder b;
	size_t total = 1, at = 0;

	for (uint32_t i = 0; i < pieces->n; i++)
		total += pieces->str[i].len + sep_len;
	char *out = arena_alloc(scratch, total);
	if (!out)
		return false;
	for (uint32_t i = 0; i < pieces->n; i++) {
		uint32_t n;
		const char *s = value_view_str(pieces, i, &n);
		if (i && sep_len) {
			memcpy(out + at, sep, sep_len);
			at += sep_len;
		}
		memcpy(out + at, s, n);
		at += n;
	}
	view_builder_init(&b, scratch);
	view_builder_add(&b, out, at);
	return view_builder_finish(&b, ret);
}

static bool
apply_join(const struct operand *o, const struct value_view *arg, struct arena *scratch,
    struct value_view *ret)
{
	struct view_builder b;
	struct value_view list;
	uint32_t n;
	const char *sep = value_view_str(&arg[0], 0, &n);

	view_builder_init(&b, scratch);
	for (uint32_t k = 0; k < arg[1].n; k++)
		add_element(&b, o->arg[1], &arg[1], k);
	return view_builder_finish(&b, &list) && glue(&list, sep, n, scratch, ret);
}

static bool
apply_concat(const struct operand *o, const struct value_view *arg, struct arena *scratch,
    struct value_view *ret)
{
	struct value_view list;

	return transform_list(o, arg, scratch, &list) && glue(&list, "", 0, scratch, ret);
}

/* getopt(3)'s scanning over a list. */
static bool
apply_getopt(const struct operand *o, const struct value_view *arg, struct arena *scratch,
    struct value_view *ret)
{
	const struct value_view *args = &arg[0];
	struct view_builder all, one;
	const char *found = NULL;
	uint32_t n, found_len = 0;
	const char *spec = value_view_str(&arg[1], 0, &n);

	if (*spec == ':')
		spec++;
	view_builder_init(&all, scratch);
	for (uint32_t i = 0; i < args->n; i++) {
		const char *word = value_view_str(args, i, &n);
		if (n == 2 && memcmp(word, "--", 2) == 0)
			break;
		if (n > 2 && memcmp(word, "--", 2) == 0)
			continue;
		if (n < 2 || word[0] != '-')
			break;
		for (uint32_t k = 1; k < n; k++) {
			const char *at = word[k] == ':' ? NULL : strchr(spec, word[k]);
			const char *value = &word[k];
			uint32_t value_len = 1;
			if (!at) {
				view_builder_add(&all, "?", 1);
				continue;
			}
			view_builder_add(&all, &word[k], 1);
			bool takes = at[1] == ':';
			if (takes && k + 1 < n) {
				value = word + k + 1;
				value_len = n - k - 1;
			} else if (takes && i + 1 < args->n) {
				value = value_view_str(args, ++i, &value_len);
			} else if (takes) {
				value = "";
				value_len = 0;
			}
			if (takes)
				view_builder_add(&all, value, value_len);
			if (word[k] == o->option) {
				found = value;
				found_len = value_len;
			}
			if (takes)
				break;
		}
	}
	if (!o->option)
		return view_builder_finish(&all, ret);
	if (!found)
		return false;
	view_builder_init(&one, scratch);
	view_builder_add(&one, found, found_len);
	return view_builder_finish(&one, ret);
}

bool
transform_apply(const struct operand *o, const struct value_view *arg,
    struct arena *scratch, struct value_view *ret)
{
	switch (o->transform) {
	case TRANSFORM_LEN:
		return apply_len(o, arg, scratch, ret);
	case TRANSFORM_JOIN:
		return apply_join(o, arg, scratch, ret);
	case TRANSFORM_CONCAT:
		return apply_concat(o, arg, scratch, ret);
	case TRANSFORM_GETOPT:
		return apply_getopt(o, arg, scratch, ret);
	default:
		return apply_unary(o, arg, scratch, ret);
	}
}
