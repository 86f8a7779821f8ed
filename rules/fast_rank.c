/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers against thresholds: compared one threshold at a time while those asked for are
 * few, by ranks when they are many. */
#include "rules/fast_private.h"

enum {
	/* Predicates of a unit that are compared in a chunk before its ranks are made. */
	COMPARED_MAX = 16,
};

/* Ascending, without a call or memory: at most 256, mostly few. */
static void
sort_ranks(struct fast_ranks *r)
{
	static const uint32_t gaps[] = {132, 57, 23, 10, 4, 1};

	for (size_t i = 0; i < sizeof(gaps) / sizeof(*gaps); i++) {
		uint32_t gap = gaps[i];
		for (uint32_t k = gap; k < r->n; k++) {
			uint32_t v = r->rank[k], to = k;
			struct mask m = r->events[k];
			for (; to >= gap && r->rank[to - gap] > v; to -= gap) {
				r->rank[to] = r->rank[to - gap];
				r->events[to] = r->events[to - gap];
			}
			r->rank[to] = v;
			r->events[to] = m;
		}
	}
}

static void
sum_ranks(struct fast_ranks *r)
{
	sort_ranks(r);
	r->from[r->n] = (struct mask){0};
	for (uint32_t i = r->n; i-- > 0;) {
		r->at[r->rank[i]] = (uint16_t)(i + 1);
		r->from[i] = mask_or(r->from[i + 1], &r->events[i]);
	}
	r->summed = true;
}

static struct mask
rank_found(struct fast *f, const struct graph_pred *p)
{
	struct fast_ranks *r = f->unit[f->g->pred_unit[p->unit]].ranks;
	uint32_t low = 0, n = r->n;

	if (!r->summed)
		sum_ranks(r);
	while (n) {
		uint32_t half = n / 2;
		if (r->rank[low + half] < p->rank) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return p->below ? mask_without(r->from[0], &r->from[low]) : r->from[low];
}

/* The numbers of a slot when there is one for each event. */
static const uint64_t *
even_numbers(const struct fast *f, const struct graph_operand *o)
{
	const struct evaluator *ev = f->ev;

	if (o->o->kind != OPERAND_SLOT || o->source.base == GRAPH_NONE)
		return NULL;
	const struct supply *s = &ev->supply[o->source.base];
	const struct column *c = s->n == 1 ? s->column[0] : NULL;
	return c && c->n == ev->n && c->first[c->n] - c->first[0] == c->n
		   ? c->num + c->first[0]
		   : NULL;
}

static struct mask
compare_numbers(
    const uint64_t *num, const struct graph_pred *p, bool is_signed, struct mask events)
{
	/* Strictly above is not below or equal. */
	const bool above = p->op == REL_GT || p->op == REL_LE;
	const uint64_t flip = index_number_key(0, is_signed), limit = p->threshold;

	for (uint32_t w = 0; w < MASK_WORDS; w++, num += 64) {
		uint64_t hit = 0, asked = events.w[w];
		uint32_t n = asked ? 64 - (uint32_t)__builtin_clzll(asked) : 0;
		if (above) {
			for (uint32_t i = 0; i < n; i++)
				hit |= (uint64_t)((num[i] ^ flip) > limit) << i;
		} else {
			for (uint32_t i = 0; i < n; i++)
				hit |= (uint64_t)((num[i] ^ flip) >= limit) << i;
		}
		events.w[w] = asked & (p->below ? ~hit : hit);
	}
	return events;
}

struct mask
fast_scan_rank(struct fast *f, uint32_t pred, const struct mask *events)
{
	const struct graph_pred *p = &f->g->pred[pred];
	const struct graph_operand *o = &f->g->operand[p->operand];
	struct fast_unit *u = &f->unit[f->g->pred_unit[p->unit]];
	const uint64_t *num = even_numbers(f, o);
	struct mask hit;

	if (u->chunk != f->chunk)
		fast_unit_start(f, u);
	/* A few comparisons take less than to find a place for every number. */
	if (num && u->compared < COMPARED_MAX) {
		u->compared++;
		return compare_numbers(num, p, value_type_is_signed(o->o->type), *events);
	}
	fast_scan_unit(f, f->g->pred_unit[p->unit], events);
	hit = rank_found(f, p);
	return mask_and(hit, events);
}
