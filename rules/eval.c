/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What both evaluators share: supplies, needs, values of slots and operands, and the
 * plain evaluation of one rule on one event. Long, because each kind of value has its
 * few lines here.
 */
#include "rules/eval_private.h"

#include <stdlib.h>
#include <string.h>

#include "rules/builtin.h"
#include "rules/fast.h"
#include "rules/rel.h"
#include "rules/time_text.h"
#include "rules/transform.h"

enum {
	SCRATCH_BYTES = 256 << 20, /* transformed values of one event */
	ARGS_MAX = 64, /* arguments of one transformer or list, evaluated at once */
};

bool
slot_is_ours(const struct slot *s)
{
	return s->ref.field->provider == PROVIDER_BUILTIN ||
	       s->ref.field->provider == PROVIDER_STATIC;
}

/* -- which slots the enabled rules use
 * ----------------------------------------------------- */

static void
mark_operand(const struct operand *o, bool *used)
{
	if (!o)
		return;
	if (o->kind == OPERAND_SLOT)
		used[o->slot] = true;
	for (uint32_t i = 0; i < o->n; i++)
		mark_operand(o->arg[i], used);
}

static void
mark_cond(const struct cond *c, bool *used)
{
	if (c->kind == COND_CHECK) {
		mark_operand(c->check->lhs, used);
		mark_operand(c->check->rhs, used);
	}
	for (uint32_t i = 0; i < c->n; i++)
		mark_cond(c->child[i], used);
}

static uint32_t
list_used(const struct slot_set *slots, const bool *used, uint32_t *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < slots->n; i++) {
		if (used[i] && !slot_is_ours(&slots->slot[i]))
			out[n++] = i;
	}
	return n;
}

static enum eval_rc plain_run(struct evaluator *ev);

static const struct evaluator_ops plain_ops = {.run = plain_run};

struct evaluator *
evaluator_new_plain(
    const struct ruleset *rs, const struct eval_config *config, struct err *err)
{
	struct evaluator *ev = calloc(1, sizeof(*ev));
	uint32_t slots = rs->slots->n + 1;
	size_t cap =
	    (size_t)LIMIT_CHUNK_EVENTS *
	    (rs->config->matching == RULE_MATCHING_ALL && rs->n_rule ? rs->n_rule : 1);
	bool *used = calloc(slots, sizeof(*used));

	if (!ev || !used)
		goto fail;
	ev->ops = &plain_ops;
	ev->rs = rs;
	ev->config = *config;
	arena_init(&ev->scratch, SCRATCH_BYTES);
	ev->supply = calloc(slots, sizeof(*ev->supply));
	ev->have = calloc(slots, sizeof(*ev->have));
	ev->condition_slot = calloc(slots, sizeof(*ev->condition_slot));
	ev->stage0_slot = calloc(slots, sizeof(*ev->stage0_slot));
	ev->output_slot = calloc(slots, sizeof(*ev->output_slot));
	ev->wanted = calloc(slots, sizeof(*ev->wanted));
	ev->need = calloc(slots, sizeof(*ev->need));
	ev->cap_match = (uint32_t)(cap > UINT32_MAX ? UINT32_MAX : cap);
	ev->match = calloc(ev->cap_match, sizeof(*ev->match));
	if (!ev->supply || !ev->have || !ev->condition_slot || !ev->stage0_slot ||
	    !ev->output_slot || !ev->wanted || !ev->need || !ev->match)
		goto fail;
	for (uint32_t i = 0; i < rs->n_rule; i++)
		mark_cond(rs->rule[i]->cond, used);
	ev->n_condition_slot = list_used(rs->slots, used, ev->condition_slot);
	memcpy(ev->stage0_slot, ev->condition_slot,
	    ev->n_condition_slot * sizeof(*ev->stage0_slot));
	ev->n_stage0_slot = ev->n_condition_slot;
	memset(used, 0, slots * sizeof(*used));
	for (uint32_t i = 0; i < rs->n_rule; i++) {
		for (uint32_t k = 0; k < rs->rule[i]->n_output_slot; k++)
			used[rs->rule[i]->output_slot[k]] = true;
	}
	ev->n_output_slot = list_used(rs->slots, used, ev->output_slot);
	free(used);
	return ev;
fail:
	free(used);
	evaluator_free(ev);
	err_nomem(err);
	return NULL;
}

