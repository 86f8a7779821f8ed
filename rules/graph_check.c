/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a check to predicates: which index family decides which operator, type and
 * constant exactly as rel.h does. Where none does, or where it would be wrong for some
 * value, the predicate stays plain.
 */
#include <stdlib.h>
#include <string.h>

#include "rules/graph_build.h"

enum {
	LITERAL_MIN =
	    3, /* bytes that a required part of a pattern must have to be sought */
};

static bool
atom_add(struct graph_build *b, struct graph_atom a)
{
	if (!graph_grow(b, &b->atoms, b->n_atoms, &b->cap_atoms, sizeof(*b->atoms)))
		return false;
	b->atoms[b->n_atoms++] = a;
	return true;
}

/* What tells atoms of one family apart. */
static void
identity(const struct graph_atom *a, const char **ret_s, uint32_t *ret_len)
{
	*ret_s = a->verify ? a->k->s : a->s;
	*ret_len = a->verify ? a->k->len : a->len;
}

static int
by_identity(const void *x, const void *y)
{
	const struct graph_atom *a = x, *b = y;
	const char *s, *t;
	uint32_t n, m;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->verify != b->verify)
		return a->verify ? 1 : -1;
	if (a->verify && a->op != b->op)
		return a->op < b->op ? -1 : 1;
	identity(a, &s, &n);
	identity(b, &t, &m);
	int o = memcmp(s, t, n < m ? n : m);
	return o ? o : (n > m) - (n < m);
}

static void
key_number(struct buf *key, uint32_t v)
{
	buf_add(key, &v, sizeof(v));
}

static void
key_start(struct graph_build *b, enum graph_pred_kind kind, uint32_t operand)
{
	buf_clear(&b->key);
	buf_addc(&b->key, 'p');
	key_number(&b->key, kind);
	key_number(&b->key, operand);
}

/* The predicate of b->atoms[first ..], which it takes. */
static uint32_t
intern_atoms(struct graph_build *b, const struct check *k, enum graph_pred_kind kind,
    uint32_t operand, uint32_t first)
{
	struct graph *g = b->g;
	struct graph_atom *a = b->atoms + first;
	uint32_t n = 0, count = b->n_atoms - first, nodes = g->n_pred;
	struct graph_pred p = {
	    .kind = kind,
	    .operand = operand,
	    .source = g->operand[operand].source,
	    .check = k,
	    .atom = g->n_atom,
	};

	if (count)
		qsort(a, count, sizeof(*a), by_identity);
	for (uint32_t i = 0; i < count; i++) {
		if (n == 0 || by_identity(&a[i], &a[n - 1]) != 0)
			a[n++] = a[i];
	}
	b->n_atoms = first;
	key_start(b, kind, operand);
	for (uint32_t i = 0; i < n; i++) {
		const char *s;
		uint32_t len;
		identity(&a[i], &s, &len);
		key_number(&b->key, a[i].family);
		key_number(&b->key, a[i].verify ? a[i].op + 1u : 0);
		key_number(&b->key, len);
		buf_add(&b->key, s, len);
	}
	p.n_atom = n;
	uint32_t node = graph_intern_pred(b, &p);
	if (node == GRAPH_NONE || g->n_pred == nodes)
		return node;
	for (uint32_t i = 0; i < n; i++) {
		if (!graph_grow(b, &g->atom, g->n_atom, &b->cap_atom, sizeof(*g->atom)))
			return GRAPH_NONE;
		g->atom[g->n_atom++] = a[i];
	}
	return node;
}

/* The check to the byte. Its text would not do: it does not tell a literal from a field.
 */
static bool
key_check(struct graph_build *b, const struct check *k, char what)
{
	uint32_t lhs = graph_intern_operand(b, k->lhs);
	uint32_t rhs = k->rhs ? graph_intern_operand(b, k->rhs) : GRAPH_NONE;

	if (lhs == GRAPH_NONE || (k->rhs && rhs == GRAPH_NONE))
		return false;
	buf_clear(&b->key);
	buf_addc(&b->key, what);
	key_number(&b->key, k->op);
	key_number(&b->key, k->modifier);
	key_number(&b->key, lhs);
	key_number(&b->key, rhs);
	for (uint32_t i = 0; i < k->n_constant; i++) {
		const struct constant *c = &k->constant[i];
		buf_add(&b->key, &c->num, sizeof(c->num));
		key_number(&b->key, c->prefix);
		key_number(&b->key, c->len);
		buf_add(&b->key, c->s, c->len);
	}
	return true;
}

