/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of others as the plugin sees them: the functions it is given. Long, because each
 * of the three vtables stands on the same handles.
 */
#include "worker/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "worker/tables_internal.h"

/* A handle that the plugin has of a table; input comes first. */
struct user_table {
	struct plugin_table_input input;
	struct tables *tables;
	uint32_t id;
	bool own; /* the plugin's own: nothing leaves this process */
	char name[256];
	struct plugin_table_fieldinfo *listed; /* what list_table_fields gave last */
	SLIST_ENTRY(user_table) link;          /* of a sub-table */
};

struct user_field {
	uint32_t id, type;
};

/* A string that was read and must stay as long as the entry. */
struct kept_string {
	SLIST_ENTRY(kept_string) link;
	char text[];
};

struct user_entry {
	LIST_ENTRY(user_entry) link;
	struct user_table *table;
	uint32_t id;
	bool lent; /* by an iteration, which takes it back */
	/* Values that came with it; good while nothing was written. */
	uint32_t epoch, n_values;
	struct table_value *value;
	char *bytes;
	SLIST_HEAD(, kept_string) strings;
};

/* What one thread of the plugin holds during a call. */
static TABLE_THREAD_LOCAL struct {
	LIST_HEAD(, user_entry) entries;
	SLIST_HEAD(, user_table) subs;
} scope;

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

/* Calls. */

/* Room for a call about this table; NULL when nothing can be called any more. */
static struct table_room *
begin(struct user_table *u, enum table_op op)
{
	struct table_room *room = table_room_take();

	u->tables->host->error[0] = '\0';
	if (!room) {
		tables_fail(u->tables, "too many table operations inside one another");
		return NULL;
	}
	table_frame_begin(&room->frame, op, 0);
	room->frame.head.table = u->id;
	return room;
}

/* Our own table answers at once. */
static bool
serve_own(struct tables *t, struct table_room *room, table_visit_fn *visit,
    void *visit_arg, struct table_view *ret_v)
{
	struct table_room *answer = table_room_take();
	struct table_view v;
	struct err err;
	bool ok = false;

	uint32_t len = table_frame_write(&room->frame, room->wire, sizeof(room->wire));
	if (answer && len > 0 && table_check(&v, room->wire, len, &err)) {
		if (v.head.op == TABLE_ITERATE)
			owned_iterate(t, &v, visit, visit_arg, &answer->frame);
		else
			owned_serve(t, &v, &answer->frame);
		len = table_frame_write(&answer->frame, room->wire, sizeof(room->wire));
		ok = len > 0 && table_check(ret_v, room->wire, len, &err);
	}
	if (answer)
		table_room_give_back();
	if (!ok)
		tables_fail(t, "a key or value of a table is too large");
	else if (ret_v->head.rc != PLUGIN_SUCCESS)
		tables_fail(t, "%s", table_view_words(ret_v));
	return ok && ret_v->head.rc == PLUGIN_SUCCESS;
}

static bool
transact(struct user_table *u, struct table_room *room, table_visit_fn *visit,
    void *visit_arg, struct table_view *ret_v)
{
	return u->own ? serve_own(u->tables, room, visit, visit_arg, ret_v)
		      : table_transact(u->tables, room, visit, visit_arg, ret_v);
}

static void
tell(struct user_table *u, struct table_room *room)
{
	struct table_view v;

	if (u->own)
		serve_own(u->tables, room, NULL, NULL, &v);
	else
		table_tell(u->tables, room);
}

/* Entries. */

static struct user_entry *
entry_new(struct user_table *u, const struct table_view *v)
{
	uint32_t values = v->head.n_values * (uint32_t)sizeof(*v->value);
	struct user_entry *e = malloc(sizeof(*e) + values + v->head.n_bytes);

	if (!e)
		return NULL;
	*e = (struct user_entry){
	    .table = u,
	    .id = v->head.entry,
	    .epoch = atomic_load(&u->tables->epoch),
	    .n_values = v->head.n_values,
	    .value = (struct table_value *)(e + 1),
	    .bytes = (char *)(e + 1) + values,
	};
	SLIST_INIT(&e->strings);
	memcpy(e->value, v->value, values);
	memcpy(e->bytes, v->bytes, v->head.n_bytes);
	LIST_INSERT_HEAD(&scope.entries, e, link);
	return e;
}

static void
entry_free(struct user_entry *e)
{
	struct kept_string *s;

	LIST_REMOVE(e, link);
	while ((s = SLIST_FIRST(&e->strings))) {
		SLIST_REMOVE_HEAD(&e->strings, link);
		free(s);
	}
	free(e);
}

