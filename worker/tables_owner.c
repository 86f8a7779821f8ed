/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin's own tables, as others use them. Who calls is known by a number; entries,
 * sub-tables and fields are numbers of ours that mean something to that user alone. A
 * number that means nothing to it is a failure of its call, never a pointer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/tables_internal.h"

enum {
	MAX_CLASSES = 1024,
	/* What comes along with an entry is not to fill the frame. */
	ALONG_BYTES = 32 << 10,
};

/* How the plugin's code is called for a table. */
struct owned_vtables {
	plugin_table *table;
	struct plugin_table_reader_ext reader;
	struct plugin_table_writer writer;
	struct plugin_table_fields fields;
};

struct owned_root {
	char *name;
	uint32_t key_type, klass;
	struct owned_vtables vt;
};

struct owned_field {
	plugin_field_handle *handle;
	char *name;
	uint32_t type;
	uint64_t users[LIMIT_PLUGINS / 64]; /* who has asked for it */
};

/* Tables with the same fields: a table, or all sub-tables of one field. */
struct owned_class {
	uint32_t parent, parent_field;
	struct owned_field field[LIMIT_TABLE_FIELDS];
	uint32_t n_field;
};

/* The number of a sub-table has TABLE_SLOT_MARK. */
struct owned_handle {
	struct table_slot slot;
	uint32_t klass, key_type;
	enum {
		HANDLE_ENTRY,
		HANDLE_NEW,  /* an entry that is in no table yet */
		HANDLE_LENT, /* by an iteration of the plugin's */
		HANDLE_TABLE,
	} kind;
	plugin_entry *entry;
	uint32_t table; /* number of the entry's */
	struct owned_vtables vt;
};

/* A table that a call is about. */
struct target {
	uint32_t number, klass, key_type;
	const struct owned_vtables *vt;
};

/* Handles. */

void
owned_init(struct tables *t)
{
	t->owned.handles.slot_bytes = sizeof(struct owned_handle);
}

static bool
find_table(struct tables *t, const struct table_head *h, struct target *ret)
{
	if (!(h->table & TABLE_SLOT_MARK)) {
		if (h->table == 0 || h->table > t->owned.n_root)
			return false;
		const struct owned_root *r = &t->owned.root[h->table - 1];
		*ret = (struct target){h->table, r->klass, r->key_type, &r->vt};
		return true;
	}
	struct owned_handle *s = table_slot_find(&t->owned.handles, h->user, h->table);
	if (!s || s->kind != HANDLE_TABLE)
		return false;
	*ret = (struct target){h->table, s->klass, s->key_type, &s->vt};
	return true;
}

/* An entry of that very table, which the user holds. */
static struct owned_handle *
find_entry(struct tables *t, const struct table_head *h)
{
	struct owned_handle *e =
	    h->entry & TABLE_SLOT_MARK
		? NULL
		: table_slot_find(&t->owned.handles, h->user, h->entry);

	return e && e->kind != HANDLE_TABLE && e->table == h->table ? e : NULL;
}

static void
let_go(struct tables *t, struct owned_handle *h)
{
	/* The handles may move while the plugin's code runs. */
	const struct owned_vtables vt = h->vt;
	plugin_entry *entry = h->entry;
	int kind = h->kind;

	table_slot_give_back(&t->owned.handles, h);
	if (kind == HANDLE_ENTRY && vt.reader.release_table_entry)
		vt.reader.release_table_entry(vt.table, entry);
	else if (kind == HANDLE_NEW)
		vt.writer.destroy_table_entry(vt.table, entry);
}

static void
forget_user(struct tables *t, uint32_t user)
{
	struct table_slots *all = &t->owned.handles;
	struct owned_handle *h;

	/* Entries first: their tables may lie in others. */
	for (uint32_t i = 0; user < LIMIT_PLUGINS && all->held[user] > 0 && i < all->n;
	     i++) {
		h = table_slot_at(all, user, i);
		if (h && h->kind != HANDLE_LENT)
			let_go(t, h);
	}
}

/* Classes and fields. */

