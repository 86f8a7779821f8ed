/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conf/conf.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json_write.h"
#include "base/utf8.h"

struct conf_node *
conf_new(struct arena *arena, enum conf_kind kind)
{
	struct conf_node *n = arena_alloc(arena, sizeof(*n));

	if (n)
		n->kind = kind;
	return n;
}

struct conf_node *
conf_scalar(struct arena *arena, const char *text)
{
	struct conf_node *n = conf_new(arena, CONF_SCALAR);

	if (!n || !(n->text = arena_strdup(arena, text)))
		return NULL;
	return n;
}

static bool
reserve(struct arena *arena, struct conf_node *n)
{
	if (n->n < n->cap)
		return true;
	size_t cap = n->cap ? n->cap * 2 : 4;
	struct conf_node **child = arena_array(arena, cap, sizeof(*child));
	const char **key = arena_array(arena, cap, sizeof(*key));
	if (!child || !key)
		return false;
	if (n->n) {
		memcpy(child, n->child, n->n * sizeof(*child));
		memcpy(key, n->key, n->n * sizeof(*key));
	}
	n->child = child;
	n->key = key;
	n->cap = cap;
	return true;
}

bool
conf_append(struct arena *arena, struct conf_node *seq, struct conf_node *child)
{
	if (!child || !reserve(arena, seq))
		return false;
	seq->child[seq->n++] = child;
	return true;
}

static size_t
find(const struct conf_node *map, const char *key)
{
	size_t i = 0;

	while (i < map->n && strcmp(map->key[i], key) != 0)
		i++;
	return i;
}

bool
conf_put(
    struct arena *arena, struct conf_node *map, const char *key, struct conf_node *child)
{
	size_t i = find(map, key);

	if (!child)
		return false;
	if (i == map->n) {
		if (!reserve(arena, map) || !(map->key[i] = arena_strdup(arena, key)))
			return false;
		map->n++;
	}
	map->child[i] = child;
	return true;
}

void
conf_remove(struct conf_node *map, const char *key)
{
	size_t i = find(map, key);

	if (i == map->n)
		return;
	map->n--;
	memmove(&map->key[i], &map->key[i + 1], (map->n - i) * sizeof(*map->key));
	memmove(&map->child[i], &map->child[i + 1], (map->n - i) * sizeof(*map->child));
}

struct conf_node *
conf_get(const struct conf_node *map, const char *key)
{
	if (!map || map->kind != CONF_MAP)
		return NULL;
	size_t i = find(map, key);
	return i < map->n ? map->child[i] : NULL;
}

/* -- readers ------------------------------------------------------------------------ */

static const char *
scalar_at(const struct conf_node *root, const char *path)
{
	const struct conf_node *n = conf_at(root, path);

	return n && n->kind == CONF_SCALAR ? n->text : NULL;
}

bool
conf_parse_bool(const char *text, bool *ret_value)
{
	static const char *const words[][2] = {
	    {"y", "n"}, {"yes", "no"}, {"true", "false"}, {"on", "off"}};
	bool lower = true, upper = true, capital = true;

	for (size_t i = 0; text[i]; i++) {
		bool up = text[i] >= 'A' && text[i] <= 'Z';
		lower &= !up;
		upper &= up;
		capital &= (i == 0) == up;
	}
	if (!lower && !upper && !capital)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		for (int k = 0; k < 2; k++) {
			if (strcasecmp(text, words[i][k]) == 0) {
				*ret_value = k == 0;
				return true;
			}
		}
	}
	return false;
}

bool
conf_bool(const struct conf_node *root, const char *path, bool fallback)
{
	const char *text = scalar_at(root, path);
	bool v;

	return text && conf_parse_bool(text, &v) ? v : fallback;
}

/* As YAML readers do: nothing before the number, blanks after it. */
static bool
parse_int(const char *text, int64_t *ret)
{
	char *end;

	if (isspace((unsigned char)*text))
		return false;
	errno = 0;
	long long v = strtoll(text, &end, 0);
	if (end == text || end[strspn(end, " \t\n\v\f\r")] || errno)
		return false;
	*ret = v;
	return true;
}

