/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One trie for prefixes and suffixes; with fail links, the automaton of Aho and Corasick
 * for substrings.
 *
 * Keys are inserted in order, so that a byte is always either the newest child's or new;
 * then nodes are renumbered breadth first, which puts the children of each in a row and
 * every fail link behind its target.
 */
#include "rules/index.h"

#include <stdlib.h>

enum {
	WIDE = 12, /* children from which a node gets a table of its own */
};

/* While keys are inserted. */
struct sprout {
	uint32_t first, last, sibling; /* 0: none */
	uint32_t n_child;
	uint8_t byte;
};

struct build {
	struct arena *arena;
	struct index_key *key; /* sorted copies: reversed, folded */
	uint32_t *entry_of;    /* by key */
	struct sprout *sprout;
	uint32_t n_sprout;
};

static int
by_bytes(const void *a, const void *b)
{
	const struct index_key *x = a, *y = b;
	int o = memcmp(x->s, y->s, x->len < y->len ? x->len : y->len);

	return o ? o : (x->len > y->len) - (x->len < y->len);
}

static uint8_t
fold(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool
copy_keys(struct build *b, unsigned flags, const struct index_key *key, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		b->key[i] = key[i];
		if (!(flags & (INDEX_REVERSED | INDEX_FOLDED)))
			continue;
		char *s = arena_strndup(b->arena, key[i].s, key[i].len);
		if (!s)
			return false;
		for (uint32_t k = 0; k < key[i].len; k++) {
			char c =
			    key[i].s[flags & INDEX_REVERSED ? key[i].len - 1 - k : k];
			s[k] = flags & INDEX_FOLDED ? (char)fold((uint8_t)c) : c;
		}
		b->key[i].s = s;
	}
	if (n)
		qsort(b->key, n, sizeof(*b->key), by_bytes);
	return true;
}

static void
insert(struct build *b, uint32_t i)
{
	uint32_t at = 0;

	for (uint32_t k = 0; k < b->key[i].len; k++) {
		uint8_t c = (uint8_t)b->key[i].s[k];
		uint32_t last = b->sprout[at].last;
		if (!last || b->sprout[last].byte != c) {
			uint32_t fresh = b->n_sprout++;
			b->sprout[fresh].byte = c;
			if (last)
				b->sprout[last].sibling = fresh;
			else
				b->sprout[at].first = fresh;
			b->sprout[at].last = fresh;
			b->sprout[at].n_child++;
			last = fresh;
		}
		at = last;
	}
	b->entry_of[i] = at;
}

static inline uint32_t
step(const struct index_trie *ix, uint32_t at, uint8_t c)
{
	const struct index_trie_node *n = &ix->node[at];

	if (n->wide)
		return ix->wide[n->wide - 1][c];
	for (uint32_t i = 0; i < n->n_child; i++) {
		if (ix->byte[n->child + i] == c)
			return n->child + i;
	}
	return 0;
}

/* Breadth first: order[node] is its sprout, number[sprout] its node. */
static bool
renumber(struct index_trie *ix, struct build *b, uint32_t n_key)
{
	uint32_t *order = arena_array(b->arena, b->n_sprout, sizeof(*order));
	uint32_t *number = arena_array(b->arena, b->n_sprout, sizeof(*number));
	uint32_t n = 1, wide = 0;

	if (!order || !number)
		return false;
	for (uint32_t at = 0; at < n; at++) {
		const struct sprout *s = &b->sprout[order[at]];
		ix->node[at].child = n;
		ix->node[at].n_child = (uint16_t)s->n_child;
		ix->byte[at] = s->byte;
		if (s->n_child >= WIDE || at == 0)
			ix->node[at].wide = ++wide;
		for (uint32_t c = s->first; c; c = b->sprout[c].sibling) {
			number[c] = n;
			order[n++] = c;
		}
	}
	for (uint32_t i = 0; i < n_key; i++)
		b->entry_of[i] = number[b->entry_of[i]];
	ix->wide = arena_array(b->arena, wide, sizeof(*ix->wide));
	if (!ix->wide)
		return false;
	for (uint32_t at = 0; at < n; at++) {
		const struct index_trie_node *node = &ix->node[at];
		for (uint32_t i = 0; node->wide && i < node->n_child; i++)
			ix->wide[node->wide - 1][ix->byte[node->child + i]] =
			    node->child + i;
	}
	return true;
}

