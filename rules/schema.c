/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/schema.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "rules/engine.h"

enum {
	FAILURES_MAX = 100, /* kept of one file */
};

/* Scalars are read weakly, as YAML gives them: a number is a string, too. */
enum shape {
	STRING,
	BOOLEAN,
	COUNT,           /* an integer from 0 */
	VERSION,         /* a string or a count */
	PRIORITY,        /* one of priority_words */
	OPERATION,       /* append or replace */
	STRINGS,         /* a sequence of scalars */
	STRING_OR_LISTS, /* a scalar, or a sequence of scalars or such sequences */
	LISTS,           /* a sequence of STRING_OR_LISTS */
	OBJECT,          /* of the named kind */
	OBJECTS,         /* a sequence of them */
};

enum kind {
	ITEM,
	EXCEPTION,
	OVERRIDE,
	PLUGIN,
	ALTERNATIVE,
	KIND_N
};

static const char *const kind_names[KIND_N] = {
    "Item", "Exception", "Override", "RequiredPluginVersion", "Alternative"};

/* P(object, key, shape, kind of what is inside, may it be empty or null, is it required)
 */
/* clang-format off */
#define SCHEMA(P) \
	P(ITEM,        "required_engine_version",  VERSION,         ITEM,        false, false) \
	P(ITEM,        "required_plugin_versions", OBJECTS,         PLUGIN,      false, false) \
	P(ITEM,        "list",                     STRING,          ITEM,        false, false) \
	P(ITEM,        "items",                    STRINGS,         ITEM,        false, false) \
	P(ITEM,        "macro",                    STRING,          ITEM,        false, false) \
	P(ITEM,        "rule",                     STRING,          ITEM,        false, false) \
	P(ITEM,        "condition",                STRING,          ITEM,        false, false) \
	P(ITEM,        "desc",                     STRING,          ITEM,        false, false) \
	P(ITEM,        "output",                   STRING,          ITEM,        false, false) \
	P(ITEM,        "priority",                 PRIORITY,        ITEM,        false, false) \
	P(ITEM,        "source",                   STRING,          ITEM,        true,  false) \
	P(ITEM,        "enabled",                  BOOLEAN,         ITEM,        false, false) \
	P(ITEM,        "capture",                  BOOLEAN,         ITEM,        false, false) \
	P(ITEM,        "capture_duration",         COUNT,           ITEM,        false, false) \
	P(ITEM,        "warn_evttypes",            BOOLEAN,         ITEM,        false, false) \
	P(ITEM,        "skip-if-unknown-filter",   BOOLEAN,         ITEM,        false, false) \
	P(ITEM,        "tags",                     STRINGS,         ITEM,        false, false) \
	P(ITEM,        "exceptions",               OBJECTS,         EXCEPTION,   true,  false) \
	P(ITEM,        "append",                   BOOLEAN,         ITEM,        false, false) \
	P(ITEM,        "override",                 OBJECT,          OVERRIDE,    false, false) \
	P(EXCEPTION,   "name",                     STRING,          ITEM,        false, true)  \
	P(EXCEPTION,   "fields",                   STRING_OR_LISTS, ITEM,        false, false) \
	P(EXCEPTION,   "comps",                    STRING_OR_LISTS, ITEM,        false, false) \
	P(EXCEPTION,   "values",                   LISTS,           ITEM,        false, false) \
	P(OVERRIDE,    "items",                    OPERATION,       ITEM,        false, false) \
	P(OVERRIDE,    "condition",                OPERATION,       ITEM,        false, false) \
	P(OVERRIDE,    "desc",                     OPERATION,       ITEM,        false, false) \
	P(OVERRIDE,    "output",                   OPERATION,       ITEM,        false, false) \
	P(OVERRIDE,    "priority",                 OPERATION,       ITEM,        false, false) \
	P(OVERRIDE,    "enabled",                  OPERATION,       ITEM,        false, false) \
	P(OVERRIDE,    "capture",                  OPERATION,       ITEM,        false, false) \
	P(OVERRIDE,    "capture_duration",         OPERATION,       ITEM,        false, false) \
	P(OVERRIDE,    "warn_evttypes",            OPERATION,       ITEM,        false, false) \
	P(OVERRIDE,    "skip-if-unknown-filter",   OPERATION,       ITEM,        false, false) \
	P(OVERRIDE,    "tags",                     OPERATION,       ITEM,        false, false) \
	P(OVERRIDE,    "exceptions",               OPERATION,       ITEM,        false, false) \
	P(PLUGIN,      "name",                     STRING,          ITEM,        false, true)  \
	P(PLUGIN,      "version",                  STRING,          ITEM,        false, true)  \
	P(PLUGIN,      "alternatives",             OBJECTS,         ALTERNATIVE, false, false) \
	P(ALTERNATIVE, "name",                     STRING,          ITEM,        false, true)  \
	P(ALTERNATIVE, "version",                  STRING,          ITEM,        false, true)
