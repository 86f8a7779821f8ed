/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration as a tree that can be changed: falco.yaml, merged files and -o
 * options all end up in one. Scalars are text; their type is
 * decided by who reads them. Nodes live in the arena of the tree. Keys of a map are
 * unique and keep the order in which they were first seen.
 */
#ifndef BASE_CONF_CONF_H
#define BASE_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum conf_kind {
	CONF_NULL,
	CONF_SCALAR,
	CONF_SEQ,
	CONF_MAP
};

struct conf_node {
	enum conf_kind kind;
	const char *text;   /* CONF_SCALAR */
	const char *file;   /* where it was read; NULL: a -o option */
	uint32_t line, col; /* from 1; 0: unknown */
	size_t n, cap;
	const char **key; /* CONF_MAP */
	struct conf_node **child;
};

struct conf_node *conf_new(struct arena *arena, enum conf_kind kind);
struct conf_node *conf_scalar(struct arena *arena, const char *text);
/* False when memory is gone. conf_put replaces. */
bool conf_append(struct arena *arena, struct conf_node *seq, struct conf_node *child);
bool conf_put(
    struct arena *arena, struct conf_node *map, const char *key, struct conf_node *child);
void conf_remove(struct conf_node *map, const char *key);
/* NULL when absent or node is no map. */
struct conf_node *conf_get(const struct conf_node *map, const char *key);

/* Node at "a.b[0].c" for reading; NULL when absent or the path does not parse. */
struct conf_node *conf_at(const struct conf_node *root, const char *path);

/*
 * "path=value" of -o: keys by '.', [n], [] appends, backslash escapes; a value in braces
 * is a flow map (parse_flow does it), everything else a scalar. Falco's error texts.
 */
bool conf_assign(struct arena *arena, struct conf_node *root, const char *option,
    bool (*parse_flow)(
	struct arena *, const char *text, struct conf_node **ret, struct err *),
    struct err *err);

enum conf_merge {
	CONF_MERGE_APPEND,
	CONF_MERGE_OVERRIDE,
	CONF_MERGE_ADD_ONLY
};
bool conf_merge(struct arena *arena, struct conf_node *root,
    const struct conf_node *other, enum conf_merge strategy);

/* Readers: the default where the node is absent, null, no scalar or of another type. */
bool conf_bool(const struct conf_node *root, const char *path, bool fallback);
int64_t conf_int(const struct conf_node *root, const char *path, int64_t fallback);
uint64_t conf_uint(const struct conf_node *root, const char *path, uint64_t fallback);
double conf_double(const struct conf_node *root, const char *path, double fallback);
const char *conf_text(
    const struct conf_node *root, const char *path, const char *fallback);
/* YAML 1.1 words; false when text is none of them. */
bool conf_parse_bool(const char *text, bool *ret_value);

/* init_config's JSON: keys in byte order; each scalar int32, double, bool
 * or string by its text. */
void conf_json(const struct conf_node *node, struct buf *out);
/* The tree as YAML in flow style, on one line. */
void conf_flow(const struct conf_node *node, struct buf *out);

/* ${NAME} by the environment, $${NAME} literal. false: out is full. */
bool conf_expand_env(const char *text, struct buf *out);

#endif
