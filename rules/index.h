/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Predicate indexes: all constants of one kind that are compared with one operand, looked
 * up at once. One file a family: index_hash.c (equality), index_trie.c (prefix, suffix,
 * substring), index_number.c (thresholds), index_net.c (networks), index_path.c (pmatch),
 * index_regex.c.
 *
 * An index is built once from keys, each with a posting: a number of the caller's that is
 * reported when the key is found. Memory is the arena's, linear in the keys, and the key
 * bytes must outlive the index. Look-ups allocate nothing. Values come from strangers:
 * hashes are keyed, and no look-up reports a posting more than once per value.
 */
#ifndef RULES_INDEX_H
#define RULES_INDEX_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "rules/index_pairs.h"

struct index_key {
	const char *s;
	uint32_t len;
	uint32_t post;
};

/* Gets the postings of one key that was found. */
typedef void index_hit_fn(void *arg, const uint32_t *post, uint32_t n);

/* The postings of entry e are item[first[e]] .. item[first[e + 1] - 1]. */
struct index_posts {
	uint32_t *first, *item;
};

/* entry_of[n]: the entry of each key. */
bool index_posts_build(struct index_posts *p, struct arena *arena,
    const struct index_key *key, const uint32_t *entry_of, uint32_t n, uint32_t n_entry,
    struct err *err);

static inline uint32_t
index_posts_get(const struct index_posts *p, uint32_t entry, const uint32_t **ret)
{
	*ret = p->item + p->first[entry];
	return p->first[entry + 1] - p->first[entry];
}

/* Equality of byte strings. */
struct index_hash {
	uint64_t all_lengths; /* those that keys have, 63 and more as one */
	uint64_t *lengths;    /* by the key's first byte */
	uint32_t mask;
	struct index_hash_slot {
		uint32_t hash, entry; /* entry + 1; 0: empty */
	} * slot;
	struct index_hash_entry {
		const char *s;
		uint32_t len;
		uint32_t n_post, post; /* mostly there is one: it lies here */
	} * entry;
	uint32_t n_entry;
	struct index_posts posts;
};

/* False: no key has this length and first byte. Most values are told apart by that. A
 * byte must follow the value. */
static inline bool
index_hash_may(const struct index_hash *ix, const char *s, uint32_t len)
{
	return ix->lengths[(uint8_t)s[0]] >> (len < 63 ? len : 63) & 1;
}

bool index_hash_build(struct index_hash *ix, struct arena *arena,
    const struct index_key *key, uint32_t n, struct err *err);
/* hash: index_hash_of the same bytes. The number of postings. */
uint32_t index_hash_find(const struct index_hash *ix, const char *s, uint32_t len,
    uint64_t hash, const uint32_t **ret_post);

enum {
	INDEX_HEADS = 4,
	INDEX_EDGE_BITS = 10,
};

enum index_trie_flag {
	INDEX_REVERSED = 1, /* keys are suffixes */
	INDEX_ANYWHERE = 2, /* keys are substrings: the trie becomes an automaton */
	INDEX_FOLDED = 4,   /* ASCII case does not count */
};

