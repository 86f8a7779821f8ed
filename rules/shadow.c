/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/shadow.h"

#include <stdlib.h>

#include "base/hash.h"
#include "rules/shadow_check.h"

enum {
	PROOF_STEPS = 20000,      /* of one proof */
	ALL_STEPS = 20 * 1000000, /* of all: about a second */
	CONSTANTS_PER_STEP = 16,  /* pairs of constants compared */
};

/* A condition, or its negation. */
struct claim {
	const struct cond *cond;
	bool negated;
};

struct proof {
	uint32_t steps, left; /* of this proof, of all */
	/* The checks that exclude each other, when an exclusion was proved. */
	const struct check *one, *other;
};

static struct claim
strip(struct claim c)
{
	while (c.cond->kind == COND_NOT)
		c = (struct claim){c.cond->child[0], !c.negated};
	return c;
}

static struct claim
part(struct claim c, uint32_t i)
{
	return (struct claim){c.cond->child[i], c.negated};
}

static struct claim
opposite(struct claim c)
{
	return (struct claim){c.cond, !c.negated};
}

static bool
is_all_of(struct claim c) /* all its parts hold when it does */
{
	return c.cond->kind == (c.negated ? COND_OR : COND_AND);
}

static bool
is_any_of(struct claim c)
{
	return c.cond->kind == (c.negated ? COND_AND : COND_OR);
}

static void
charge(struct proof *p, uint64_t steps)
{
	p->left = steps < p->left ? p->left - (uint32_t)steps : 0;
}

static bool
atom_implies(struct proof *p, struct claim a, struct claim b)
{
	const struct check *x = a.cond->check, *y = b.cond->check;

	if (a.negated && !b.negated)
		return false;
	charge(p, (uint64_t)x->n_constant * y->n_constant / CONSTANTS_PER_STEP);
	if (a.negated)
		return check_implies(y, x);
	if (!b.negated)
		return check_implies(x, y);
	if (!check_excludes(x, y))
		return false;
	p->one = x;
	p->other = y;
	return true;
}

/* Depth is bounded by the parser's, of both sides; time by the steps. */
static bool
implies(struct proof *p, struct claim a, struct claim b)
{
	a = strip(a);
	b = strip(b);
	if (p->steps == 0 || p->left == 0)
		return false;
	p->steps--;
	charge(p, 1);
	if (a.cond == b.cond && a.negated == b.negated)
		return true;
	if (is_any_of(a)) {
		for (uint32_t i = 0; i < a.cond->n; i++) {
			if (!implies(p, part(a, i), b))
				return false;
		}
		return true;
	}
	if (is_all_of(b)) {
		for (uint32_t i = 0; i < b.cond->n; i++) {
			if (!implies(p, a, part(b, i)))
				return false;
		}
		return true;
	}
	for (uint32_t i = 0; is_all_of(a) && i < a.cond->n; i++) {
		if (implies(p, part(a, i), b))
			return true;
	}
	for (uint32_t i = 0; is_any_of(b) && i < b.cond->n; i++) {
		if (implies(p, a, part(b, i)))
			return true;
	}
	return a.cond->kind == COND_CHECK && b.cond->kind == COND_CHECK &&
	       atom_implies(p, a, b);
}

/* One of its parts excludes the whole of it, or another part. */
static bool
is_impossible(struct proof *p, struct claim c)
{
	c = strip(c);
	if (p->steps == 0 || p->left == 0)
		return false;
	p->steps--;
	charge(p, 1);
	if (c.cond->kind == COND_CHECK && !c.negated &&
	    check_excludes(c.cond->check, c.cond->check)) {
		p->one = p->other = c.cond->check;
		return true;
	}
	if (is_any_of(c)) {
		for (uint32_t i = 0; i < c.cond->n; i++) {
			if (!is_impossible(p, part(c, i)))
				return false;
		}
		return true;
	}
	if (!is_all_of(c))
		return false;
	for (uint32_t i = 0; i < c.cond->n; i++) {
		if (is_impossible(p, part(c, i)) || implies(p, c, opposite(part(c, i))))
			return true;
	}
	return false;
}