static uint32_t
class_of(struct tables *t, uint32_t parent, uint32_t parent_field)
{
	struct owned *o = &t->owned;

	for (uint32_t i = 0; parent_field && i < o->n_class; i++) {
		if (o->klass[i].parent == parent &&
		    o->klass[i].parent_field == parent_field)
			return i + 1;
	}
	if (o->n_class == MAX_CLASSES)
		return 0;
	struct owned_class *k = reallocarray(o->klass, o->n_class + 1, sizeof(*k));
	if (!k)
		return 0;
	o->klass = k;
	memset(&k[o->n_class], 0, sizeof(*k));
	k[o->n_class].parent = parent;
	k[o->n_class].parent_field = parent_field;
	return ++o->n_class;
}

/* The number of a field: its class and its place there. */
static struct owned_field *
find_field(struct tables *t, const struct target *x, uint32_t number)
{
	struct owned_class *k = &t->owned.klass[x->klass - 1];
	uint32_t place = number % (LIMIT_TABLE_FIELDS + 1);

	return number / (LIMIT_TABLE_FIELDS + 1) == x->klass && place > 0 &&
		       place <= k->n_field
		   ? &k->field[place - 1]
		   : NULL;
}

static uint32_t
keep_field(struct tables *t, const struct target *x, uint32_t user, const char *name,
    uint32_t type, plugin_field_handle *handle)
{
	struct owned_class *k = &t->owned.klass[x->klass - 1];
	uint32_t i = 0;

	while (i < k->n_field &&
	       (k->field[i].type != type || strcmp(k->field[i].name, name) != 0))
		i++;
	if (i == k->n_field) {
		char *copy = i < LIMIT_TABLE_FIELDS ? strdup(name) : NULL;
		if (!copy)
			return 0;
		k->field[k->n_field++] = (struct owned_field){.name = copy, .type = type};
	}
	k->field[i].handle = handle;
	k->field[i].users[user / 64] |= 1ull << user % 64;
	return x->klass * (LIMIT_TABLE_FIELDS + 1) + i + 1;
}

/* Answers. */

static void
fail(struct tables *t, const struct table_view *v, struct table_frame *answer)
{
	/* The plugin's own words are the caller's last error. */
	const char *words = t->last_error ? t->last_error(t->last_error_arg) : "";

	table_frame_fail(answer, &v->head, words);
}

static void
refuse(const struct table_view *v, struct table_frame *answer, const char *words)
{
	table_frame_fail(answer, &v->head, words);
}

static void
answer_rc(
    struct tables *t, const struct table_view *v, struct table_frame *answer, int32_t rc)
{
	if (rc == PLUGIN_SUCCESS)
		table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	else
		fail(t, v, answer);
}

/* Values of the fields that the user has asked for before, as many as are no burden. */
static void
put_along(struct tables *t, const struct target *x, uint32_t user, plugin_entry *e,
    struct table_frame *f)
{
	for (uint32_t i = 0;
	     i < t->owned.klass[x->klass - 1].n_field && f->head.n_bytes < ALONG_BYTES;
	     i++) {
		/* A copy: what it is in may move while the plugin's code runs. */
		const struct owned_field p = t->owned.klass[x->klass - 1].field[i];
		union plugin_state_data data = {0};
		if (p.type == PLUGIN_STATE_TABLE ||
		    !(p.users[user / 64] >> user % 64 & 1) ||
		    x->vt->reader.read_entry_field(x->vt->table, e, p.handle, &data) !=
			PLUGIN_SUCCESS)
			continue;
		/* One that is too long is read when it is wanted, and fails then. */
		if (p.type == PLUGIN_STATE_STRING &&
		    (!data.str || strnlen(data.str, ALONG_BYTES) == ALONG_BYTES))
			continue;
		table_frame_data(
		    f, x->klass * (LIMIT_TABLE_FIELDS + 1) + i + 1, p.type, &data);
	}
}

static struct owned_handle *
entry_handle(struct tables *t, const struct target *x, uint32_t user, plugin_entry *e,
    int kind, uint32_t *ret_number)
{
	struct owned_handle *h = table_slot_take(&t->owned.handles, user, ret_number);

	if (!h)
		return NULL;
	h->kind = kind;
	h->entry = e;
	h->table = x->number;
	h->klass = x->klass;
	h->key_type = x->key_type;
	h->vt = *x->vt;
	return h;
}

