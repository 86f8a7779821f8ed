/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keywords are a table, in the order in which they are tried; the first that fails ends
 * the check, and what lies deepest names the place. Depth is bounded twice: documents by
 * the JSON reader, and $ref chains by MAX_DEPTH here. Work is bounded by MAX_STEPS,
 * because a schema can ask for exponentially much of it.
 */
#include "worker/schema.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "worker/json_text.h"
#include "worker/pattern.h"

enum {
	MAX_DEPTH = 256,        /* schemas inside schemas, references counted */
	MAX_STEPS = 1000000,    /* schemas applied to values: a second at most */
	MAX_PLACE_BYTES = 1024, /* "<root>[a][b]..." */
	MAX_TEXT_BYTES = 256,
};

struct check {
	const json_t *root; /* of the schema: references start here */
	struct buf place;   /* of the value at hand */
	char text[MAX_TEXT_BYTES];
	struct buf failed_at; /* place that belongs to text */
	unsigned depth, steps;
	bool gave_up; /* the schema asks for too much */
};

static bool check_value(struct check *c, const json_t *schema, const json_t *v);

static bool fail(struct check *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool
fail(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->text, sizeof(c->text), fmt, ap);
	va_end(ap);
	buf_clear(&c->failed_at);
	buf_add(&c->failed_at, buf_str(&c->place), c->place.len);
	return false;
}

/* The result is settled, whatever the schemas around make of this. */
static bool
give_up(struct check *c)
{
	c->gave_up = true;
	return false;
}

/* A value inside the one at hand. */
static bool
check_inner(struct check *c, const json_t *schema, const json_t *v, const char *key)
{
	size_t len = c->place.len;

	buf_addf(&c->place, "[%s]", key);
	bool ok = check_value(c, schema, v);
	if (!c->place.failed)
		buf_splice(&c->place, len, c->place.len - len, "", 0);
	return ok;
}

static bool
check_item(struct check *c, const json_t *schema, const json_t *v, size_t i)
{
	char key[24];

	snprintf(key, sizeof(key), "%zu", i);
	return check_inner(c, schema, v, key);
}

/* Any value. */

/* clang-format off */
static const struct {
	const char *name;
	unsigned types; /* bits: 1 << json_type */
} type_names[] = {
	{"any",     ~0u},
	{"array",   1u << JSON_ARRAY},
	{"boolean", 1u << JSON_TRUE | 1u << JSON_FALSE},
	{"integer", 1u << JSON_INTEGER},
	{"null",    1u << JSON_NULL},
	{"number",  1u << JSON_INTEGER | 1u << JSON_REAL},
	{"object",  1u << JSON_OBJECT},
	{"string",  1u << JSON_STRING},
};
/* clang-format on */

static bool
has_type(const json_t *v, const json_t *name)
{
	const char *s = json_string_value(name);

	for (size_t i = 0; s && i < sizeof(type_names) / sizeof(*type_names); i++) {
		if (strcmp(type_names[i].name, s) == 0)
			return type_names[i].types & 1u << json_typeof(v);
	}
	return false;
}

static bool
check_type(struct check *c, const json_t *schema, const json_t *want, const json_t *v)
{
	bool ok = has_type(v, want);

	for (size_t i = 0; i < json_array_size(want); i++)
		ok = ok || has_type(v, json_array_get(want, i));
	return ok || fail(c, "Value type not permitted by 'type' constraint.");
}

static bool
check_const(struct check *c, const json_t *schema, const json_t *want, const json_t *v)
{
	return json_equal(want, v) ||
	       fail(c, "Failed to match expected value set by 'const' constraint.");
}

static bool
check_enum(struct check *c, const json_t *schema, const json_t *want, const json_t *v)
{
	for (size_t i = 0; i < json_array_size(want); i++) {
		if (json_equal(json_array_get(want, i), v))
			return true;
	}
	return fail(c, "Failed to match against any enum values.");
}

static bool
check_all_of(struct check *c, const json_t *schema, const json_t *list, const json_t *v)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!check_value(c, json_array_get(list, i), v))
			return false;
	}
	return true;
}