static uint32_t
intern_plain(struct graph_build *b, const struct check *k)
{
	struct graph_pred p = {.kind = PRED_PLAIN, .operand = GRAPH_NONE, .check = k};

	if (!key_check(b, k, 'P') || !graph_source_of(b, k->lhs, k->rhs, &p.source))
		return GRAPH_NONE;
	return graph_intern_pred(b, &p);
}

static uint32_t
intern_presence(struct graph_build *b, const struct check *k, uint32_t operand,
    enum graph_family family)
{
	uint32_t first = b->n_atoms;

	if (!atom_add(b, (struct graph_atom){.family = family, .s = ""}))
		return GRAPH_NONE;
	return intern_atoms(b, k, PRED_ANY, operand, first);
}

/* x is there, and not node. */
static uint32_t
intern_present_but_not(
    struct graph_build *b, const struct check *k, uint32_t operand, uint32_t node)
{
	uint32_t pair[2];

	if (node == GRAPH_NONE)
		return GRAPH_NONE;
	pair[0] = intern_presence(b, k, operand,
	    value_type_is_ip(k->lhs->type) ? FAMILY_VALID : FAMILY_PRESENT);
	pair[1] = graph_intern_not(b, node);
	if (pair[0] == GRAPH_NONE || pair[1] == GRAPH_NONE)
		return GRAPH_NONE;
	return graph_intern_group(b, COND_AND, pair, 2);
}

static uint32_t
intern_rank(struct graph_build *b, const struct check *k, uint32_t operand)
{
	struct graph_pred p = {
	    .kind = PRED_RANK,
	    .op = k->op,
	    .operand = operand,
	    .source = b->g->operand[operand].source,
	    .check = k,
	    .threshold =
		index_number_key(k->constant[0].num, value_type_is_signed(k->lhs->type)),
	};

	key_start(b, PRED_RANK, operand);
	key_number(&b->key, k->op);
	buf_add(&b->key, &p.threshold, sizeof(p.threshold));
	return graph_intern_pred(b, &p);
}

/* The value equals the constant, or is in its network. */
static bool
atom_equal(struct graph_build *b, const struct operand *o, const struct constant *k,
    struct graph_atom *ret)
{
	*ret = (struct graph_atom){
	    .family = FAMILY_HASH, .op = REL_EQ, .s = k->s, .len = k->len, .k = k};
	if (value_type_is_number(o->type)) {
		ret->s = (const char *)&k->num;
		ret->len = sizeof(k->num);
	} else if (o->type == VALUE_IPNET) {
		char *s = arena_alloc(&b->g->arena, k->len + 1);
		if (!s)
			return err_nomem(b->err);
		memcpy(s, k->s, k->len);
		s[k->len] = (char)k->prefix;
		ret->family = FAMILY_NET;
		ret->s = s;
		ret->len = k->len + 1;
	}
	return true;
}

/* The longest run without any of stop, up to the first of end. */
static uint32_t
longest_run(
    const char *s, uint32_t n, const char *stop, const char *end, const char **ret)
{
	uint32_t best = 0, run = 0;

	for (uint32_t i = 0; i < n && !strchr(end, s[i]); i++) {
		run = strchr(stop, s[i]) ? 0 : run + 1;
		if (run > best) {
			best = run;
			*ret = s + i + 1 - run;
		}
	}
	return best;
}

static bool
atom_glob(const struct constant *k, struct graph_atom *ret)
{
	const char *s = k->s;
	uint32_t n = k->len, head = (uint32_t)strcspn(s, "*?[\\");
	bool star_first = n > 1 && s[0] == '*', star_last = n > 0 && s[n - 1] == '*';
	uint32_t inner = (uint32_t)strcspn(s + star_first, "*?[\\") + star_first;

	*ret = (struct graph_atom){
	    .family = FAMILY_HASH, .op = REL_GLOB, .s = s, .len = n, .k = k};
	if (head == n)
		return true;
	if (inner == n || (inner == n - 1 && star_last)) {
		ret->family =
		    star_first ? star_last && inner != n ? FAMILY_SUBSTR : FAMILY_SUFFIX
			       : FAMILY_PREFIX;
		ret->s = s + star_first;
		ret->len = inner - star_first;
		return true;
	}
	ret->verify = true;
	uint32_t run = longest_run(s, n, "*?", "[\\", &ret->rest);
	if (head > 0) {
		ret->family = FAMILY_PREFIX;
		ret->len = head;
		ret->rest_len = run > head ? run : 0;
		return true;
	}
	ret->family = FAMILY_SUBSTR;
	ret->s = ret->rest;
	ret->len = run;
	return run >= LITERAL_MIN;
}

