/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "base/hash.h"
#include "base/limits.h"

/* Where libyaml's character counts are in bytes: moves forward with the events. */
struct cursor {
	const char *text;
	size_t len, byte, line_start;
	size_t index; /* characters before byte */
	uint32_t line;
};

/* A collection being read, or the list of documents at the bottom. */
struct level {
	struct yaml_node *node;
	const struct yaml_node **child;
	uint32_t n, cap; /* of child */
	const char *anchor;
	uint64_t unfolded; /* nodes in it, shared ones counted each time */
};

struct builder {
	yaml_parser_t parser;
	struct arena *arena, *texts;
	struct cursor cursor;
	struct level level[LIMIT_YAML_DEPTH + 1];
	uint32_t depth;
	struct map anchors;         /* of this document: name to struct anchor */
	struct yaml_node *unplaced; /* an empty null that waits for the next token */
	struct yaml_mark *reterr_mark;
};

struct anchor {
	const struct yaml_node *node;
	uint64_t unfolded; /* 0: the node is still open */
};

static struct yaml_mark
cursor_to(struct cursor *c, size_t index)
{
	if (index < c->index) {
		c->byte = c->line_start = c->index = 0;
		c->line = 0;
	}
	while (c->index < index && c->byte < c->len) {
		unsigned char lead = (unsigned char)c->text[c->byte];
		size_t width = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

		c->byte = c->len - c->byte < width ? c->len : c->byte + width;
		c->index++;
		if (lead == '\n') {
			c->line++;
			c->line_start = c->byte;
		}
	}
	return (struct yaml_mark){
	    (uint32_t)c->byte, c->line, (uint32_t)(c->byte - c->line_start)};
}

static bool
over_limit(struct builder *b, const yaml_event_t *event, struct err *err,
    const char *what, unsigned long long limit)
{
	*b->reterr_mark = cursor_to(&b->cursor, event->start_mark.index);
	return err_set(err, ERR_LIMIT, "more than %llu %s", limit, what);
}

/* Puts a finished node where it belongs. */
static bool
place(struct builder *b, const yaml_event_t *event, const struct yaml_node *node,
    uint64_t unfolded, struct err *err)
{
	struct level *at = &b->level[b->depth];

	if (at->n == at->cap) {
		uint32_t cap = at->cap ? at->cap * 2 : 8;
		const struct yaml_node **grown =
		    arena_array(b->arena, cap, sizeof(*grown));
		if (!grown)
			return err_nomem(err);
		if (at->n)
			memcpy(grown, at->child, at->n * sizeof(*grown));
		at->child = grown;
		at->cap = cap;
	}
	at->child[at->n++] = node;
	at->unfolded += unfolded;
	if (at->unfolded > LIMIT_YAML_NODES)
		return over_limit(b, event, err, "YAML nodes after aliases are followed",
		    LIMIT_YAML_NODES);
	return true;
}

static bool
remember(struct builder *b, const char *name, const struct yaml_node *node,
    uint64_t unfolded, struct err *err)
{
	struct anchor *a = arena_alloc(b->arena, sizeof(*a));

	if (!a || !map_puts(&b->anchors, name, a))
		return err_nomem(err);
	a->node = node;
	a->unfolded = unfolded;
	return true;
}

static struct yaml_node *
node_new(struct builder *b, enum yaml_kind kind, const yaml_event_t *event)
{
	struct yaml_node *node = arena_alloc(b->arena, sizeof(*node));

	if (node) {
		node->kind = kind;
		node->mark = cursor_to(&b->cursor, event->start_mark.index);
	}
	return node;
}

static bool
is_null_word(const char *s)
{
	return !*s || strcmp(s, "~") == 0 || strcmp(s, "null") == 0 ||
	       strcmp(s, "Null") == 0 || strcmp(s, "NULL") == 0;
}