struct evaluator *
evaluator_new(const struct ruleset *rs, const struct eval_config *config, struct err *err)
{
	struct evaluator *ev = evaluator_new_plain(rs, config, err);

	if (ev && !config->plain && !fast_attach(ev, err)) {
		evaluator_free(ev);
		return NULL;
	}
	return ev;
}

void
evaluator_free(struct evaluator *ev)
{
	if (!ev)
		return;
	if (ev->ops && ev->ops->free)
		ev->ops->free(ev);
	arena_release(&ev->scratch);
	free(ev->supply);
	free(ev->have);
	free(ev->condition_slot);
	free(ev->stage0_slot);
	free(ev->output_slot);
	free(ev->wanted);
	free(ev->need);
	free(ev->match);
	free(ev);
}

const uint32_t *
evaluator_condition_slots(const struct evaluator *ev, uint32_t *ret_n)
{
	*ret_n = ev->n_condition_slot;
	return ev->condition_slot;
}

const uint32_t *
evaluator_stage0_slots(const struct evaluator *ev, uint32_t *ret_n)
{
	*ret_n = ev->n_stage0_slot;
	return ev->stage0_slot;
}

const uint32_t *
evaluator_output_slots(const struct evaluator *ev, uint32_t *ret_n)
{
	*ret_n = ev->n_output_slot;
	return ev->output_slot;
}

const struct slot_set *
evaluator_slots(const struct evaluator *ev)
{
	return ev->rs->slots;
}

uint64_t
evaluator_errors(const struct evaluator *ev)
{
	return ev->oddities;
}

/* -- values
 * -------------------------------------------------------------------------------------
 */

static void
give_number(struct evaluator *ev, uint64_t v, struct value_view *ret)
{
	uint64_t *p = arena_alloc(&ev->scratch, sizeof(*p));

	if (!p)
		return;
	*p = v;
	*ret = (struct value_view){.present = true, .n = 1, .num = p};
}

static void
give_text(struct evaluator *ev, const char *s, struct value_view *ret)
{
	struct view_builder b;

	if (!s)
		return;
	view_builder_init(&b, &ev->scratch);
	view_builder_add(&b, s, strlen(s));
	view_builder_finish(&b, ret);
}

static void
builtin_value(
    struct evaluator *ev, uint32_t event, enum evt_field id, struct value_view *ret)
{
	const struct event_meta *m = &ev->meta[event];
	uint64_t since = m->ts_ns - m->first_ts_ns;
	char text[64];