/* How many of list accept v; the failure of the first that does not is kept. */
static size_t
count_valid(struct check *c, const json_t *list, const json_t *v)
{
	size_t n = 0;
	char text[MAX_TEXT_BYTES] = "";
	struct buf at;

	buf_init(&at, MAX_PLACE_BYTES);
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (check_value(c, json_array_get(list, i), v)) {
			n++;
		} else if (!*text) {
			memcpy(text, c->text, sizeof(text));
			buf_add(&at, buf_str(&c->failed_at), c->failed_at.len);
		}
	}
	memcpy(c->text, text, sizeof(text));
	buf_clear(&c->failed_at);
	buf_add(&c->failed_at, buf_str(&at), at.len);
	buf_release(&at);
	return n;
}

static bool
check_any_of(struct check *c, const json_t *schema, const json_t *list, const json_t *v)
{
	if (count_valid(c, list, v) > 0)
		return true;
	return *c->text
		   ? false
		   : fail(c, "Failed to validate against any schemas allowed by anyOf "
			     "constraint.");
}

static bool
check_one_of(struct check *c, const json_t *schema, const json_t *list, const json_t *v)
{
	size_t n = count_valid(c, list, v);

	if (n == 1)
		return true;
	if (n > 1)
		return fail(c, "Failed to validate against exactly one child schema.");
	return *c->text
		   ? false
		   : fail(c, "Failed to validate against any child schemas allowed by "
			     "oneOf constraint.");
}

static bool
check_not(struct check *c, const json_t *schema, const json_t *other, const json_t *v)
{
	return !check_value(c, other, v) ||
	       fail(c, "Target should not validate against schema specified in 'not' "
		       "constraint.");
}

/* Numbers, and numbers of things. */

/* v against an upper (sign 1) or lower (-1) bound. */
static bool
check_bound(
    struct check *c, const json_t *bound, const json_t *v, int sign, bool exclusive)
{
	double limit = json_number_value(bound),
	       over = sign * (json_number_value(v) - limit);

	if (!json_is_number(v) || !json_is_number(bound) || over < 0 ||
	    (over == 0 && !exclusive))
		return true;
	return fail(c, "Expected number %s than %s%f", sign > 0 ? "less" : "greater",
	    exclusive ? "" : "or equal to ", limit);
}

static bool
check_exclusive_maximum(
    struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	return check_bound(c, bound, v, 1, true);
}

static bool
check_exclusive_minimum(
    struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	return check_bound(c, bound, v, -1, true);
}

/* In draft 4 the exclusive forms are booleans beside these. */
static bool
check_maximum(struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	return check_bound(
	    c, bound, v, 1, json_is_true(json_object_get(schema, "exclusiveMaximum")));
}

static bool
check_minimum(struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	return check_bound(
	    c, bound, v, -1, json_is_true(json_object_get(schema, "exclusiveMinimum")));
}

/* How many there are of something, against a bound of either kind. */
static bool
check_count(struct check *c, size_t n, const json_t *bound, int sign, const char *owner,
    const char *parts)
{
	double limit = json_number_value(bound);

	if (sign * ((double)n - limit) <= 0)
		return true;
	return fail(c, "%s no %s than %.0f %s.", owner, sign > 0 ? "more" : "fewer",
	    limit, parts);
}

/* Strings. */