static bool
on_scalar(struct builder *b, const yaml_event_t *event, struct err *err)
{
	const char *text = (const char *)event->data.scalar.value;
	const char *anchor = (const char *)event->data.scalar.anchor;
	size_t len = event->data.scalar.length;
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		     !event->data.scalar.tag;
	bool null = plain && strlen(text) == len && is_null_word(text);
	struct yaml_node *node = node_new(b, null ? YAML_NULL : YAML_SCALAR, event);

	if (!node)
		return err_nomem(err);
	node->text = arena_strndup(b->texts, text, len);
	node->len = len;
	if (!node->text)
		return err_nomem(err);
	if (null && len == 0 && !anchor)
		b->unplaced = node;
	if (anchor) {
		anchor = arena_strdup(b->arena, anchor);
		if (!anchor)
			return err_nomem(err);
		if (!remember(b, anchor, node, 1, err))
			return false;
	}
	return place(b, event, node, 1, err);
}

static bool
on_alias(struct builder *b, const yaml_event_t *event, struct err *err)
{
	const char *name = (const char *)event->data.alias.anchor;
	const struct anchor *a = map_gets(&b->anchors, name);

	if (a && a->unfolded)
		return place(b, event, a->node, a->unfolded, err);
	*b->reterr_mark = cursor_to(&b->cursor, event->start_mark.index);
	return a ? err_set(err, ERR_SYNTAX,
		       "the alias '%.100s' stands inside what it refers to", name)
		 : err_set(err, ERR_SYNTAX,
		       "the referenced anchor is not defined: %.100s", name);
}

static bool
on_open(struct builder *b, const yaml_event_t *event, enum yaml_kind kind,
    const yaml_char_t *anchor, struct err *err)
{
	struct yaml_node *node;
	struct level *at;

	if (b->depth == LIMIT_YAML_DEPTH)
		return over_limit(b, event, err, "YAML collections inside each other",
		    LIMIT_YAML_DEPTH);
	node = node_new(b, kind, event);
	if (!node)
		return err_nomem(err);
	at = &b->level[++b->depth];
	*at = (struct level){.node = node, .unfolded = 1};
	if (anchor) {
		at->anchor = arena_strdup(b->arena, (const char *)anchor);
		if (!at->anchor)
			return err_nomem(err);
		return remember(b, at->anchor, node, 0, err);
	}
	return true;
}

static bool
on_close(struct builder *b, const yaml_event_t *event, struct err *err)
{
	struct level done = b->level[b->depth--];

	done.node->child = done.child;
	done.node->n = done.node->kind == YAML_MAP ? done.n / 2 : done.n;
	if (done.anchor && !remember(b, done.anchor, done.node, done.unfolded, err))
		return false;
	return place(b, event, done.node, done.unfolded, err);
}

static bool
on_event(struct builder *b, const yaml_event_t *event, struct err *err)
{
	if (b->unplaced) {
		b->unplaced->mark = cursor_to(&b->cursor, event->start_mark.index);
		b->unplaced = NULL;
	}
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(b, event, err);
	case YAML_ALIAS_EVENT:
		return on_alias(b, event, err);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(
		    b, event, YAML_SEQUENCE, event->data.sequence_start.anchor, err);
	case YAML_MAPPING_START_EVENT:
		return on_open(b, event, YAML_MAP, event->data.mapping_start.anchor, err);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_close(b, event, err);
	case YAML_DOCUMENT_END_EVENT:
		map_release(&b->anchors);
		map_init(&b->anchors);
		return true;
	default:
		return true;
	}
}

static bool
library_error(struct builder *b, struct err *err)
{
	const yaml_parser_t *p = &b->parser;

	if (p->error == YAML_MEMORY_ERROR)
		return err_nomem(err);
	/* The reader counts bytes, the others characters. */
	if (p->error == YAML_READER_ERROR) {
		b->cursor = (struct cursor){.text = b->cursor.text, .len = b->cursor.len};
		while (
		    b->cursor.byte < p->problem_offset && b->cursor.byte < b->cursor.len)
			*b->reterr_mark = cursor_to(&b->cursor, b->cursor.index + 1);
	} else {
		*b->reterr_mark = cursor_to(&b->cursor, p->problem_mark.index);
	}
	return err_set(err, ERR_SYNTAX, "%s%s%s at line %u, column %u",
	    p->context ? p->context : "", p->context ? ": " : "",
	    p->problem ? p->problem : "not YAML", b->reterr_mark->line + 1,
	    b->reterr_mark->column + 1);
}

