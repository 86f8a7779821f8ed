/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a chunk: grouped, looked up in the indexes, hits spread to predicates. */
#include <string.h>

#include "rules/fast_private.h"
#include "rules/regex.h"

enum {
	/* Fewer events tell nothing of how often values repeat. */
	JUDGED_EVENTS = 32,
	/* How long it holds that they do not. */
	FLAT_CHUNKS = 64,
	/* All values are looked at for this part of the events, at least. */
	SIFTED_PART = 8,
};

/* One look-up: of one value, for all events that have it. */
struct lookup {
	struct fast *f;
	struct graph_unit *unit;
	const struct mask *events;
	const struct scalar *value;
	enum value_type type;
	bool list;
	uint32_t element; /* position in the list */
};

static void
take(struct lookup *l, uint32_t pred)
{
	struct fast_pred *p = fast_pred_now(l->f, pred);

	if (l->list && l->f->g->pred[pred].kind == PRED_ALL) {
		/* Every value so far was a member, and this one is: counted once. */
		if (p->list != l->f->serial) {
			p->list = l->f->serial;
			p->members = 0;
		}
		if (p->members == l->element)
			p->members++;
		return;
	}
	p->hit = mask_or(p->hit, l->events);
}

static uint64_t
word_in_order(const char bytes[REGEX_RANGE_BYTES])
{
	uint64_t v = 0;

	for (uint32_t i = 0; i < REGEX_RANGE_BYTES; i++)
		v = v << 8 | (uint8_t)bytes[i];
	return v;
}

/* A pattern is asked once where its matches begin: that spares most comparisons. */
static bool
may_match(struct fast_verify *range, const struct graph_verify *v, const struct scalar *s)
{
	char low[REGEX_RANGE_BYTES], high[REGEX_RANGE_BYTES];
	uint64_t word;

	if (v->op != REL_REGEX)
		return true;
	if (!range->ranged) {
		range->ranged = true;
		range->high = UINT64_MAX;
		if (regex_range(v->k->re, low, high)) {
			range->low = word_in_order(low);
			range->high = word_in_order(high);
		}
	}
	word = index_first_word(s->s, s->len);
	/* Other bytes than ASCII may be replaced before they are compared. */
	if (word & 0x8080808080808080u)
		return true;
	memcpy(low, &word, sizeof(low));
	word = word_in_order(low);
	return word >= range->low && word <= range->high;
}

static bool
compare(struct lookup *l, const struct graph_verify *v)
{
	struct fast *f = l->f;

	if (v->rest_len && !memmem(l->value->s, l->value->len, v->rest, v->rest_len))
		return false;
	if (v->op == REL_PMATCH)
		return rel_path_match(l->value->s, v->k->s);
	return rel_compare(
	    v->op, l->type, l->value, v->k, &f->ev->scratch, &f->ev->oddities);
}

static void
ask(void *arg, const uint32_t *post, uint32_t n)
{
	struct lookup *l = arg;
	struct fast *f = l->f;

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t at = post[i] & ~GRAPH_VERIFY;
		if (f->verify[at].serial == f->serial)
			continue;
		f->verify[at].serial = f->serial;
		if (may_match(&f->verify[at], &f->g->verify[at], l->value) &&
		    compare(l, &f->g->verify[at]))
			take(l, f->g->verify[at].pred);
	}
}

static void
hit(void *arg, const uint32_t *post, uint32_t n)
{
	struct lookup *l = arg;

	for (uint32_t i = 0; i < n; i++) {
		if (!(post[i] & GRAPH_VERIFY))
			take(l, post[i]);
		else if (l->unit->family == FAMILY_REGEX)
			take(l, l->f->g->verify[post[i] & ~GRAPH_VERIFY].pred);
		else
			ask(arg, &post[i], 1);
	}
}

