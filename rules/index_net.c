/* SPDX-License-Identifier: Apache-2.0 */
/* One hash table over all networks, asked once per distinct prefix length. */
#include "rules/index.h"

enum {
	ADDRESS_MAX = 16
};

/* Clears what is behind the prefix; then the prefix length. Its length. */
static uint32_t
masked(char out[ADDRESS_MAX + 1], const char *address, uint32_t len, uint8_t prefix)
{
	uint32_t whole = prefix / 8, rest = prefix % 8;

	memset(out, 0, ADDRESS_MAX + 1);
	memcpy(out, address, whole);
	if (rest)
		out[whole] = (char)(address[whole] & (0xff00 >> rest));
	out[len] = (char)prefix;
	return len + 1;
}

static void
add_shape(struct index_net *ix, uint8_t bytes, uint8_t prefix)
{
	for (uint32_t i = 0; i < ix->n_shape; i++) {
		if (ix->shape[i].bytes == bytes && ix->shape[i].prefix == prefix)
			return;
	}
	ix->shape[ix->n_shape++] = (struct index_net_shape){bytes, prefix};
}

bool
index_net_build(struct index_net *ix, struct arena *arena, const struct index_key *key,
    uint32_t n, struct err *err)
{
	struct index_key *k = arena_array(arena, (size_t)n + 1, sizeof(*k));

	*ix = (struct index_net){0};
	ix->shape = arena_array(arena, 33 + 129, sizeof(*ix->shape));
	if (!k || !ix->shape)
		return err_nomem(err);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t bytes = key[i].len - 1;
		uint8_t prefix = (uint8_t)key[i].s[bytes];
		char *s = arena_alloc(arena, ADDRESS_MAX + 1);
		if (!s)
			return err_nomem(err);
		k[i] = key[i];
		k[i].len = masked(s, key[i].s, bytes, prefix);
		k[i].s = s;
		add_shape(ix, (uint8_t)bytes, prefix);
	}
	return index_hash_build(&ix->hash, arena, k, n, err);
}

void
index_net_walk(const struct index_net *ix, const char *address, uint32_t len,
    index_hit_fn *hit, void *arg)
{
	char s[ADDRESS_MAX + 1];
	const uint32_t *post;

	for (uint32_t i = 0; i < ix->n_shape; i++) {
		if (ix->shape[i].bytes != len)
			continue;
		uint32_t k = masked(s, address, len, ix->shape[i].prefix);
		uint32_t n = index_hash_find(&ix->hash, s, k, index_hash_of(s, k), &post);
		if (n)
			hit(arg, post, n);
	}
}
