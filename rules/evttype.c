/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/evttype.h"

#include <stdlib.h>
#include <string.h>

#include "rules/evttype_names.h"

static const char *const names[] = {
#define EVENT_TYPE_ROW(text) text,
    EVENT_TYPES(EVENT_TYPE_ROW)
#undef EVENT_TYPE_ROW
};

enum {
	N_NAMES = sizeof(names) / sizeof(names[0])
};

_Static_assert(N_NAMES <= EVTTYPE_WORDS * 64, "every event type has a bit");

static int
name_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *const *
find(const char *name)
{
	return bsearch(&name, names, N_NAMES, sizeof(names[0]), name_order);
}

const char *
evttype_name(uint32_t i)
{
	return i < N_NAMES ? names[i] : NULL;
}

bool
evttype_known(const char *name)
{
	return find(name) != NULL;
}

bool
evttype_set_has(const struct evttype_set *set, uint32_t i)
{
	return set->w[i / 64] >> (i % 64) & 1;
}

static struct evttype_set
all(void)
{
	struct evttype_set set = {{0}};

	for (uint32_t i = 0; i < N_NAMES; i++)
		set.w[i / 64] |= 1ull << (i % 64);
	return set;
}

static void
add(struct evttype_set *set, const struct ast *value)
{
	const char *const *at = find(value->text.s);

	if (at) {
		size_t i = (size_t)(at - names);
		set->w[i / 64] |= 1ull << (i % 64);
	}
}

static struct evttype_set
of_check(const struct ast *check, bool negated)
{
	struct evttype_set set = {{0}}, every = all();
	const struct ast *rhs = check->n > 1 ? check->child[1] : NULL;

	if (strcmp(check->child[0]->text.s, "evt.type") != 0 || !rhs ||
	    check->child[0]->kind != AST_FIELD || check->modifier != MODIFIER_NONE ||
	    (check->op != REL_EQ && check->op != REL_NE && check->op != REL_IN))
		return every;
	if (rhs->kind == AST_VALUE)
		add(&set, rhs);
	for (uint32_t i = 0; rhs->kind == AST_LIST && i < rhs->n; i++)
		add(&set, rhs->child[i]);
	if (negated != (check->op == REL_NE)) {
		for (int i = 0; i < EVTTYPE_WORDS; i++)
			set.w[i] = every.w[i] & ~set.w[i];
	}
	return set;
}

/* As deep as conditions are: LIMIT_EXPR_DEPTH. */
static struct evttype_set
of(const struct ast *a, bool negated)
{
	struct evttype_set set;

	if (a->kind == AST_NOT)
		return of(a->child[0], !negated);
	if (a->kind == AST_CHECK)
		return of_check(a, negated);
	if ((a->kind != AST_AND && a->kind != AST_OR) || !a->n)
		return all();
	set = of(a->child[0], negated);
	for (uint32_t i = 1; i < a->n; i++) {
		struct evttype_set more = of(a->child[i], negated);
		for (int k = 0; k < EVTTYPE_WORDS; k++) {
			if ((a->kind == AST_AND) != negated)
				set.w[k] &= more.w[k];
			else
				set.w[k] |= more.w[k];
		}
	}
	return set;
}

uint32_t
evttypes_of(const struct ast *condition, struct evttype_set *ret_set)
{
	struct evttype_set set = of(condition, false);
	uint32_t n = 0;

	for (int i = 0; i < EVTTYPE_WORDS; i++)
		n += (uint32_t)__builtin_popcountll(set.w[i]);
	if (ret_set)
		*ret_set = set;
	return n;
}