static bool
has_posts(const struct index_trie *ix, uint32_t at)
{
	return ix->posts.first[at] != ix->posts.first[at + 1];
}

/* Parents come before children, and a suffix is shorter than what it is a suffix of. */
static void
link_suffixes(struct index_trie *ix)
{
	for (uint32_t at = 0; at < ix->n_node; at++) {
		struct index_trie_node *n = &ix->node[at];
		n->reports = has_posts(ix, at);
		if (!(ix->flags & INDEX_ANYWHERE) || at == 0)
			continue;
		n->next = has_posts(ix, n->fail) ? n->fail : ix->node[n->fail].next;
		n->reports = n->reports || n->next || has_posts(ix, n->fail);
		for (uint32_t i = 0; i < n->n_child; i++) {
			uint32_t f = n->fail, to;
			while (!(to = step(ix, f, ix->byte[n->child + i])) && f)
				f = ix->node[f].fail;
			ix->node[n->child + i].fail = to;
		}
	}
}

/* Where a node has one child, and that has one, …: the bytes down to where keys end or
 * part, as far as a word holds them. */
static bool
find_runs(struct index_trie *ix, struct arena *arena)
{
	ix->run = arena_array(arena, ix->n_node, sizeof(*ix->run));
	for (uint32_t at = 0; ix->run && at < ix->n_node; at++) {
		struct index_trie_run *r = &ix->run[at];
		char bytes[sizeof(r->bytes)] = {0}, mask[sizeof(r->mask)] = {0};

		r->after = at;
		while (r->n < sizeof(bytes) && ix->node[r->after].n_child == 1 &&
		       (r->n == 0 || !has_posts(ix, r->after))) {
			r->after = ix->node[r->after].child;
			bytes[r->n] = (char)ix->byte[r->after];
			mask[r->n++] = (char)0xff;
		}
		memcpy(&r->bytes, bytes, sizeof(bytes));
		memcpy(&r->mask, mask, sizeof(mask));
	}
	return ix->run != NULL;
}

static void
mark_edges(struct index_trie *ix)
{
	const struct index_trie_node *root = &ix->node[0];

	for (uint32_t i = root->child; i < root->child + root->n_child; i++) {
		const struct index_trie_node *n = &ix->node[i];
		for (uint32_t k = n->child; k < n->child + n->n_child; k++) {
			uint32_t h =
			    index_edge_hash((char)ix->byte[i], (char)ix->byte[k]);
			ix->edge[h / 64] |= 1ull << h % 64;
		}
	}
}

/* While heads are found: the bytes that lead to a node. */
struct heads {
	struct path {
		uint32_t node, n;
		char bytes[sizeof(uint64_t)];
	} path[INDEX_HEADS];
	uint32_t n;
};

/* Down to where keys end or part. */
static void
go_on(const struct index_trie *ix, struct path *p)
{
	while (p->n < sizeof(p->bytes) && ix->node[p->node].n_child == 1 &&
	       !has_posts(ix, p->node)) {
		p->node = ix->node[p->node].child;
		p->bytes[p->n++] = (char)ix->byte[p->node];
	}
}

/* The shortest one of those that part, with room for its parts; false: none. */
static bool
part_one(const struct index_trie *ix, struct heads *h)
{
	struct path *least = NULL, was;

	for (struct path *p = h->path; p < h->path + h->n; p++) {
		uint32_t n_child = ix->node[p->node].n_child;
		if (p->n < sizeof(p->bytes) && n_child > 0 && !has_posts(ix, p->node) &&
		    h->n - 1 + n_child <= INDEX_HEADS && (!least || p->n < least->n))
			least = p;
	}
	if (!least)
		return false;
	was = *least;
	for (uint32_t i = 0; i < ix->node[was.node].n_child; i++) {
		struct path *p = i == 0 ? least : &h->path[h->n++];
		*p = was;
		p->node = ix->node[was.node].child + i;
		p->bytes[p->n++] = (char)ix->byte[p->node];
		go_on(ix, p);
	}
	return true;
}

/* As few bytes as each begins with, there is nothing to find where the keys begin with
 * anything. */
