/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/index.h"

#include <sys/random.h>

uint64_t index_hash_seed;

__attribute__((constructor)) static void
seed_once(void)
{
	if (getrandom(&index_hash_seed, sizeof(index_hash_seed), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(index_hash_seed))
		index_hash_seed = 0x9e3779b97f4a7c15u ^ (uint64_t)(uintptr_t)&seed_once;
}

bool
index_posts_build(struct index_posts *p, struct arena *arena, const struct index_key *key,
    const uint32_t *entry_of, uint32_t n, uint32_t n_entry, struct err *err)
{
	p->first = arena_array(arena, (size_t)n_entry + 2, sizeof(*p->first));
	p->item = arena_array(arena, (size_t)n + 1, sizeof(*p->item));
	if (!p->first || !p->item)
		return err_nomem(err);
	/* Counted two places up, so that filling moves each start to where it belongs. */
	for (uint32_t i = 0; i < n; i++)
		p->first[entry_of[i] + 2]++;
	for (uint32_t e = 1; e < n_entry + 2; e++)
		p->first[e] += p->first[e - 1];
	for (uint32_t i = 0; i < n; i++)
		p->item[p->first[entry_of[i] + 1]++] = key[i].post;
	return true;
}

/* A power of two, at most half of it used. */
static uint32_t
table_size(uint32_t n)
{
	uint32_t size = 8;

	while (size < n * 2u)
		size *= 2;
	return size;
}

static void
add_length(struct index_hash *ix, const struct index_key *key)
{
	uint64_t bit = 1ull << (key->len < 63 ? key->len : 63);

	ix->all_lengths |= bit;
	/* What follows an empty value may be any byte. */
	for (uint32_t c = 0; key->len == 0 && c < 256; c++)
		ix->lengths[c] |= bit;
	if (key->len > 0)
		ix->lengths[(uint8_t)key->s[0]] |= bit;
}

bool
index_hash_build(struct index_hash *ix, struct arena *arena, const struct index_key *key,
    uint32_t n, struct err *err)
{
	uint32_t size = table_size(n);
	uint32_t *entry_of = arena_array(arena, (size_t)n + 1, sizeof(*entry_of));

	*ix = (struct index_hash){.mask = size - 1};
	ix->slot = arena_array(arena, size, sizeof(*ix->slot));
	ix->entry = arena_array(arena, (size_t)n + 1, sizeof(*ix->entry));
	ix->lengths = arena_array(arena, 256, sizeof(*ix->lengths));
	if (!entry_of || !ix->slot || !ix->entry || !ix->lengths)
		return err_nomem(err);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t h = (uint32_t)index_hash_of(key[i].s, key[i].len);
		uint32_t at = h & ix->mask;
		add_length(ix, &key[i]);
		for (; ix->slot[at].entry; at = (at + 1) & ix->mask) {
			const struct index_hash_entry *e =
			    &ix->entry[ix->slot[at].entry - 1];
			if (ix->slot[at].hash == h && e->len == key[i].len &&
			    memcmp(e->s, key[i].s, e->len) == 0)
				break;
		}
		if (!ix->slot[at].entry) {
			ix->entry[ix->n_entry++] =
			    (struct index_hash_entry){.s = key[i].s, .len = key[i].len};
			ix->slot[at] = (struct index_hash_slot){h, ix->n_entry};
		}
		entry_of[i] = ix->slot[at].entry - 1;
	}
	if (!index_posts_build(&ix->posts, arena, key, entry_of, n, ix->n_entry, err))
		return false;
	for (uint32_t e = 0; e < ix->n_entry; e++) {
		const uint32_t *post;
		ix->entry[e].n_post = index_posts_get(&ix->posts, e, &post);
		ix->entry[e].post = post[0];
	}
	return true;
}

uint32_t
index_hash_find(const struct index_hash *ix, const char *s, uint32_t len, uint64_t hash,
    const uint32_t **ret_post)
{
	uint32_t h = (uint32_t)hash;

	for (uint32_t at = h & ix->mask; ix->slot[at].entry; at = (at + 1) & ix->mask) {
		if (ix->slot[at].hash != h)
			continue;
		const struct index_hash_entry *e = &ix->entry[ix->slot[at].entry - 1];
		if (e->len != len || memcmp(e->s, s, len) != 0)
			continue;
		*ret_post = e->n_post == 1 ? &e->post
					   : ix->posts.item +
						 ix->posts.first[ix->slot[at].entry - 1];
		return e->n_post;
	}
	return 0;
}