static bool
atom_iglob(const struct constant *k, struct graph_atom *ret)
{
	*ret = (struct graph_atom){
	    .family = FAMILY_ISUBSTR, .op = REL_IGLOB, .verify = true, .k = k};
	ret->len = longest_run(k->s, k->len, "*?", "[\\", &ret->s);
	return ret->len >= LITERAL_MIN;
}

static void
atom_regex(const struct constant *k, struct graph_atom *ret)
{
	*ret = (struct graph_atom){
	    .family = FAMILY_SUBSTR, .op = REL_REGEX, .verify = true, .k = k};
	ret->len = index_regex_literal(k->s, k->len, &ret->s);
	if (ret->len >= LITERAL_MIN)
		return;
	ret->family = FAMILY_REGEX;
	ret->s = k->s;
	ret->len = k->len;
}

/* Components before the first with a wildcard lead to the rest. */
static void
atom_path(const struct constant *k, struct graph_atom *ret)
{
	uint32_t at = 0, n = (uint32_t)strcspn(k->s, "*?[");

	*ret = (struct graph_atom){
	    .family = FAMILY_PATH, .op = REL_PMATCH, .s = k->s, .len = k->len, .k = k};
	if (n == k->len)
		return;
	for (uint32_t i = 0; i < n; i++) {
		if (k->s[i] == '/')
			at = i + 1;
	}
	ret->len = at;
	ret->verify = true;
}

/* One operator, one constant. false: no index decides it (or memory: err is set). */
static bool
atom_make(struct graph_build *b, const struct operand *o, enum rel_op op,
    const struct constant *k, struct graph_atom *ret)
{
	enum graph_family family;

	switch (op) {
	case REL_EQ:
		return atom_equal(b, o, k, ret);
	case REL_CONTAINS:
	case REL_BCONTAINS:
		family = FAMILY_SUBSTR;
		break;
	case REL_ICONTAINS:
		family = FAMILY_ISUBSTR;
		break;
	case REL_STARTSWITH:
	case REL_BSTARTSWITH:
		family = FAMILY_PREFIX;
		break;
	case REL_ENDSWITH:
		family = FAMILY_SUFFIX;
		break;
	case REL_GLOB:
		return atom_glob(k, ret);
	case REL_IGLOB:
		return atom_iglob(k, ret);
	case REL_REGEX:
		atom_regex(k, ret);
		return true;
	case REL_PMATCH:
		atom_path(k, ret);
		return true;
	default:
		return false;
	}
	*ret = (struct graph_atom){
	    .family = family, .op = op, .s = k->s, .len = k->len, .k = k};
	return true;
}

/* "x op anyof (constants)", of which set[n] are meant; GRAPH_NONE and no error: plain. */
static uint32_t
intern_any(struct graph_build *b, const struct check *k, enum graph_pred_kind kind,
    enum rel_op op, const struct constant *set, uint32_t n, uint32_t operand,
    bool *ret_plain)
{
	uint32_t first = b->n_atoms;
	struct graph_atom a;

	for (uint32_t i = 0; i < n; i++) {
		if (!atom_make(b, k->lhs, op, &set[i], &a)) {
			b->n_atoms = first;
			*ret_plain = true;
			return GRAPH_NONE;
		}
		if (!atom_add(b, a))
			return GRAPH_NONE;
	}
	return intern_atoms(b, k, kind, operand, first);
}

static bool
constants_equal(const struct check *k, uint32_t i, uint32_t j)
{
	const struct constant *x = &k->constant[i], *y = &k->constant[j];

	return value_type_is_number(k->lhs->type)
		   ? x->num == y->num
		   : x->len == y->len && memcmp(x->s, y->s, x->len) == 0;
}

static bool
constants_are_distinct(const struct check *k)
{
	/* The lists are short where this is asked: longer ones stay plain. */
	if (k->n_constant > 64)
		return false;
	for (uint32_t i = 1; i < k->n_constant; i++) {
		for (uint32_t j = 0; j < i; j++) {
			if (constants_equal(k, i, j))
				return false;
		}
	}
	return true;
}

/* x op allof (a, b): x op a and x op b. */
static uint32_t
intern_each(
    struct graph_build *b, const struct check *k, uint32_t operand, bool *ret_plain)
{
	uint32_t first = b->n_stack;