static void
answer_entry(struct tables *t, const struct target *x, const struct table_view *v,
    plugin_entry *e, int kind, struct table_frame *answer)
{
	const struct owned_vtables *vt = x->vt;
	uint32_t number = 0;

	if (!e) {
		fail(t, v, answer);
		return;
	}
	if (!entry_handle(t, x, v->head.user, e, kind, &number)) {
		if (kind == HANDLE_NEW)
			vt->writer.destroy_table_entry(vt->table, e);
		else if (vt->reader.release_table_entry)
			vt->reader.release_table_entry(vt->table, e);
		refuse(v, answer, "too many entries of tables are held");
		return;
	}
	table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	answer->head.entry = number;
	if (kind != HANDLE_NEW)
		put_along(t, x, v->head.user, e, answer);
}

/* Operations on a table; x is the table, e the entry where there is one. */

static void
serve_fields(struct tables *t, const struct target *x, const struct table_view *v,
    struct table_frame *answer)
{
	uint32_t n = 0;
	const struct plugin_table_fieldinfo *f =
	    x->vt->fields.list_table_fields(x->vt->table, &n);

	if (!f && n == 0) {
		fail(t, v, answer);
		return;
	}
	table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	for (uint32_t i = 0; f && i < n && i < TABLE_VALUES; i++)
		table_frame_str(answer,
		    ((uint32_t)f[i].field_type & 255) |
			(f[i].read_only ? (uint32_t)TABLE_READ_ONLY : 0),
		    f[i].name ? f[i].name : "");
}

static void
serve_field(struct tables *t, const struct target *x, const struct table_view *v,
    struct table_frame *answer)
{
	const char *name = table_view_str(v, 0);
	int32_t type = (int32_t)v->head.number;
	plugin_field_handle *h =
	    v->head.op == TABLE_FIELD
		? x->vt->fields.get_table_field(x->vt->table, name, type)
		: x->vt->fields.add_table_field(x->vt->table, name, type);

	if (!h) {
		fail(t, v, answer);
		return;
	}
	table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	answer->head.field = keep_field(t, x, v->head.user, name, (uint32_t)type, h);
	if (answer->head.field == 0)
		refuse(v, answer, "too many fields of a table are known");
}

static void
serve_insert(struct tables *t, const struct target *x, const struct table_view *v,
    struct owned_handle *e, const union plugin_state_data *key,
    struct table_frame *answer)
{
	if (e->kind != HANDLE_NEW) {
		refuse(v, answer, "an entry that is in a table already");
		return;
	}
	plugin_entry *added = x->vt->writer.add_table_entry(x->vt->table, key, e->entry);
	if (!added) {
		fail(t, v, answer);
		return;
	}
	/* The table has it now; handles may have moved. */
	e = find_entry(t, &v->head);
	if (e)
		table_slot_give_back(&t->owned.handles, e);
	answer_entry(t, x, v, added, HANDLE_ENTRY, answer);
}

static void
answer_sub_table(struct tables *t, const struct target *x, const struct table_view *v,
    const struct plugin_table_input *sub, struct table_frame *answer)
{
	uint32_t number = 0, klass = class_of(t, x->klass, v->head.field);
	struct owned_handle *h;

	if (!sub || !klass || !state_type_is_valid((uint32_t)sub->key_type) ||
	    !(h = table_slot_take(&t->owned.handles, v->head.user, &number))) {
		refuse(v, answer, "a sub-table cannot be had");
		return;
	}
	h->kind = HANDLE_TABLE;
	h->klass = klass;
	h->key_type = (uint32_t)sub->key_type;
	h->vt = (struct owned_vtables){.table = sub->table};
	if (sub->reader_ext && sub->writer_ext && sub->fields_ext) {
		h->vt.reader = *sub->reader_ext;
		h->vt.writer = *sub->writer_ext;
		h->vt.fields = *sub->fields_ext;
	} else {
		memcpy(&h->vt.reader, &sub->reader, sizeof(sub->reader));
		h->vt.writer = sub->writer;
		h->vt.fields = sub->fields;
	}
	table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	table_frame_num(
	    answer, h->key_type, PLUGIN_STATE_TABLE, number | TABLE_SLOT_MARK);
}

static void
serve_read(struct tables *t, const struct target *x, const struct table_view *v,
    const struct owned_handle *e, struct table_frame *answer)
{
	struct owned_field *f = find_field(t, x, v->head.field);
	union plugin_state_data data = {0};

	if (!f) {
		refuse(v, answer, "a field that the table does not have");
		return;
	}
	uint32_t type = f->type;
	if (x->vt->reader.read_entry_field(x->vt->table, e->entry, f->handle, &data) !=
	    PLUGIN_SUCCESS) {
		fail(t, v, answer);
		return;
	}
	if (type == PLUGIN_STATE_TABLE) {
		answer_sub_table(t, x, v, data.table, answer);
		return;
	}
	table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	table_frame_data(answer, v->head.field, type, &data);
}

