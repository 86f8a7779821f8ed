/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A check holds only when its operand has a value. So every check implies "exists", and
 * none is implied by the negation of another.
 */
#include "rules/shadow_check.h"

#include <string.h>

#include "base/hash.h"
#include "rules/rel.h"

enum {
	/* A set of so many is compared with another; what is larger is not looked into.
	 */
	SET_MAX = 256,
	SCRATCH_BYTES = 1 << 20,
};

/* Depth is bounded by the parser's. */
uint64_t
operand_hash(const struct operand *o)
{
	uint64_t h = hash_u64((uint64_t)o->kind << 32 | o->slot);

	if (o->kind == OPERAND_LITERAL)
		return h ^ hash_bytes(o->literal.s, o->literal.n);
	if (o->kind == OPERAND_TRANSFORM)
		h = hash_u64(
		    h ^ ((uint64_t)o->transform << 8 | (unsigned char)o->option));
	for (uint32_t i = 0; i < o->n; i++)
		h = hash_u64(h + operand_hash(o->arg[i]));
	return h;
}

static bool
operand_same(const struct operand *a, const struct operand *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind || a->n != b->n)
		return false;
	if (a->kind == OPERAND_SLOT)
		return a->slot == b->slot;
	if (a->kind == OPERAND_LITERAL)
		return a->literal.n == b->literal.n &&
		       memcmp(a->literal.s, b->literal.s, a->literal.n) == 0;
	if (a->kind == OPERAND_TRANSFORM &&
	    (a->transform != b->transform || a->option != b->option))
		return false;
	for (uint32_t i = 0; i < a->n; i++) {
		if (!operand_same(a->arg[i], b->arg[i]))
			return false;
	}
	return true;
}

/* One value of a type whose comparisons with constants are understood here. */
static bool
is_plain(const struct check *k)
{
	const struct operand *o = k->lhs;

	return !k->rhs && !o->list &&
	       (o->type == VALUE_CHARBUF || value_type_is_number(o->type));
}

/* Its values, one by one: it is "=" or "in". */
static bool
is_finite(const struct check *k)
{
	return is_plain(k) && k->modifier == MODIFIER_NONE && k->n_constant > 0 &&
	       k->n_constant <= SET_MAX &&
	       (k->op == REL_EQ || k->op == REL_IN || k->op == REL_INTERSECTS);
}

/* As eval_check, for one value that is there. */
static bool
holds_for(const struct check *k, const struct scalar *v, struct arena *scratch)
{
	enum value_type type = k->lhs->type;
	uint64_t oddities = 0;
	uint32_t hits = 0;

	switch (k->op) {
	case REL_EXISTS:
		return true;
	case REL_IN:
	case REL_INTERSECTS:
		for (uint32_t i = 0; i < k->n_constant; i++)
			hits += rel_is_member(type, v, &k->constant[i]);
		return hits > 0;
	case REL_PMATCH:
		for (uint32_t i = 0; i < k->n_constant; i++)
			hits += rel_path_match(v->s, k->constant[i].s);
		return hits > 0;
	default:
		break;
	}
	for (uint32_t i = 0; i < k->n_constant; i++)
		hits += rel_compare(k->op, type, v, &k->constant[i], scratch, &oddities);
	switch (k->modifier) {
	case MODIFIER_ONEOF:
		return hits == 1;
	case MODIFIER_ALLOF:
		return hits == k->n_constant && hits > 0;
	default:
		return hits > 0;
	}
}

/* Does b hold for all values of a, or (wanted false) for none? */
static bool
all_values(const struct check *a, const struct check *b, bool wanted)
{
	struct arena scratch;
	bool all = true;

	arena_init(&scratch, SCRATCH_BYTES);
	for (uint32_t i = 0; all && i < a->n_constant; i++) {
		const struct constant *c = &a->constant[i];
		const struct scalar v = {.num = c->num, .s = c->s, .len = c->len};
		all = holds_for(b, &v, &scratch) == wanted;
	}
	arena_release(&scratch);
	return all;
}