/* clang-format on */

static const struct property {
	enum kind object;
	const char *key;
	enum shape shape;
	enum kind inner;
	bool nullable, required;
} properties[] = {
#define SCHEMA_ROW(object, key, shape, inner, nullable, required)                        \
	{object, key, shape, inner, nullable, required},
    SCHEMA(SCHEMA_ROW)
#undef SCHEMA_ROW
};

enum {
	N_PROPERTIES = sizeof(properties) / sizeof(properties[0])
};

/* The i-th word for a priority: capitalised, upper case, lower case; NULL past the last.
 */
static const char *
priority_word(uint32_t i, char *out, size_t size)
{
	const char *name;

	if (i >= 3 * (PRIORITY_N + 1))
		return NULL;
	name = i / 3 < PRIORITY_N ? priority_name((enum priority)(i / 3)) : "Info";
	snprintf(out, size, "%s", name);
	for (char *p = out; *p && i % 3; p++)
		*p = (char)(i % 3 == 1 ? toupper((unsigned char)*p)
				       : tolower((unsigned char)*p));
	return out;
}

static const char *const operations[] = {"append", "replace"};

/* -- printing -- */

static void
print_type(struct json_writer *w, const char *type)
{
	json_key(w, "type");
	json_str(w, type);
}

static void
print_ref(struct json_writer *w, const char *name)
{
	char ref[80];

	snprintf(ref, sizeof(ref), "#/definitions/%s", name);
	json_begin_object(w);
	json_key(w, "$ref");
	json_str(w, ref);
	json_end_object(w);
}

static void
print_array_of(struct json_writer *w, const char *ref)
{
	print_type(w, "array");
	json_key(w, "items");
	print_ref(w, ref);
}

static void
print_shape(struct json_writer *w, const struct property *p)
{
	char word[20];

	json_begin_object(w);
	switch (p->shape) {
	case STRING:
		print_type(w, "string");
		break;
	case BOOLEAN:
		print_type(w, "boolean");
		break;
	case COUNT:
		print_type(w, "integer");
		json_key(w, "minimum");
		json_u64(w, 0);
		break;
	case VERSION:
		json_key(w, "type");
		json_begin_array(w);
		json_str(w, "string");
		json_str(w, "integer");
		json_end_array(w);
		break;
	case PRIORITY:
		json_key(w, "enum");
		json_begin_array(w);
		for (uint32_t i = 0; priority_word(i, word, sizeof(word)); i++)
			json_str(w, word);
		json_end_array(w);
		break;
	case OPERATION:
		json_key(w, "enum");
		json_begin_array(w);
		json_str(w, operations[0]);
		json_str(w, operations[1]);
		json_end_array(w);
		break;
	case STRINGS:
		print_array_of(w, "Scalar");
		break;
	case STRING_OR_LISTS:
		json_key(w, "$ref");
		json_str(w, "#/definitions/ScalarOrLists");
		break;
	case LISTS:
		print_array_of(w, "ScalarOrLists");
		break;
	case OBJECT:
		json_key(w, "$ref");
		json_str(w, "#/definitions/Override");
		break;
	case OBJECTS:
		print_array_of(w, kind_names[p->inner]);
		break;
	}
	json_end_object(w);
}

