/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema of falco.yaml, printed and checked, from the rows of config_keys.h. Rows
 * that share the start of their paths stand together, so that a run of rows is one node
 * of the schema.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json_write.h"
#include "broker/settings/config.h"

/* Rows begin to end; their paths are equal in the first skip bytes. */
struct run {
	size_t begin, end, skip;
};

static const char *
rest(const struct run *r, size_t row)
{
	return config_keys[row].path + r->skip;
}

/* The rows of r that go on with this step (".key" or "[]"), or none: begin == end. */
static struct run
step(const struct run *r, const char *text, size_t len)
{
	struct run sub = {r->end, r->end, r->skip + len};

	for (size_t i = r->begin; i < r->end; i++) {
		const char *path = rest(r, i);
		if (strncmp(path, text, len) != 0 || !strchr(".[", path[len]))
			continue;
		if (sub.begin == r->end)
			sub.begin = i;
		sub.end = i + 1;
	}
	return sub;
}

/* The row of a value that stands here itself, or NULL. */
static const struct config_key *
leaf(const struct run *r)
{
	for (size_t i = r->begin; i < r->end; i++) {
		if (!*rest(r, i))
			return &config_keys[i];
	}
	return NULL;
}

static bool
goes_on_with(const struct run *r, char c)
{
	for (size_t i = r->begin; i < r->end; i++) {
		if (*rest(r, i) == c)
			return true;
	}
	return false;
}

/* Keys at the top have no point before them. */
static size_t
key_start(const struct run *r)
{
	return r->skip ? 1 : 0;
}

static struct run
step_key(const struct run *r, const char *key)
{
	char text[128] = ".";
	size_t n = strlen(key);

	if (n + 2 > sizeof(text) || strpbrk(key, ".["))
		return (struct run){r->end, r->end, 0};
	memcpy(text + 1, key, n + 1);
	return step(r, text + 1 - key_start(r), n + key_start(r));
}

static bool
is_one_of(const char *words, const char *text)
{
	size_t n = strlen(text);

	while (*words) {
		size_t len = strcspn(words, "|");
		if (len == n && strncasecmp(words, text, n) == 0)
			return true;
		words += len;
		words += *words == '|';
	}
	return false;
}

/* Types are weak: quotes do not matter. */
static bool
fits(const struct config_key *k, const char *text)
{
	uint64_t max = k->type == CONFIG_UINT16   ? UINT16_MAX
		       : k->type == CONFIG_UINT32 ? UINT32_MAX
						  : UINT64_MAX;
	char *end;
	bool b;

	switch (k->type) {
	case CONFIG_BOOL:
		return conf_parse_bool(text, &b);
	case CONFIG_UINT:
	case CONFIG_UINT16:
	case CONFIG_UINT32:
		if (!*text || strchr(text, '-'))
			return false;
		errno = 0;
		return strtoull(text, &end, 0) <= max && !*end && !errno;
	case CONFIG_NUMBER:
		strtod(text, &end);
		return end != text && !*end;
	case CONFIG_TEXT:
		return !k->words || is_one_of(k->words, text);
	case CONFIG_ANY:
		return true;
	}
	return false;
}

static bool
misfit(struct buf *out, const struct buf *where, const struct conf_node *node,
    const char *what, const char *detail)
{
	buf_addf(out, "%s: %s", buf_str(where), what);
	if (detail)
		buf_addf(out, " '%s'", detail);
	if (node->line)
		buf_addf(out, " (line %u)", node->line);
	return false;
}

/* As deep as the longest path of the table. */
static bool
check(
    const struct conf_node *node, const struct run *r, struct buf *where, struct buf *out)
{
	const struct config_key *k = leaf(r);
	size_t at = where->len;

	if (node->kind == CONF_NULL || (k && k->type == CONFIG_ANY))
		return true;
	if (node->kind == CONF_SCALAR) {
		if (!k)
			return misfit(
			    out, where, node, "a value where more is expected", NULL);
		return fits(k, node->text) ||
		       misfit(out, where, node, "the value does not fit:", node->text);
	}
	if (node->kind == CONF_SEQ ? !goes_on_with(r, '[')
				   : (r->skip && !goes_on_with(r, '.')))
		return misfit(out, where, node,
		    node->kind == CONF_SEQ ? "an unexpected list" : "an unexpected map",
		    NULL);
	for (size_t i = 0; i < node->n; i++) {
		struct run sub =
		    node->kind == CONF_SEQ ? step(r, "[]", 2) : step_key(r, node->key[i]);
		if (node->kind == CONF_MAP && sub.begin == sub.end)
			sub = step_key(r, "*");
		if (sub.begin == sub.end)
			return misfit(
			    out, where, node->child[i], "unknown key", node->key[i]);
		if (node->kind == CONF_SEQ)
			buf_addf(where, "[%zu]", i);
		else
			buf_addf(where, "[%s]", node->key[i]);
		if (!check(node->child[i], &sub, where, out))
			return false;
		buf_splice(where, at, where->len - at, "", 0);
	}
	return true;
}

