/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/fuzz/tables.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "worker/fuzz/mutate.h"

enum {
	TABLES = 16,
	FIELDS = 64,
	ENTRIES = 32,
	NAME_BYTES = 64,
	TEXTS = 16
};

struct field {
	char name[NAME_BYTES];
	int32_t type;
};

/* A handle must be a table_input: SDKs look inside. */
struct table {
	struct plugin_table_input input;
	char name[NAME_BYTES];
	struct field field[FIELDS];
	struct plugin_table_fieldinfo info[FIELDS];
	uint32_t n_fields;
};

struct entry {
	uint64_t seed;
};

static struct table table[TABLES];
static uint32_t n_tables;
/* The table that fields of type table lead to. */
static struct table *inner;
static struct entry entry[ENTRIES];
static uint32_t next_entry;
static struct fuzz_rng rng;
static char error[NAME_BYTES];

static void make(struct table *t, const char *name, int32_t key_type);

static bool
fails(const char *what)
{
	error[0] = '\0';
	if (fuzz_rng_below(&rng, 64) != 0)
		return false;
	snprintf(error, sizeof(error), "%s failed", what);
	return true;
}

const char *
tables_last_error(plugin_owner *owner)
{
	return error[0] ? error : NULL;
}

void
tables_begin(uint64_t seed)
{
	rng.state = seed;
	next_entry = 0;
}

/* Getting hold of tables and fields. */