static void
serve_write(struct tables *t, const struct target *x, const struct table_view *v,
    const struct owned_handle *e, struct table_frame *answer)
{
	struct owned_field *f = find_field(t, x, v->head.field);
	union plugin_state_data data;

	if (!f || !table_view_data(v, 0, f->type, &data))
		refuse(v, answer, "a field that the table does not have");
	else
		answer_rc(t, v, answer,
		    x->vt->writer.write_entry_field(
			x->vt->table, e->entry, f->handle, &data));
}

void
owned_serve(struct tables *t, const struct table_view *v, struct table_frame *answer)
{
	const struct table_head *h = &v->head;
	union plugin_state_data key = {0};
	struct owned_handle *e = NULL;
	struct owned_vtables vt;
	struct target x;

	if (h->op == TABLE_FORGET) {
		forget_user(t, h->user);
		table_frame_answer(answer, h, PLUGIN_SUCCESS);
		return;
	}
	if (h->user >= LIMIT_PLUGINS || !find_table(t, h, &x)) {
		refuse(v, answer, "a table that is not there");
		return;
	}
	/* Those of a sub-table lie in a handle, which may move. */
	vt = *x.vt;
	x.vt = &vt;
	if ((table_op_takes_entry(h->op) && !(e = find_entry(t, h))) ||
	    (table_op_takes_key(h->op) && !table_view_data(v, 0, x.key_type, &key))) {
		refuse(v, answer,
		    table_op_takes_entry(h->op) && !e
			? "an entry that is not there"
			: "a key of another type than the table's");
		return;
	}
	switch (h->op) {
	case TABLE_SIZE:
		table_frame_answer(answer, h, PLUGIN_SUCCESS);
		answer->head.number = x.vt->reader.get_table_size(x.vt->table);
		break;
	case TABLE_FIELDS:
		serve_fields(t, &x, v, answer);
		break;
	case TABLE_FIELD:
	case TABLE_ADD_FIELD:
		serve_field(t, &x, v, answer);
		break;
	case TABLE_ENTRY:
		answer_entry(t, &x, v, x.vt->reader.get_table_entry(x.vt->table, &key),
		    HANDLE_ENTRY, answer);
		break;
	case TABLE_CREATE:
		answer_entry(t, &x, v, x.vt->writer.create_table_entry(x.vt->table),
		    HANDLE_NEW, answer);
		break;
	case TABLE_RELEASE:
	case TABLE_DESTROY:
		if (e->kind != HANDLE_LENT)
			let_go(t, e);
		table_frame_answer(answer, h, PLUGIN_SUCCESS);
		break;
	case TABLE_INSERT:
		serve_insert(t, &x, v, e, &key, answer);
		break;
	case TABLE_ERASE:
		answer_rc(
		    t, v, answer, x.vt->writer.erase_table_entry(x.vt->table, &key));
		break;
	case TABLE_CLEAR:
		answer_rc(t, v, answer, x.vt->writer.clear_table(x.vt->table));
		break;
	case TABLE_READ:
		serve_read(t, &x, v, e, answer);
		break;
	case TABLE_WRITE:
		serve_write(t, &x, v, e, answer);
		break;
	default:
		refuse(v, answer, "an operation that no table has");
	}
}

/* Iteration. */

struct walk {
	struct tables *tables;
	struct target x;
	uint32_t user;
	table_visit_fn *visit;
	void *visit_arg;
};

static uint32_t
step(void *state, plugin_entry *e)
{
	struct walk *w = state;
	struct table_room *room = table_room_take();
	struct table_head head = {.op = TABLE_VISIT};
	uint32_t number = 0, len;
	struct table_view v;
	bool more = false;
	struct err err;

	if (!room)
		return 0;
	if (entry_handle(w->tables, &w->x, w->user, e, HANDLE_LENT, &number)) {
		table_frame_answer(&room->frame, &head, PLUGIN_SUCCESS);
		room->frame.head.entry = number;
		put_along(w->tables, &w->x, w->user, e, &room->frame);
		len = table_frame_write(&room->frame, room->wire, sizeof(room->wire));
		more = len > 0 && table_check(&v, room->wire, len, &err) && w->visit &&
		       w->visit(w->visit_arg, &v);
		struct owned_handle *h =
		    table_slot_find(&w->tables->owned.handles, w->user, number);
		if (h)
			table_slot_give_back(&w->tables->owned.handles, h);
	}
	table_room_give_back();
	return more;
}

