/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/plan.h"

#include <string.h>

#include "base/limits.h"

/* A thousand bytes a slot, arguments included; twice, for two sets. */
enum {
	ARENA_BYTES = 8 << 20
};

void
slot_set_clear(struct slot_set *s)
{
	memset(s->place, 0, s->n_fields * sizeof(*s->place));
	s->n = s->n_fields = s->max_rank = 0;
}

void
slot_set_add(struct slot_set *s, struct plan_slot *slot)
{
	s->slot[s->n] = slot;
	s->column[s->n++] = &slot->store;
	if (slot->is_text)
		return;
	uint32_t at = s->n_fields++;
	for (; at > 0 && s->field_slot[at - 1]->rank > slot->rank; at--) {
		s->field_slot[at] = s->field_slot[at - 1];
		s->store[at] = s->store[at - 1];
		s->kind[at] = s->kind[at - 1];
		s->blank[at] = s->blank[at - 1];
	}
	s->field_slot[at] = slot;
	s->store[at] = &slot->store;
	s->kind[at] = (uint8_t)slot->store.kind;
	s->blank[at] = slot->blank;
	if (slot->rank > s->max_rank)
		s->max_rank = slot->rank;
}

void
slot_set_clear_values(struct slot_set *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		column_store_clear(&s->slot[i]->store);
}

static bool
set_init(struct slot_set *s, struct arena *arena, uint32_t n)
{
	*s = (struct slot_set){
	    .slot = arena_array(arena, n + 1, sizeof(struct plan_slot *)),
	    .column = arena_array(arena, n + 1, sizeof(struct column_store *)),
	    .field_slot = arena_array(arena, n + 1, sizeof(struct plan_slot *)),
	    .store = arena_array(arena, n + 1, sizeof(struct column_store *)),
	    .kind = arena_array(arena, n + 1, sizeof(uint8_t)),
	    .blank = arena_array(arena, n + 1, sizeof(struct plugin_extract_field)),
	    .work = arena_array(arena, n + 1, sizeof(struct plugin_extract_field)),
	    .place = arena_array(arena, n + 1, sizeof(struct field_place)),
	};
	return s->slot && s->column && s->field_slot && s->store && s->kind && s->blank &&
	       s->work && s->place;
}

void
plan_init(struct plan *p)
{
	*p = (struct plan){.source = ""};
	arena_init(&p->arena, ARENA_BYTES);
}

void
plan_release(struct plan *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		column_store_release(&p->slot[i].store);
	arena_release(&p->arena);
	plan_init(p);
}

struct plan_slot *
plan_find(struct plan *p, uint32_t slot)
{
	return slot < LIMIT_PLAN_SLOTS && p->at[slot] ? &p->slot[p->at[slot] - 1] : NULL;
}

static bool
kind_of(uint32_t type, enum column_kind *ret_kind)
{
	switch (type) {
	case PLUGIN_FIELD_UINT64:
	case PLUGIN_FIELD_RELTIME:
	case PLUGIN_FIELD_ABSTIME:
	case PLUGIN_FIELD_BOOL:
		*ret_kind = COLUMN_NUM;
		return true;
	case PLUGIN_FIELD_STRING:
		*ret_kind = COLUMN_STR;
		return true;
	case PLUGIN_FIELD_IPADDR:
	case PLUGIN_FIELD_IPNET:
		*ret_kind = COLUMN_BIN;
		return true;
	default:
		return false;
	}
}

static bool
make_field(struct plan *p, struct plan_slot *s, const Control__Slot *m, struct err *err)
{
	s->blank = (struct plugin_extract_field){
	    .field_id = m->field_id,
	    .field = arena_strdup(&p->arena, m->field ? m->field : ""),
	    .arg_key = m->arg_key ? arena_strdup(&p->arena, m->arg_key) : NULL,
	    .arg_index = m->has_arg_index ? m->arg_index : UINT64_MAX,
	    .arg_present = m->arg_present,
	    .ftype = m->type,
	    .flist = m->is_list,
	};
	if (!s->blank.field || (m->arg_key && !s->blank.arg_key))
		return err_nomem(err);
	return true;
}

static bool
make_slot(struct plan *p, struct plan_slot *s, const Control__Slot *m,
    const struct plugin *plugin, struct err *err)
{
	enum column_kind kind = COLUMN_STR;

	if (m->slot >= LIMIT_PLAN_SLOTS || p->at[m->slot])
		return err_set(err, ERR_PLUGIN, "plan: slot %u cannot be", m->slot);
	s->is_text = m->event_text;
	s->first_stage = m->first_stage;
	if (!s->is_text) {
		if (!(plugin->info.capabilities & PLUGIN_EXTRACTION) ||
		    m->field_id >= plugin->info.n_fields || !kind_of(m->type, &kind))
			return err_set(err, ERR_PLUGIN,
			    "plan: plugin %s has no field '%s'", plugin->info.name,
			    m->field ? m->field : "");
		if (!make_field(p, s, m, err))
			return false;
		for (uint32_t i = 0; i < p->n; i++)
			s->rank += !p->slot[i].is_text &&
				   p->slot[i].blank.field_id == m->field_id;
	}
	if (!column_store_init(&s->store, m->slot, kind, err))
		return false;
	p->at[m->slot] = (uint16_t)++p->n;
	return true;
}

bool
plan_make(
    struct plan *p, const Control__Plan *m, const struct plugin *plugin, struct err *err)
{
	plan_release(p);
	if (m->n_slots > LIMIT_PLAN_SLOTS)
		return err_set(
		    err, ERR_PLUGIN, "plan: %zu slots are too many", m->n_slots);
	uint32_t n = (uint32_t)m->n_slots;
	p->slot = arena_array(&p->arena, n + 1, sizeof(*p->slot));
	p->source = arena_strdup(&p->arena, m->source ? m->source : "");
	if (!p->slot || !p->source || !set_init(&p->first, &p->arena, n) ||
	    !set_init(&p->request, &p->arena, n)) {
		plan_release(p);
		return err_nomem(err);
	}
	for (uint32_t i = 0; i < n; i++) {
		if (!make_slot(p, &p->slot[i], m->slots[i], plugin, err)) {
			plan_release(p);
			return false;
		}
		if (p->slot[i].first_stage && !m->deferred)
			slot_set_add(&p->first, &p->slot[i]);
	}
	p->generation = m->generation;
	p->want_events = m->want_events;
	p->parse = m->parse;
	p->deferred = m->deferred;
	p->run_ahead = m->run_ahead > 1 ? m->run_ahead : 1;
	p->compatible = plugin->extract_sources.n == 0 ||
			name_list_has(&plugin->extract_sources, p->source);
	return true;
}