struct index_trie {
	unsigned flags;
	uint32_t shortest; /* bytes of the shortest key */
	uint32_t n_node;   /* 0 is the root; the children of a node are in a row */
	struct index_trie_node {
		uint32_t child;
		uint16_t n_child;
		uint16_t reports; /* it or a node on its fail chain has postings */
		uint32_t fail;    /* the longest proper suffix that is a node */
		uint32_t next;    /* the nearest node on the fail chain with postings */
		uint32_t wide;    /* table of transitions + 1; 0: none */
	} * node;
	uint8_t *byte; /* by node: how its parent reaches it */
	/* Of prefixes, by node: n bytes (of a word, those in mask) that all keys below go
	 * on with, to the node "after"; n is 0 where they do not. */
	struct index_trie_run {
		uint64_t bytes, mask;
		uint32_t n, after;
	} * run;
	uint32_t (*wide)[256];
	struct index_pairs *pair; /* INDEX_ANYWHERE: the bytes that start keys */
	/* Those that end them, when they are fewer; else NULL. */
	struct index_pairs *end;
	/* Of prefixes: every key goes on from one of these (of a word, the bytes in
	 * mask). None: they would be too many. */
	struct index_trie_head {
		uint64_t bytes, mask;
	} head[INDEX_HEADS];
	uint32_t n_head;
	/* By a hash of the two bytes with which keys of two and more begin (suffixes:
	 * end). */
	uint64_t edge[1 << (INDEX_EDGE_BITS - 6)];
	struct index_posts posts;
	uint64_t *seen; /* by node: the walk that last reported it */
	uint64_t walk;
};

/* The outer byte is the value's first or last. */
static inline uint32_t
index_edge_hash(char outer, char inner)
{
	uint32_t v = (uint32_t)(uint8_t)outer << 8 | (uint8_t)inner;

	return v * 0x9e3779b1u >> (32 - INDEX_EDGE_BITS);
}

/* The first bytes of a value, those that it lacks as 0. */
static inline uint64_t
index_first_word(const char *s, uint32_t len)
{
	char bytes[sizeof(uint64_t)] = {0};
	uint64_t word;

	if (len >= sizeof(word)) {
		memcpy(&word, s, sizeof(word));
		return word;
	}
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = s[i];
	memcpy(&word, bytes, sizeof(word));
	return word;
}

static inline bool
index_trie_has_head(const struct index_trie *ix, uint64_t word)
{
	bool has = false;

	for (uint32_t i = 0; i < ix->n_head; i++)
		has |= ((word ^ ix->head[i].bytes) & ix->head[i].mask) == 0;
	return has;
}

/* False: the value has not even what a key begins with. */
static inline bool
index_trie_may(const struct index_trie *ix, const char *s, uint32_t len)
{
	bool reversed = ix->flags & INDEX_REVERSED;

	if (ix->shortest == 0 || len < ix->shortest)
		return ix->shortest == 0;
	if (ix->flags & INDEX_ANYWHERE)
		return true;
	if (ix->n_head)
		return index_trie_has_head(ix, index_first_word(s, len));
	if (ix->shortest == 1)
		return ix->wide[0][(uint8_t)s[reversed ? len - 1 : 0]] != 0;
	uint32_t h = reversed ? index_edge_hash(s[len - 1], s[len - 2])
			      : index_edge_hash(s[0], s[1]);
	return ix->edge[h / 64] >> h % 64 & 1;
}

bool index_trie_build(struct index_trie *ix, struct arena *arena, unsigned flags,
    const struct index_key *key, uint32_t n, struct err *err);
/* Of substrings, none of which is empty: the first place from i on that shows that a key
 * may be in the text, or at the end one from which less than two bytes are left. */
uint32_t index_trie_next(
    const struct index_trie *ix, const char *s, uint32_t len, uint32_t i);
void index_trie_walk(
    struct index_trie *ix, const char *s, uint32_t len, index_hit_fn *hit, void *arg);

/*
 * Thresholds. A value's rank says all about it: with the thresholds sorted and numbered
 * j from 0, v >= t[j] is rank >= 2j + 1, and v > t[j] is rank >= 2j + 2.
 */
struct index_number {
	uint64_t *threshold;
	uint32_t n;
};

bool index_number_build(struct index_number *ix, struct arena *arena, const uint64_t *v,
    uint32_t n, struct err *err);
uint32_t index_number_rank(const struct index_number *ix, uint64_t v);
/* Signed numbers in the order of unsigned ones. */
static inline uint64_t
index_number_key(uint64_t v, bool is_signed)
{
	return is_signed ? v ^ (1ull << 63) : v;
}

