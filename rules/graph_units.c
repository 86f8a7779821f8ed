/* SPDX-License-Identifier: Apache-2.0 */
/* The indexes of a graph, filled from the atoms of its predicates. */
#include <stdlib.h>

#include "rules/graph_build.h"

enum {
	PATTERNS_SHARING = 64, /* a prefix: more are sought by another part */
};

struct filling {
	struct graph *g;
	uint32_t *unit_of; /* operand * FAMILY_N + family: unit + 1 */
	struct err *err;
};

static uint32_t *
unit_slot(struct filling *f, uint32_t operand, enum graph_family family)
{
	return &f->unit_of[(size_t)operand * FAMILY_N + family];
}

static uint32_t
unit_get(struct filling *f, uint32_t operand, enum graph_family family)
{
	uint32_t *at = unit_slot(f, operand, family);

	if (!*at) {
		f->g->unit[f->g->n_unit] =
		    (struct graph_unit){.operand = operand, .family = family};
		*at = ++f->g->n_unit;
	}
	return *at - 1;
}

/* The key under which a pattern's prefix is counted. */
static const char *
prefix_key(struct filling *f, const struct graph_pred *p, const struct graph_atom *a,
    size_t *ret_len)
{
	char *key = arena_alloc(&f->g->arena, sizeof(p->operand) + a->len);

	if (key) {
		memcpy(key, &p->operand, sizeof(p->operand));
		memcpy(key + sizeof(p->operand), a->s, a->len);
	}
	*ret_len = sizeof(p->operand) + a->len;
	return key;
}

/* Patterns that share their prefix with many are all compared where it is met; then their
 * longest literal part tells more, though finding it takes a look at the whole value. */
static bool
spread_patterns(struct filling *f)
{
	struct graph *g = f->g;
	struct map shared;
	bool ok = true;

	map_init(&shared);
	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; ok && i < g->n_pred; i++) {
			const struct graph_pred *p = &g->pred[i];
			for (uint32_t k = 0; ok && k < p->n_atom; k++) {
				struct graph_atom *a = &g->atom[p->atom + k];
				size_t len;
				if (a->family != FAMILY_PREFIX || !a->verify ||
				    !a->rest_len)
					continue;
				const char *key = prefix_key(f, p, a, &len);
				if (!key) {
					ok = false;
					break;
				}
				uintptr_t n = (uintptr_t)map_get(&shared, key, len);
				if (round == 0)
					ok = map_put(&shared, key, len, (void *)(n + 1));
				else if (n > PATTERNS_SHARING) {
					a->family = FAMILY_SUBSTR;
					a->s = a->rest;
					a->len = a->rest_len;
				}
			}
		}
	}
	map_release(&shared);
	return ok || err_nomem(f->err);
}

/* Which units exist and how many keys each has. */
static void
count_keys(struct filling *f)
{
	struct graph *g = f->g;

	for (uint32_t i = 0; i < g->n_pred; i++) {
		const struct graph_pred *p = &g->pred[i];
		if (p->kind == PRED_RANK)
			g->unit[unit_get(f, p->operand, FAMILY_NUMBER)].n_key++;
		for (uint32_t a = 0; a < p->n_atom; a++) {
			const struct graph_atom *atom = &g->atom[p->atom + a];
			struct graph_unit *u =
			    &g->unit[unit_get(f, p->operand, atom->family)];
			u->n_key++;
			g->n_verify += atom->verify || atom->family == FAMILY_REGEX;
		}
		if (p->kind == PRED_ALL)
			g->unit[unit_get(f, p->operand,
				    p->n_atom ? g->atom[p->atom].family : FAMILY_HASH)]
			    .n_all++;
	}
}

static bool
allocate_keys(struct filling *f)
{
	struct graph *g = f->g;

	g->verify = arena_array(&g->arena, (size_t)g->n_verify + 1, sizeof(*g->verify));
	if (!g->verify)
		return err_nomem(f->err);
	for (uint32_t i = 0; i < g->n_unit; i++) {
		struct graph_unit *u = &g->unit[i];
		u->key = arena_array(&g->arena, (size_t)u->n_key + 1, sizeof(*u->key));
		u->all = arena_array(&g->arena, (size_t)u->n_all + 1, sizeof(*u->all));
		if (!u->key || !u->all)
			return err_nomem(f->err);
		u->n_key = u->n_all = 0;
	}
	g->n_verify = 0;
	return true;
}

/* Atoms are sorted by family: each family of a predicate is met once, mostly. */
static void
pred_unit(struct graph *g, struct graph_pred *p, uint32_t unit)
{
	if (p->n_unit && g->pred_unit[g->n_pred_unit - 1] == unit)
		return;
	g->pred_unit[g->n_pred_unit++] = unit;
	p->n_unit++;
	if (p->n_group)
		g->unit[unit].guards = true;
}

