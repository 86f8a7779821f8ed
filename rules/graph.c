/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rules/builtin.h"
#include "rules/graph_build.h"
#include "rules/plan.h"

static const struct {
	const char *name;
	uint32_t cost;
} families[] = {
#define GRAPH_ROW(id, name, cost) {name, cost},
    GRAPH_FAMILIES(GRAPH_ROW)
#undef GRAPH_ROW
};

const char *
graph_family_name(enum graph_family family)
{
	return families[family].name;
}

uint32_t
graph_family_cost(enum graph_family family)
{
	return families[family].cost;
}

bool
graph_grow(
    struct graph_build *b, void *array, uint32_t n, uint32_t *cap, size_t size_bytes)
{
	void **p = array;

	if (n < *cap)
		return true;
	if (n > GRAPH_NONE / 4)
		return err_set(b->err, ERR_LIMIT, "the rules' conditions are too large");
	uint32_t more = *cap ? *cap * 2 : 64;
	void *grown = reallocarray(*p, more, size_bytes);
	if (!grown)
		return err_nomem(b->err);
	*p = grown;
	*cap = more;
	return true;
}

static void
key_start(struct graph_build *b, char what)
{
	buf_clear(&b->key);
	buf_addc(&b->key, what);
}

static void
key_add(struct graph_build *b, uint32_t v)
{
	buf_add(&b->key, &v, sizeof(v));
}

uint32_t
graph_key_find(const struct graph_build *b)
{
	if (b->key
		.failed) /* cut: it might look like another; graph_key_put will say so */
		return GRAPH_NONE;
	return (uint32_t)(uintptr_t)map_get(&b->by_key, b->key.data, b->key.len) - 1;
}

bool
graph_key_put(struct graph_build *b, uint32_t v)
{
	const char *key =
	    b->key.failed ? NULL : arena_strndup(&b->keys, b->key.data, b->key.len);

	if (!key || !map_put(&b->by_key, key, b->key.len, (void *)((uintptr_t)v + 1)))
		return err_nomem(b->err);
	return true;
}

/* What slots an operand reads, and what that makes of it. */
struct reads {
	struct graph_build *b;
	uint32_t first;
	bool constant, list, ours;
	bool failed;
};

static void
read_operand(struct reads *r, const struct operand *o)
{
	struct graph *g = r->b->g;

	for (uint32_t i = 0; i < o->n; i++)
		read_operand(r, o->arg[i]);
	if (o->kind != OPERAND_SLOT || r->failed)
		return;
	const struct slot *s = &g->rs->slots->slot[o->slot];
	const struct field *f = s->ref.field;
	if (f->provider == PROVIDER_STATIC || f->provider == PROVIDER_BUILTIN) {
		r->ours = true;
		if (f->provider == PROVIDER_BUILTIN && f->field_id != EVT_FIELD_NONE &&
		    f->field_id != EVT_FIELD_SOURCE && f->field_id != EVT_FIELD_HOSTNAME)
			r->constant = false;
		return;
	}
	r->constant = false;
	r->list |= o->list;
	for (uint32_t i = r->first; i < g->n_slot; i++) {
		if (g->slot[i] == o->slot)
			return;
	}
	if (!graph_grow(r->b, &g->slot, g->n_slot, &r->b->cap_slot, sizeof(*g->slot))) {
		r->failed = true;
		return;
	}
	g->slot[g->n_slot++] = o->slot;
}

bool
graph_source_of(struct graph_build *b, const struct operand *x, const struct operand *y,
    struct graph_source *ret)
{
	struct graph *g = b->g;
	struct reads r = {.b = b, .first = g->n_slot, .constant = true};

	if (x)
		read_operand(&r, x);
	if (y)
		read_operand(&r, y);
	if (r.failed)
		return false;
	*ret = (struct graph_source){
	    .slot = r.first,
	    .n_slot = g->n_slot - r.first,
	    .base = GRAPH_NONE,
	    .constant = r.constant,
	};
	if (ret->n_slot == 1 && !r.list && !r.ours)
		ret->base = g->slot[r.first];
	return true;
}

/* Only base64 makes NULs. */
static bool
is_cstring(const struct operand *o)
{
	if (o->kind == OPERAND_TRANSFORM && o->transform == TRANSFORM_B64)
		return false;
	if (o->kind == OPERAND_LITERAL && memchr(o->literal.s, '\0', o->literal.n))
		return false;
	for (uint32_t i = 0; i < o->n; i++) {
		if (!is_cstring(o->arg[i]))
			return false;
	}
	return true;
}