int64_t
conf_int(const struct conf_node *root, const char *path, int64_t fallback)
{
	const char *text = scalar_at(root, path);
	int64_t v;

	return text && parse_int(text, &v) ? v : fallback;
}

uint64_t
conf_uint(const struct conf_node *root, const char *path, uint64_t fallback)
{
	const char *text = scalar_at(root, path);
	char *end;

	if (!text || !*text || strchr(text, '-'))
		return fallback;
	errno = 0;
	unsigned long long v = strtoull(text, &end, 0);
	return *end || errno ? fallback : v;
}

static bool
parse_double(const char *text, double *ret)
{
	char *end;

	if (!*text || strspn(text, "+-.0123456789eE") != strlen(text))
		return false;
	*ret = strtod(text, &end);
	return end != text && !*end;
}

double
conf_double(const struct conf_node *root, const char *path, double fallback)
{
	const char *text = scalar_at(root, path);
	double v;

	return text && parse_double(text, &v) ? v : fallback;
}

const char *
conf_text(const struct conf_node *root, const char *path, const char *fallback)
{
	const char *text = scalar_at(root, path);

	return text ? text : fallback;
}

/* -- merging ---------------------------------------------------------------------------
 */

bool
conf_merge(struct arena *arena, struct conf_node *root, const struct conf_node *other,
    enum conf_merge strategy)
{
	for (size_t i = 0; i < other->n; i++) {
		struct conf_node *have = conf_get(root, other->key[i]),
				 *add = other->child[i];
		if (have && strategy == CONF_MERGE_ADD_ONLY)
			continue;
		if (have && strategy == CONF_MERGE_APPEND && have->kind == CONF_SEQ &&
		    add->kind == CONF_SEQ) {
			for (size_t k = 0; k < add->n; k++) {
				if (!conf_append(arena, have, add->child[k]))
					return false;
			}
			continue;
		}
		if (!conf_put(arena, root, other->key[i], add))
			return false;
	}
	return true;
}

/* -- as JSON
 * ------------------------------------------------------------------------------ */

/* The shortest digits that read back as the same number, in Falco's notation: plain from
 * 0.0001 to 15 digits before the point, else with an exponent. */
static void
double_json(struct json_writer *w, double d)
{
	enum {
		MAX_DIGITS = 17,
		PLAIN_FROM = -4,
		PLAIN_TO = 15
	};
	char digits[32], text[64];
	int precision = 0;

	do {
		snprintf(digits, sizeof(digits), "%.*e", precision, d);
	} while (strtod(digits, NULL) != d && ++precision < MAX_DIGITS);
	int exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
	if (exponent >= PLAIN_TO || exponent < PLAIN_FROM)
		snprintf(text, sizeof(text), "%s", digits);
	else
		snprintf(text, sizeof(text), "%.*f",
		    precision > exponent ? precision - exponent : 1, d);
	json_raw(w, text, strlen(text));
}

static void
scalar_json(struct json_writer *w, const char *text)
{
	int64_t i;
	double d;
	bool b;

	if (parse_int(text, &i) && i >= INT32_MIN && i <= INT32_MAX)
		json_i64(w, i);
	else if (parse_double(text, &d) && isfinite(d))
		double_json(w, d);
	else if (conf_parse_bool(text, &b))
		json_bool(w, b);
	else
		json_str(w, text);
}

static int
by_key(const void *a, const void *b, void *map)
{
	const struct conf_node *m = map;

	return strcmp(m->key[*(const size_t *)a], m->key[*(const size_t *)b]);
}