	for (uint32_t i = 0; i < k->n_constant; i++) {
		uint32_t node = intern_any(
		    b, k, PRED_ANY, k->op, &k->constant[i], 1, operand, ret_plain);
		if (node == GRAPH_NONE || !graph_grow(b, &b->stack, b->n_stack,
					      &b->cap_stack, sizeof(*b->stack))) {
			b->n_stack = first;
			return GRAPH_NONE;
		}
		b->stack[b->n_stack++] = node;
	}
	b->n_stack = first;
	return graph_intern_group(b, COND_AND, b->stack + first, k->n_constant);
}

static uint32_t
intern_modified(
    struct graph_build *b, const struct check *k, uint32_t operand, bool *ret_plain)
{
	const struct constant *set = k->constant;
	uint32_t n = k->n_constant;

	*ret_plain = k->op == REL_IN || k->op == REL_INTERSECTS || k->op == REL_PMATCH;
	if (*ret_plain)
		return GRAPH_NONE;
	if (n == 0 || k->modifier == MODIFIER_ANYOF)
		return k->op == REL_NE && n ? (*ret_plain = true, GRAPH_NONE)
					    : intern_any(b, k, PRED_ANY, k->op, set, n,
						  operand, ret_plain);
	if (k->modifier == MODIFIER_ALLOF && k->op == REL_NE)
		return intern_present_but_not(b, k, operand,
		    intern_any(b, k, PRED_ANY, REL_EQ, set, n, operand, ret_plain));
	if (k->modifier == MODIFIER_ALLOF)
		return intern_each(b, k, operand, ret_plain);
	/* oneof: at most one of distinct constants can equal the value. */
	if (k->op == REL_EQ && k->lhs->type != VALUE_IPNET && constants_are_distinct(k))
		return intern_any(b, k, PRED_ANY, k->op, set, n, operand, ret_plain);
	*ret_plain = true;
	return GRAPH_NONE;
}

static uint32_t
intern_scalar(
    struct graph_build *b, const struct check *k, uint32_t operand, bool *ret_plain)
{
	const struct constant *set = k->constant;
	uint32_t n = k->n_constant;

	if (k->modifier != MODIFIER_NONE)
		return intern_modified(b, k, operand, ret_plain);
	switch (k->op) {
	case REL_IN:
	case REL_INTERSECTS:
		return intern_any(b, k, PRED_ANY, REL_EQ, set, n, operand, ret_plain);
	case REL_PMATCH:
		return intern_any(b, k, PRED_ANY, REL_PMATCH, set, n, operand, ret_plain);
	case REL_NE:
		return intern_present_but_not(b, k, operand,
		    intern_any(
			b, k, PRED_ANY, REL_EQ, set, n ? 1 : 0, operand, ret_plain));
	case REL_LT:
	case REL_LE:
	case REL_GT:
	case REL_GE:
		if (b->g->operand[operand].number && n)
			return intern_rank(b, k, operand);
		*ret_plain = true;
		return GRAPH_NONE;
	default:
		return intern_any(
		    b, k, PRED_ANY, k->op, set, n ? 1 : 0, operand, ret_plain);
	}
}

static uint32_t
intern_check(struct graph_build *b, const struct check *k)
{
	const struct operand *o = k->lhs;
	bool plain = false;

	if (k->rhs || o->type == VALUE_OTHER)
		return intern_plain(b, k);
	uint32_t operand = graph_intern_operand(b, o);
	if (operand == GRAPH_NONE)
		return GRAPH_NONE;
	if (k->op == REL_EXISTS)
		return intern_presence(b, k, operand, FAMILY_PRESENT);
	/* A string with a NUL inside equals what is before it, but is not in a set. */
	if (!o->list && value_type_is_string(o->type) && !b->g->operand[operand].cstring)
		return intern_plain(b, k);
	uint32_t node = o->list ? intern_any(b, k, k->op == REL_IN ? PRED_ALL : PRED_ANY,
				      REL_EQ, k->constant, k->n_constant, operand, &plain)
				: intern_scalar(b, k, operand, &plain);
	return plain ? intern_plain(b, k) : node;
}

uint32_t
graph_intern_check(struct graph_build *b, const struct check *k)
{
	if (!key_check(b, k, 'c'))
		return GRAPH_NONE;
	uint32_t known = graph_key_find(b);
	if (known != GRAPH_NONE)
		return known;
	uint32_t node = intern_check(b, k);
	if (node == GRAPH_NONE || !key_check(b, k, 'c') || !graph_key_put(b, node))
		return GRAPH_NONE;
	return node;
}
