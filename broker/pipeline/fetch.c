/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns and extraction requests of a pipeline. What chunk_check cannot know of a frame
 * (was this slot asked for, of this worker, is this the kind of its type) is checked
 * here.
 */
#include <event2/event.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "broker/pipeline/internal.h"
#include "broker/pipeline/quarantine.h"
#include "broker/tables/tables.h"

/* Layouts that are handed on without copying. */
_Static_assert(sizeof(struct frame_span) == sizeof(struct span), "spans");

static enum column_kind
kind_of(enum value_type type)
{
	if (value_type_is_number(type))
		return COLUMN_NUM;
	return type == VALUE_CHARBUF ? COLUMN_STR : COLUMN_BIN;
}

static bool
supply_column(struct pipeline *p, struct pipeline_worker *pw,
    const struct frame_column *c, uint32_t at, const struct mask *events,
    bool first_stage, struct err *err)
{
	const uint32_t *first = c->first + at;
	const struct slot_set *slots = p->rules->slots;
	const struct field *field;

	if (c->slot >= slots->n || p->owner[c->slot] != (uint32_t)(pw - p->worker) ||
	    (first_stage && !p->first_stage[c->slot]))
		return err_set(err, ERR_PEER, "a column that was not asked for");
	if (first_stage && mask_any(&p->have[c->slot]))
		return err_set(err, ERR_PEER, "a column twice");
	field = slots->slot[c->slot].ref.field;
	if (c->kind != kind_of(field->type))
		return err_set(
		    err, ERR_PEER, "a column of another kind than %s has", field->name);
	bool alone = (field->flags & FIELD_LIST) || c->first == column_even_first;
	for (uint32_t i = 0; !alone && i < p->n_events; i++) {
		if (first[i + 1] - first[i] > 1)
			return err_set(err, ERR_PEER,
			    "several values of %s, which is no list", field->name);
	}
	p->column[c->slot] = (struct column){
	    .n = p->n_events,
	    .first = first,
	    .num = c->num,
	    .str = (const struct span *)c->str,
	    .bytes = c->bytes,
	};
	p->have[c->slot] = *events;
	evaluator_supply(p->ev, c->slot, &p->column[c->slot], events);
	return true;
}

bool
pipeline_supply(struct pipeline *p, struct pipeline_worker *pw,
    const struct chunk_view *v, uint32_t at, const struct mask *events, bool first_stage,
    struct err *err)
{
	for (uint32_t i = 0; i < v->head.n_columns; i++) {
		if (!supply_column(p, pw, &v->column[i], at, events, first_stage, err))
			return false;
	}
	return true;
}

/* A column without values, as is right for these events. */
static void
supply_nothing(struct pipeline *p, uint32_t slot)
{
	static const uint32_t none[LIMIT_CHUNK_EVENTS + 1];

	p->column[slot] = (struct column){.n = p->n_events, .first = none};
	p->have[slot] = p->all;
	evaluator_supply(p->ev, slot, &p->column[slot], &p->all);
}

void
pipeline_supply_missing(struct pipeline *p, uint32_t slot)
{
	p->counts.missing_columns++;
	supply_nothing(p, slot);
}

static void
orphan(struct pipeline *p, struct request *r)
{
	for (uint32_t i = 0; i < r->n_slot; i++)
		pipeline_supply_missing(p, r->slot[i]);
	r->n_slot = 0;
	r->under_way = r->wanted = r->probing = r->parse = false;
}

/* Are the window's events in the worker's own memory? */
static bool
is_of_its_batch(const struct pipeline *p, const struct pipeline_worker *pw)
{
	return pipeline_is_origin(p, pw) && !p->is_injected;
}

/* Writes the request; the worker answers with a COLUMNS frame of the same number. */
static bool
send_request(struct pipeline *p, struct pipeline_worker *pw, struct err *err)
{
	struct worker *w = pw->worker;
	struct request *r = &pw->request;
	struct extract_head head = {
	    .request = ++p->next_request,
	    .target = is_of_its_batch(p, pw) ? EXTRACT_BATCH : EXTRACT_INLINE,
	    .batch = p->view.head.batch,
	    .first = p->view.head.first + p->at,
	    .n_events = p->n_events,
	    .n_slots = r->n_slot,
	    .flags = r->parse ? EXTRACT_PARSE : 0,
	};
	const void *raw[LIMIT_CHUNK_EVENTS];
	uint64_t number[LIMIT_CHUNK_EVENTS];
	uint32_t raw_len[LIMIT_CHUNK_EVENTS], len;
	void *to;

	for (size_t i = 0; i < sizeof(head.events) / sizeof(*head.events); i++)
		head.events[i] = r->probing ? 0 : r->events.w[i] & ~pw->poison.w[i];
	if (r->probing)
		head.events[r->probe / 64] = 1ull << r->probe % 64;
	if (head.target == EXTRACT_INLINE && !p->raw[0].bytes)
		return err_set(err, ERR_PEER, "a chunk lacks its events");
	for (uint32_t i = 0; i < p->n_events; i++) {
		raw[i] = p->raw[i].bytes;
		raw_len[i] = p->raw[i].len;
		number[i] = p->meta[i].num;
	}
	if (ring_reserve(&w->writer, LIMIT_FRAME_BYTES, &to) != RING_OK)
		return err_set(err, ERR_PEER, "it does not read its requests");
	len = extract_write(to, LIMIT_FRAME_BYTES, &head, r->slot, number, raw, raw_len);
	if (len == 0)
		return err_set(err, ERR_LIMIT, "a request does not fit");
	ring_commit(&w->writer, FRAME_EXTRACT, len);
	if (ring_writer_must_wake(&w->writer))
		worker_wake(w);
	r->number = head.request;
	r->sent_ns = clock_mono_ns();
	r->under_way = true;
	r->wanted = false;
	w->counts.extracts++;
	return true;
}