/* The events of a rank. */
static struct mask *
rank_events(struct fast_ranks *r, uint32_t rank)
{
	r->summed = false;
	if (!r->at[rank]) {
		r->rank[r->n] = rank;
		r->events[r->n++] = (struct mask){0};
		r->at[rank] = (uint16_t)r->n;
	}
	return &r->events[r->at[rank] - 1];
}

static uint32_t
rank_of(const struct lookup *l, uint64_t v)
{
	return index_number_rank(
	    &l->unit->number, index_number_key(v, value_type_is_signed(l->type)));
}

static void
rank(struct lookup *l)
{
	struct fast_ranks *r = l->f->unit[l->unit - l->f->g->unit].ranks;
	struct mask *m = rank_events(r, rank_of(l, l->value->num));

	*m = mask_or(*m, l->events);
}

/* hash: of the value's bytes when has_hash. */
static void
look_up(struct lookup *l, bool number, bool has_hash, uint64_t hash)
{
	struct graph_unit *u = l->unit;
	const struct scalar *v = l->value;
	const char *s = number ? (const char *)&v->num : v->s;
	uint32_t len = number ? sizeof(v->num) : v->len, n;
	const uint32_t *post;

	if (value_type_is_ip(l->type) && len != 4 && len != 16 &&
	    u->family != FAMILY_PRESENT) {
		l->f->ev->oddities++;
		return;
	}
	switch (u->family) {
	case FAMILY_PRESENT:
	case FAMILY_VALID:
		hit(l, &u->key[0].post, 1);
		break;
	case FAMILY_HASH:
		n = index_hash_find(
		    &u->hash, s, len, has_hash ? hash : index_hash_of(s, len), &post);
		hit(l, post, n);
		break;
	case FAMILY_NUMBER:
		rank(l);
		break;
	case FAMILY_PREFIX:
	case FAMILY_SUFFIX:
	case FAMILY_SUBSTR:
	case FAMILY_ISUBSTR:
		index_trie_walk(&u->trie, s, len, hit, l);
		break;
	case FAMILY_PATH:
		index_path_walk(&u->path, s, len, hit, l);
		break;
	case FAMILY_NET:
		index_net_walk(&u->net, s, len, hit, l);
		break;
	case FAMILY_REGEX:
		index_regex_walk(&u->regex, s, len, hit, ask, l);
		break;
	default:
		break;
	}
}

/* All values that a view has, for the events given. */
static void
look_up_view(struct lookup *l, const struct value_view *v, bool number)
{
	struct fast *f = l->f;

	f->serial++;
	if (l->unit->family == FAMILY_PRESENT) {
		hit(l, &l->unit->key[0].post, 1);
		return;
	}
	uint32_t n = l->list || v->n == 0 ? v->n : 1;
	for (uint32_t i = 0; i < n; i++) {
		struct scalar s = value_view_element(v, number, i);
		l->value = &s;
		l->element = i;
		look_up(l, number, false, 0);
	}
	for (uint32_t i = 0; i < l->unit->n_all; i++) {
		const uint32_t pred = l->unit->all[i];
		struct fast_pred *p = fast_pred_now(f, pred);
		if ((p->list == f->serial ? p->members : 0) == n)
			p->hit = mask_or(p->hit, l->events);
	}
}

/* The value of a slot that is no list; false: none. */
static inline bool
slot_scalar(const struct evaluator *ev, uint32_t slot, uint32_t event, bool number,
    struct scalar *ret)
{
	const struct supply *s = &ev->supply[slot];
	const struct column *c = s->n == 1 ? s->column[0] : eval_column(ev, slot, event);

	if (!c || event >= c->n || c->first[event] == c->first[event + 1])
		return false;
	if (number) {
		ret->num = c->num[c->first[event]];
	} else {
		ret->s = c->bytes + c->str[c->first[event]].off;
		ret->len = c->str[c->first[event]].len;
	}
	return true;
}

static void
groups_start(struct fast_groups *g, uint64_t chunk)
{
	g->chunk = chunk;
	g->grouped = g->present = (struct mask){0};
	g->n = 0;
	memset(g->table, 0, sizeof(g->table));
}

