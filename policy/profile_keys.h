/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside policy text: the rows of keys, and readers that put one node's value into the
 * model. A reader that finds a mistake notes it and goes on, so that people see all at
 * once.
 */
#ifndef POLICY_PROFILE_KEYS_H
#define POLICY_PROFILE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/conf/conf.h"
#include "policy/profile.h"

struct parser {
	struct arena *arena;
	struct profile p;
	const struct profile_set *known;
	const char *file;
	bool is_file;
	struct buf mistakes; /* one a line */
	unsigned n_more;     /* mistakes that found no room */
	bool nomem;
};

/* Notes a mistake at a node. value, quoted, comes first where it is not NULL. */
void parser_mistake(struct parser *ps, const struct conf_node *at, const char *value,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

struct key;
/* out is the member that the row names. */
typedef void profile_read_fn(
    struct parser *, const struct conf_node *, const struct key *, void *out);

struct key {
	const char *name;
	profile_read_fn *read;
	size_t offset;     /* in struct profile, or what profile_read_map is given */
	uint64_t min, max; /* numbers, milliseconds, bytes */
	bool file_only;    /* a profile file has it, a plugin's block does not */
};

/* One row after the other until one without a name; base is what offsets count from. */
void profile_read_map(struct parser *ps, const struct conf_node *node, const char *where,
    const struct key *known, void *base);

profile_read_fn profile_read_bool, profile_read_u32, profile_read_u64, profile_read_bytes,
    profile_read_percent, profile_read_ms, profile_read_seconds;
profile_read_fn profile_read_sha256, profile_read_text;
/* Lists of strings: a pointer, and the count right after it. */
profile_read_fn profile_read_paths, profile_read_env, profile_read_names,
    profile_read_requests;
/* Parts taken from a plugin's entry, of struct profile itself (template.c). */
profile_read_fn profile_read_parts;
/* One path. */
profile_read_fn profile_read_path;
/* Lists of struct profile itself; out is not used. */
profile_read_fn profile_read_listen, profile_read_connect, profile_read_unix;

/* A word, not empty; else it is noted. */
bool node_is_text(struct parser *ps, const struct conf_node *node, const char *name);
/* A list, or one item that stands for a list of itself (then *one, which is node). False:
 * neither, noted. */
bool node_items(struct parser *ps, const struct conf_node *node, const char *name,
    struct conf_node *const **ret_item, uint32_t *ret_n, struct conf_node **one);
/* Room for n items of size after n_old old ones; NULL: noted. */
void *list_grow(
    struct parser *ps, const void *old, uint32_t n_old, uint32_t n, size_t size);
/* Digits and what follows them; false: no digits, or more than fit. */
bool take_number(const char *text, uint64_t *ret_value, const char **ret_rest);

#endif
