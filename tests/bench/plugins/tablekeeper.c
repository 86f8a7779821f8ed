/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the table "kept" (int64 keys, 0 to 63, always there; one field, bench_count) for
 * tabler.c, and does nothing else. */
#define KIT_NAME "tablekeeper"
#define KIT_API  "3.11.0"
#define KIT_OWN_get_id
#define KIT_OWN_get_event_source
#define KIT_OWN_open
#define KIT_OWN_close
#define KIT_OWN_next_batch
#define KIT_OWN_init
#include "tests/plugins/kit.h"

enum {
	KEYS = 64
};

static uint64_t count[KEYS];

static const char *
get_table_name(plugin_table *t)
{
	(void)t;
	return "kept";
}

static uint64_t
get_table_size(plugin_table *t)
{
	(void)t;
	return KEYS;
}

static plugin_entry *
get_table_entry(plugin_table *t, const union plugin_state_data *key)
{
	(void)t;
	return key->s64 >= 0 && key->s64 < KEYS ? &count[key->s64] : NULL;
}

static int32_t
read_entry_field(plugin_table *t, plugin_entry *e, const plugin_field_handle *f,
    union plugin_state_data *out)
{
	(void)t;
	(void)f;
	out->u64 = *(uint64_t *)e;
	return PLUGIN_SUCCESS;
}

static void
release_table_entry(plugin_table *t, plugin_entry *e)
{
	(void)t;
	(void)e;
}

static uint32_t
iterate_entries(plugin_table *t, uint32_t (*it)(void *, plugin_entry *), void *state)
{
	int i = 0;

	(void)t;
	while (i < KEYS && it(state, &count[i]))
		i++;
	return i == KEYS;
}

static int32_t
clear_table(plugin_table *t)
{
	(void)t;
	return PLUGIN_NOT_SUPPORTED;
}

static int32_t
erase_table_entry(plugin_table *t, const union plugin_state_data *key)
{
	(void)t;
	(void)key;
	return PLUGIN_NOT_SUPPORTED;
}

static plugin_entry *
create_table_entry(plugin_table *t)
{
	(void)t;
	return NULL;
}

static void
destroy_table_entry(plugin_table *t, plugin_entry *e)
{
	(void)t;
	(void)e;
}

static plugin_entry *
add_table_entry(plugin_table *t, const union plugin_state_data *key, plugin_entry *e)
{
	(void)t;
	(void)key;
	(void)e;
	return NULL;
}

static int32_t
write_entry_field(plugin_table *t, plugin_entry *e, const plugin_field_handle *f,
    const union plugin_state_data *in)
{
	(void)t;
	(void)f;
	*(uint64_t *)e = in->u64;
	return PLUGIN_SUCCESS;
}

static const struct plugin_table_fieldinfo *
list_table_fields(plugin_table *t, uint32_t *n)
{
	static const struct plugin_table_fieldinfo field = {
	    "bench_count", PLUGIN_STATE_UINT64, 0};

	(void)t;
	*n = 1;
	return &field;
}

/* To add one is to find it: there is but one. */
static plugin_field_handle *
get_table_field(plugin_table *t, const char *name, int32_t type)
{
	(void)t;
	return strcmp(name, "bench_count") == 0 && type == PLUGIN_STATE_UINT64 ? count
									       : NULL;
}

static struct plugin_table_reader_ext reader_ext = {get_table_name, get_table_size,
    get_table_entry, read_entry_field, release_table_entry, iterate_entries};
static struct plugin_table_writer writer = {clear_table, erase_table_entry,
    create_table_entry, destroy_table_entry, add_table_entry, write_entry_field};
static struct plugin_table_fields fields = {
    list_table_fields, get_table_field, get_table_field};

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	struct kit_state *s = calloc(1, sizeof(*s));
	const struct plugin_table_input table = {
	    .name = "kept",
	    .key_type = PLUGIN_STATE_INT64,
	    .table = count,
	    .reader = {get_table_name, get_table_size, get_table_entry, read_entry_field},
	    .writer = writer,
	    .fields = fields,
	    .reader_ext = &reader_ext,
	    .writer_ext = &writer,
	    .fields_ext = &fields,
	};

	*rc = s ? in->tables->add_table(in->owner, &table) : PLUGIN_FAILURE;
	return s;
}