static void
group_event(struct fast_groups *g, uint32_t event, struct scalar v, bool number)
{
	const char *s = number ? (const char *)&v.num : v.s;
	uint32_t len = number ? sizeof(v.num) : v.len, k;
	uint64_t h = index_hash_of(s, len);
	uint32_t at = h % (LIMIT_CHUNK_EVENTS * 2);

	for (; (k = g->table[at]); at = (at + 1) % (LIMIT_CHUNK_EVENTS * 2)) {
		if (g->hash[k - 1] != h)
			continue;
		const struct scalar *w = &g->value[k - 1];
		if (number ? w->num == v.num : w->len == len && memcmp(w->s, s, len) == 0)
			break;
	}
	if (!k) {
		k = ++g->n;
		g->table[at] = (uint16_t)k;
		g->hash[k - 1] = h;
		g->value[k - 1] = v;
		g->events[k - 1] = (struct mask){0};
	}
	g->group_of[event] = (uint8_t)(k - 1);
	mask_set(&g->events[k - 1], event);
}

/* The groups of a slot, with every event that was supplied by now. */
static struct fast_groups *
groups_now(struct fast *f, uint32_t slot)
{
	struct evaluator *ev = f->ev;
	struct fast_groups *g = f->groups[slot];
	bool number = value_type_is_number(ev->rs->slots->slot[slot].ref.field->type);

	if (g->chunk != f->chunk)
		groups_start(g, f->chunk);
	struct mask fresh = mask_without(ev->have[slot], &g->grouped);
	if (!mask_any(&fresh))
		return g;
	g->grouped = mask_or(g->grouped, &fresh);
	uint32_t n = 0;
	for (uint32_t e = 0; e < ev->n; e++) {
		if (!mask_has(&fresh, e))
			continue;
		struct scalar v = {0};
		if (!slot_scalar(ev, slot, e, number, &v))
			continue;
		mask_set(&g->present, e);
		group_event(g, e, v, number);
		n++;
	}
	if (n >= JUDGED_EVENTS)
		g->flat_until = g->n > n / 2 ? f->chunk + FLAT_CHUNKS : 0;
	return g;
}

/* The events left, taken in sets that share the value of a source. */
struct shares {
	struct mask left;
	struct fast_groups *g;
	bool constant;
};

static void
shares_start(struct fast *f, struct shares *s, const struct graph_source *src,
    const struct mask *events)
{
	s->left = *events;
	s->constant = src->constant;
	s->g = NULL;
	if (src->base != GRAPH_NONE && f->groups[src->base]) {
		s->g = groups_now(f, src->base);
		s->left = mask_and(s->left, &s->g->present);
	}
}

static bool
shares_next(
    struct fast *f, struct shares *s, uint32_t *ret_event, struct mask *ret_events)
{
	if (!mask_any(&s->left))
		return false;
	*ret_event = mask_first(&s->left);
	if (s->constant) {
		*ret_events = f->ev->all;
	} else if (s->g) {
		*ret_events = s->g->events[s->g->group_of[*ret_event]];
	} else {
		*ret_events = (struct mask){0};
		mask_set(ret_events, *ret_event);
	}
	s->left = mask_without(s->left, ret_events);
	return true;
}

static bool
mask_covers(const struct mask *m, const struct mask *part)
{
	struct mask rest = mask_without(*part, m);

	return !mask_any(&rest);
}