bool
config_schema_check(const struct conf_node *root, struct buf *reterr_text)
{
	const struct run all = {0, config_keys_n, 0};
	struct buf where;

	buf_init(&where, reterr_text->limit_bytes);
	buf_adds(&where, "<root>");
	bool ok = check(root, &all, &where, reterr_text);
	buf_release(&where);
	return ok;
}

static void
print_fallback(struct json_writer *w, const struct config_key *k)
{
	if (!*k->fallback)
		return;
	json_key(w, "default");
	if (k->type == CONFIG_TEXT || k->type == CONFIG_ANY)
		json_str(w, k->fallback);
	else
		json_raw(w, k->fallback, strlen(k->fallback));
}

static void
print_leaf(struct json_writer *w, const struct config_key *k)
{
	static const char *const names[] = {
	    [CONFIG_BOOL] = "boolean",
	    [CONFIG_UINT] = "integer",
	    [CONFIG_UINT16] = "integer",
	    [CONFIG_UINT32] = "integer",
	    [CONFIG_NUMBER] = "number",
	    [CONFIG_TEXT] = "string",
	};

	if (k->type != CONFIG_ANY) {
		json_key(w, "type");
		json_str(w, names[k->type]);
	}
	if (k->words) {
		json_key(w, "enum");
		json_begin_array(w);
		for (const char *p = k->words; *p; p += *p == '|') {
			size_t n = strcspn(p, "|");
			json_str_n(w, p, n);
			p += n;
		}
		json_end_array(w);
	}
	print_fallback(w, k);
	json_key(w, "description");
	json_str(w, k->help);
}

static void print(struct json_writer *w, const struct run *r);

static void
print_map(struct json_writer *w, const struct run *r)
{
	struct run any = step_key(r, "*");
	size_t point = key_start(r);

	json_key(w, "type");
	json_str(w, "object");
	json_key(w, "additionalProperties");
	if (any.begin != any.end) {
		json_begin_object(w);
		print(w, &any);
		json_end_object(w);
		return;
	}
	json_bool(w, false);
	json_key(w, "properties");
	json_begin_object(w);
	for (size_t i = r->begin; i < r->end;) {
		const char *key = rest(r, i) + point;
		size_t n = strcspn(key, ".[");
		struct run sub = step(r, rest(r, i), n + point);
		json_key_n(w, key, n);
		json_begin_object(w);
		print(w, &sub);
		json_end_object(w);
		i = sub.end;
	}
	json_end_object(w);
}

static void
print(struct json_writer *w, const struct run *r)
{
	const struct config_key *k = leaf(r);
	struct run items = step(r, "[]", 2);

	if (k && r->end - r->begin > 1) {
		json_key(w, "anyOf");
		json_begin_array(w);
		json_begin_object(w);
		print_leaf(w, k);
		json_end_object(w);
		json_begin_object(w);
		print_map(w, &(struct run){r->begin + 1, r->end, r->skip});
		json_end_object(w);
		json_end_array(w);
	} else if (k) {
		print_leaf(w, k);
	} else if (items.begin != items.end) {
		json_key(w, "type");
		json_str(w, "array");
		json_key(w, "items");
		json_begin_object(w);
		print(w, &items);
		json_end_object(w);
	} else {
		print_map(w, r);
	}
}

void
settings_schema(struct buf *out)
{
	const struct run all = {0, config_keys_n, 0};
	struct json_writer w;

	json_init(&w, out);
	json_begin_object(&w);
	json_key(&w, "$schema");
	json_str(&w, "http://json-schema.org/draft-06/schema#");
	json_key(&w, "title");
	json_str(&w, "FalcoConfig");
	print_map(&w, &all);
	json_end_object(&w);
}