/* Networks that contain an address. Keys: the 4 or 16 bytes, then one byte, the prefix
 * length. */
struct index_net {
	struct index_hash hash;
	struct index_net_shape {
		uint8_t bytes, prefix;
	} * shape;
	uint32_t n_shape;
};

bool index_net_build(struct index_net *ix, struct arena *arena,
    const struct index_key *key, uint32_t n, struct err *err);
void index_net_walk(const struct index_net *ix, const char *address, uint32_t len,
    index_hit_fn *hit, void *arg);

/* Paths whose components are the first components of the value. */
struct index_path {
	uint64_t starts[4]; /* the first bytes of first components; all: a key has none */
	uint32_t mask;
	struct index_hash_slot *slot;
	struct index_path_node {
		uint32_t parent, len;
		const char *s;
	} * node; /* 0 is the root */
	uint32_t n_node;
	struct index_posts posts;
};

/* False: no key begins like this. */
static inline bool
index_path_may(const struct index_path *ix, const char *path, uint32_t len)
{
	uint32_t at = 0;

	if (len > 1 && path[0] == '/' && path[1] != '/')
		at = 1;
	while (at < len && path[at] == '/')
		at++;
	uint8_t c = at < len ? (uint8_t)path[at] : '/';
	return ix->starts[c / 64] >> c % 64 & 1;
}

bool index_path_build(struct index_path *ix, struct arena *arena,
    const struct index_key *key, uint32_t n, struct err *err);
void index_path_walk(const struct index_path *ix, const char *path, uint32_t len,
    index_hit_fn *hit, void *arg);

struct regex_set;

/* Patterns that match all of the value, made valid UTF-8 first. */
struct index_regex {
	struct index_regex_set {
		struct regex_set *set; /* NULL: it would not compile; ask the one alone */
		uint32_t first, n;     /* of key */
	} * set;
	uint32_t n_set;
	const struct index_key *key;
	int *found;
	struct buf repaired;
};

bool index_regex_build(struct index_regex *ix, struct arena *arena,
    const struct index_key *key, uint32_t n, struct err *err);
void index_regex_release(struct index_regex *ix);
/* Postings of patterns that could not be decided together go to ask instead of hit. */
void index_regex_walk(struct index_regex *ix, const char *s, uint32_t len,
    index_hit_fn *hit, index_hit_fn *ask, void *arg);

/* The longest run of ASCII characters that every match of the pattern contains; 0 when
 * none is known. */
uint32_t index_regex_literal(const char *pattern, uint32_t n, const char **ret);

/* Keyed by a secret of the process. */
extern uint64_t index_hash_seed;

static inline uint64_t
index_hash_mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* Meant for short strings: one or two multiplications up to 16 bytes, no call. */
static inline uint64_t
index_hash_of(const char *s, uint32_t len)
{
	uint64_t h = index_hash_seed, a = 0, b = 0;
	uint32_t n = len, x = 0, y = 0;

	for (; n > 16; s += 16, n -= 16) {
		memcpy(&a, s, 8);
		memcpy(&b, s + 8, 8);
		h = index_hash_mix(a ^ 0x8bb84b93962eacc9u, b ^ h);
	}
	a = b = 0;
	if (n >= 8) {
		memcpy(&a, s, 8);
		memcpy(&b, s + n - 8, 8);
	} else if (n >= 4) {
		memcpy(&x, s, 4);
		memcpy(&y, s + n - 4, 4);
		a = (uint64_t)x << 32 | y;
	} else if (n > 0) {
		a = (uint64_t)(unsigned char)s[0] << 16 |
		    (uint64_t)(unsigned char)s[n / 2] << 8 | (unsigned char)s[n - 1];
	}
	h = index_hash_mix(a ^ 0x2d358dccaa6c78a5u, b ^ h);
	return index_hash_mix(h ^ 0x9e3779b97f4a7c15u, len ^ index_hash_seed);
}

#endif