/* The origin's events are in its memory only as long as the incarnation that made them.
 */
static bool
can_answer(const struct pipeline *p, const struct pipeline_worker *pw)
{
	if (pw->gone)
		return false;
	if (!pipeline_is_origin(p, pw))
		return true;
	return worker_is_up(pw->worker) &&
	       (p->is_injected || pw->worker->id == p->incarnation);
}

/* Plugins that know each other's tables are called one at a time, as all are in Falco:
 * one must not meet an entry that another holds. */
static bool
awaits_turn(const struct pipeline *p, const struct pipeline_worker *pw)
{
	if (!p->lockstep || !tables_are_shared_by(pw->worker))
		return false;
	for (uint32_t i = 0; i < p->n_worker; i++) {
		if (p->worker[i].request.under_way &&
		    tables_are_shared_by(p->worker[i].worker))
			return true;
	}
	return false;
}

/* To be sent again or for the first time, and nothing is in the way. */
static bool
is_due(const struct pipeline *p, const struct pipeline_worker *pw)
{
	return pw->request.wanted && worker_is_ready(pw->worker) && !awaits_turn(p, pw);
}

static void
dispatch(struct pipeline *p, struct pipeline_worker *pw)
{
	struct err err;

	if (!can_answer(p, pw)) {
		orphan(p, &pw->request);
		return;
	}
	/* Sent when it is back, or when it is its turn. */
	if (!worker_is_ready(pw->worker) || awaits_turn(p, pw)) {
		pw->request.wanted = true;
		return;
	}
	if (send_request(p, pw, &err))
		return;
	orphan(p, &pw->request);
	worker_breach(pw->worker, &err);
}

/* Does the window have events of a type that is among these? */
static bool
window_has(const struct pipeline *p, const struct worker_types *types)
{
	for (uint32_t i = 0; i < p->n_events; i++) {
		if (worker_types_have(types, p->meta[i].type))
			return true;
	}
	return false;
}

/* Can the slot have a value on any event of the window? Text is made of plugin events. */
static bool
can_have_value(const struct pipeline *p, const struct pipeline_worker *pw, uint32_t slot)
{
	if (p->rules->slots->slot[slot].ref.field->provider == PROVIDER_EVENT_TEXT)
		return !p->is_injected;
	return window_has(p, &pw->worker->extract_types);
}

void
pipeline_ask(struct pipeline *p, const struct eval_need *need, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t slot = need[i].slot, at = p->owner[slot];
		struct request *r;

		if (at == UINT32_MAX) {
			pipeline_supply_missing(p, slot);
			continue;
		}
		if (!can_have_value(p, &p->worker[at], slot)) {
			supply_nothing(p, slot);
			continue;
		}
		r = &p->worker[at].request;
		if (r->n_slot == 0)
			r->events = (struct mask){{0}};
		r->slot[r->n_slot++] = slot;
		/* A column is replaced whole: what was there is asked for again. */
		r->events = mask_or(r->events, &need[i].events);
		r->events = mask_or(r->events, &p->have[slot]);
	}
	for (uint32_t i = 0; i < p->n_worker; i++) {
		if (p->worker[i].request.n_slot > 0)
			dispatch(p, &p->worker[i]);
	}
}

bool
pipeline_ask_to_parse(struct pipeline *p, struct pipeline_worker *pw)
{
	if (!pw->parses || !window_has(p, &pw->worker->parse_types))
		return false;
	pw->request.parse = true;
	pw->request.events = p->all;
	dispatch(p, pw);
	return true;
}

/* All columns of this worker that came with no chunk. */
static void
ask_one_ahead(struct pipeline *p, struct pipeline_worker *pw)
{
	struct request *r = &pw->request;

	for (uint32_t k = 0; !p->is_state && k < pw->n_slot; k++) {
		uint32_t slot = pw->slot[k].slot;
		if (!p->first_stage[slot])
			continue;
		if (can_have_value(p, pw, slot))
			r->slot[r->n_slot++] = slot;
		else
			supply_nothing(p, slot);
	}
	r->parse = pw->parses && !p->lockstep && window_has(p, &pw->worker->parse_types);
	if (r->n_slot == 0 && !r->parse)
		return;
	r->events = p->all;
	dispatch(p, pw);
}