	*ret = (struct value_view){0};
	switch (id) {
	case EVT_FIELD_NUM:
		give_number(ev, m->num, ret);
		break;
	case EVT_FIELD_TIME:
	case EVT_FIELD_TIME_S:
	case EVT_FIELD_DATETIME:
	case EVT_FIELD_DATETIME_S:
		time_text(text, sizeof(text), m->ts_ns,
		    ev->config.utc_offset_s ? ev->config.utc_offset_s() : 0,
		    id == EVT_FIELD_DATETIME || id == EVT_FIELD_DATETIME_S,
		    id == EVT_FIELD_TIME || id == EVT_FIELD_DATETIME);
		give_text(ev, text, ret);
		break;
	case EVT_FIELD_TIME_ISO8601:
		time_text_iso8601(text, sizeof(text), m->ts_ns, "+0000");
		give_text(ev, text, ret);
		break;
	case EVT_FIELD_RAWTIME:
		give_number(ev, m->ts_ns, ret);
		break;
	case EVT_FIELD_RAWTIME_S:
		give_number(ev, m->ts_ns / 1000000000u, ret);
		break;
	case EVT_FIELD_RAWTIME_NS:
		give_number(ev, m->ts_ns % 1000000000u, ret);
		break;
	case EVT_FIELD_RELTIME:
		give_number(ev, since, ret);
		break;
	case EVT_FIELD_RELTIME_S:
		give_number(ev, since / 1000000000u, ret);
		break;
	case EVT_FIELD_RELTIME_NS:
		give_number(ev, since % 1000000000u, ret);
		break;
	case EVT_FIELD_PLUGINNAME:
		give_text(ev, m->plugin_name, ret);
		break;
	case EVT_FIELD_SOURCE:
		give_text(ev, ev->rs->source->name, ret);
		break;
	case EVT_FIELD_IS_ASYNC:
		give_number(ev, m->async_name != NULL, ret);
		break;
	case EVT_FIELD_TYPE: /* Falco's alias for events that are injected */
	case EVT_FIELD_ASYNCTYPE:
		give_text(ev, m->async_name, ret);
		break;
	case EVT_FIELD_HOSTNAME:
		give_text(ev, ev->config.hostname, ret);
		break;
	case EVT_FIELD_NONE:
	case EVT_FIELD_PLUGININFO:
	case EVT_FIELD_N:
		break;
	}
}

const struct column *
eval_column(const struct evaluator *ev, uint32_t slot, uint32_t event)
{
	const struct supply *s = &ev->supply[slot];

	for (uint32_t i = s->n; i-- > 0;) {
		if (mask_has(&s->events[i], event))
			return event < s->column[i]->n ? s->column[i] : NULL;
	}
	return NULL;
}

void
eval_slot(struct evaluator *ev, uint32_t event, uint32_t slot, struct value_view *ret)
{
	const struct field *f = ev->rs->slots->slot[slot].ref.field;

	*ret = (struct value_view){0};
	if (f->provider == PROVIDER_BUILTIN) {
		builtin_value(ev, event, (enum evt_field)f->field_id, ret);
		return;
	}
	if (f->provider == PROVIDER_STATIC) {
		give_text(ev, f->constant, ret);
		return;
	}
	const struct column *c = eval_column(ev, slot, event);
	if (!c)
		return;
	uint32_t first = c->first[event], end = c->first[event + 1];
	if (first == end)
		return;
	*ret = (struct value_view){
	    .present = true,
	    .n = end - first,
	    .num = c->num ? c->num + first : NULL,
	    .str = c->str ? c->str + first : NULL,
	    .bytes = c->bytes,
	};
}

/* Depth is bounded by the parser's. */
void
eval_operand(
    struct evaluator *ev, uint32_t event, const struct operand *o, struct value_view *ret)
{
	struct value_view arg[ARGS_MAX], *args = arg;

	*ret = (struct value_view){0};
	if (o->kind == OPERAND_SLOT) {
		eval_slot(ev, event, o->slot, ret);
		return;
	}
	if (o->kind == OPERAND_LITERAL) {
		struct view_builder b;
		view_builder_init(&b, &ev->scratch);
		view_builder_add(&b, o->literal.s, o->literal.n);
		view_builder_finish(&b, ret);
		return;
	}
	if (o->n > ARGS_MAX && !(args = arena_array(&ev->scratch, o->n, sizeof(*args))))
		return;
	for (uint32_t i = 0; i < o->n; i++) {
		eval_operand(ev, event, o->arg[i], &args[i]);
		if (!args[i].present)
			return;
	}
	if (!(o->kind == OPERAND_LIST ? transform_list(o, args, &ev->scratch, ret)
				      : transform_apply(o, args, &ev->scratch, ret)))
		*ret = (struct value_view){0};
}

void
event_view_slot(const struct event_view *view, uint32_t slot, struct value_view *ret)
{
	eval_slot(view->ev, view->event, slot, ret);
}