static struct table *
find_table(const char *name)
{
	for (uint32_t i = 0; i < n_tables; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

static struct plugin_table_info *
list_tables(plugin_owner *owner, uint32_t *n)
{
	static struct plugin_table_info list[TABLES];

	for (uint32_t i = 0; i < n_tables; i++)
		list[i] =
		    (struct plugin_table_info){table[i].name, table[i].input.key_type};
	*n = n_tables;
	return list;
}

static plugin_table *
get_table(plugin_owner *owner, const char *name, int32_t key_type)
{
	struct table *t = find_table(name);

	error[0] = '\0';
	if (!t && n_tables < TABLES) {
		t = &table[n_tables++];
		make(t, name, key_type);
	}
	return t && t->input.key_type == key_type ? &t->input : NULL;
}

static int32_t
add_table(plugin_owner *owner, const struct plugin_table_input *in)
{
	return PLUGIN_SUCCESS;
}

static const struct plugin_table_fieldinfo *
list_fields(plugin_table *tv, uint32_t *n)
{
	struct table *t = tv;

	for (uint32_t i = 0; i < t->n_fields; i++)
		t->info[i] = (struct plugin_table_fieldinfo){
		    .name = t->field[i].name, .field_type = t->field[i].type};
	*n = t->n_fields;
	return t->info;
}

static plugin_field_handle *
get_field(plugin_table *tv, const char *name, int32_t type)
{
	struct table *t = tv;

	error[0] = '\0';
	for (uint32_t i = 0; i < t->n_fields; i++)
		if (strcmp(t->field[i].name, name) == 0)
			return t->field[i].type == type ? &t->field[i] : NULL;
	if (t->n_fields == FIELDS)
		return NULL;
	struct field *f = &t->field[t->n_fields++];
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->type = type;
	return f;
}

/* Reading. */

static const char *
get_name(plugin_table *tv)
{
	return ((struct table *)tv)->name;
}

static uint64_t
get_size(plugin_table *tv)
{
	return fuzz_rng_below(&rng, ENTRIES);
}

static struct entry *
new_entry(uint64_t seed)
{
	struct entry *e = &entry[next_entry++ % ENTRIES];

	e->seed = seed;
	return e;
}

static plugin_entry *
get_entry(plugin_table *tv, const union plugin_state_data *key)
{
	if (fails("get_table_entry"))
		return NULL;
	return new_entry(fuzz_rng_next(&rng));
}

static int32_t
read_field(plugin_table *tv, plugin_entry *ev, const plugin_field_handle *fv,
    union plugin_state_data *out)
{
	static const char *const text[TEXTS] = {"", "a", "0", "root", "/usr/bin/sh",
	    "docker", "\xff\xfe", "%s%n", "{}", "null", "-1",
	    "/docker/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	    "cpu=/", "\n", "..", "x"};
	const struct field *f = fv;
	struct fuzz_rng r = {
	    ((struct entry *)ev)->seed ^ (uintptr_t)(f - table[0].field)};

	if (fails("read_entry_field"))
		return PLUGIN_FAILURE;
	if (f->type == PLUGIN_STATE_STRING)
		out->str = text[fuzz_rng_below(&r, TEXTS)];
	else if (f->type == PLUGIN_STATE_TABLE)
		out->table = inner;
	else if (f->type == PLUGIN_STATE_BOOL)
		out->boolean = fuzz_rng_below(&r, 2);
	else
		out->u64 = fuzz_rng_next(&r) >> fuzz_rng_below(&r, 64);
	return PLUGIN_SUCCESS;
}

static void
release_entry(plugin_table *tv, plugin_entry *ev)
{
}

static uint32_t
iterate(plugin_table *tv, uint32_t (*it)(void *, plugin_entry *), void *state)
{
	for (uint32_t n = fuzz_rng_below(&rng, 8); n > 0; n--)
		if (!it(state, new_entry(fuzz_rng_next(&rng))))
			return 0;
	return 1;
}

/* Writing. */

static int32_t
clear(plugin_table *tv)
{
	return fails("clear_table") ? PLUGIN_FAILURE : PLUGIN_SUCCESS;
}

static int32_t
erase(plugin_table *tv, const union plugin_state_data *key)
{
	return fails("erase_table_entry") ? PLUGIN_FAILURE : PLUGIN_SUCCESS;
}

static plugin_entry *
create(plugin_table *tv)
{
	return fails("create_table_entry") ? NULL : new_entry(fuzz_rng_next(&rng));
}

static plugin_entry *
add(plugin_table *tv, const union plugin_state_data *key, plugin_entry *ev)
{
	return fails("add_table_entry") ? NULL : ev;
}

static int32_t
write_field(plugin_table *tv, plugin_entry *ev, const plugin_field_handle *fv,
    const union plugin_state_data *in)
{
	return fails("write_entry_field") ? PLUGIN_FAILURE : PLUGIN_SUCCESS;
}

static struct plugin_table_fields fields = {list_fields, get_field, get_field};
static const struct plugin_table_reader reader = {
    get_name, get_size, get_entry, read_field};
static struct plugin_table_reader_ext reader_ext = {
    get_name, get_size, get_entry, read_field, release_entry, iterate};
static struct plugin_table_writer writer = {
    clear, erase, create, release_entry, add, write_field};

static void
make(struct table *t, const char *name, int32_t key_type)
{
	snprintf(t->name, sizeof(t->name), "%s", name);
	t->input = (struct plugin_table_input){
	    .name = t->name,
	    .key_type = key_type,
	    .table = t,
	    .reader = reader,
	    .writer = writer,
	    .fields = fields,
	    .reader_ext = &reader_ext,
	    .writer_ext = &writer,
	    .fields_ext = &fields,
	};
}

const struct plugin_init_tables *
tables_for_init(void)
{
	static struct plugin_init_tables tables = {
	    .list_tables = list_tables,
	    .get_table = get_table,
	    .add_table = add_table,
	    .fields = {list_fields, get_field, get_field},
	    .fields_ext = &fields,
	    .reader_ext = &reader_ext,
	    .writer_ext = &writer,
	};

	if (!inner) {
		inner = &table[n_tables++];
		make(inner, "inner", PLUGIN_STATE_UINT64);
	}
	return &tables;
}

const struct plugin_table_reader *
tables_reader(void)
{
	return &reader;
}

struct plugin_table_reader_ext *
tables_reader_ext(void)
{
	return &reader_ext;
}

const struct plugin_table_writer *
tables_writer(void)
{
	return &writer;
}

struct plugin_table_writer *
tables_writer_ext(void)
{
	return &writer;
}
