/* SPDX-License-Identifier: Apache-2.0 */
/* What the plugin does with the entries of a table. */
#include "worker/tables_use.h"

/* Reading. */

static const char *
get_table_name(plugin_table *tv)
{
	return ((struct user_table *)tv)->name;
}

static uint64_t
get_table_size(plugin_table *tv)
{
	struct table_room *room = use_begin(tv, TABLE_SIZE);
	struct table_view v;

	if (!room)
		return UINT64_MAX;
	uint64_t n = use_transact(tv, room, NULL, NULL, &v) ? v.head.number : UINT64_MAX;
	table_room_give_back();
	return n;
}

static plugin_entry *
get_table_entry(plugin_table *tv, const union plugin_state_data *key)
{
	struct user_table *u = tv;
	struct table_room *room = use_begin(u, TABLE_ENTRY);

	if (!room)
		return NULL;
	table_frame_data(&room->frame, 0, (uint32_t)u->input.key_type, key);
	return use_for_entry(u, room);
}

/* A value as the plugin gets it; what it points to stays as long as the entry. */
static int32_t
give_value(struct user_entry *e, const struct table_view *v, const struct user_field *f,
    union plugin_state_data *out)
{
	if (!table_view_data(v, 0, f->type, out)) {
		tables_fail(e->table->tables, "a value of another type than its field");
		return PLUGIN_FAILURE;
	}
	if (f->type == PLUGIN_STATE_TABLE) {
		out->table = user_sub_table(
		    e->table, (uint32_t)v->value[0].num, (int32_t)v->value[0].field);
		return out->table ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
	}
	if (f->type == PLUGIN_STATE_STRING) {
		out->str = user_entry_keep(e, out->str, v->value[0].len);
		return out->str ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
	}
	return PLUGIN_SUCCESS;
}

static int32_t
read_entry_field(plugin_table *tv, plugin_entry *ev, const plugin_field_handle *fv,
    union plugin_state_data *out)
{
	struct user_entry *e = ev;
	const struct user_field *f = fv;
	struct user_table *u = tv;
	struct table_view v;

	u->tables->host->error[0] = '\0';
	if (e->epoch == atomic_load(&u->tables->epoch)) {
		const struct table_view known = {.head = {.n_values = e->n_values},
		    .value = e->value,
		    .bytes = e->bytes};
		for (uint32_t i = 0; i < e->n_values; i++) {
			if (e->value[i].field == f->id)
				return table_view_data(&known, i, f->type, out)
					   ? PLUGIN_SUCCESS
					   : PLUGIN_FAILURE;
		}
	}
	struct table_room *room = use_begin(u, TABLE_READ);
	if (!room)
		return PLUGIN_FAILURE;
	room->frame.head.entry = e->id;
	room->frame.head.field = f->id;
	int32_t rc = use_transact(u, room, NULL, NULL, &v) ? give_value(e, &v, f, out)
							   : PLUGIN_FAILURE;
	table_room_give_back();
	return rc;
}

static void
release_table_entry(plugin_table *tv, plugin_entry *ev)
{
	if (ev)
		user_entry_let_go(ev, TABLE_RELEASE);
}

struct iteration {
	struct user_table *table;
	uint32_t (*it)(void *state, plugin_entry *);
	void *state;
};

static bool
visit(void *arg, const struct table_view *v)
{
	const struct iteration *i = arg;
	struct user_entry *e = user_entry_new(i->table, v);

	if (!e)
		return false;
	e->lent = true;
	uint32_t more = i->it(i->state, e);
	user_entry_free(e);
	return more != 0;
}

static uint32_t
iterate_entries(
    plugin_table *tv, uint32_t (*it)(void *state, plugin_entry *), void *state)
{
	struct iteration i = {tv, it, state};
	struct table_room *room = use_begin(tv, TABLE_ITERATE);
	struct table_view v;

	if (!room)
		return 0;
	bool all = use_transact(tv, room, visit, &i, &v) && v.head.number == 1;
	table_room_give_back();
	return all;
}

/* Writing. */

/* What has been read of entries may be old from now on. */
static int32_t
call_to_change(struct user_table *u, struct table_room *room)
{
	struct table_view v;
	bool done = use_transact(u, room, NULL, NULL, &v);

	table_room_give_back();
	atomic_fetch_add(&u->tables->epoch, 1);
	return done ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
}

static int32_t
clear_table(plugin_table *tv)
{
	struct table_room *room = use_begin(tv, TABLE_CLEAR);

	return room ? call_to_change(tv, room) : PLUGIN_FAILURE;
}

static int32_t
erase_table_entry(plugin_table *tv, const union plugin_state_data *key)
{
	struct user_table *u = tv;
	struct table_room *room = use_begin(u, TABLE_ERASE);

	if (!room)
		return PLUGIN_FAILURE;
	table_frame_data(&room->frame, 0, (uint32_t)u->input.key_type, key);
	return call_to_change(u, room);
}

static plugin_entry *
create_table_entry(plugin_table *tv)
{
	struct table_room *room = use_begin(tv, TABLE_CREATE);

	return room ? use_for_entry(tv, room) : NULL;
}

static void
destroy_table_entry(plugin_table *tv, plugin_entry *ev)
{
	if (ev)
		user_entry_let_go(ev, TABLE_DESTROY);
}

static plugin_entry *
add_table_entry(plugin_table *tv, const union plugin_state_data *key, plugin_entry *ev)
{
	struct user_table *u = tv;
	struct user_entry *e = ev, *added;
	struct table_room *room = use_begin(u, TABLE_INSERT);

	if (!room || !e) {
		if (room)
			table_room_give_back();
		return NULL;
	}
	room->frame.head.entry = e->id;
	table_frame_data(&room->frame, 0, (uint32_t)u->input.key_type, key);
	added = use_for_entry(u, room);
	atomic_fetch_add(&u->tables->epoch, 1);
	/* Added, it is the table's, and known by the new handle alone. */
	if (added)
		user_entry_free(e);
	return added;
}

static int32_t
write_entry_field(plugin_table *tv, plugin_entry *ev, const plugin_field_handle *fv,
    const union plugin_state_data *in)
{
	const struct user_field *f = fv;
	struct user_entry *e = ev;
	struct table_room *room = use_begin(tv, TABLE_WRITE);

	if (!room)
		return PLUGIN_FAILURE;
	room->frame.head.entry = e->id;
	room->frame.head.field = f->id;
	if (f->type == PLUGIN_STATE_TABLE)
		room->frame.full = true; /* nothing could be written there */
	else
		table_frame_data(&room->frame, 0, f->type, in);
	return call_to_change(tv, room);
}

const struct plugin_table_reader use_reader = {
    .get_table_name = get_table_name,
    .get_table_size = get_table_size,
    .get_table_entry = get_table_entry,
    .read_entry_field = read_entry_field,
};

struct plugin_table_reader_ext use_reader_ext = {
    .get_table_name = get_table_name,
    .get_table_size = get_table_size,
    .get_table_entry = get_table_entry,
    .read_entry_field = read_entry_field,
    .release_table_entry = release_table_entry,
    .iterate_entries = iterate_entries,
};

struct plugin_table_writer use_writer = {
    .clear_table = clear_table,
    .erase_table_entry = erase_table_entry,
    .create_table_entry = create_table_entry,
    .destroy_table_entry = destroy_table_entry,
    .add_table_entry = add_table_entry,
    .write_entry_field = write_entry_field,
};