void
pipeline_ask_ahead(struct pipeline *p)
{
	for (uint32_t i = 0; i < p->n_worker; i++) {
		if (!is_of_its_batch(p, &p->worker[i]) || p->deferred)
			ask_one_ahead(p, &p->worker[i]);
	}
}

void
pipeline_send_again(struct pipeline *p, struct pipeline_worker *pw)
{
	if (pw->request.wanted)
		dispatch(p, pw);
}

/* The next event, from "from" on, that is to be tried alone; false when all were. */
static bool
next_probe(struct pipeline_worker *pw, uint32_t from)
{
	struct request *r = &pw->request;

	for (r->probe = from; r->probe < LIMIT_CHUNK_EVENTS; r->probe++) {
		if (mask_has(&r->events, r->probe) && !mask_has(&pw->poison, r->probe))
			return true;
	}
	return false;
}

/* No event did it when it was ended by request, or because something failed here. */
static bool
may_be_the_event(const struct worker *w)
{
	return !w->restarting && (w->doom.code == ERR_PLUGIN || w->doom.code == ERR_PEER);
}

/* Perhaps an event killed it: each is tried once more, alone; what kills it again is set
 * aside, and its fields are missing. */
static void
suspect_event(struct pipeline *p, struct pipeline_worker *pw)
{
	struct request *r = &pw->request;
	uint32_t from = 0;

	if (r->probing) {
		p->counts.poison_events++;
		mask_set(&pw->poison, r->probe);
		quarantine_event(p, pw, r->probe);
		from = r->probe + 1;
	}
	r->probing = next_probe(pw, from);
}

void
pipeline_request_orphaned(struct pipeline *p, struct pipeline_worker *pw, bool restarts)
{
	struct request *r = &pw->request;

	if (!r->under_way && !r->wanted)
		return;
	if (pipeline_is_origin(p, pw) || !restarts) {
		orphan(p, r);
		return;
	}
	if (r->under_way && may_be_the_event(pw->worker))
		suspect_event(p, pw);
	r->under_way = false;
	r->wanted = true;
}

/* One COLUMNS frame against the request that is under way. */
static bool
take_answer(
    struct pipeline *p, struct pipeline_worker *pw, struct frame *f, struct err *err)
{
	struct request *r = &pw->request;
	const struct chunk_view *v = &p->answer;

	if (!r->under_way)
		return err_set(err, ERR_PEER, "an answer to nothing");
	if (!chunk_check(&p->answer, f->bytes, f->len, FRAME_COLUMNS, err))
		return false;
	if (v->head.batch != r->number || v->head.n_events != p->n_events ||
	    v->head.n_columns != r->n_slot)
		return err_set(err, ERR_PEER, "an answer to another request");
	worker_took(pw->worker, clock_mono_ns() - r->sent_ns);
	if (r->probing) {
		/* It lives: on to the next event, or to the whole without those it dies
		 * of. */
		r->probing = next_probe(pw, r->probe + 1);
		r->under_way = false;
		r->wanted = true;
		return true;
	}
	if (!pipeline_supply(p, pw, v, 0, &r->events, false, err))
		return false;
	for (uint32_t i = 0; i < r->n_slot; i++) {
		if (memcmp(&p->have[r->slot[i]], &r->events, sizeof(r->events)) != 0)
			return err_set(
			    err, ERR_PEER, "an answer that leaves out a column");
	}
	r->n_slot = 0;
	r->under_way = r->parse = false;
	return true;
}

/* The frames of one worker until its answer is there; its events wait in the backlog. */
static void
gather(struct pipeline *p, struct pipeline_worker *pw)
{
	struct frame *f;
	struct err err;

	while (pw->request.under_way && pipeline_take(p, pw, &f) == TAKE_OK) {
		if (pipeline_is_origin(p, pw) && f->type == FRAME_EVENTS) {
			TAILQ_INSERT_TAIL(&p->backlog, f, link);
			p->n_backlog++;
			continue;
		}
		TAILQ_INSERT_TAIL(&p->held, f, link);
		if (f->type != FRAME_COLUMNS)
			err_set(
			    &err, ERR_PEER, "a frame of a kind that has no place here");
		else if (take_answer(p, pw, f, &err))
			continue;
		worker_breach(pw->worker, &err);
		return;
	}
}

bool
pipeline_answers(struct pipeline *p)
{
	bool all = true, any = false;

	for (uint32_t i = 0; i < p->n_worker; i++) {
		struct pipeline_worker *pw = &p->worker[i];

		if (pw->request.under_way && worker_is_up(pw->worker))
			gather(p, pw);
	}
	do {
		all = true;
		any = false;
		for (uint32_t i = 0; i < p->n_worker; i++) {
			struct pipeline_worker *pw = &p->worker[i];

			for (; is_due(p, pw); any = true) {
				dispatch(p, pw);
				gather(p, pw);
			}
			all &= !pw->request.under_way && !pw->request.wanted;
		}
		/* An answer may have given others their turn. */
	} while (any);
	return all;
}