static size_t
code_points(const json_t *v)
{
	const char *s = json_string_value(v);
	size_t n = 0;

	for (size_t i = 0; i < json_string_length(v); i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

static bool
check_max_length(
    struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	return !json_is_string(v) || check_count(c, code_points(v), bound, 1,
					 "String should be", "characters in length");
}

static bool
check_min_length(
    struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	return !json_is_string(v) || check_count(c, code_points(v), bound, -1,
					 "String should be", "characters in length");
}

static bool
check_pattern(struct check *c, const json_t *schema, const json_t *p, const json_t *v)
{
	if (!json_is_string(v) || !json_is_string(p) ||
	    pattern_matches(json_string_value(p), json_string_value(v)))
		return true;
	return fail(c, "Failed to match regex specified by 'pattern' constraint.");
}

/* Arrays. */

/* A list of schemas is for the items at the same positions. */
static bool
check_items(struct check *c, const json_t *schema, const json_t *items, const json_t *v)
{
	for (size_t i = 0; i < json_array_size(v); i++) {
		const json_t *s = items;
		if (json_is_array(items))
			s = i < json_array_size(items)
				? json_array_get(items, i)
				: json_object_get(schema, "additionalItems");
		if (s && !check_item(c, s, json_array_get(v, i), i))
			return false;
	}
	return true;
}

static bool
check_max_items(
    struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	return !json_is_array(v) || check_count(c, json_array_size(v), bound, 1,
					"Array should contain", "elements");
}

static bool
check_min_items(
    struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	return !json_is_array(v) || check_count(c, json_array_size(v), bound, -1,
					"Array should contain", "elements");
}

static bool
check_unique(struct check *c, const json_t *schema, const json_t *want, const json_t *v)
{
	size_t n = json_is_true(want) ? json_array_size(v) : 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n; k++) {
			if (json_equal(json_array_get(v, i), json_array_get(v, k)))
				return fail(c,
				    "Elements at indexes #%zu and #%zu violate "
				    "uniqueness "
				    "constraint.",
				    i, k);
			if (++c->steps > MAX_STEPS)
				return give_up(c);
		}
	}
	return true;
}

/* -- objects
 * -------------------------------------------------------------------------------------
 */

static bool
check_max_properties(
    struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	return !json_is_object(v) || check_count(c, json_object_size(v), bound, 1,
					 "Object should have", "properties");
}

static bool
check_min_properties(
    struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	return !json_is_object(v) || check_count(c, json_object_size(v), bound, -1,
					 "Object should have", "properties");
}

static bool
check_required(
    struct check *c, const json_t *schema, const json_t *names, const json_t *v)
{
	const char *missing = NULL;

	if (!json_is_object(v))
		return true;
	/* Of several, the first in byte order is named. */
	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *s = json_string_value(json_array_get(names, i));
		if (s && !json_object_get(v, s) && (!missing || strcmp(s, missing) < 0))
			missing = s;
	}
	return !missing || fail(c, "Missing required property '%s'.", missing);
}

static bool
check_named(struct check *c, const json_t *properties, const json_t *v, const char *key)
{
	const json_t *s = json_object_get(properties, key);

	return !s || check_inner(c, s, json_object_get(v, key), key);
}

static bool
check_patterns(struct check *c, const json_t *patterns, const json_t *v, const char *key,
    bool *matched)
{
	json_t *o = (json_t *)(uintptr_t)patterns;

	for (void *it = json_object_iter(o); it; it = json_object_iter_next(o, it)) {
		if (!pattern_matches(json_object_iter_key(it), key))
			continue;
		*matched = true;
		if (!check_inner(
			c, json_object_iter_value(it), json_object_get(v, key), key))
			return false;
	}
	return true;
}

static bool
check_keys(struct check *c, const json_t *schema, const json_t *v, const char **keys)
{
	const json_t *named = json_object_get(schema, "properties");
	const json_t *patterns = json_object_get(schema, "patternProperties");
	const json_t *rest = json_object_get(schema, "additionalProperties");

	for (const char **k = keys; *k; k++) {
		if (!check_named(c, named, v, *k))
			return false;
	}
	for (const char **k = keys; *k; k++) {
		bool matched = json_object_get(named, *k) != NULL;
		if (!check_patterns(c, patterns, v, *k, &matched))
			return false;
		if (matched || !rest)
			continue;
		if (json_is_false(rest))
			return fail(c,
			    "Object contains a property that could not be validated "
			    "using "
			    "'properties' or 'additionalProperties' constraints: '%s'.",
			    *k);
		if (!check_inner(c, rest, json_object_get(v, *k), *k))
			return false;
	}
	return true;
}

/* properties, patternProperties and additionalProperties are one constraint. */
static bool
check_properties(
    struct check *c, const json_t *schema, const json_t *any, const json_t *v)
{
	if (!json_is_object(v))
		return true;
	const char **keys = json_text_sorted_keys(v);
	if (!keys)
		return fail(c, "out of memory");
	bool ok = check_keys(c, schema, v, keys);
	free(keys);
	return ok;
}

/* The whole. */

typedef bool keyword_fn(
    struct check *c, const json_t *schema, const json_t *keyword, const json_t *v);