static void
fill_keys(struct filling *f)
{
	struct graph *g = f->g;

	for (uint32_t i = 0; i < g->n_pred; i++) {
		struct graph_pred *p = &g->pred[i];
		p->unit = g->n_pred_unit;
		for (uint32_t a = 0; a < p->n_atom; a++) {
			const struct graph_atom *atom = &g->atom[p->atom + a];
			uint32_t unit = unit_get(f, p->operand, atom->family), post = i;
			struct graph_unit *u = &g->unit[unit];
			if (atom->verify || atom->family == FAMILY_REGEX) {
				g->verify[g->n_verify] = (struct graph_verify){
				    i, atom->op, atom->k, atom->rest, atom->rest_len};
				post = GRAPH_VERIFY | g->n_verify++;
			}
			u->key[u->n_key++] = (struct index_key){atom->s, atom->len, post};
			pred_unit(g, p, unit);
		}
		if (p->kind == PRED_RANK) {
			uint32_t unit = unit_get(f, p->operand, FAMILY_NUMBER);
			g->unit[unit].key[g->unit[unit].n_key++] = (struct index_key){
			    (const char *)&p->threshold, sizeof(p->threshold), i};
			pred_unit(g, p, unit);
		}
		if (p->kind == PRED_ALL) {
			uint32_t unit = unit_get(f, p->operand,
			    p->n_atom ? g->atom[p->atom].family : FAMILY_HASH);
			g->unit[unit].all[g->unit[unit].n_all++] = i;
			pred_unit(g, p, unit);
		}
	}
}

static bool
build_numbers(struct filling *f, struct graph_unit *u)
{
	struct graph *g = f->g;
	uint64_t *v = calloc((size_t)u->n_key + 1, sizeof(*v));

	if (!v)
		return err_nomem(f->err);
	for (uint32_t i = 0; i < u->n_key; i++)
		v[i] = g->pred[u->key[i].post].threshold;
	bool ok = index_number_build(&u->number, &g->arena, v, u->n_key, f->err);
	free(v);
	for (uint32_t i = 0; ok && i < u->n_key; i++) {
		struct graph_pred *p = &g->pred[u->key[i].post];
		p->rank = index_number_rank(&u->number, p->threshold) +
			  (p->op == REL_GT || p->op == REL_LE);
		p->below = p->op == REL_LT || p->op == REL_LE;
	}
	return ok;
}

static bool
build_unit(struct filling *f, struct graph_unit *u)
{
	struct arena *arena = &f->g->arena;

	switch (u->family) {
	case FAMILY_HASH:
		return index_hash_build(&u->hash, arena, u->key, u->n_key, f->err);
	case FAMILY_NUMBER:
		return build_numbers(f, u);
	case FAMILY_PREFIX:
		return index_trie_build(&u->trie, arena, 0, u->key, u->n_key, f->err);
	case FAMILY_SUFFIX:
		return index_trie_build(
		    &u->trie, arena, INDEX_REVERSED, u->key, u->n_key, f->err);
	case FAMILY_SUBSTR:
		return index_trie_build(
		    &u->trie, arena, INDEX_ANYWHERE, u->key, u->n_key, f->err);
	case FAMILY_ISUBSTR:
		return index_trie_build(&u->trie, arena, INDEX_ANYWHERE | INDEX_FOLDED,
		    u->key, u->n_key, f->err);
	case FAMILY_PATH:
		return index_path_build(&u->path, arena, u->key, u->n_key, f->err);
	case FAMILY_NET:
		return index_net_build(&u->net, arena, u->key, u->n_key, f->err);
	case FAMILY_REGEX:
		return index_regex_build(&u->regex, arena, u->key, u->n_key, f->err);
	default:
		return true;
	}
}

bool
graph_build_units(struct graph *g, struct err *err)
{
	struct filling f = {.g = g, .err = err};
	bool ok;

	f.unit_of = calloc((size_t)g->n_operand * FAMILY_N + 1, sizeof(*f.unit_of));
	g->unit =
	    arena_array(&g->arena, (size_t)g->n_operand * FAMILY_N + 1, sizeof(*g->unit));
	/* A predicate has at most one unit for each of its atoms, and two without any. */
	g->pred_unit = arena_array(
	    &g->arena, (size_t)g->n_atom + g->n_pred + 1, sizeof(*g->pred_unit));
	if (!f.unit_of || !g->unit || !g->pred_unit) {
		free(f.unit_of);
		return err_nomem(err);
	}
	ok = spread_patterns(&f);
	if (ok) {
		count_keys(&f);
		ok = allocate_keys(&f);
	}
	if (ok)
		fill_keys(&f);
	for (uint32_t i = 0; ok && i < g->n_unit; i++)
		ok = build_unit(&f, &g->unit[i]);
	free(f.unit_of);
	return ok;
}
