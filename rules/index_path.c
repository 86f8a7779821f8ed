/* SPDX-License-Identifier: Apache-2.0 */
/* A trie whose steps are path components: (node, component) is looked up in one table. */
#include "rules/index.h"

static uint64_t
step_hash(uint32_t parent, const char *s, uint32_t len)
{
	return index_hash_mix(
	    index_hash_of(s, len) ^ parent, 0xa0761d6478bd642full ^ index_hash_seed);
}

/* The next component from *at on; its length, 0 at the end. */
static uint32_t
component(const char *s, uint32_t len, uint32_t *at)
{
	uint32_t n = 0;

	while (*at < len && s[*at] == '/')
		++*at;
	while (*at + n < len && s[*at + n] != '/')
		n++;
	return n;
}

/* The place in the table of what (parent, s) leads to, or where it would go. */
static struct index_hash_slot *
find(const struct index_path *ix, uint32_t parent, const char *s, uint32_t len,
    uint32_t *ret_hash)
{
	uint32_t h = (uint32_t)step_hash(parent, s, len), at = h & ix->mask;

	*ret_hash = h;
	for (; ix->slot[at].entry; at = (at + 1) & ix->mask) {
		const struct index_path_node *n = &ix->node[ix->slot[at].entry];
		if (ix->slot[at].hash == h && n->parent == parent && n->len == len &&
		    memcmp(n->s, s, len) == 0)
			break;
	}
	return &ix->slot[at];
}

bool
index_path_build(struct index_path *ix, struct arena *arena, const struct index_key *key,
    uint32_t n, struct err *err)
{
	uint32_t *entry_of = arena_array(arena, (size_t)n + 1, sizeof(*entry_of));
	size_t cap = 1, size = 8;

	*ix = (struct index_path){.n_node = 1};
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = 0, k;
		for (; (k = component(key[i].s, key[i].len, &at)); at += k)
			cap++;
	}
	while (size < cap * 2)
		size *= 2;
	ix->mask = (uint32_t)size - 1;
	ix->slot = arena_array(arena, size, sizeof(*ix->slot));
	ix->node = arena_array(arena, cap, sizeof(*ix->node));
	if (!entry_of || !ix->slot || !ix->node)
		return err_nomem(err);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t node = 0, at = 0, k, h;
		if (component(key[i].s, key[i].len, &at))
			ix->starts[(uint8_t)key[i].s[at] / 64] |=
			    1ull << (uint8_t)key[i].s[at] % 64;
		else
			memset(ix->starts, 0xff, sizeof(ix->starts));
		for (; (k = component(key[i].s, key[i].len, &at)); at += k) {
			struct index_hash_slot *slot =
			    find(ix, node, key[i].s + at, k, &h);
			if (!slot->entry) {
				ix->node[ix->n_node] =
				    (struct index_path_node){node, k, key[i].s + at};
				*slot = (struct index_hash_slot){h, ix->n_node++};
			}
			node = slot->entry;
		}
		entry_of[i] = node;
	}
	return index_posts_build(&ix->posts, arena, key, entry_of, n, ix->n_node, err);
}

void
index_path_walk(const struct index_path *ix, const char *path, uint32_t len,
    index_hit_fn *hit, void *arg)
{
	uint32_t node = 0, at = 0, k, h, n;
	const uint32_t *post;

	for (;;) {
		if ((n = index_posts_get(&ix->posts, node, &post)))
			hit(arg, post, n);
		if (!(k = component(path, len, &at)))
			return;
		if (!(node = find(ix, node, path + at, k, &h)->entry))
			return;
		at += k;
	}
}