void
event_view_operand(
    const struct event_view *view, const struct operand *o, struct value_view *ret)
{
	eval_operand(view->ev, view->event, o, ret);
}

const struct event_meta *
event_view_meta(const struct event_view *view)
{
	return &view->ev->meta[view->event];
}

void
event_view_done(const struct event_view *view)
{
	arena_reset(&view->ev->scratch);
}

/* -- checks
 * ----------------------------------------------------------------------------------------
 */

static bool
is_in(
    enum value_type type, const struct scalar *v, const struct constant *set, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (rel_is_member(type, v, &set[i]))
			return true;
	}
	return false;
}

static bool
list_eval(const struct check *k, const struct value_view *v, const struct constant *set,
    uint32_t n)
{
	bool all = k->op == REL_IN;

	for (uint32_t i = 0; i < v->n; i++) {
		struct scalar s =
		    value_view_element(v, value_type_is_number(k->lhs->type), i);
		if (is_in(k->lhs->type, &s, set, n) != all)
			return !all;
	}
	return all;
}

static bool
modified_eval(struct evaluator *ev, const struct check *k, const struct scalar *v,
    const struct constant *set, uint32_t n)
{
	uint32_t hits = 0;

	for (uint32_t i = 0; i < n; i++)
		hits += rel_compare(
		    k->op, k->lhs->type, v, &set[i], &ev->scratch, &ev->oddities);
	if (n == 0)
		return false;
	switch (k->modifier) {
	case MODIFIER_ONEOF:
		return hits == 1;
	case MODIFIER_ANYOF:
		return hits > 0;
	default:
		return hits == n;
	}
}

/* The values of a right-hand field stand in for the constants. */
static const struct constant *
rhs_constants(struct evaluator *ev, const struct operand *rhs, const struct value_view *r)
{
	struct constant *k = arena_array(&ev->scratch, r->n ? r->n : 1, sizeof(*k));
	bool number = value_type_is_number(rhs->type);

	for (uint32_t i = 0; k && i < r->n; i++) {
		struct scalar s = value_view_element(r, number, i);
		k[i] = (struct constant){.num = s.num, .s = s.s, .len = s.len};
	}
	return k;
}

bool
eval_check(struct evaluator *ev, uint32_t event, const struct check *k)
{
	struct value_view v, r;
	const struct constant *set = k->constant;
	uint32_t n = k->n_constant;

	eval_operand(ev, event, k->lhs, &v);
	if (!v.present)
		return false;
	if (k->op == REL_EXISTS)
		return true;
	if (k->rhs) {
		eval_operand(ev, event, k->rhs, &r);
		if (!r.present || !(set = rhs_constants(ev, k->rhs, &r)))
			return false;
		n = r.n;
	}
	if (k->lhs->list)
		return list_eval(k, &v, set, n);
	if (v.n == 0)
		return false;
	struct scalar s = value_view_element(&v, value_type_is_number(k->lhs->type), 0);
	if (k->modifier != MODIFIER_NONE)
		return modified_eval(ev, k, &s, set, n);
	switch (k->op) {
	case REL_IN:
	case REL_INTERSECTS:
		return is_in(k->lhs->type, &s, set, n);
	case REL_PMATCH:
		for (uint32_t i = 0; i < n; i++) {
			if (rel_path_match(s.s, set[i].s))
				return true;
		}
		return false;
	default:
		return n > 0 && rel_compare(k->op, k->lhs->type, &s, &set[0],
				    &ev->scratch, &ev->oddities);
	}
}

