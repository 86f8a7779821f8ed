/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keywords are a table, in the order in which they are tried; the first that fails ends
 * the check, and what lies deepest names the place. Depth is bounded twice: documents by
 * the JSON reader, and $ref chains by MAX_DEPTH here. Work is bounded by MAX_STEPS,
 * because a schema can ask for exponentially much of it.
 */
#include "worker/schema.h"

#include <regex.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "worker/json_text.h"

enum {
	MAX_DEPTH = 256,          /* schemas inside schemas, references counted */
	MAX_STEPS = 1000000,      /* schemas applied to values: a second at most */
	MAX_PATTERN_BYTES = 4096, /* a regular expression */
	MAX_PLACE_BYTES = 1024,   /* "<root>[a][b]..." */
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

/* -- any value ------------------------------------------------------------------- */

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

/* -- numbers ---------------------------------------------------------------------------
 */

/* The draft-4 form: a boolean beside maximum or minimum. */
static bool
is_exclusive(const json_t *schema, const char *key)
{
	return json_is_true(json_object_get(schema, key));
}

static bool
check_exclusive_maximum(
    struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	double max = json_number_value(bound);

	if (!json_is_number(v) || !json_is_number(bound) || json_number_value(v) < max)
		return true;
	return fail(c, "Expected number less than %f", max);
}

static bool
check_maximum(struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	double max = json_number_value(bound);

	if (is_exclusive(schema, "exclusiveMaximum"))
		return check_exclusive_maximum(c, schema, bound, v);
	if (!json_is_number(v) || !json_is_number(bound) || json_number_value(v) <= max)
		return true;
	return fail(c, "Expected number less than or equal to %f", max);
}

static bool
check_exclusive_minimum(
    struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	double min = json_number_value(bound);

	if (!json_is_number(v) || !json_is_number(bound) || json_number_value(v) > min)
		return true;
	return fail(c, "Expected number greater than %f", min);
}

static bool
check_minimum(struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	double min = json_number_value(bound);

	if (is_exclusive(schema, "exclusiveMinimum"))
		return check_exclusive_minimum(c, schema, bound, v);
	if (!json_is_number(v) || !json_is_number(bound) || json_number_value(v) >= min)
		return true;
	return fail(c, "Expected number greater than or equal to %f", min);
}

/* -- strings
 * ------------------------------------------------------------------------------ */

static json_int_t
code_points(const json_t *v)
{
	const char *s = json_string_value(v);
	json_int_t n = 0;

	for (size_t i = 0; i < json_string_length(v); i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

static bool
check_max_length(
    struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	json_int_t max = (json_int_t)json_number_value(bound);

	return !json_is_string(v) || code_points(v) <= max ||
	       fail(c, "String should be no more than %lld characters in length.", max);
}

static bool
check_min_length(
    struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	json_int_t min = (json_int_t)json_number_value(bound);

	return !json_is_string(v) || code_points(v) >= min ||
	       fail(c, "String should be no fewer than %lld characters in length.", min);
}

/* ECMA's classes in POSIX words, where a bracket expression does not hold them already.
 */
static bool
posix_pattern(const char *p, struct buf *out)
{
	static const char *const classes[][2] = {{"d", "[0-9]"}, {"D", "[^0-9]"},
	    {"s", "[[:space:]]"}, {"S", "[^[:space:]]"}, {"w", "[A-Za-z0-9_]"},
	    {"W", "[^A-Za-z0-9_]"}};
	static const char *const inner[][2] = {
	    {"d", "0-9"}, {"s", "[:space:]"}, {"w", "A-Za-z0-9_"}, {"-", "-"}};
	bool bracket = false;

	for (; *p; p++) {
		const char *known = NULL;
		if (*p == '\\' && p[1]) {
			const char *const(*table)[2] = bracket ? inner : classes;
			size_t n = bracket ? sizeof(inner) / sizeof(*inner)
					   : sizeof(classes) / sizeof(*classes);
			for (size_t i = 0; i < n; i++)
				known = table[i][0][0] == p[1] ? table[i][1] : known;
			p++;
			if (known)
				buf_adds(out, known);
			else if (bracket)
				buf_addc(out, *p);
			else
				buf_addf(out, "\\%c", *p);
			continue;
		}
		if (!bracket && strncmp(p, "(?:", 3) == 0) {
			buf_addc(out, '(');
			p += 2;
			continue;
		}
		bracket = bracket ? *p != ']' : *p == '[';
		buf_addc(out, *p);
	}
	return !out->failed;
}

/* A pattern that cannot be compiled matches everything: refusing a configuration that
 * Falco takes would be worse, and the plugin checks again. */
static bool
matches(const char *pattern, const char *s)
{
	struct buf posix;
	regex_t re;
	bool match = true;

	buf_init(&posix, MAX_PATTERN_BYTES);
	if (posix_pattern(pattern, &posix) &&
	    regcomp(&re, buf_str(&posix), REG_EXTENDED | REG_NOSUB) == 0) {
		match = regexec(&re, s, 0, NULL, 0) == 0;
		regfree(&re);
	}
	buf_release(&posix);
	return match;
}

static bool
check_pattern(struct check *c, const json_t *schema, const json_t *p, const json_t *v)
{
	if (!json_is_string(v) || !json_is_string(p) ||
	    matches(json_string_value(p), json_string_value(v)))
		return true;
	return fail(c, "Failed to match regex specified by 'pattern' constraint.");
}

/* -- arrays
 * ----------------------------------------------------------------------------------- */

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
	json_int_t max = (json_int_t)json_number_value(bound);

	return (json_int_t)json_array_size(v) <= max || !json_is_array(v) ||
	       fail(c, "Array should contain no more than %lld elements.", max);
}

static bool
check_min_items(
    struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	json_int_t min = (json_int_t)json_number_value(bound);

	return (json_int_t)json_array_size(v) >= min || !json_is_array(v) ||
	       fail(c, "Array should contain no fewer than %lld elements.", min);
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
	json_int_t max = (json_int_t)json_number_value(bound);

	return (json_int_t)json_object_size(v) <= max || !json_is_object(v) ||
	       fail(c, "Object should have no more than %lld properties.", max);
}

static bool
check_min_properties(
    struct check *c, const json_t *schema, const json_t *bound, const json_t *v)
{
	json_int_t min = (json_int_t)json_number_value(bound);

	return (json_int_t)json_object_size(v) >= min || !json_is_object(v) ||
	       fail(c, "Object should have no fewer than %lld properties.", min);
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

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of an object in byte order, NULL-terminated; freed by the caller. */
static const char **
sorted_keys(const json_t *object)
{
	const char **keys = calloc(json_object_size(object) + 1, sizeof(*keys));
	size_t n = 0;

	/* jansson's iterators want a mutable object, but do not change it. */
	json_t *o = (json_t *)(uintptr_t)object;
	for (void *it = json_object_iter(o); keys && it;
	     it = json_object_iter_next(o, it))
		keys[n++] = json_object_iter_key(it);
	if (keys)
		qsort(keys, n, sizeof(*keys), by_bytes);
	return keys;
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
		if (!matches(json_object_iter_key(it), key))
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
	const char **keys = sorted_keys(v);
	if (!keys)
		return fail(c, "out of memory");
	bool ok = check_keys(c, schema, v, keys);
	free(keys);
	return ok;
}

/* -- the whole
 * --------------------------------------------------------------------------------- */

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

/* One step of a JSON pointer: "definitions" of "definitions/x", with ~0 and ~1. */
static size_t
pointer_token(const char *p, char *token, size_t size)
{
	size_t at = 0, n = 0;

	for (; p[at] && p[at] != '/'; at++) {
		char ch = p[at];
		if (ch == '~' && (p[at + 1] == '0' || p[at + 1] == '1'))
			ch = p[++at] == '0' ? '~' : '/';
		if (n + 1 < size)
			token[n++] = ch;
	}
	token[n] = '\0';
	return at;
}

/* "#", "#/definitions/x", "#/$defs/x": NULL when it leads nowhere. */
static const json_t *
follow(const json_t *root, const char *ref)
{
	const json_t *at = root;
	char token[256];

	if (*ref++ != '#')
		return NULL;
	while (at && *ref == '/') {
		ref += 1 + pointer_token(ref + 1, token, sizeof(token));
		at = json_is_array(at) ? json_array_get(at, strtoul(token, NULL, 10))
				       : json_object_get(at, token);
	}
	return *ref ? NULL : at;
}

static bool
check_keywords(struct check *c, const json_t *schema, const json_t *v)
{
	const char *ref = json_string_value(json_object_get(schema, "$ref"));

	if (ref) {
		const json_t *target = follow(c->root, ref);
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