static bool
read_all(struct builder *b, struct err *err)
{
	for (;;) {
		yaml_event_t event;
		bool ok, end;

		if (!yaml_parser_parse(&b->parser, &event))
			return library_error(b, err);
		end = event.type == YAML_STREAM_END_EVENT;
		ok = on_event(b, &event, err);
		yaml_event_delete(&event);
		if (!ok || end)
			return ok;
	}
}

bool
yaml_load_apart(struct arena *arena, struct arena *texts, const char *text, size_t len,
    struct yaml_stream *ret_stream, struct yaml_mark *reterr_mark, struct err *err)
{
	struct builder *b;
	bool ok;

	*reterr_mark = (struct yaml_mark){0};
	*ret_stream = (struct yaml_stream){0};
	if (len > LIMIT_RULES_FILE_BYTES)
		return err_set(err, ERR_LIMIT, "the file has more than %u bytes",
		    LIMIT_RULES_FILE_BYTES);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	b = calloc(1, sizeof(*b));
	if (!b)
		return err_nomem(err);
	if (!yaml_parser_initialize(&b->parser)) {
		free(b);
		return err_nomem(err);
	}
	yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b->parser, (const unsigned char *)text, len);
	b->arena = arena;
	b->texts = texts;
	b->cursor = (struct cursor){.text = text, .len = len};
	b->reterr_mark = reterr_mark;
	map_init(&b->anchors);
	ok = read_all(b, err);
	*ret_stream = (struct yaml_stream){b->level[0].child, b->level[0].n};
	map_release(&b->anchors);
	yaml_parser_delete(&b->parser);
	free(b);
	return ok;
}

bool
yaml_load(struct arena *arena, const char *text, size_t len,
    struct yaml_stream *ret_stream, struct yaml_mark *reterr_mark, struct err *err)
{
	return yaml_load_apart(arena, arena, text, len, ret_stream, reterr_mark, err);
}

const struct yaml_node *
yaml_find(const struct yaml_node *map, const char *key)
{
	size_t len = strlen(key);

	if (map->kind != YAML_MAP)
		return NULL;
	for (uint32_t i = 0; i < map->n; i++) {
		const struct yaml_node *k = map->child[2 * i];
		if (k->kind == YAML_SCALAR && k->len == len &&
		    memcmp(k->text, key, len) == 0)
			return map->child[2 * i + 1];
	}
	return NULL;
}

bool
yaml_bool(const struct yaml_node *node, bool *ret_value)
{
	static const char *const words[][2] = {
	    {"n", "y"}, {"no", "yes"}, {"false", "true"}, {"off", "on"}};
	const char *s = node->text;
	bool lower = true, upper = true;

	if (node->kind != YAML_SCALAR || node->len == 0)
		return false;
	/* All lower, all upper, or only the first upper. */
	for (const char *p = s + 1; *p; p++) {
		lower = lower && *p >= 'a' && *p <= 'z';
		upper = upper && *p >= 'A' && *p <= 'Z';
	}
	if (!lower && !(upper && *s >= 'A' && *s <= 'Z'))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (int yes = 0; yes < 2; yes++) {
			if (strcasecmp(s, words[i][yes]) == 0) {
				*ret_value = yes;
				return true;
			}
		}
	}
	return false;
}

bool
yaml_u32(const struct yaml_node *node, uint32_t *ret_value)
{
	const char *s = node->text;
	char *end;
	unsigned long long v;

	if (node->kind != YAML_SCALAR || !((*s >= '0' && *s <= '9') || *s == '+'))
		return false;
	v = strtoull(s, &end, 0);
	if (end == s || v > UINT32_MAX)
		return false;
	if (*end && end[strspn(end, " \t\n\v\f\r")])
		return false;
	*ret_value = (uint32_t)v;
	return true;
}