static void
scan_flat_text(struct lookup l, uint32_t slot, const struct mask *events)
{
	const struct fast_text *t = fast_text_now(l.f, slot);
	const struct span *span = t && t->even ? t->span : NULL;
	/* Of what is no good address each look-up counts. */
	bool all = value_type_is_ip(l.type);
	struct scalar v = {0};
	struct mask one;

	l.value = &v;
	l.events = &one;
	for (uint32_t w = 0; w < MASK_WORDS; w++) {
		for (uint64_t bits = events->w[w]; bits; bits &= bits - 1) {
			uint32_t e = w * 64 + (uint32_t)__builtin_ctzll(bits);
			if (span) {
				v.s = t->bytes + span[e].off;
				v.len = span[e].len;
			} else if (!slot_scalar(l.f->ev, slot, e, false, &v)) {
				continue;
			}
			if (!all && !fast_may_hit(l.unit, v.s, v.len))
				continue;
			one = (struct mask){{0}};
			one.w[w] = bits & -bits;
			l.f->serial++;
			look_up(&l, false, false, 0);
		}
	}
}

static void
scan_flat_number(struct lookup l, uint32_t slot, const struct mask *events)
{
	struct fast_ranks *ranks = l.f->unit[l.unit - l.f->g->unit].ranks;
	struct scalar v = {0};
	struct mask one;

	l.value = &v;
	l.events = &one;
	for (uint32_t w = 0; w < MASK_WORDS; w++) {
		for (uint64_t bits = events->w[w]; bits; bits &= bits - 1) {
			uint32_t e = w * 64 + (uint32_t)__builtin_ctzll(bits);
			if (!slot_scalar(l.f->ev, slot, e, true, &v))
				continue;
			if (ranks) {
				rank_events(ranks, rank_of(&l, v.num))->w[w] |=
				    bits & -bits;
				continue;
			}
			one = (struct mask){{0}};
			one.w[w] = bits & -bits;
			l.f->serial++;
			look_up(&l, true, false, 0);
		}
	}
}

/* Leaves of events those in which a look-up may find anything, which are few mostly;
 * false: the events are too few to look at all values, or those do not lend themselves to
 * it. */
static bool
sift(struct lookup *l, uint32_t slot, struct mask *events)
{
	const struct graph_unit *u = l->unit;
	struct evaluator *ev = l->f->ev;
	struct mask values, some;

	if (value_type_is_ip(l->type) ||
	    (!mask_covers(events, &ev->all) && mask_count(events) < ev->n / SIFTED_PART))
		return false;
	struct fast_text *t = fast_text_now(l->f, slot);
	if (!t || !fast_sieve(u, t, &values))
		return false;
	some = fast_text_events(t, ev->n, &values);
	*events = mask_and(*events, &some);
	return true;
}

static struct mask
present_events(const struct evaluator *ev, uint32_t slot, struct mask events)
{
	const struct supply *s = &ev->supply[slot];
	const struct column *one = s->n == 1 ? s->column[0] : NULL;

	if (one && one->n == ev->n && one->first[one->n] - one->first[0] == one->n)
		return events;
	for (uint32_t w = 0; w < MASK_WORDS; w++) {
		for (uint64_t bits = events.w[w]; bits; bits &= bits - 1) {
			uint32_t e = w * 64 + (uint32_t)__builtin_ctzll(bits);
			const struct column *c = one ? one : eval_column(ev, slot, e);
			if (!c || e >= c->n || c->first[e] == c->first[e + 1])
				events.w[w] &= ~(bits & -bits);
		}
	}
	return events;
}

/* Event by event: where looking up is cheaper than finding out what repeats. */
static void
scan_flat(struct lookup l, uint32_t slot, bool number, const struct mask *events)
{
	if (number)
		scan_flat_number(l, slot, events);
	else
		scan_flat_text(l, slot, events);
}

/* Is it? groups is NULL where it always is. */
static bool
is_flat(const struct fast *f, const struct graph_operand *o, enum graph_family family)
{
	const struct fast_groups *g =
	    o->source.base != GRAPH_NONE ? f->groups[o->source.base] : NULL;

	if (o->source.base == GRAPH_NONE)
		return false;
	if (!g || (o->o->kind == OPERAND_SLOT &&
		      graph_family_cost(family) < graph_family_cost(FAMILY_SUBSTR)))
		return true;
	/* Too few values repeated: not worth it for a search that costs little more. */
	return o->o->kind == OPERAND_SLOT && g->flat_until > f->chunk &&
	       graph_family_cost(family) < graph_family_cost(FAMILY_REGEX);
}