uint32_t
graph_intern_operand(struct graph_build *b, const struct operand *o)
{
	struct graph *g = b->g;
	uint32_t first = b->n_stack;

	for (uint32_t i = 0; i < o->n; i++) {
		uint32_t arg = graph_intern_operand(b, o->arg[i]);
		if (arg == GRAPH_NONE || !graph_grow(b, &b->stack, b->n_stack,
					     &b->cap_stack, sizeof(*b->stack)))
			return GRAPH_NONE;
		b->stack[b->n_stack++] = arg;
	}
	key_start(b, 'o');
	key_add(b, o->kind);
	key_add(b, o->kind == OPERAND_SLOT ? o->slot : o->transform);
	key_add(b, (unsigned char)o->option);
	for (uint32_t i = first; i < b->n_stack; i++)
		key_add(b, b->stack[i]);
	if (o->kind == OPERAND_LITERAL)
		buf_add(&b->key, o->literal.s, o->literal.n);
	b->n_stack = first;
	uint32_t known = graph_key_find(b);
	if (known != GRAPH_NONE)
		return known;
	struct graph_operand made = {
	    .o = o, .number = value_type_is_number(o->type), .cstring = is_cstring(o)};
	if (!graph_source_of(b, o, NULL, &made.source) ||
	    !graph_grow(
		b, &g->operand, g->n_operand, &b->cap_operand, sizeof(*g->operand)) ||
	    !graph_key_put(b, g->n_operand))
		return GRAPH_NONE;
	g->operand[g->n_operand] = made;
	return g->n_operand++;
}

static uint32_t
add_node(struct graph_build *b, struct graph_node node)
{
	struct graph *g = b->g;

	if (!graph_grow(b, &g->node, g->n_node, &b->cap_node, sizeof(*g->node)) ||
	    !graph_key_put(b, g->n_node))
		return GRAPH_NONE;
	node.shared = GRAPH_NONE;
	g->node[g->n_node] = node;
	return g->n_node++;
}

/* child[n] in the order given: sorted, so that equal sets have equal keys. */
static uint32_t
intern_node(struct graph_build *b, enum cond_kind kind, const uint32_t *child, uint32_t n)
{
	struct graph *g = b->g;

	key_start(b, 'n');
	key_add(b, kind);
	for (uint32_t i = 0; i < n; i++)
		key_add(b, child[i]);
	uint32_t known = graph_key_find(b), first = g->n_child;
	if (known != GRAPH_NONE)
		return known;
	for (uint32_t i = 0; i < n; i++) {
		if (!graph_grow(
			b, &g->child, g->n_child, &b->cap_child, sizeof(*g->child)))
			return GRAPH_NONE;
		g->child[g->n_child++] = child[i];
		g->node[child[i]].parents++;
	}
	return add_node(
	    b, (struct graph_node){.kind = kind, .child = first, .n_child = n});
}

static int
by_number(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return (a > b) - (a < b);
}

uint32_t
graph_intern_group(
    struct graph_build *b, enum cond_kind kind, uint32_t *child, uint32_t n)
{
	uint32_t kept = 0;

	qsort(child, n, sizeof(*child), by_number);
	for (uint32_t i = 0; i < n; i++) {
		if (i == 0 || child[i] != child[kept - 1])
			child[kept++] = child[i];
	}
	return kept == 1 ? child[0] : intern_node(b, kind, child, kept);
}

uint32_t
graph_intern_not(struct graph_build *b, uint32_t child)
{
	const struct graph_node *n = &b->g->node[child];

	return n->kind == COND_NOT ? b->g->child[n->child]
				   : intern_node(b, COND_NOT, &child, 1);
}

uint32_t
graph_intern_pred(struct graph_build *b, const struct graph_pred *p)
{
	struct graph *g = b->g;
	uint32_t known = graph_key_find(b);

	if (known != GRAPH_NONE)
		return known;
	if (!graph_grow(b, &g->pred, g->n_pred, &b->cap_pred, sizeof(*g->pred)))
		return GRAPH_NONE;
	g->pred[g->n_pred] = *p;
	return add_node(b, (struct graph_node){.kind = COND_CHECK, .pred = g->n_pred++});
}

static uint32_t
intern_cond(struct graph_build *b, const struct cond *c, uint32_t depth)
{
	uint32_t first = b->n_stack;

	if (depth > LIMIT_EXPR_DEPTH) {
		err_set(b->err, ERR_LIMIT,
		    "a condition nests deeper than %u after macros are put in",
		    LIMIT_EXPR_DEPTH);
		return GRAPH_NONE;
	}
	if (c->kind == COND_CHECK)
		return graph_intern_check(b, c->check);
	for (uint32_t i = 0; i < c->n; i++) {
		uint32_t child = intern_cond(b, c->child[i], depth + 1);
		if (child == GRAPH_NONE || !graph_grow(b, &b->stack, b->n_stack,
					       &b->cap_stack, sizeof(*b->stack)))
			return GRAPH_NONE;
		b->stack[b->n_stack++] = child;
	}
	uint32_t n = b->n_stack - first;
	b->n_stack = first;
	return c->kind == COND_NOT ? graph_intern_not(b, b->stack[first])
				   : graph_intern_group(b, c->kind, b->stack + first, n);
}