static void
print_object(struct json_writer *w, enum kind kind)
{
	bool any = false;

	json_key(w, kind_names[kind]);
	json_begin_object(w);
	json_key(w, "additionalProperties");
	json_bool(w, false);
	json_key(w, "properties");
	json_begin_object(w);
	for (int i = 0; i < N_PROPERTIES; i++) {
		if (properties[i].object != kind)
			continue;
		any = any || properties[i].required;
		json_key(w, properties[i].key);
		print_shape(w, &properties[i]);
	}
	json_end_object(w);
	if (any) {
		json_key(w, "required");
		json_begin_array(w);
		for (int i = 0; i < N_PROPERTIES; i++) {
			if (properties[i].object == kind && properties[i].required)
				json_str(w, properties[i].key);
		}
		json_end_array(w);
	}
	print_type(w, "object");
	json_end_object(w);
}

void
schema_print(struct buf *out)
{
	static const char scalar[] = "{\"type\":[\"string\",\"number\",\"boolean\"]}";
	static const char lists[] =
	    "{\"anyOf\":[{\"$ref\":\"#/definitions/Scalar\"},"
	    "{\"items\":{\"$ref\":\"#/definitions/ScalarOrLists\"},\"type\":\"array\"}]}";
	struct json_writer w;
	struct buf compact;

	buf_init(&compact, LIMIT_TEXT_BYTES);
	json_init(&w, &compact);
	json_begin_object(&w);
	json_key(&w, "$schema");
	json_str(&w, "http://json-schema.org/draft-06/schema#");
	json_key(&w, "definitions");
	json_begin_object(&w);
	for (int kind = 0; kind < KIND_N; kind++)
		print_object(&w, (enum kind)kind);
	json_key(&w, "Scalar");
	json_raw(&w, scalar, sizeof(scalar) - 1);
	json_key(&w, "ScalarOrLists");
	json_raw(&w, lists, sizeof(lists) - 1);
	json_end_object(&w);
	print_array_of(&w, kind_names[ITEM]);
	json_end_object(&w);
	json_indent(out, buf_str(&compact), compact.len);
	buf_release(&compact);
}

/* -- checking -- */

struct checker {
	struct arena *arena;
	const char **failure;
	uint32_t n;
	bool is_full;
};

/* Where a value is, from the root; on the stack of the check. */
struct path {
	const struct path *parent;
	const char *key; /* NULL: the index */
	uint32_t index;
};

static void
print_path(const struct path *p, struct buf *out)
{
	if (!p) {
		buf_adds(out, "<root>");
		return;
	}
	print_path(p->parent, out);
	if (p->key)
		buf_addf(out, "[%s]", p->key);
	else
		buf_addf(out, "[%u]", p->index);
}

static void
fail(struct checker *c, const struct path *path, const char *what, const char *name)
{
	struct buf text;

	if (c->n == FAILURES_MAX)
		return;
	buf_init(&text, LIMIT_TEXT_BYTES);
	buf_adds(&text, "failed for ");
	print_path(path, &text);
	buf_addf(&text, ": %s%s%.200s%s", what, name ? " '" : "", name ? name : "",
	    name ? "'" : "");
	c->failure[c->n] = arena_strdup(c->arena, buf_str(&text));
	c->is_full |= !c->failure[c->n];
	c->n++;
	buf_release(&text);
}

static void check_object(struct checker *c, const struct yaml_node *node, enum kind kind,
    const struct path *path);

static bool
is_text(const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR;
}

static bool
is_text_or_lists(const struct yaml_node *node)
{
	if (node->kind != YAML_SEQUENCE)
		return is_text(node);
	for (uint32_t i = 0; i < node->n; i++) {
		if (!is_text_or_lists(node->child[i]))
			return false;
	}
	return true;
}

static bool
is_sequence_of(const struct yaml_node *node, bool (*is)(const struct yaml_node *node))
{
	if (node->kind != YAML_SEQUENCE)
		return false;
	for (uint32_t i = 0; i < node->n; i++) {
		if (!is(node->child[i]))
			return false;
	}
	return true;
}

static bool
is_priority(const struct yaml_node *node)
{
	char word[20];

	for (uint32_t i = 0; is_text(node) && priority_word(i, word, sizeof(word)); i++) {
		if (strcmp(node->text, word) == 0)
			return true;
	}
	return false;
}

