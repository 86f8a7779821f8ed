/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashing, and a map from byte strings to pointers.
 *
 * The map does not copy keys: they must outlive it (an arena's, usually). Iteration is
 * in insertion order. Keys come from people's files and from plugins, so the hash is
 * keyed with a per-process random value.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *p, size_t n);
uint64_t hash_u64(uint64_t v);

struct map_entry {
	const char *key;
	size_t key_len;
	void *value;
	uint64_t hash;
};

struct map {
	struct map_entry *entry; /* in insertion order, n of them */
	uint32_t *slot;          /* index into entry, plus one */
	size_t n, cap, n_slots;
};

void map_init(struct map *m);
void map_release(struct map *m);
/* NULL when absent. */
void *map_get(const struct map *m, const char *key, size_t key_len);
void *map_gets(const struct map *m, const char *key);
/* Adds or replaces; false when memory is gone. value must not be NULL. */
bool map_put(struct map *m, const char *key, size_t key_len, void *value);
bool map_puts(struct map *m, const char *key, void *value);

#endif