/* Numbers from first to last, as their order goes. */
struct range {
	uint64_t first, last;
	bool is_empty;
};

static bool
range_of(const struct check *k, struct range *ret)
{
	/* Moves signed numbers so that they are ordered as unsigned ones. */
	uint64_t shift = value_type_is_signed(k->lhs->type) ? 1ull << 63 : 0, c;

	if (!is_plain(k) || !value_type_is_number(k->lhs->type) || k->n_constant != 1 ||
	    k->modifier != MODIFIER_NONE)
		return false;
	c = k->constant[0].num ^ shift;
	*ret = (struct range){0, UINT64_MAX, false};
	switch (k->op) {
	case REL_LT:
		ret->is_empty = c == 0;
		ret->last = c - 1;
		return true;
	case REL_LE:
		ret->last = c;
		return true;
	case REL_GT:
		ret->is_empty = c == UINT64_MAX;
		ret->first = c + 1;
		return true;
	case REL_GE:
		ret->first = c;
		return true;
	case REL_EQ:
		ret->first = ret->last = c;
		return true;
	default:
		return false;
	}
}

static bool
is_text(const struct check *k)
{
	return is_plain(k) && k->lhs->type == VALUE_CHARBUF && k->n_constant == 1 &&
	       k->modifier == MODIFIER_NONE;
}

static bool
starts_with(const struct constant *s, const struct constant *part)
{
	return s->len >= part->len && memcmp(s->s, part->s, part->len) == 0;
}

static bool
ends_with(const struct constant *s, const struct constant *part)
{
	return s->len >= part->len &&
	       memcmp(s->s + s->len - part->len, part->s, part->len) == 0;
}

static bool
text_implies(const struct check *a, const struct check *b)
{
	const struct constant *x = &a->constant[0], *y = &b->constant[0];

	if (!is_text(a) || !is_text(b))
		return false;
	if (a->op != REL_STARTSWITH && a->op != REL_ENDSWITH && a->op != REL_CONTAINS)
		return false;
	if (b->op == REL_CONTAINS)
		return memmem(x->s, x->len, y->s, y->len) != NULL;
	if (a->op != b->op)
		return false;
	return a->op == REL_STARTSWITH ? starts_with(x, y)
	       : a->op == REL_ENDSWITH ? ends_with(x, y)
				       : false;
}

static bool
text_excludes(const struct check *a, const struct check *b)
{
	const struct constant *x, *y;

	if (!is_text(a) || !is_text(b) || a->op != b->op)
		return false;
	x = &a->constant[0];
	y = &b->constant[0];
	if (a->op == REL_STARTSWITH)
		return !starts_with(x, y) && !starts_with(y, x);
	return a->op == REL_ENDSWITH && !ends_with(x, y) && !ends_with(y, x);
}

bool
check_implies(const struct check *a, const struct check *b)
{
	struct range x, y;

	if (a == b || strcmp(a->text, b->text) == 0)
		return true;
	if (!operand_same(a->lhs, b->lhs))
		return false;
	if (b->op == REL_EXISTS)
		return true;
	if (!is_plain(a) || !is_plain(b) || a->op == REL_EXISTS)
		return false;
	if (is_finite(a))
		return all_values(a, b, true);
	if (range_of(a, &x)) {
		if (x.is_empty)
			return true;
		if (range_of(b, &y))
			return !y.is_empty && x.first >= y.first && x.last <= y.last;
	}
	/* It differs from c when a does not hold for c. */
	if (b->op == REL_NE && b->modifier == MODIFIER_NONE && b->n_constant == 1)
		return all_values(b, a, false);
	return text_implies(a, b);
}

bool
check_excludes(const struct check *a, const struct check *b)
{
	struct range x, y;

	if (!operand_same(a->lhs, b->lhs) || !is_plain(a) || !is_plain(b))
		return false;
	if (is_finite(a))
		return all_values(a, b, false);
	if (is_finite(b))
		return all_values(b, a, false);
	if (range_of(a, &x) && range_of(b, &y))
		return x.is_empty || y.is_empty || x.last < y.first || y.last < x.first;
	return text_excludes(a, b);
}