/* Depth is bounded by the parser's. */
static bool
cond_eval(struct evaluator *ev, uint32_t event, const struct cond *c)
{
	switch (c->kind) {
	case COND_CHECK:
		return eval_check(ev, event, c->check);
	case COND_NOT:
		return !cond_eval(ev, event, c->child[0]);
	case COND_AND:
		for (uint32_t i = 0; i < c->n; i++) {
			if (!cond_eval(ev, event, c->child[i]))
				return false;
		}
		return true;
	case COND_OR:
		for (uint32_t i = 0; i < c->n; i++) {
			if (cond_eval(ev, event, c->child[i]))
				return true;
		}
		return false;
	}
	return false;
}

/* -- rounds
 * ------------------------------------------------------------------------------------------
 */

void
evaluator_begin(struct evaluator *ev, uint32_t n, const struct event_meta *meta)
{
	ev->n = n;
	ev->meta = meta;
	ev->n_match = ev->n_need = 0;
	ev->done = false;
	ev->all = mask_of(n);
	for (uint32_t i = 0; i < ev->rs->slots->n; i++)
		ev->supply[i].n = 0;
	memset(ev->have, 0, ev->rs->slots->n * sizeof(*ev->have));
	arena_reset(&ev->scratch);
	if (ev->ops->begin)
		ev->ops->begin(ev);
}

void
evaluator_supply(struct evaluator *ev, uint32_t slot, const struct column *column,
    const struct mask *events)
{
	struct supply *s = &ev->supply[slot];
	uint32_t at = s->n < SUPPLIES_MAX ? s->n++ : SUPPLIES_MAX - 1;

	s->column[at] = column;
	s->events[at] = *events;
	ev->have[slot] = mask_or(ev->have[slot], events);
}

void
eval_need_add(struct evaluator *ev, uint32_t slot, const struct mask *wanted)
{
	struct eval_need *need = &ev->need[ev->n_need];

	need->slot = slot;
	need->events = mask_without(*wanted, &ev->have[slot]);
	if (mask_any(&need->events))
		ev->n_need++;
}

static enum eval_rc
plain_run(struct evaluator *ev)
{
	for (uint32_t i = 0; i < ev->n_condition_slot; i++)
		eval_need_add(ev, ev->condition_slot[i], &ev->all);
	if (ev->n_need)
		return EVAL_NEED;
	for (uint32_t e = 0; e < ev->n; e++) {
		for (uint32_t r = 0; r < ev->rs->n_rule; r++) {
			if (!cond_eval(ev, e, ev->rs->rule[r]->cond))
				continue;
			ev->match[ev->n_match++] = (struct eval_match){e, r};
			if (ev->rs->config->matching == RULE_MATCHING_FIRST)
				break;
		}
		arena_reset(&ev->scratch);
	}
	return EVAL_DONE;
}

enum eval_rc
evaluator_run(struct evaluator *ev)
{
	ev->n_need = 0;
	if (!ev->done && ev->ops->run(ev) == EVAL_NEED)
		return EVAL_NEED;
	ev->done = true;
	return EVAL_DONE;
}

const struct eval_need *
evaluator_needs(const struct evaluator *ev, uint32_t *ret_n)
{
	*ret_n = ev->n_need;
	return ev->need;
}

const struct eval_match *
evaluator_matches(const struct evaluator *ev, uint32_t *ret_n)
{
	*ret_n = ev->n_match;
	return ev->match;
}

const struct eval_need *
evaluator_output_needs(struct evaluator *ev, uint32_t *ret_n)
{
	ev->n_need = 0;
	memset(ev->wanted, 0, ev->rs->slots->n * sizeof(*ev->wanted));
	for (uint32_t m = 0; m < ev->n_match; m++) {
		const struct rule *rule = ev->rs->rule[ev->match[m].rule];
		for (uint32_t k = 0; k < rule->n_output_slot; k++)
			mask_set(&ev->wanted[rule->output_slot[k]], ev->match[m].event);
	}
	for (uint32_t i = 0; i < ev->n_output_slot; i++)
		eval_need_add(ev, ev->output_slot[i], &ev->wanted[ev->output_slot[i]]);
	*ret_n = ev->n_need;
	return ev->need;
}