void
graph_visit(const struct graph *g, uint32_t node, uint32_t *mark, uint32_t stamp,
    void (*visit)(void *arg, uint32_t node), void *arg)
{
	const struct graph_node *n = &g->node[node];

	if (mark[node] == stamp)
		return;
	mark[node] = stamp;
	for (uint32_t i = 0; i < n->n_child; i++)
		graph_visit(g, g->child[n->child + i], mark, stamp, visit, arg);
	visit(arg, node);
}

/* Counts per rule: each node, predicate and slot once. */
struct census {
	struct graph *g;
	uint32_t *slot_mark, stamp;
};

static void
count_use(void *arg, uint32_t node)
{
	struct census *c = arg;
	struct graph_node *n = &c->g->node[node];

	n->uses++;
	if (n->kind != COND_CHECK)
		return;
	struct graph_pred *p = &c->g->pred[n->pred];
	p->uses++;
	for (uint32_t i = 0; i < p->source.n_slot; i++) {
		uint32_t slot = c->g->slot[p->source.slot + i];
		if (c->slot_mark[slot] != c->stamp)
			c->g->slot_rules[slot]++;
		c->slot_mark[slot] = c->stamp;
	}
}

static bool
count_uses(struct graph *g, struct err *err)
{
	struct census c = {.g = g};
	uint32_t *mark = calloc((size_t)g->n_node + 1, sizeof(*mark));

	c.slot_mark = calloc((size_t)g->rs->slots->n + 1, sizeof(*c.slot_mark));
	g->slot_rules =
	    arena_array(&g->arena, (size_t)g->rs->slots->n + 1, sizeof(*g->slot_rules));
	bool ok = mark && c.slot_mark && g->slot_rules;
	for (uint32_t r = 0; ok && r < g->rs->n_rule; r++) {
		c.stamp = r + 1;
		graph_visit(g, g->root[r], mark, c.stamp, count_use, &c);
	}
	free(mark);
	free(c.slot_mark);
	return ok || err_nomem(err);
}

/* Nodes that are met several times remember their value within a chunk. */
static void
number_shared(struct graph *g)
{
	for (uint32_t r = 0; r < g->rs->n_rule; r++)
		g->node[g->root[r]].parents++;
	for (uint32_t i = 0; i < g->n_gate; i++)
		g->node[g->gate[i].node].parents++;
	for (uint32_t i = 0; i < g->n_node; i++) {
		if (g->node[i].kind != COND_CHECK && g->node[i].parents > 1)
			g->node[i].shared = g->n_shared++;
	}
}

static bool
intern_rules(struct graph *g, struct err *err)
{
	struct graph_build b = {.g = g, .err = err};
	bool ok = true;

	arena_init(&b.keys, LIMIT_RULES_MEMORY);
	map_init(&b.by_key);
	/* A constant takes up to 16 bytes more than its text. */
	buf_init(&b.key, LIMIT_CONDITION_BYTES * 16ul);
	for (uint32_t r = 0; ok && r < g->rs->n_rule; r++) {
		g->root[r] = intern_cond(&b, g->rs->rule[r]->cond, 0);
		ok = g->root[r] != GRAPH_NONE;
	}
	map_release(&b.by_key);
	arena_release(&b.keys);
	buf_release(&b.key);
	free(b.stack);
	free(b.atoms);
	return ok;
}

struct graph *
graph_new(const struct ruleset *rs, struct err *err)
{
	struct graph *g = calloc(1, sizeof(*g));

	if (!g) {
		err_nomem(err);
		return NULL;
	}
	g->rs = rs;
	arena_init(&g->arena, LIMIT_RULES_MEMORY);
	g->root = arena_array(&g->arena, (size_t)rs->n_rule + 1, sizeof(*g->root));
	if (!g->root) {
		err_nomem(err);
		graph_free(g);
		return NULL;
	}
	if (!intern_rules(g, err) || !count_uses(g, err) || !graph_find_guards(g, err) ||
	    !graph_find_gates(g, err) || !plan_make(g, err) ||
	    !graph_build_units(g, err)) {
		graph_free(g);
		return NULL;
	}
	number_shared(g);
	g->memory_bytes =
	    g->arena.used_bytes + (size_t)g->n_operand * sizeof(*g->operand) +
	    (size_t)g->n_atom * sizeof(*g->atom) + (size_t)g->n_pred * sizeof(*g->pred) +
	    (size_t)g->n_node * sizeof(*g->node) +
	    ((size_t)g->n_slot + g->n_child) * sizeof(uint32_t);
	return g;
}

void
graph_free(struct graph *g)
{
	if (!g)
		return;
	for (uint32_t i = 0; i < g->n_unit; i++) {
		if (g->unit[i].family == FAMILY_REGEX)
			index_regex_release(&g->unit[i].regex);
	}
	free(g->operand);
	free(g->atom);
	free(g->pred);
	free(g->node);
	free(g->slot);
	free(g->child);
	arena_release(&g->arena);
	free(g);
}
