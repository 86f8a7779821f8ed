/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/profile_keys.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

void *
list_grow(struct parser *ps, const void *old, uint32_t n_old, uint32_t n, size_t size)
{
	void *list = arena_array(ps->arena, (size_t)n_old + n + 1, size);

	if (!list)
		ps->nomem = true;
	else if (n_old > 0)
		memcpy(list, old, n_old * size);
	return list;
}

bool
node_items(struct parser *ps, const struct conf_node *node, const char *name,
    struct conf_node *const **ret_item, uint32_t *ret_n, struct conf_node **one)
{
	*ret_item = node->child;
	*ret_n = (uint32_t)node->n;
	if (node->kind == CONF_NULL) {
		*ret_n = 0;
	} else if (node->kind == CONF_SCALAR) {
		*ret_item = one;
		*ret_n = 1;
	} else if (node->kind != CONF_SEQ) {
		parser_mistake(
		    ps, node, NULL, "%s: is a list: write %s: [a, b]", name, name);
		return false;
	} else if (node->n > LIMIT_POLICY_ITEMS) {
		parser_mistake(ps, node, NULL, "%s: has more than %u entries", name,
		    LIMIT_POLICY_ITEMS);
		return false;
	}
	return true;
}

bool
node_is_text(struct parser *ps, const struct conf_node *node, const char *name)
{
	if (node->kind == CONF_SCALAR && node->text[0] != '\0')
		return true;
	parser_mistake(ps, node, NULL, "%s: wants a word here, not %s", name,
	    node->kind == CONF_MAP   ? "a map"
	    : node->kind == CONF_SEQ ? "a list"
				     : "nothing");
	return false;
}

void
profile_read_bool(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	if (node->kind != CONF_SCALAR || !conf_parse_bool(node->text, out))
		parser_mistake(ps, node, node->text, "%s: write true or false", k->name);
}

bool
take_number(const char *text, uint64_t *ret_value, const char **ret_rest)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*ret_value = strtoull(text, &end, 10);
	*ret_rest = end;
	return errno == 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit no_unit[] = {{"", 1}, {NULL, 0}};
static const struct unit percent[] = {{"%", 1}, {NULL, 0}};
static const struct unit bytes[] = {{"", 1}, {"K", 1 << 10}, {"M", 1 << 20},
    {"G", 1 << 30}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0}};
static const struct unit times[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {NULL, 0}};

static bool
take_amount(struct parser *ps, const struct conf_node *node, const struct key *k,
    const struct unit *units, const char *example, uint64_t *ret_value)
{
	const char *rest = NULL;
	uint64_t v = 0, factor = 0;

	if (!node_is_text(ps, node, k->name))
		return false;
	if (take_number(node->text, &v, &rest)) {
		for (const struct unit *u = units; u->name; u++)
			if (strcmp(rest, u->name) == 0)
				factor = u->factor;
		/* Nothing is nothing in every unit. */
		if (v == 0 && rest[0] == '\0')
			factor = 1;
	}
	if (factor == 0) {
		parser_mistake(ps, node, node->text,
		    "is not what %s: wants: write something like %s", k->name, example);
		return false;
	}
	if (v > UINT64_MAX / factor || v * factor < k->min || v * factor > k->max) {
		parser_mistake(ps, node, node->text,
		    "is out of bounds: %s: is from %llu to %llu%s", k->name,
		    (unsigned long long)k->min, (unsigned long long)k->max,
		    units == times   ? " ms"
		    : units == bytes ? " bytes"
				     : "");
		return false;
	}
	*ret_value = v * factor;
	return true;
}

void
profile_read_u32(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	uint64_t v;

	if (take_amount(ps, node, k, no_unit, "64", &v))
		*(uint32_t *)out = (uint32_t)v;
}

void
profile_read_u64(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	take_amount(ps, node, k, no_unit, "1000", out);
}

void
profile_read_bytes(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	take_amount(ps, node, k, bytes, "256M", out);
}

void
profile_read_percent(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	uint64_t v;

	if (take_amount(ps, node, k, percent, "50% (of one CPU)", &v))
		*(uint32_t *)out = (uint32_t)v;
}

