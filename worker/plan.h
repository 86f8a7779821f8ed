/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The extraction plan: the slots that this worker is asked to fill, each with what
 * extract_fields is to be told and a store for its values.
 *
 * Everything is allocated when the plan comes; extracting allocates only when a value is
 * larger than all before it.
 */
#ifndef WORKER_PLAN_H
#define WORKER_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "proto/column.h"
#include "proto/control.pb-c.h"
#include "proto/plugin_api.h"
#include "worker/plugin.h"

struct plan_slot {
	bool is_text; /* event_to_string instead of a field */
	bool first_stage;
	bool complained;     /* that it gave several values, and is no list */
	uint32_t rank;       /* slots before it in the plan that ask for the same field */
	uint32_t in_request; /* the last request that named it */
	struct plugin_extract_field blank;
	struct column_store store; /* its slot is the slot's number */
};

/* Slots that are filled together. */
struct slot_set {
	uint32_t n, n_fields;
	struct plan_slot **slot;
	const struct column_store **column; /* their stores, in the same order */
	/* Those that are fields: slot, what to ask, and what the plugin is given and
	 * fills in. By rank: one call asks for those of one rank (quirks.h says why). */
	uint32_t max_rank;
	struct plan_slot **field_slot;
	struct column_store **store; /* of each */
	uint8_t *kind;               /* enum column_kind of each */
	struct plugin_extract_field *blank, *work;
	struct field_place *place; /* of each, when it was last looked at: quirks.h */
};

void slot_set_clear(struct slot_set *s);
void slot_set_add(struct slot_set *s, struct plan_slot *slot);
/* Empties the stores. */
void slot_set_clear_values(struct slot_set *s);

struct plan {
	struct arena arena; /* of everything below but the stores' memory */
	uint32_t generation, n;
	uint32_t run_ahead; /* batches published and not acknowledged, at most */
	struct plan_slot *slot;
	uint16_t
	    at[LIMIT_PLAN_SLOTS]; /* position + 1 of a slot number, 0: not in the plan */
	struct slot_set first;    /* the first stage */
	struct slot_set request;  /* whatever is asked for at the moment */
	const char *source;       /* the pipeline's */
	bool want_events;
	bool compatible; /* the plugin extracts from this source */
	bool parse;      /* events of our own source, before extracting from them */
	bool deferred;   /* nothing of either before it is requested */
};

/* An empty plan, which asks for nothing. */
void plan_init(struct plan *p);
void plan_release(struct plan *p);
/* What is asked for must be what the plugin has: ERR_PLUGIN otherwise. */
bool plan_make(
    struct plan *p, const Control__Plan *m, const struct plugin *plugin, struct err *err);
/* NULL when it is not in the plan. */
struct plan_slot *plan_find(struct plan *p, uint32_t slot);

#endif