/* Depth is bounded by the YAML reader's. */
static void
node_json(const struct conf_node *n, struct json_writer *w)
{
	size_t *order;

	switch (n->kind) {
	case CONF_NULL:
		json_write_null(w);
		break;
	case CONF_SCALAR:
		scalar_json(w, n->text);
		break;
	case CONF_SEQ:
		json_begin_array(w);
		for (size_t i = 0; i < n->n; i++)
			node_json(n->child[i], w);
		json_end_array(w);
		break;
	case CONF_MAP:
		order = calloc(n->n ? n->n : 1, sizeof(*order));
		if (!order) {
			w->out->failed = true;
			return;
		}
		for (size_t i = 0; i < n->n; i++)
			order[i] = i;
		qsort_r(order, n->n, sizeof(*order), by_key, (void *)n);
		json_begin_object(w);
		for (size_t i = 0; i < n->n; i++) {
			json_key(w, n->key[order[i]]);
			node_json(n->child[order[i]], w);
		}
		json_end_object(w);
		free(order);
		break;
	}
}

void
conf_json(const struct conf_node *node, struct buf *out)
{
	struct json_writer w;

	json_init(&w, out);
	node_json(node, &w);
}

/* May it stand in a quoted YAML scalar as it is? Breaks and a byte order mark may not. */
static bool
is_plain_code(uint32_t c)
{
	if (c < 0x7f)
		return c >= 0x20 && c != '"' && c != '\\';
	return c >= 0xa0 && c != 0x2028 && c != 0x2029 && c != 0xfeff && c != 0xfffe &&
	       c != 0xffff;
}

static void
flow_quoted(const char *text, struct buf *out)
{
	size_t n = strlen(text), k, bad;

	buf_addc(out, '"');
	for (; n; text += k, n -= k) {
		const unsigned char *s = (const unsigned char *)text;
		k = utf8_step(text, n, &bad);
		if (k == 0) {
			buf_adds(out, "\xef\xbf\xbd");
			k = bad;
			continue;
		}
		uint32_t c = s[0] & (k == 1 ? 0x7fu : 0x7fu >> k);
		for (size_t i = 1; i < k; i++)
			c = c << 6 | (s[i] & 0x3fu);
		if (is_plain_code(c))
			buf_add(out, text, k);
		else
			buf_addf(out, "\\u%04x", c);
	}
	buf_addc(out, '"');
}

/* Plain where that reads back as the same text, else quoted. */
static void
flow_text(const char *text, struct buf *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_/.+-";

	if (*text && text[0] != '-' && strspn(text, plain) == strlen(text) &&
	    strcasecmp(text, "null") != 0) {
		buf_adds(out, text);
		return;
	}
	flow_quoted(text, out);
}

void
conf_flow(const struct conf_node *node, struct buf *out)
{
	bool map = node->kind == CONF_MAP;

	if (node->kind == CONF_NULL) {
		buf_addc(out, '~');
		return;
	}
	if (node->kind == CONF_SCALAR) {
		flow_text(node->text, out);
		return;
	}
	buf_addc(out, map ? '{' : '[');
	for (size_t i = 0; i < node->n; i++) {
		if (i)
			buf_adds(out, ", ");
		if (map) {
			flow_text(node->key[i], out);
			buf_adds(out, ": ");
		}
		conf_flow(node->child[i], out);
	}
	buf_addc(out, map ? '}' : ']');
}

bool
conf_expand_env(const char *text, struct buf *out)
{
	enum {
		ROUNDS = 1000
	}; /* a value may name itself: end somewhere */
	size_t at = 0;

	buf_adds(out, text);
	for (int round = 0; round < ROUNDS && !out->failed; round++) {
		const char *open = out->data ? strstr(out->data + at, "${") : NULL;
		if (!open)
			return !out->failed;
		size_t start = (size_t)(open - out->data);
		const char *close = strchr(open, '}');
		if (!close)
			return true;
		size_t end = (size_t)(close - out->data);
		if (start > 0 && out->data[start - 1] == '$') {
			buf_splice(out, start - 1, 1, "", 0);
			at = end; /* one byte shorter: just behind the brace */
			continue;
		}
		char *name = strndup(out->data + start + 2, end - start - 2);
		if (!name)
			return false;
		const char *value = getenv(name);
		free(name);
		if (!value)
			value = "";
		buf_splice(out, start, end - start + 1, value, strlen(value));
		at = start;
	}
	return !out->failed;
}