void
profile_read_ms(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	uint64_t v;

	if (take_amount(ps, node, k, times, "30s or 500ms", &v))
		*(uint32_t *)out = (uint32_t)v;
}

void
profile_read_seconds(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	uint64_t v;

	if (take_amount(ps, node, k, times, "10m", &v))
		*(uint32_t *)out = (uint32_t)(v / 1000);
}

void
profile_read_sha256(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	if (!node_is_text(ps, node, k->name))
		return;
	if (strlen(node->text) != 64 || strspn(node->text, "0123456789abcdef") != 64)
		parser_mistake(ps, node, node->text,
		    "is not a sha256: write the 64 digits, lower case, that sha256sum "
		    "prints");
	else
		*(const char **)out = node->text;
}

void
profile_read_text(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	if (node_is_text(ps, node, k->name))
		*(const char **)out = node->text;
}

/* Lists of strings: the count follows the pointer in struct profile, as in every list. */
struct strings {
	const char **item;
	uint32_t n;
};

_Static_assert(offsetof(struct profile, n_read) - offsetof(struct profile, read) ==
		   offsetof(struct strings, n),
    "lists are a pointer and a count");

typedef const char *check_fn(
    struct parser *, const struct conf_node *, const struct key *);

static void
read_strings(struct parser *ps, const struct conf_node *node, const struct key *k,
    void *out, check_fn *check)
{
	struct conf_node *self = (struct conf_node *)(uintptr_t)node, *const * item;
	struct strings *list = out;
	uint32_t n;

	if (!node_items(ps, node, k->name, &item, &n, &self))
		return;
	const char **all = list_grow(ps, list->item, list->n, n, sizeof(*all));
	if (!all)
		return;
	list->item = all;
	for (uint32_t i = 0; i < n; i++) {
		const char *text =
		    node_is_text(ps, item[i], k->name) ? check(ps, item[i], k) : NULL;
		if (text)
			list->item[list->n++] = text;
	}
}

static const char *
check_path(struct parser *ps, const struct conf_node *node, const struct key *k)
{
	size_t n = strlen(node->text);

	while (n > 1 && node->text[n - 1] == '/')
		n--;
	char *path = arena_strndup(ps->arena, node->text, n);
	if (!path) {
		ps->nomem = true;
		return NULL;
	}
	const char *why = profile_path_refusal(path);
	if (why)
		parser_mistake(ps, node, node->text,
		    "cannot be given to a plugin: %s; write the full path of what it "
		    "needs",
		    why);
	return why ? NULL : path;
}

static const char *
check_env(struct parser *ps, const struct conf_node *node, const struct key *k)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	const char *text = node->text;
	size_t n = strcspn(text, "=");

	if (!strchr(letters, text[0]) ||
	    strspn(text + 1, "abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") < n - 1) {
		parser_mistake(ps, node, text,
		    "is no variable: write NAME=value, or NAME to pass on what is set "
		    "here");
		return NULL;
	}
	/* The loader obeys these in mews-worker itself, before it is confined. */
	if (strncmp(text, "LD_", 3) == 0 || strncmp(text, "GLIBC_TUNABLES", 14) == 0) {
		parser_mistake(ps, node, text,
		    "cannot be set: it would act on the worker before it is confined; "
		    "take it out");
		return NULL;
	}
	return text;
}

static const char *
check_name(struct parser *ps, const struct conf_node *node, const struct key *k)
{
	return node->text;
}

void
profile_read_paths(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	read_strings(ps, node, k, out, check_path);
}

void
profile_read_env(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	read_strings(ps, node, k, out, check_env);
}

void
profile_read_names(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	read_strings(ps, node, k, out, check_name);
}

static const char *
check_request(struct parser *ps, const struct conf_node *node, const struct key *k)
{
	if (node->text[0] == '/')
		return node->text;
	parser_mistake(ps, node, node->text,
	    "is no request path: write it as in /containers/* or /events");
	return NULL;
}

void
profile_read_requests(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	read_strings(ps, node, k, out, check_request);
}

void
profile_read_path(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	if (node_is_text(ps, node, k->name))
		*(const char **)out = check_path(ps, node, k);
}
