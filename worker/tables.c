/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and their fields as the plugin finds them. */
#include "worker/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/tables_use.h"

bool
tables_init(struct tables *t, struct host *host, struct side *side, int wake_fd,
    struct spin *spin, struct err *err)
{
	*t =
	    (struct tables){.host = host, .side = side, .wake_fd = wake_fd, .spin = spin};
	pthread_mutex_init(&t->lock, NULL);
	t->queue_end = &t->queue;
	owned_init(t);
	t->in_frame = aligned_alloc(8, TABLE_FRAME_BYTES);
	host->tables = t;
	return t->in_frame || err_nomem(err);
}

void
tables_begin(struct tables *t, const char *plugin, const char *api_version,
    const char *(*last_error)(void *arg), void *arg)
{
	unsigned major = 0, minor = 0;

	t->serving = pthread_self();
	t->plugin = plugin;
	t->last_error = last_error;
	t->last_error_arg = arg;
	t->has_ext = sscanf(api_version, "%u.%u", &major, &minor) == 2 && minor >= 1;
}

/* Fields. */

static const struct plugin_table_fieldinfo *
list_table_fields(plugin_table *tv, uint32_t *n)
{
	struct user_table *u = tv;
	struct table_room *room = use_begin(u, TABLE_FIELDS);
	struct table_view v;

	*n = 0;
	if (!room)
		return NULL;
	if (use_transact(u, room, NULL, NULL, &v)) {
		size_t size = (v.head.n_values + 1) * sizeof(*u->listed);
		free(u->listed);
		u->listed = calloc(1, size + v.head.n_bytes);
		char *names = (char *)u->listed + size;
		if (u->listed)
			memcpy(names, v.bytes, v.head.n_bytes);
		for (uint32_t i = 0; u->listed && i < v.head.n_values; i++) {
			u->listed[i].name = names + v.value[i].off;
			u->listed[i].field_type = v.value[i].field & 255;
			u->listed[i].read_only =
			    (v.value[i].field & TABLE_READ_ONLY) != 0;
			++*n;
		}
	}
	table_room_give_back();
	return *n || u->tables->host->error[0] == '\0' ? u->listed : NULL;
}

/* Handles of fields are few and live as long as the plugin. */
static plugin_field_handle *
field(struct user_table *u, enum table_op op, const char *name, int32_t type)
{
	struct table_room *room = use_begin(u, op);
	struct user_field *f = NULL;
	struct table_view v;

	if (!room)
		return NULL;
	room->frame.head.number = (uint32_t)type;
	table_frame_str(&room->frame, 0, name ? name : "");
	if (use_transact(u, room, NULL, NULL, &v) && v.head.field != 0 &&
	    (f = malloc(sizeof(*f))))
		*f = (struct user_field){v.head.field, (uint32_t)type};
	table_room_give_back();
	return f;
}

static plugin_field_handle *
get_table_field(plugin_table *tv, const char *name, int32_t type)
{
	return field(tv, TABLE_FIELD, name, type);
}

static plugin_field_handle *
add_table_field(plugin_table *tv, const char *name, int32_t type)
{
	return field(tv, TABLE_ADD_FIELD, name, type);
}

static struct plugin_table_fields fields = {
    .list_table_fields = list_table_fields,
    .get_table_field = get_table_field,
    .add_table_field = add_table_field,
};

struct user_table *
user_table_new(
    struct tables *t, uint32_t id, bool own, const char *name, int32_t key_type)
{
	struct user_table *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->tables = t;
	u->id = id;
	u->own = own;
	snprintf(u->name, sizeof(u->name), "%s", name);
	u->input = (struct plugin_table_input){
	    .name = u->name,
	    .key_type = key_type,
	    .table = u,
	    .reader = use_reader,
	    .writer = use_writer,
	    .fields = fields,
	    .reader_ext = &use_reader_ext,
	    .writer_ext = &use_writer,
	    .fields_ext = &fields,
	};
	return u;
}

/* The tables that there are. */

/* A call that is about no table. */
static struct table_room *
begin_host(struct host *h, enum table_op op)
{
	struct table_room *room = h && h->tables ? table_room_take() : NULL;

	if (h)
		h->error[0] = '\0';
	if (room)
		table_frame_begin(&room->frame, op, 0);
	return room;
}

static struct plugin_table_info *
list_tables(plugin_owner *owner, uint32_t *n)
{
	/* Not NULL, which would be an error. */
	static struct plugin_table_info none;
	struct host *h = owner;
	struct table_room *room = begin_host(h, TABLE_LIST);
	struct table_view v;

	*n = 0;
	if (!room)
		return &none;
	struct tables *t = h->tables;
	bool ok = table_transact(t, room, NULL, NULL, &v);
	if (ok && v.head.n_values > 0) {
		size_t size = v.head.n_values * sizeof(*t->listed);
		free(t->listed);
		t->listed = calloc(1, size + v.head.n_bytes);
		char *names = (char *)t->listed + size;
		if (t->listed)
			memcpy(names, v.bytes, v.head.n_bytes);
		for (; t->listed && *n < v.head.n_values; ++*n)
			t->listed[*n] = (struct plugin_table_info){
			    .name = names + v.value[*n].off,
			    .key_type = (int32_t)v.value[*n].field,
			};
	}
	table_room_give_back();
	return !ok ? NULL : *n ? t->listed : &none;
}

static plugin_table *
get_table(plugin_owner *owner, const char *name, int32_t key_type)
{
	struct host *h = owner;
	struct table_room *room = begin_host(h, TABLE_GET);
	struct user_table *u = NULL;
	struct table_view v;

	if (!room)
		return NULL;
	room->frame.head.field = (uint32_t)key_type;
	table_frame_str(&room->frame, 0, name ? name : "");
	if (table_transact(h->tables, room, NULL, NULL, &v) && v.head.table != 0)
		u = user_table_new(
		    h->tables, v.head.table, v.head.number == 1, name, key_type);
	table_room_give_back();
	return u;
}

static int32_t
add_table(plugin_owner *owner, const struct plugin_table_input *in)
{
	struct host *h = owner;

	if (!h || !h->tables)
		return PLUGIN_NOT_SUPPORTED;
	h->error[0] = '\0';
	return owned_add(h->tables, in);
}

const struct plugin_init_tables *
tables_for_init(void)
{
	static const struct plugin_init_tables tables = {
	    .list_tables = list_tables,
	    .get_table = get_table,
	    .add_table = add_table,
	    .fields =
		{
		    .list_table_fields = list_table_fields,
		    .get_table_field = get_table_field,
		    .add_table_field = add_table_field,
		},
	    .fields_ext = &fields,
	    .reader_ext = &use_reader_ext,
	    .writer_ext = &use_writer,
	};
	return &tables;
}

const struct plugin_table_reader *
tables_reader(void)
{
	return &use_reader;
}

const struct plugin_table_writer *
tables_writer(void)
{
	return &use_writer;
}

struct plugin_table_reader_ext *
tables_reader_ext(void)
{
	return &use_reader_ext;
}

struct plugin_table_writer *
tables_writer_ext(void)
{
	return &use_writer;
}