/* All values of a slot. */
static void
scan_groups(struct lookup *l, const struct fast_groups *g, bool number)
{
	for (uint32_t k = 0; k < g->n; k++) {
		l->f->serial++;
		l->value = &g->value[k];
		l->events = &g->events[k];
		look_up(l, number, true, g->hash[k]);
	}
}

void
fast_unit_start(struct fast *f, struct fast_unit *u)
{
	u->chunk = f->chunk;
	u->scanned = (struct mask){0};
	u->compared = 0;
	if (!u->ranks)
		return;
	for (uint32_t i = 0; i < u->ranks->n; i++)
		u->ranks->at[u->ranks->rank[i]] = 0;
	u->ranks->n = 0;
	u->ranks->summed = false;
}

void
fast_scan_unit(struct fast *f, uint32_t unit, const struct mask *events)
{
	struct fast_unit *state = &f->unit[unit];
	struct graph_unit *u = &f->g->unit[unit];
	const struct graph_operand *o = &f->g->operand[u->operand];
	struct lookup l = {.f = f, .unit = u, .type = o->o->type, .list = o->o->list};
	struct shares s;
	struct mask shared, fresh;
	uint32_t event;

	if (state->chunk != f->chunk)
		fast_unit_start(f, state);
	fresh = mask_without(*events, &state->scanned);
	if (!mask_any(&fresh))
		return;
	state->scanned = mask_or(state->scanned, &fresh);
	if (u->family == FAMILY_PRESENT && o->o->kind == OPERAND_SLOT &&
	    o->source.base != GRAPH_NONE) {
		shared = present_events(f->ev, o->source.base, fresh);
		l.events = &shared;
		if (mask_any(&shared))
			hit(&l, &u->key[0].post, 1);
		return;
	}
	bool sifted = o->o->kind == OPERAND_SLOT && !o->number &&
		      o->source.base != GRAPH_NONE && sift(&l, o->source.base, &fresh);
	if (sifted && !mask_any(&fresh))
		return;
	if ((sifted && mask_count(&fresh) < JUDGED_EVENTS) || is_flat(f, o, u->family)) {
		scan_flat(l, o->source.base, o->number, &fresh);
		return;
	}
	shares_start(f, &s, &o->source, &fresh);
	if (s.g && o->o->kind == OPERAND_SLOT && mask_covers(&fresh, &s.g->present)) {
		scan_groups(&l, s.g, o->number);
		return;
	}
	l.events = &shared;
	while (shares_next(f, &s, &event, &shared)) {
		if (s.g && o->o->kind == OPERAND_SLOT) {
			uint32_t k = s.g->group_of[event];
			f->serial++;
			l.value = &s.g->value[k];
			look_up(&l, o->number, true, s.g->hash[k]);
			continue;
		}
		struct value_view v;
		eval_operand(f->ev, event, o->o, &v);
		if (v.present)
			look_up_view(&l, &v, o->number);
		arena_reset(&f->ev->scratch);
	}
}

void
fast_scan_plain(struct fast *f, uint32_t pred, const struct mask *events)
{
	const struct graph_pred *p = &f->g->pred[pred];
	struct mask fresh, shared;
	struct shares s;
	uint32_t event;

	if (f->pred[pred].chunk != f->chunk)
		f->known[pred] = (struct mask){{0}};
	struct fast_pred *state = fast_pred_now(f, pred);
	fresh = mask_without(*events, &f->known[pred]);
	if (!mask_any(&fresh))
		return;
	f->known[pred] = mask_or(f->known[pred], &fresh);
	shares_start(f, &s, &p->source, &fresh);
	while (shares_next(f, &s, &event, &shared)) {
		if (eval_check(f->ev, event, p->check))
			state->hit = mask_or(state->hit, &shared);
		arena_reset(&f->ev->scratch);
	}
}
