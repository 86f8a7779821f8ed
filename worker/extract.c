/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/extract.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "worker/quirks.h"
#include "worker/tables.h"
#include "worker/take.h"
#include "worker/text.h"
#include "worker/values.h"

void
extractor_init(struct extractor *x, struct plugin *plugin, struct host *host)
{
	*x = (struct extractor){
	    .plugin = plugin,
	    .host = host,
	    .input =
		{
		    .owner = host,
		    .get_owner_last_error = host_last_error,
		    .table_reader = *tables_reader(),
		    .table_reader_ext = tables_reader_ext(),
		},
	};
}

static void
several_values(struct extractor *x, struct plan_slot *s, uint64_t n)
{
	char text[LIMIT_LOG_LINE_BYTES];

	if (s->complained)
		return;
	s->complained = true;
	snprintf(text, sizeof(text),
	    "non-list filter '%s' expected to extract a single value, but %" PRIu64
	    " were found",
	    s->blank.field, n);
	uplink_log(x->host->up, NULL, text, PLUGIN_LOG_ERROR);
}

static void
take_many(struct extractor *x, struct plan_slot *s, const struct plugin_extract_field *f,
    uint32_t *room)
{
	if (f->res_len > 1 && !s->blank.flist)
		several_values(x, s, f->res_len);
	else if (!values_take(&s->store, f, s->blank.ftype, room))
		host_complain(x->host, &x->no_room, PLUGIN_LOG_WARNING,
		    "a value of field '%s' is too large and left out (%" PRIu64
		    " so far)",
		    s->blank.field, x->no_room.count + 1);
}

/* Ends the event in the slot's column. */
static void
take_values(struct extractor *x, struct plan_slot *s,
    const struct plugin_extract_field *f, uint32_t *room)
{
	if (values_take_one(&s->store, f, s->blank.ftype, room))
		return;
	take_many(x, s, f, room);
	column_store_next(&s->store);
}

static bool
call(struct extractor *x, const struct plugin_event_input *in,
    struct plugin_extract_field *field, uint32_t n)
{
	x->input.num_fields = n;
	x->input.fields = field;
	return x->plugin->sym.extract_fields(x->plugin->state, in, &x->input) ==
	       PLUGIN_SUCCESS;
}

static void
extract_one_by_one(struct extractor *x, struct slot_set *set, uint32_t first, uint32_t n,
    const struct plugin_event_input *in, uint32_t *room)
{
	for (uint32_t i = first; i < first + n; i++) {
		struct plugin_extract_field *f = &set->work[i];

		*f = set->blank[i];
		if (!call(x, in, f, 1)) {
			f->res_len = 0;
			host_complain(x->host, &x->failed, PLUGIN_LOG_DEBUG,
			    "extraction of '%s' failed (%" PRIu64 " so far): %s",
			    set->blank[i].field, x->failed.count + 1,
			    plugin_last_error(x->plugin));
		}
		take_values(x, set->field_slot[i], f, room);
	}
}

/* The pairs of fields are all looked at in the beginning, and now and then. */
enum {
	THOROUGH_CALLS = 256
};

/* Takes what the call has filled in; true when all of it lies where it lay before. */
static bool
take_all(
    struct extractor *x, struct slot_set *set, uint32_t first, uint32_t n, uint32_t *room)
{
	uintptr_t moved = 0;

	for (uint32_t i = first, end = first + n; i < end; i++) {
		const struct take_call call = {set->work + i, set->store + i,
		    set->kind + i, set->place + i, end - i};
		i += take_run(&call, room, &moved);
		if (i == end)
			break;
		const struct plugin_extract_field *f = &set->work[i];
		moved |= field_has_moved(f, set->kind[i], &set->place[i]);
		take_values(x, set->field_slot[i], f, room);
	}
	return moved == 0;
}

/* All in one call; false, and nothing taken, when the answer is of no use. */
static bool
extract_together(struct extractor *x, struct slot_set *set, uint32_t first, uint32_t n,
    const struct plugin_event_input *in, uint32_t *room)
{
	struct plugin_extract_field *work = set->work + first;
	bool thorough =
	    x->n_together < THOROUGH_CALLS || x->n_together % THOROUGH_CALLS == 0;
	const uint32_t had = *room;

	x->n_together++;
	memcpy(work, set->blank + first, n * sizeof(*work));
	if (!call(x, in, work, n))
		return false;
	bool known = take_all(x, set, first, n, room);
	/* In the same places nothing was shared before. */
	if ((known && !thorough) ||
	    !fields_share_memory(work, set->kind + first, n, &x->plugin->constants,
		thorough, set->place + first))
		return true;
	x->plugin->one_by_one = true;
	for (uint32_t i = first; i < first + n; i++)
		column_store_undo(&set->field_slot[i]->store);
	*room = had;
	uplink_log(x->host->up, NULL,
	    "fields overwrite each other's values when extracted together: from now on "
	    "they are extracted one by one",
	    PLUGIN_LOG_NOTICE);
	return false;
}

/* How many fields from first on are asked for in one call: those of one rank. */
static uint32_t
call_size(const struct slot_set *set, uint32_t first)
{
	uint32_t n = 1;

	if (set->max_rank == 0)
		return set->n_fields;
	while (first + n < set->n_fields &&
	       set->field_slot[first + n]->rank == set->field_slot[first]->rank)
		n++;
	return n;
}

static void
extract_fields(struct extractor *x, struct slot_set *set,
    const struct plugin_event_input *in, uint32_t *room)
{
	for (uint32_t first = 0, n; first < set->n_fields; first += n) {
		n = call_size(set, first);
		if (x->plugin->one_by_one ||
		    !extract_together(x, set, first, n, in, room))
			extract_one_by_one(x, set, first, n, in, room);
	}
}

static void
extract_text(struct extractor *x, struct plan_slot *s,
    const struct plugin_event_input *in, uint32_t *room)
{
	char buf[TEXT_BYTES];
	const char *text = event_text(x->plugin, in, buf);

	if (text && !values_take_text(&s->store, text, room))
		host_complain(x->host, &x->no_room, PLUGIN_LOG_WARNING,
		    "a text of an event is too large and left out (%" PRIu64 " so far)",
		    x->no_room.count + 1);
	column_store_next(&s->store);
}

void
extract_event(struct extractor *x, const struct plan *plan, struct slot_set *set,
    const struct plugin_event_input *in, uint32_t *room)
{
	if (set->n_fields > 0 && plan->compatible &&
	    type_set_has(&x->plugin->extract_types, in->evt->type)) {
		extract_fields(x, set, in, room);
	} else {
		for (uint32_t i = 0; i < set->n_fields; i++)
			column_store_next(&set->field_slot[i]->store);
	}
	for (uint32_t i = 0; set->n_fields < set->n && i < set->n; i++) {
		if (set->slot[i]->is_text)
			extract_text(x, set->slot[i], in, room);
	}
	/* Values are copied: entries of tables that they may lie in can go. */
	tables_call_done(x->host->tables);
}

void
extract_nothing(struct slot_set *set)
{
	for (uint32_t i = 0; i < set->n; i++)
		column_store_next(&set->slot[i]->store);
}