/* The entry that a call came back with; NULL is none. */
static struct user_entry *
call_for_entry(struct user_table *u, struct table_room *room)
{
	struct table_view v;
	struct user_entry *e = NULL;

	if (transact(u, room, NULL, NULL, &v) && v.head.entry != 0)
		e = entry_new(u, &v);
	table_room_give_back();
	return e;
}

static void
let_go(struct user_entry *e, enum table_op op)
{
	struct table_room *room;

	if (!e->lent && (room = begin(e->table, op))) {
		room->frame.head.entry = e->id;
		tell(e->table, room);
		table_room_give_back();
	}
	if (!e->lent)
		entry_free(e);
}

void
tables_call_done(struct tables *t)
{
	struct user_entry *e;
	struct user_table *u;
	struct table_room *room;
	struct table_view v;
	bool own = false, others = false;

	while ((e = LIST_FIRST(&scope.entries))) {
		own |= e->table->own;
		others |= !e->table->own;
		entry_free(e);
	}
	while ((u = SLIST_FIRST(&scope.subs))) {
		SLIST_REMOVE_HEAD(&scope.subs, link);
		own |= u->own;
		others |= !u->own;
		free(u->listed);
		free(u);
	}
	/* Whatever their owners still count as ours. */
	if ((own || others) && (room = table_room_take())) {
		table_frame_begin(&room->frame, TABLE_FORGET, 0);
		if (others)
			table_tell(t, room);
		if (own)
			serve_own(t, room, NULL, NULL, &v);
		table_room_give_back();
	}
}

/* Reading. */

static const char *
get_table_name(plugin_table *tv)
{
	return ((struct user_table *)tv)->name;
}

static uint64_t
get_table_size(plugin_table *tv)
{
	struct table_room *room = begin(tv, TABLE_SIZE);
	struct table_view v;

	if (!room)
		return UINT64_MAX;
	uint64_t n = transact(tv, room, NULL, NULL, &v) ? v.head.number : UINT64_MAX;
	table_room_give_back();
	return n;
}

static plugin_entry *
get_table_entry(plugin_table *tv, const union plugin_state_data *key)
{
	struct user_table *u = tv;
	struct table_room *room = begin(u, TABLE_ENTRY);

	if (!room)
		return NULL;
	table_frame_data(&room->frame, 0, (uint32_t)u->input.key_type, key);
	return call_for_entry(u, room);
}

static struct user_table *sub_table(
    struct user_table *parent, uint32_t id, int32_t key_type);

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
		out->table = sub_table(
		    e->table, (uint32_t)v->value[0].num, (int32_t)v->value[0].field);
		return out->table ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
	}
	if (f->type == PLUGIN_STATE_STRING) {
		size_t n = v->value[0].len + 1;
		struct kept_string *s = malloc(sizeof(*s) + n);
		if (!s)
			return PLUGIN_FAILURE;
		memcpy(s->text, out->str, n);
		SLIST_INSERT_HEAD(&e->strings, s, link);
		out->str = s->text;
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
	struct table_room *room = begin(u, TABLE_READ);
	if (!room)
		return PLUGIN_FAILURE;
	room->frame.head.entry = e->id;
	room->frame.head.field = f->id;
	int32_t rc = transact(u, room, NULL, NULL, &v) ? give_value(e, &v, f, out)
						       : PLUGIN_FAILURE;
	table_room_give_back();
	return rc;
}

static void
release_table_entry(plugin_table *tv, plugin_entry *ev)
{
	if (ev)
		let_go(ev, TABLE_RELEASE);
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
	struct user_entry *e = entry_new(i->table, v);

	if (!e)
		return false;
	e->lent = true;
	uint32_t more = i->it(i->state, e);
	entry_free(e);
	return more != 0;
}

static uint32_t
iterate_entries(
    plugin_table *tv, uint32_t (*it)(void *state, plugin_entry *), void *state)
{
	struct iteration i = {tv, it, state};
	struct table_room *room = begin(tv, TABLE_ITERATE);
	struct table_view v;

	if (!room)
		return 0;
	bool all = transact(tv, room, visit, &i, &v) && v.head.number == 1;
	table_room_give_back();
	return all;
}

/* Writing. */

/* What has been read of entries may be old from now on. */
static int32_t
call_to_change(struct user_table *u, struct table_room *room)
{
	struct table_view v;
	bool done = transact(u, room, NULL, NULL, &v);

	table_room_give_back();
	atomic_fetch_add(&u->tables->epoch, 1);
	return done ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
}

static int32_t
clear_table(plugin_table *tv)
{
	struct table_room *room = begin(tv, TABLE_CLEAR);

	return room ? call_to_change(tv, room) : PLUGIN_FAILURE;
}