/*
 * What occurs in a condition, as bits: operands, and the texts that they are compared
 * with for equality. "needed" are those of which whatever implies the condition must have
 * all. Most pairs of rules are told apart by this.
 */
struct signature {
	uint64_t operands, needed_operands, texts, needed_texts;
};

static struct signature
check_signature(const struct check *k, bool negated)
{
	uint64_t operand = operand_hash(k->lhs), text;
	struct signature s = {.operands = 1ull << (operand & 63)};

	s.needed_operands = s.operands;
	if (negated || k->rhs || k->lhs->list || k->lhs->type != VALUE_CHARBUF ||
	    k->modifier != MODIFIER_NONE ||
	    (k->op != REL_EQ && k->op != REL_IN && k->op != REL_INTERSECTS))
		return s;
	for (uint32_t i = 0; i < k->n_constant; i++) {
		text =
		    hash_u64(operand ^ hash_bytes(k->constant[i].s, k->constant[i].len));
		s.texts |= 1ull << (text & 63);
	}
	if (k->op == REL_EQ)
		s.needed_texts = s.texts;
	return s;
}

static struct signature
signature_of(struct claim c)
{
	struct signature s = {0}, child;

	c = strip(c);
	if (c.cond->kind == COND_CHECK)
		return check_signature(c.cond->check, c.negated);
	for (uint32_t i = 0; i < c.cond->n; i++) {
		child = signature_of(part(c, i));
		s.operands |= child.operands;
		s.texts |= child.texts;
		if (is_all_of(c) || i == 0) {
			s.needed_operands |= child.needed_operands;
			s.needed_texts |= child.needed_texts;
		} else {
			s.needed_operands &= child.needed_operands;
			s.needed_texts &= child.needed_texts;
		}
	}
	return s;
}

/* False: the condition of a does not imply that of b. */
static bool
may_imply(const struct signature *a, const struct signature *b)
{
	return !(b->needed_operands & ~a->operands) && !(b->needed_texts & ~a->texts);
}

static struct claim
condition_of(const struct rule *rule)
{
	return (struct claim){rule->cond, false};
}

static const struct rule *
find_earlier(const struct ruleset *rs, const struct signature *signature, uint32_t at,
    struct proof *p)
{
	for (uint32_t i = 0; i < at; i++) {
		if (!may_imply(&signature[at], &signature[i]))
			continue;
		p->steps = PROOF_STEPS;
		if (implies(p, condition_of(rs->rule[at]), condition_of(rs->rule[i])))
			return rs->rule[i];
	}
	return NULL;
}

bool
shadow_find(const struct ruleset *rs, struct arena *arena,
    const struct shadow **ret_shadow, uint32_t *ret_n, bool *ret_complete,
    struct err *err)
{
	struct shadow *found = arena_array(arena, rs->n_rule + 1, sizeof(*found));
	struct signature *signature = calloc(rs->n_rule + 1, sizeof(*signature));
	struct proof p = {.left = ALL_STEPS};
	uint32_t n = 0;

	if (!found || !signature) {
		free(signature);
		return err_nomem(err);
	}
	for (uint32_t i = 0; i < rs->n_rule; i++) {
		const struct rule *rule = rs->rule[i];
		signature[i] = signature_of(condition_of(rule));
		p.steps = PROOF_STEPS;
		p.one = p.other = NULL;
		found[n] = (struct shadow){.rule = rule};
		if (is_impossible(&p, condition_of(rule))) {
			if (p.one) {
				found[n].one = p.one->text;
				found[n].other = p.other->text;
			}
			n++;
			/* It is behind nothing, and nothing is behind it. */
			signature[i] = (struct signature){.needed_operands = ~0ull};
			continue;
		}
		if (rs->config->matching != RULE_MATCHING_FIRST)
			continue;
		found[n].by = find_earlier(rs, signature, i, &p);
		n += found[n].by != NULL;
	}
	free(signature);
	*ret_shadow = found;
	*ret_n = n;
	*ret_complete = p.left > 0;
	return true;
}
