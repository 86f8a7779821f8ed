/* SPDX-License-Identifier: Apache-2.0 */
/* Paths into the configuration: reading "a.b[0]", and -o's assignment with its quirks. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf/conf.h"

enum step_kind {
	STEP_KEY,
	STEP_INDEX,
	STEP_APPEND
};

struct step {
	enum step_kind kind;
	const char *key;
	size_t index;
};

struct path {
	struct step step[64]; /* deeper than any key of falco.yaml */
	size_t n;
};

static bool
add_step(struct path *p, struct step s, const char *shown, struct err *err)
{
	if (p->n == sizeof(p->step) / sizeof(*p->step))
		return err_set(err, ERR_USAGE,
		    "Config error at key \"%s\": Parsing error: more than %zu steps",
		    shown, p->n);
	p->step[p->n++] = s;
	return true;
}

#define PARSE_ERROR "Config error at key \"%s\": Parsing error: "

/* The text of a key up to '.', '[' or the end; backslash takes . [ ] \ literally. */
static bool
parse_key(
    struct arena *arena, const char *shown, size_t *at, const char **ret, struct err *err)
{
	char *out = arena_alloc(arena, strlen(shown) + 1);
	size_t n = 0;

	if (!out)
		return err_nomem(err);
	while (shown[*at] && shown[*at] != '.' && shown[*at] != '[') {
		char c = shown[*at];
		if (c == ']')
			return err_set(err, ERR_USAGE,
			    PARSE_ERROR "unexpected character ']' at pos %zu", shown,
			    *at);
		if (c == '\\') {
			c = shown[++*at];
			if (!c)
				return err_set(err, ERR_USAGE,
				    PARSE_ERROR "trailing backslash at pos %zu", shown,
				    *at - 1);
			if (!strchr(".[]\\", c))
				return err_set(err, ERR_USAGE,
				    PARSE_ERROR "invalid escape sequence: \\%c", shown,
				    c);
		}
		out[n++] = c;
		++*at;
	}
	out[n] = '\0';
	*ret = out;
	return true;
}

static bool
parse_index(const char *shown, size_t *at, struct step *ret, struct err *err)
{
	size_t end = *at + strcspn(shown + *at, "]");
	char text[64];

	snprintf(text, sizeof(text), "%.*s", (int)(end - *at), shown + *at);
	if (end == *at && shown[end] == ']') {
		*ret = (struct step){.kind = STEP_APPEND};
	} else {
		char *stop;
		unsigned long v = strtoul(text, &stop, 10);
		if (!isdigit((unsigned char)text[0]) || *stop)
			return err_set(err, ERR_USAGE,
			    PARSE_ERROR "expected a numeric index, found '%s'", shown,
			    text);
		*ret = (struct step){.kind = STEP_INDEX, .index = v};
	}
	if (shown[end] != ']')
		return err_set(err, ERR_USAGE,
		    PARSE_ERROR "expected ']' character at pos %zu", shown, end);
	*at = end + 1;
	return true;
}

static bool
path_parse(struct path *p, struct arena *arena, const char *shown, struct err *err)
{
	size_t at = 0;

	p->n = 0;
	while (shown[at]) {
		struct step s = {0};
		if (shown[at] == '[') {
			at++;
			if (!parse_index(shown, &at, &s, err) ||
			    !add_step(p, s, shown, err))
				return false;
			if (shown[at] && shown[at] != '.' && shown[at] != '[')
				return err_set(err, ERR_USAGE,
				    PARSE_ERROR "expected '.' character at pos %zu",
				    shown, at);
		} else {
			if (!parse_key(arena, shown, &at, &s.key, err))
				return false;
			if (!add_step(p, s, shown, err))
				return false;
		}
		if (shown[at] == '.')
			at++;
	}
	return true;
}

/* Any path of ours: no escapes, no memory. */
struct conf_node *
conf_at(const struct conf_node *root, const char *path)
{
	struct conf_node *n = (struct conf_node *)root;

	while (n && *path) {
		if (*path == '.')
			path++;
		if (*path == '[') {
			size_t i = strtoul(path + 1, NULL, 10);
			n = n->kind == CONF_SEQ && i < n->n ? n->child[i] : NULL;
			path += strcspn(path, "]");
			path += *path == ']';
			continue;
		}
		size_t len = strcspn(path, ".[");
		struct conf_node *next = NULL;
		for (size_t i = 0; n->kind == CONF_MAP && i < n->n; i++) {
			if (strlen(n->key[i]) == len && memcmp(n->key[i], path, len) == 0)
				next = n->child[i];
		}
		n = next;
		path += len;
	}
	return n;
}

/* Makes n what the step needs, as Falco's YAML library does: a key below a sequence turns
 * the sequence into a map, an index past the end turns it into a map as well. */
static bool
become(struct arena *arena, struct conf_node *n, enum conf_kind kind)
{
	struct conf_node old = *n;
	char key[24];

	if (n->kind == kind)
		return true;
	*n = (struct conf_node){.kind = kind};
	if (kind != CONF_MAP || old.kind != CONF_SEQ)
		return true;
	for (size_t i = 0; i < old.n; i++) {
		snprintf(key, sizeof(key), "%zu", i);
		if (!conf_put(arena, n, key, old.child[i]))
			return false;
	}
	return true;
}

static struct conf_node *
descend(struct arena *arena, struct conf_node *n, const struct step *s)
{
	struct conf_node *child = NULL;
	char key[24];

	if (s->kind == STEP_KEY) {
		if (!become(arena, n, CONF_MAP))
			return NULL;
		child = conf_get(n, s->key);
		if (child)
			return child;
		child = conf_new(arena, CONF_NULL);
		return conf_put(arena, n, s->key, child) ? child : NULL;
	}
	if (s->kind == STEP_INDEX && n->kind == CONF_MAP) {
		snprintf(key, sizeof(key), "%zu", s->index);
		return descend(arena, n, &(struct step){.kind = STEP_KEY, .key = key});
	}
	if (!become(arena, n, CONF_SEQ))
		return NULL;
	if (s->kind == STEP_INDEX && s->index < n->n)
		return n->child[s->index];
	if (s->kind == STEP_INDEX && s->index > n->n)
		return become(arena, n, CONF_MAP) ? descend(arena, n, s) : NULL;
	child = conf_new(arena, CONF_NULL);
	return conf_append(arena, n, child) ? child : NULL;
}

bool
conf_assign(struct arena *arena, struct conf_node *root, const char *option,
    bool (*parse_flow)(
	struct arena *, const char *text, struct conf_node **ret, struct err *),
    struct err *err)
{
	const char *eq = strchr(option, '=');
	struct conf_node *n = root, *value = NULL;
	struct path path;

	if (!eq)
		return err_set(err, ERR_USAGE,
		    "Error parsing config option \"%s\". Must be of the form key=val or "
		    "key.subkey=val",
		    option);
	const char *shown = arena_strndup(arena, option, (size_t)(eq - option));
	if (!shown)
		return err_nomem(err);
	if (!path_parse(&path, arena, shown, err))
		return false;
	size_t len = strlen(eq + 1);
	if (len > 1 && eq[1] == '{' && eq[len] == '}') {
		if (!parse_flow(arena, eq + 1, &value, err))
			return err_wrap(err, "Config error at key \"%s\"", shown);
	} else if (!(value = conf_scalar(arena, eq + 1))) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < path.n; i++) {
		n = descend(arena, n, &path.step[i]);
		if (!n)
			return err_nomem(err);
	}
	*n = *value;
	return true;
}