static void
find_heads(struct index_trie *ix)
{
	struct heads h = {.n = 1};

	go_on(ix, &h.path[0]);
	while (part_one(ix, &h))
		;
	for (uint32_t i = 0; i < h.n; i++) {
		char mask[sizeof(uint64_t)] = {0};
		if (h.path[i].n == 0)
			return;
		memset(mask, 0xff, h.path[i].n);
		memcpy(&ix->head[i].bytes, h.path[i].bytes, sizeof(uint64_t));
		memcpy(&ix->head[i].mask, mask, sizeof(uint64_t));
	}
	ix->n_head = h.n;
}

/* In the root two or three bytes tell whether it is worth to leave it. */
static bool
mark_pairs(struct index_trie *ix, struct arena *arena)
{
	const struct index_trie_node *root = &ix->node[0];

	ix->pair = arena_alloc(arena, sizeof(*ix->pair));
	for (uint32_t i = 0; ix->pair && i < root->n_child; i++) {
		uint32_t at = root->child + i;
		if (has_posts(ix, at))
			index_pairs_add_any(ix->pair, ix->byte[at]);
		for (uint32_t k = 0; k < ix->node[at].n_child; k++) {
			const uint32_t second = ix->node[at].child + k;
			const struct index_trie_node *n = &ix->node[second];
			index_pairs_add(ix->pair, ix->byte[at], ix->byte[second]);
			for (uint32_t m = 0; ix->shortest > 2 && m < n->n_child; m++)
				index_pairs_add_triple(ix->pair, ix->byte[at],
				    ix->byte[second], ix->byte[n->child + m]);
		}
	}
	if (ix->pair)
		index_pairs_finish(ix->pair, ix->flags & INDEX_FOLDED);
	return ix->pair != NULL;
}

static uint32_t
count_triples(const struct index_pairs *p)
{
	uint32_t n = 0;

	for (size_t i = 0; i < sizeof(p->triple) / sizeof(*p->triple); i++)
		n += (uint32_t)__builtin_popcountll(p->triple[i]);
	return n;
}

/* Keys that begin with any of many bytes may all end with few, as in "-1/", "-2/", … */
static bool
mark_ends(
    struct index_trie *ix, struct arena *arena, const struct index_key *key, uint32_t n)
{
	struct index_pairs *p = ix->shortest > 2 ? calloc(1, sizeof(*p)) : NULL;
	bool ok = ix->shortest <= 2 || p;

	for (uint32_t i = 0; p && i < n; i++) {
		const uint8_t *end = (const uint8_t *)key[i].s + key[i].len - 3;
		index_pairs_add(p, end[0], end[1]);
		index_pairs_add_triple(p, end[0], end[1], end[2]);
	}
	if (p && count_triples(p) < count_triples(ix->pair)) {
		index_pairs_finish(p, ix->flags & INDEX_FOLDED);
		ix->end = arena_alloc(arena, sizeof(*p));
		ok = ix->end != NULL;
		if (ok)
			memcpy(ix->end, p, sizeof(*p));
	}
	free(p);
	return ok;
}

bool
index_trie_build(struct index_trie *ix, struct arena *arena, unsigned flags,
    const struct index_key *key, uint32_t n, struct err *err)
{
	struct build b = {.arena = arena, .n_sprout = 1};
	size_t bytes = 1;

	*ix = (struct index_trie){.flags = flags, .shortest = n ? UINT32_MAX : 0};
	for (uint32_t i = 0; i < n; i++) {
		bytes += key[i].len;
		if (key[i].len < ix->shortest)
			ix->shortest = key[i].len;
	}
	if (bytes >= UINT32_MAX)
		return err_set(err, ERR_LIMIT, "the rules' constants are too many");
	b.key = arena_array(arena, (size_t)n + 1, sizeof(*b.key));
	b.entry_of = arena_array(arena, (size_t)n + 1, sizeof(*b.entry_of));
	b.sprout = calloc(bytes, sizeof(*b.sprout));
	if (!b.key || !b.entry_of || !b.sprout || !copy_keys(&b, flags, key, n))
		goto fail;
	for (uint32_t i = 0; i < n; i++)
		insert(&b, i);
	ix->n_node = b.n_sprout;
	ix->node = arena_array(arena, ix->n_node, sizeof(*ix->node));
	ix->byte = arena_alloc(arena, ix->n_node);
	ix->seen = arena_array(arena, ix->n_node, sizeof(*ix->seen));
	if (!ix->node || !ix->byte || !ix->seen || !renumber(ix, &b, n))
		goto fail;
	free(b.sprout);
	if (!index_posts_build(&ix->posts, arena, b.key, b.entry_of, n, ix->n_node, err))
		return false;
	link_suffixes(ix);
	mark_edges(ix);
	bool ok = true;
	if (flags & INDEX_ANYWHERE) {
		ok = mark_pairs(ix, arena) && mark_ends(ix, arena, b.key, n);
	} else if (!(flags & INDEX_REVERSED)) {
		find_heads(ix);
		ok = find_runs(ix, arena);
	}
	return ok || err_nomem(err);
fail:
	free(b.sprout);
	return err_nomem(err);
}

