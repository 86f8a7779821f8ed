/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A parser that does nothing but use a table, so that what is measured is the way of its
 * operations. For each event, so many times: gets an entry, reads a number of it, writes
 * the number plus one, releases it. Entries that are not there are made first.
 *
 *   init_config: "NAME ROUNDS": the table (int64 keys): "threads", or "kept"
 */
#define KIT_NAME "tabler"
#define KIT_API  "3.11.0"
#define KIT_OWN_get_id
#define KIT_OWN_get_event_source
#define KIT_OWN_open
#define KIT_OWN_close
#define KIT_OWN_next_batch
#define KIT_OWN_init
#define KIT_OWN_extract_fields
#define KIT_FIELDS                                                                       \
	"[{\"type\":\"uint64\",\"name\":\"tabler.failed\",\"desc\":\"operations that "   \
	"failed\"}]"
#include "tests/plugins/kit.h"

enum {
	KEYS = 64
};

struct state {
	unsigned rounds;
	bool is_filled;
	plugin_table *table;
	plugin_field_handle *count;
	uint64_t failed;
};

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	struct state *s = calloc(1, sizeof(*s));
	char name[64];

	*rc = PLUGIN_FAILURE;
	if (!s || sscanf(in->config, "%63s %u", name, &s->rounds) != 2)
		return s;
	s->table = in->tables->get_table(in->owner, name, PLUGIN_STATE_INT64);
	if (s->table)
		s->count = in->tables->fields_ext->add_table_field(
		    s->table, "bench_count", PLUGIN_STATE_UINT64);
	if (s->count)
		*rc = PLUGIN_SUCCESS;
	return s;
}

static void
fill(struct state *s, const struct plugin_parse_input *in)
{
	s->is_filled = true;
	for (int64_t i = 0; i < KEYS; i++) {
		const union plugin_state_data key = {.s64 = i};
		plugin_entry *e = in->table_reader_ext->get_table_entry(s->table, &key);
		if (!e) {
			e = in->table_writer_ext->create_table_entry(s->table);
			e = in->table_writer_ext->add_table_entry(s->table, &key, e);
		}
		in->table_reader_ext->release_table_entry(s->table, e);
	}
}

static bool
count_up(struct state *s, const struct plugin_parse_input *in, uint64_t n)
{
	const union plugin_state_data key = {.s64 = (int64_t)(n % KEYS)};
	union plugin_state_data v = {0};
	plugin_entry *e = in->table_reader_ext->get_table_entry(s->table, &key);

	if (!e)
		return false;
	bool done = in->table_reader_ext->read_entry_field(s->table, e, s->count, &v) ==
		    PLUGIN_SUCCESS;
	v.u64++;
	done &= in->table_writer_ext->write_entry_field(s->table, e, s->count, &v) ==
		PLUGIN_SUCCESS;
	in->table_reader_ext->release_table_entry(s->table, e);
	return done;
}

int32_t
plugin_parse_event(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_parse_input *in)
{
	struct state *s = sv;

	if (!s->is_filled)
		fill(s, in);
	for (unsigned i = 0; i < s->rounds; i++)
		s->failed += !count_up(s, in, event->evtnum + i);
	return PLUGIN_SUCCESS;
}

int32_t
plugin_extract_fields(plugin_state *sv, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	struct state *s = sv;

	(void)event;
	for (uint32_t i = 0; i < in->num_fields; i++) {
		in->fields[i].res.u64 = &s->failed;
		in->fields[i].res_len = 1;
	}
	return PLUGIN_SUCCESS;
}
