/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static uint64_t seed;

__attribute__((constructor)) static void
seed_once(void)
{
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
		seed = 0x9e3779b97f4a7c15u ^ (uint64_t)(uintptr_t)&seed;
}

uint64_t
hash_u64(uint64_t v)
{
	v += seed;
	v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9u;
	v = (v ^ (v >> 27)) * 0x94d049bb133111ebu;
	return v ^ (v >> 31);
}

uint64_t
hash_bytes(const void *p, size_t n)
{
	const unsigned char *s = p;
	uint64_t h = seed ^ (n * 0x9e3779b97f4a7c15u), w;

	for (; n >= 8; s += 8, n -= 8) {
		memcpy(&w, s, 8);
		h = (h ^ w) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	w = 0;
	memcpy(&w, s, n);
	h = (h ^ w ^ ((uint64_t)n << 56)) * 0xc4ceb9fe1a85ec53u;
	h ^= h >> 29;
	h *= 0x94d049bb133111ebu;
	return h ^ (h >> 32);
}

void
map_init(struct map *m)
{
	*m = (struct map){0};
}

void
map_release(struct map *m)
{
	free(m->entry);
	free(m->slot);
	*m = (struct map){0};
}

static size_t
find(const struct map *m, const char *key, size_t n, uint64_t h)
{
	size_t i = h & (m->n_slots - 1);

	for (; m->slot[i]; i = (i + 1) & (m->n_slots - 1)) {
		const struct map_entry *e = &m->entry[m->slot[i] - 1];
		if (e->hash == h && e->key_len == n && memcmp(e->key, key, n) == 0)
			break;
	}
	return i;
}

void *
map_get(const struct map *m, const char *key, size_t key_len)
{
	if (m->n == 0)
		return NULL;
	size_t i = find(m, key, key_len, hash_bytes(key, key_len));
	return m->slot[i] ? m->entry[m->slot[i] - 1].value : NULL;
}

void *
map_gets(const struct map *m, const char *key)
{
	return map_get(m, key, strlen(key));
}

static bool
grow(struct map *m)
{
	size_t cap = m->cap ? m->cap * 2 : 8, slots = cap * 2;
	struct map_entry *entry = reallocarray(m->entry, cap, sizeof(*entry));

	if (!entry)
		return false;
	m->entry = entry;
	uint32_t *slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return false;
	free(m->slot);
	m->slot = slot;
	m->n_slots = slots;
	m->cap = cap;
	for (size_t k = 0; k < m->n; k++) {
		size_t i = entry[k].hash & (slots - 1);
		while (slot[i])
			i = (i + 1) & (slots - 1);
		slot[i] = (uint32_t)k + 1;
	}
	return true;
}

bool
map_put(struct map *m, const char *key, size_t key_len, void *value)
{
	uint64_t h = hash_bytes(key, key_len);

	if (m->n == m->cap && !grow(m))
		return false;
	size_t i = find(m, key, key_len, h);
	if (m->slot[i]) {
		m->entry[m->slot[i] - 1].value = value;
		return true;
	}
	m->entry[m->n] = (struct map_entry){key, key_len, value, h};
	m->slot[i] = (uint32_t)++m->n;
	return true;
}

bool
map_puts(struct map *m, const char *key, void *value)
{
	return map_put(m, key, strlen(key), value);
}