static void
report(const struct index_trie *ix, uint32_t at, index_hit_fn *hit, void *arg)
{
	const uint32_t *post;
	uint32_t n = index_posts_get(&ix->posts, at, &post);

	if (n)
		hit(arg, post, n);
}

static void
walk_anchored(const struct index_trie *ix, const char *s, uint32_t len, index_hit_fn *hit,
    void *arg)
{
	uint32_t at = 0;

	if (ix->shortest == 0)
		report(ix, 0, hit, arg);
	for (uint32_t i = 0; i < len; i++) {
		const struct index_trie_run *run = ix->run ? &ix->run[at] : NULL;
		if (run && run->n > 1 && len - i >= sizeof(run->bytes)) {
			uint64_t word;
			memcpy(&word, s + i, sizeof(word));
			if ((word ^ run->bytes) & run->mask)
				return;
			at = run->after;
			i += run->n - 1;
		} else {
			at = step(ix, at,
			    (uint8_t)s[ix->flags & INDEX_REVERSED ? len - 1 - i : i]);
		}
		if (!at)
			return;
		if (ix->node[at].reports)
			report(ix, at, hit, arg);
	}
}

/* Does a key begin at s? */
static bool
is_key(const struct index_trie *ix, const char *s, uint32_t n)
{
	bool folded = ix->flags & INDEX_FOLDED;
	uint32_t at = 0;

	for (uint32_t i = 0; i < n; i++) {
		at = step(ix, at, folded ? fold((uint8_t)s[i]) : (uint8_t)s[i]);
		if (!at)
			return false;
		if (ix->node[at].reports)
			return true;
	}
	return false;
}

uint32_t
index_trie_next(const struct index_trie *ix, const char *s, uint32_t len, uint32_t i)
{
	if (ix->end)
		return index_pairs_next(ix->end, s, len, i);
	for (; i + 1 < len; i++) {
		i = index_pairs_next(ix->pair, s, len, i);
		if (i + 1 >= len || is_key(ix, s + i, len - i))
			break;
	}
	return i;
}

static void
walk_anywhere(
    struct index_trie *ix, const char *s, uint32_t len, index_hit_fn *hit, void *arg)
{
	const uint32_t *root = ix->wide[ix->node[0].wide - 1];
	bool folded = ix->flags & INDEX_FOLDED;
	uint32_t at = 0, i = index_pairs_next(ix->pair, s, len, 0);

	if (ix->shortest == 0)
		report(ix, 0, hit, arg);
	else if (ix->shortest > 1 && i + 1 >= len)
		return;
	ix->walk++;
	for (; i < len; i++) {
		uint8_t c = folded ? fold((uint8_t)s[i]) : (uint8_t)s[i];
		uint32_t to = 0;
		while (at && !(to = step(ix, at, c)))
			at = ix->node[at].fail;
		at = at ? to : root[c];
		if (at == 0) {
			i = index_pairs_next(ix->pair, s, len, i + 1) - 1;
			continue;
		}
		if (!ix->node[at].reports)
			continue;
		/* What was reported once has had its suffixes reported too. */
		for (uint32_t r = has_posts(ix, at) ? at : ix->node[at].next;
		     r && ix->seen[r] != ix->walk; r = ix->node[r].next) {
			ix->seen[r] = ix->walk;
			report(ix, r, hit, arg);
		}
	}
}

void
index_trie_walk(
    struct index_trie *ix, const char *s, uint32_t len, index_hit_fn *hit, void *arg)
{
	if (ix->flags & INDEX_ANYWHERE)
		walk_anywhere(ix, s, len, hit, arg);
	else
		walk_anchored(ix, s, len, hit, arg);
}