/* In the order in which they are tried. */
/* clang-format off */
static const struct {
	const char *name, *or_name, *or_name2;
	keyword_fn *check;
} keywords[] = {
	{"type",             NULL, NULL, check_type},
	{"allOf",            NULL, NULL, check_all_of},
	{"anyOf",            NULL, NULL, check_any_of},
	{"const",            NULL, NULL, check_const},
	{"enum",             NULL, NULL, check_enum},
	{"items",            NULL, NULL, check_items},
	{"exclusiveMaximum", NULL, NULL, check_exclusive_maximum},
	{"maximum",          NULL, NULL, check_maximum},
	{"maxItems",         NULL, NULL, check_max_items},
	{"maxLength",        NULL, NULL, check_max_length},
	{"maxProperties",    NULL, NULL, check_max_properties},
	{"exclusiveMinimum", NULL, NULL, check_exclusive_minimum},
	{"minimum",          NULL, NULL, check_minimum},
	{"minItems",         NULL, NULL, check_min_items},
	{"minLength",        NULL, NULL, check_min_length},
	{"minProperties",    NULL, NULL, check_min_properties},
	{"not",              NULL, NULL, check_not},
	{"oneOf",            NULL, NULL, check_one_of},
	{"pattern",          NULL, NULL, check_pattern},
	{"properties", "patternProperties", "additionalProperties", check_properties},
	{"required",         NULL, NULL, check_required},
	{"uniqueItems",      NULL, NULL, check_unique},
};
/* clang-format on */

static const json_t *
find_keyword(const json_t *schema, size_t i)
{
	const json_t *k = json_object_get(schema, keywords[i].name);

	if (!k && keywords[i].or_name)
		k = json_object_get(schema, keywords[i].or_name);
	if (!k && keywords[i].or_name2)
		k = json_object_get(schema, keywords[i].or_name2);
	return k;
}

static bool
check_keywords(struct check *c, const json_t *schema, const json_t *v)
{
	const char *ref = json_string_value(json_object_get(schema, "$ref"));

	if (ref) {
		const json_t *target = json_text_follow(c->root, ref);
		return target ? check_value(c, target, v)
			      : fail(c, "the schema refers to '%s', which is not there",
				    ref);
	}
	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++) {
		const json_t *k = find_keyword(schema, i);
		if (k && !keywords[i].check(c, schema, k, v))
			return false;
	}
	return true;
}

static bool
check_value(struct check *c, const json_t *schema, const json_t *v)
{
	if (json_is_false(schema))
		return fail(c, "No value is permitted here.");
	if (c->gave_up || c->depth == MAX_DEPTH || ++c->steps > MAX_STEPS)
		return give_up(c);
	c->depth++;
	bool ok = check_keywords(c, schema, v);
	c->depth--;
	return ok;
}

static bool
check_documents(
    const json_t *schema, const json_t *config, const char *plugin, struct err *err)
{
	struct check c = {.root = schema};

	buf_init(&c.place, MAX_PLACE_BYTES);
	buf_init(&c.failed_at, MAX_PLACE_BYTES);
	buf_adds(&c.place, "<root>");
	bool ok = check_value(&c, schema, config);
	/* Whatever was made of it on the way up ("not", "anyOf"). */
	if (c.gave_up)
		ok = fail(&c, "the schema asks for too much");
	if (!ok)
		err_set(err, ERR_PLUGIN, "error in plugin %s init config: In %s, %s",
		    plugin, buf_str(&c.failed_at), c.text);
	buf_release(&c.place);
	buf_release(&c.failed_at);
	return ok;
}

bool
schema_check(const char *schema, const char *config, const char *plugin, struct err *err)
{
	json_t *s = json_text_parse(schema, strlen(schema));
	json_t *v = NULL;
	bool ok;

	if (!json_is_object(s))
		ok = err_set(err, ERR_PLUGIN,
		    "error in plugin %s: get_init_schema did not return a json object",
		    plugin);
	else if (!(v = json_text_parse(config, strlen(config))))
		ok = err_set(err, ERR_PLUGIN,
		    "error in plugin %s: init config is not a valid json", plugin);
	else
		ok = check_documents(s, v, plugin, err);
	json_decref(s);
	json_decref(v);
	return ok;
}
