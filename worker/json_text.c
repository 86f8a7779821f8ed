/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/json_text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/utf8.h"

/* The length of a comment that starts at s, 0 when none does. An open one is none. */
static size_t
comment_len(const char *s, size_t n)
{
	const char *end;

	if (n < 2 || s[0] != '/')
		return 0;
	if (s[1] == '/') {
		end = memchr(s, '\n', n);
		return end ? (size_t)(end - s) : n;
	}
	if (s[1] != '*')
		return 0;
	end = memmem(s + 2, n - 2, "*/", 2);
	return end ? (size_t)(end - s) + 2 : 0;
}

/* The length of a string literal that starts at s. */
static size_t
literal_len(const char *s, size_t n)
{
	size_t i = 1;

	while (i < n && s[i] != '"')
		i += s[i] == '\\' ? 2 : 1;
	return i < n ? i + 1 : n;
}

/* Copies what is not comment; false when it nests too deep. */
static bool
drop_comments(struct buf *out, const char *s, size_t n)
{
	size_t depth = 0;

	for (size_t i = 0, step; i < n; i += step) {
		step = comment_len(s + i, n - i);
		if (step > 0) {
			buf_addc(out, ' ');
			continue;
		}
		step = s[i] == '"' ? literal_len(s + i, n - i) : 1;
		if (s[i] == '[' || s[i] == '{')
			depth++;
		else if ((s[i] == ']' || s[i] == '}') && depth > 0)
			depth--;
		if (depth > LIMIT_JSON_DEPTH)
			return false;
		buf_add(out, s + i, step);
	}
	return !out->failed;
}

static json_t *
parse(const struct buf *text)
{
	const size_t flags = JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL;
	json_error_t why;
	json_t *v = json_loadb(buf_str(text), text->len, flags, &why);

	if (!v && json_error_code(&why) == json_error_numeric_overflow)
		v = json_loadb(
		    buf_str(text), text->len, flags | JSON_DECODE_INT_AS_REAL, &why);
	return v;
}

void
json_text_seed(void)
{
	size_t seed = 0;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed) ||
	    seed == 0)
		seed =
		    (size_t)(uintptr_t)&json_text_seed; /* laid out at random at least */
	json_object_seed(seed);
}

json_t *
json_text_parse(const char *text, size_t n)
{
	struct buf plain, repaired;
	json_t *v = NULL;

	if (n > LIMIT_PLUGIN_JSON_BYTES)
		return NULL;
	buf_init(&plain, LIMIT_PLUGIN_JSON_BYTES + 1);
	/* U+FFFD takes three bytes. */
	buf_init(&repaired, 3 * LIMIT_PLUGIN_JSON_BYTES + 1);
	if (drop_comments(&plain, text, n)) {
		utf8_repair(&repaired, buf_str(&plain), plain.len);
		if (!repaired.failed)
			v = parse(&repaired);
	}
	buf_release(&plain);
	buf_release(&repaired);
	return v;
}

const char *
json_text_scalar(const json_t *v, char *buf, size_t size)
{
	switch (v ? json_typeof(v) : JSON_NULL) {
	case JSON_STRING:
		return json_string_value(v);
	case JSON_INTEGER:
		snprintf(buf, size, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		return buf;
	case JSON_REAL:
		snprintf(buf, size, "%.17g", json_real_value(v));
		return buf;
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	case JSON_NULL:
		return "";
	default:
		return NULL;
	}
}

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **
json_text_sorted_keys(const json_t *object)
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

const json_t *
json_text_follow(const json_t *root, const char *ref)
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