/* NULL when the value has its shape, else what it should be. */
static const char *
mismatch(const struct property *p, const struct yaml_node *value)
{
	uint32_t count;
	bool flag;

	switch (p->shape) {
	case STRING:
	case VERSION:
		return is_text(value) ? NULL : "value is not a string";
	case BOOLEAN:
		return yaml_bool(value, &flag) ? NULL : "value is not a boolean";
	case COUNT:
		return yaml_u32(value, &count) ? NULL : "value is not an integer from 0";
	case PRIORITY:
		return is_priority(value) ? NULL : "value is not a priority";
	case OPERATION:
		return is_text(value) && (strcmp(value->text, operations[0]) == 0 ||
					     strcmp(value->text, operations[1]) == 0)
			   ? NULL
			   : "value is neither append nor replace";
	case STRINGS:
		return is_sequence_of(value, is_text)
			   ? NULL
			   : "value is not an array of strings";
	case STRING_OR_LISTS:
		return is_text_or_lists(value)
			   ? NULL
			   : "value is neither a string nor an array of them";
	case LISTS:
		return is_sequence_of(value, is_text_or_lists)
			   ? NULL
			   : "value is not an array of values";
	case OBJECT:
		return NULL;
	case OBJECTS:
		return value->kind == YAML_SEQUENCE ? NULL : "value is not an array";
	}
	return NULL;
}

static void
check_value(struct checker *c, const struct property *p, const struct yaml_node *value,
    const struct path *path)
{
	const char *wrong;

	if (p->nullable && (value->kind == YAML_NULL || (is_text(value) && !value->len)))
		return;
	wrong = mismatch(p, value);
	if (wrong) {
		fail(c, path, wrong, NULL);
	} else if (p->shape == OBJECT) {
		check_object(c, value, p->inner, path);
	} else if (p->shape == OBJECTS) {
		for (uint32_t i = 0; i < value->n; i++) {
			struct path at = {path, NULL, i};
			check_object(c, value->child[i], p->inner, &at);
		}
	}
}

static const struct property *
find_property(enum kind kind, const struct yaml_node *key)
{
	for (int i = 0; i < N_PROPERTIES && is_text(key); i++) {
		if (properties[i].object == kind &&
		    strcmp(properties[i].key, key->text) == 0)
			return &properties[i];
	}
	return NULL;
}

static void
check_object(struct checker *c, const struct yaml_node *node, enum kind kind,
    const struct path *path)
{
	if (node->kind != YAML_MAP) {
		fail(c, path, "value is not an object", NULL);
		return;
	}
	for (uint32_t i = 0; i < node->n; i++) {
		const struct yaml_node *key = node->child[2 * i];
		const struct property *p = find_property(kind, key);
		struct path at = {path, p ? p->key : NULL, 0};
		if (p)
			check_value(c, p, node->child[2 * i + 1], &at);
		else
			fail(c, path, "unknown property", is_text(key) ? key->text : "");
	}
	for (int i = 0; i < N_PROPERTIES; i++) {
		const struct property *p = &properties[i];
		if (p->object == kind && p->required && !yaml_find(node, p->key))
			fail(c, path, "missing property", p->key);
	}
}

bool
schema_check(struct arena *arena, const struct yaml_stream *stream,
    const char ***ret_failure, uint32_t *ret_n)
{
	struct checker c = {.arena = arena};
	uint32_t n_doc = 0;

	c.failure = arena_array(arena, FAILURES_MAX, sizeof(*c.failure));
	if (!c.failure)
		return false;
	for (uint32_t d = 0; d < stream->n; d++) {
		const struct yaml_node *doc = stream->doc[d];
		if (doc->kind == YAML_NULL)
			continue;
		n_doc++;
		if (doc->kind != YAML_SEQUENCE) {
			fail(&c, NULL, "value is not an array", NULL);
			continue;
		}
		for (uint32_t i = 0; i < doc->n && c.n < FAILURES_MAX; i++) {
			struct path at = {NULL, NULL, i};
			if (doc->child[i]->kind != YAML_NULL)
				check_object(&c, doc->child[i], ITEM, &at);
		}
	}
	if (n_doc && !c.n)
		c.failure[c.n++] = "ok";
	*ret_failure = c.failure;
	*ret_n = c.n;
	return !c.is_full;
}
