/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/extract.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "worker/quirks.h"
#include "worker/text.h"

enum {
	VALUE_HEAD_BYTES = 8,
	A_MINUTE_S = 60
};

void
extractor_init(struct extractor *x, struct plugin *plugin, struct host *host)
{
	*x = (struct extractor){.plugin = plugin, .host = host};
}

static void complain(struct extractor *x, struct complaint *c, uint32_t severity,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void
complain(
    struct extractor *x, struct complaint *c, uint32_t severity, const char *fmt, ...)
{
	uint64_t now = clock_mono_ns();
	char text[LIMIT_LOG_LINE_BYTES];
	va_list ap;

	c->count++;
	if (now < c->again_ns)
		return;
	c->again_ns = now + A_MINUTE_S * 1000000000ull;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	uplink_log(x->host->up, NULL, text, severity);
}

/* -- values out of the plugin's memory --------------------------------------------------
 */

static bool
add_bytes(struct column_store *c, const void *p, uint32_t n, uint32_t *room)
{
	if (n >= *room || *room - n < VALUE_HEAD_BYTES + 1 ||
	    !column_store_bytes(c, p, n))
		return false;
	*room -= n + 1 + VALUE_HEAD_BYTES;
	return true;
}

static bool
add_num(struct column_store *c, uint64_t v, uint32_t *room)
{
	if (*room < VALUE_HEAD_BYTES || !column_store_num(c, v))
		return false;
	*room -= VALUE_HEAD_BYTES;
	return true;
}

/* True also for a NULL, which is no value. */
static bool
add_value(struct column_store *c, const struct plugin_extract_field *f, uint32_t type,
    uint64_t i, uint32_t *room)
{
	switch (type) {
	case PLUGIN_FIELD_STRING: {
		const char *s = f->res.str[i];
		return !s || add_bytes(c, s, (uint32_t)strnlen(s, *room), room);
	}
	case PLUGIN_FIELD_IPADDR:
	case PLUGIN_FIELD_IPNET: {
		const struct plugin_byte_buffer *b = &f->res.buf[i];
		return !b->ptr || add_bytes(c, b->ptr, b->len, room);
	}
	case PLUGIN_FIELD_BOOL:
		return add_num(c, f->res.boolean[i], room);
	default:
		return add_num(c, f->res.u64[i], room);
	}
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
take_values(struct extractor *x, struct plan_slot *s,
    const struct plugin_extract_field *f, uint32_t *room)
{
	struct column_store *c = &s->store;
	const uint32_t n_values = c->n_values, n_bytes = c->n_bytes, had = *room;

	if (f->res_len == 0 || !f->res.str)
		return;
	if (f->res_len > 1 && !s->blank.flist) {
		several_values(x, s, f->res_len);
		return;
	}
	bool fits = f->res_len <= LIMIT_LIST_VALUES;
	for (uint64_t i = 0; fits && i < f->res_len; i++)
		fits = add_value(c, f, s->blank.ftype, i, room);
	if (fits)
		return;
	/* A part of a list would be a lie. */
	c->n_values = n_values;
	c->n_bytes = n_bytes;
	*room = had;
	complain(x, &x->no_room, PLUGIN_LOG_WARNING,
	    "a value of field '%s' is too large and left out (%" PRIu64 " so far)",
	    s->blank.field, x->no_room.count + 1);
}

/* -- calls
 * -------------------------------------------------------------------------------- */

static bool
call(struct extractor *x, const struct plugin_event_input *in,
    struct plugin_extract_field *field, uint32_t n)
{
	const struct plugin_extract_input e = {
	    .owner = x->host,
	    .get_owner_last_error = host_last_error,
	    .num_fields = n,
	    .fields = field,
	    .table_reader = *host_table_reader(),
	    .table_reader_ext = host_table_reader_ext(),
	};

	return x->plugin->sym.extract_fields(x->plugin->state, in, &e) == PLUGIN_SUCCESS;
}

static void
extract_one_by_one(struct extractor *x, struct slot_set *set,
    const struct plugin_event_input *in, uint32_t *room)
{
	for (uint32_t i = 0; i < set->n_fields; i++) {
		struct plugin_extract_field *f = &set->work[i];

		*f = set->blank[i];
		if (call(x, in, f, 1))
			take_values(x, set->field_slot[i], f, room);
		else
			complain(x, &x->failed, PLUGIN_LOG_DEBUG,
			    "extraction of '%s' failed (%" PRIu64 " so far): %s",
			    set->blank[i].field, x->failed.count + 1,
			    plugin_last_error(x->plugin));
	}
}

/* All in one call; false when the answer is of no use. */
static bool
extract_together(
    struct extractor *x, struct slot_set *set, const struct plugin_event_input *in)
{
	memcpy(set->work, set->blank, set->n_fields * sizeof(*set->work));
	if (!call(x, in, set->work, set->n_fields))
		return false;
	if (!fields_share_memory(set->work, set->n_fields))
		return true;
	x->plugin->one_by_one = true;
	uplink_log(x->host->up, NULL,
	    "fields overwrite each other's values when extracted together: from now on "
	    "they are "
	    "extracted one by one",
	    PLUGIN_LOG_NOTICE);
	return false;
}

static void
extract_fields(struct extractor *x, struct slot_set *set,
    const struct plugin_event_input *in, uint32_t *room)
{
	if (x->plugin->one_by_one || !extract_together(x, set, in)) {
		extract_one_by_one(x, set, in, room);
		return;
	}
	for (uint32_t i = 0; i < set->n_fields; i++)
		take_values(x, set->field_slot[i], &set->work[i], room);
}

static void
extract_text(struct extractor *x, struct plan_slot *s,
    const struct plugin_event_input *in, uint32_t *room)
{
	char buf[TEXT_BYTES];
	const char *text = event_text(x->plugin, in, buf);

	if (text && !add_bytes(&s->store, text, (uint32_t)strnlen(text, *room), room))
		complain(x, &x->no_room, PLUGIN_LOG_WARNING,
		    "a text of an event is too large and left out (%" PRIu64 " so far)",
		    x->no_room.count + 1);
}

void
extract_event(struct extractor *x, const struct plan *plan, struct slot_set *set,
    const struct plugin_event_input *in, uint32_t *room)
{
	if (set->n_fields > 0 && plan->compatible &&
	    type_set_has(&x->plugin->extract_types, in->evt->type))
		extract_fields(x, set, in, room);
	for (uint32_t i = 0; set->n_fields < set->n && i < set->n; i++) {
		if (set->slot[i]->is_text)
			extract_text(x, set->slot[i], in, room);
	}
	extract_nothing(set);
}

void
extract_nothing(struct slot_set *set)
{
	for (uint32_t i = 0; i < set->n; i++)
		column_store_next(&set->slot[i]->store);
}