static int32_t
erase_table_entry(plugin_table *tv, const union plugin_state_data *key)
{
	struct user_table *u = tv;
	struct table_room *room = begin(u, TABLE_ERASE);

	if (!room)
		return PLUGIN_FAILURE;
	table_frame_data(&room->frame, 0, (uint32_t)u->input.key_type, key);
	return call_to_change(u, room);
}

static plugin_entry *
create_table_entry(plugin_table *tv)
{
	struct table_room *room = begin(tv, TABLE_CREATE);

	return room ? call_for_entry(tv, room) : NULL;
}

static void
destroy_table_entry(plugin_table *tv, plugin_entry *ev)
{
	if (ev)
		let_go(ev, TABLE_DESTROY);
}

static plugin_entry *
add_table_entry(plugin_table *tv, const union plugin_state_data *key, plugin_entry *ev)
{
	struct user_table *u = tv;
	struct user_entry *e = ev, *added;
	struct table_room *room = begin(u, TABLE_INSERT);

	if (!room || !e) {
		if (room)
			table_room_give_back();
		return NULL;
	}
	room->frame.head.entry = e->id;
	table_frame_data(&room->frame, 0, (uint32_t)u->input.key_type, key);
	added = call_for_entry(u, room);
	atomic_fetch_add(&u->tables->epoch, 1);
	/* Added, it is the table's, and known by the new handle alone. */
	if (added)
		entry_free(e);
	return added;
}

static int32_t
write_entry_field(plugin_table *tv, plugin_entry *ev, const plugin_field_handle *fv,
    const union plugin_state_data *in)
{
	const struct user_field *f = fv;
	struct user_entry *e = ev;
	struct table_room *room = begin(tv, TABLE_WRITE);

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

/* Fields. */

static const struct plugin_table_fieldinfo *
list_table_fields(plugin_table *tv, uint32_t *n)
{
	struct user_table *u = tv;
	struct table_room *room = begin(u, TABLE_FIELDS);
	struct table_view v;

	*n = 0;
	if (!room)
		return NULL;
	if (transact(u, room, NULL, NULL, &v)) {
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
	struct table_room *room = begin(u, op);
	struct user_field *f = NULL;
	struct table_view v;

	if (!room)
		return NULL;
	room->frame.head.number = (uint32_t)type;
	table_frame_str(&room->frame, 0, name ? name : "");
	if (transact(u, room, NULL, NULL, &v) && v.head.field != 0 &&
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

/* What the plugin is given. */

static const struct plugin_table_reader reader = {
    .get_table_name = get_table_name,
    .get_table_size = get_table_size,
    .get_table_entry = get_table_entry,
    .read_entry_field = read_entry_field,
};

static struct plugin_table_reader_ext reader_ext = {
    .get_table_name = get_table_name,
    .get_table_size = get_table_size,
    .get_table_entry = get_table_entry,
    .read_entry_field = read_entry_field,
    .release_table_entry = release_table_entry,
    .iterate_entries = iterate_entries,
};

static struct plugin_table_writer writer = {
    .clear_table = clear_table,
    .erase_table_entry = erase_table_entry,
    .create_table_entry = create_table_entry,
    .destroy_table_entry = destroy_table_entry,
    .add_table_entry = add_table_entry,
    .write_entry_field = write_entry_field,
};

static struct plugin_table_fields fields = {
    .list_table_fields = list_table_fields,
    .get_table_field = get_table_field,
    .add_table_field = add_table_field,
};

static struct user_table *
table_new(struct tables *t, uint32_t id, bool own, const char *name, int32_t key_type)
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
	    .reader = reader,
	    .writer = writer,
	    .fields = fields,
	    .reader_ext = &reader_ext,
	    .writer_ext = &writer,
	    .fields_ext = &fields,
	};
	return u;
}

static struct user_table *
sub_table(struct user_table *parent, uint32_t id, int32_t key_type)
{
	struct user_table *u =
	    table_new(parent->tables, id, parent->own, parent->name, key_type);

	if (u) {
		SLIST_INSERT_HEAD(&scope.subs, u, link);
	}
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
		u = table_new(
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
	    .reader_ext = &reader_ext,
	    .writer_ext = &writer,
	};
	return &tables;
}

const struct plugin_table_reader *
tables_reader(void)
{
	return &reader;
}

const struct plugin_table_writer *
tables_writer(void)
{
	return &writer;
}

struct plugin_table_reader_ext *
tables_reader_ext(void)
{
	return &reader_ext;
}

struct plugin_table_writer *
tables_writer_ext(void)
{
	return &writer;
}
