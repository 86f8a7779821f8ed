/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML as rules files, configuration and policies use it: a stream of documents as trees
 * of nodes that remember where they stood.
 *
 * Nodes live in the arena given to yaml_load and never change. An alias is its anchor's
 * node itself, so trees share sub-trees; LIMIT_YAML_NODES bounds what they unfold to,
 * LIMIT_YAML_DEPTH how deep they go. Marks count bytes (libyaml counts characters). Plain
 * "~", "null", "Null", "NULL" and nothing at all are null; a null that is nothing at all
 * stands where the next token does. Merge keys are ordinary keys.
 */
#ifndef BASE_YAML_YAML_H
#define BASE_YAML_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum yaml_kind {
	YAML_NULL,
	YAML_SCALAR,
	YAML_SEQUENCE,
	YAML_MAP
};

/* All from 0. */
struct yaml_mark {
	uint32_t offset, line, column;
};

struct yaml_node {
	enum yaml_kind kind;
	struct yaml_mark mark;
	const char *text; /* YAML_SCALAR; a NUL follows */
	size_t len;
	uint32_t n;                     /* items of a sequence, pairs of a map */
	const struct yaml_node **child; /* n items, or key 0, value 0, key 1 … */
};

struct yaml_stream {
	const struct yaml_node **doc; /* one per document; an empty one is a null node */
	uint32_t n;
};

/*
 * Syntax errors are ERR_SYNTAX in the library's words, bounds ERR_LIMIT; *reterr_mark is
 * where,
 * and *ret_stream has the documents that were complete by then. A byte order mark is
 * skipped and not counted.
 */
bool yaml_load(struct arena *arena, const char *text, size_t len,
    struct yaml_stream *ret_stream, struct yaml_mark *reterr_mark, struct err *err);
/* The same, with the nodes' texts in an arena that may outlive theirs. */
bool yaml_load_apart(struct arena *arena, struct arena *texts, const char *text,
    size_t len, struct yaml_stream *ret_stream, struct yaml_mark *reterr_mark,
    struct err *err);

/* The value of the first pair whose key is this scalar; NULL when there is none. */
const struct yaml_node *yaml_find(const struct yaml_node *map, const char *key);

/* YAML 1.1 words: true false yes no on off y n, in lower, upper or capitalised form. */
bool yaml_bool(const struct yaml_node *node, bool *ret_value);
/* Decimal, 0x hexadecimal or 0 octal, blanks after it allowed, no sign but plus. */
bool yaml_u32(const struct yaml_node *node, uint32_t *ret_value);

#endif