void
owned_iterate(struct tables *t, const struct table_view *v, table_visit_fn *visit,
    void *visit_arg, struct table_frame *answer)
{
	struct walk w = {
	    .tables = t, .user = v->head.user, .visit = visit, .visit_arg = visit_arg};
	struct owned_vtables vt;
	uint32_t all = 1;

	if (v->head.user >= LIMIT_PLUGINS || !find_table(t, &v->head, &w.x)) {
		refuse(v, answer, "a table that is not there");
		return;
	}
	vt = *w.x.vt;
	w.x.vt = &vt;
	if (vt.reader.iterate_entries)
		all = vt.reader.iterate_entries(vt.table, step, &w);
	table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	answer->head.number = all != 0;
}

/* Adding. */

/* What is wrong with it, in Falco's words; NULL: nothing. */
static const char *
fault(const struct tables *t, const struct plugin_table_input *in)
{
	const struct plugin_table_reader *r = &in->reader;
	const struct plugin_table_writer *w = &in->writer;
	const struct plugin_table_fields *f = &in->fields;

	if (!in->name)
		return "name is null";
	if (t->has_ext && (!in->reader_ext || !in->writer_ext || !in->fields_ext))
		return "extended vtables must all be defined";
	/* All there, and the same in both forms. */
	if (!r->get_table_name || !r->get_table_size || !r->get_table_entry ||
	    !r->read_entry_field ||
	    (t->has_ext && (memcmp(r, in->reader_ext, sizeof(*r)) != 0 ||
			       !in->reader_ext->release_table_entry ||
			       !in->reader_ext->iterate_entries)))
		return "broken or inconsistent reader vtables";
	if (!w->clear_table || !w->erase_table_entry || !w->create_table_entry ||
	    !w->destroy_table_entry || !w->add_table_entry || !w->write_entry_field ||
	    (t->has_ext && memcmp(w, in->writer_ext, sizeof(*w)) != 0))
		return "broken or inconsistent writer vtables";
	if (!f->list_table_fields || !f->get_table_field || !f->add_table_field ||
	    (t->has_ext && memcmp(f, in->fields_ext, sizeof(*f)) != 0))
		return "broken or inconsistent fields vtables";
	return NULL;
}

static struct owned_root *
keep_root(struct tables *t, const struct plugin_table_input *in)
{
	struct owned *o = &t->owned;
	struct owned_root *r = reallocarray(o->root, o->n_root + 1, sizeof(*r));
	char *name = strdup(in->name);
	uint32_t klass = class_of(t, 0, 0);

	if (r)
		o->root = r;
	if (!r || !name || !klass || o->n_root == LIMIT_TABLES) {
		free(name);
		return NULL;
	}
	r += o->n_root;
	*r = (struct owned_root){
	    .name = name,
	    .key_type = (uint32_t)in->key_type,
	    .klass = klass,
	    .vt = {.table = in->table, .writer = in->writer, .fields = in->fields},
	};
	memcpy(&r->vt.reader, &in->reader, sizeof(in->reader));
	if (t->has_ext)
		r->vt.reader = *in->reader_ext;
	return r;
}

int32_t
owned_add(struct tables *t, const struct plugin_table_input *in)
{
	const char *why = in ? fault(t, in) : "input is null";
	struct table_room *room;
	struct table_view v;

	if (why) {
		tables_fail(t, "failure in adding state table defined by plugin '%s': %s",
		    t->plugin, why);
		return PLUGIN_FAILURE;
	}
	room = keep_root(t, in) ? table_room_take() : NULL;
	if (!room) {
		tables_fail(t, "too many tables");
		return PLUGIN_FAILURE;
	}
	table_frame_begin(&room->frame, TABLE_ADD, 0);
	room->frame.head.field = (uint32_t)in->key_type;
	room->frame.head.table = t->owned.n_root + 1;
	table_frame_str(&room->frame, 0, in->name);
	/* Only now can others find it. */
	t->owned.n_root++;
	bool added = table_transact(t, room, NULL, NULL, &v);
	if (!added)
		free(t->owned.root[--t->owned.n_root].name);
	table_room_give_back();
	return added ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
}
