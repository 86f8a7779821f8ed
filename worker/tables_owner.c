/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin's own tables, as others use them. Who calls is known by a number; entries,
 * sub-tables and fields are numbers of ours that mean something to that user alone. A
 * number that means nothing to it is a failure of its call, never a pointer.
 */
#include "worker/tables_owner.h"

#include <string.h>

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

static void
answer_entry(struct tables *t, const struct owned_target *x, const struct table_view *v,
    plugin_entry *e, int kind, struct table_frame *answer)
{
	const struct owned_vtables *vt = x->vt;
	uint32_t number = 0;

	if (!e) {
		fail(t, v, answer);
		return;
	}
	if (!owned_hold_entry(t, x, v->head.user, e, kind, &number)) {
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
		owned_put_along(t, x, v->head.user, e, answer);
}

/* Operations on a table; x is the table, e the entry where there is one. */

static void
serve_fields(struct tables *t, const struct owned_target *x, const struct table_view *v,
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
serve_field(struct tables *t, const struct owned_target *x, const struct table_view *v,
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
	answer->head.field =
	    owned_keep_field(t, x, v->head.user, name, (uint32_t)type, h);
	if (answer->head.field == 0)
		refuse(v, answer, "too many fields of a table are known");
}

static void
serve_insert(struct tables *t, const struct owned_target *x, const struct table_view *v,
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
	e = owned_find_entry(t, &v->head);
	if (e)
		table_slot_give_back(&t->owned.handles, e);
	answer_entry(t, x, v, added, HANDLE_ENTRY, answer);
}

static void
answer_sub_table(struct tables *t, const struct owned_target *x,
    const struct table_view *v, const struct plugin_table_input *sub,
    struct table_frame *answer)
{
	uint32_t number = 0, klass = owned_class_of(t, x->klass, v->head.field);
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
serve_read(struct tables *t, const struct owned_target *x, const struct table_view *v,
    const struct owned_handle *e, struct table_frame *answer)
{
	struct owned_field *f = owned_find_field(t, x, v->head.field);
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
serve_write(struct tables *t, const struct owned_target *x, const struct table_view *v,
    const struct owned_handle *e, struct table_frame *answer)
{
	struct owned_field *f = owned_find_field(t, x, v->head.field);
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
	struct owned_target x;

	if (h->op == TABLE_FORGET) {
		owned_forget_user(t, h->user);
		table_frame_answer(answer, h, PLUGIN_SUCCESS);
		return;
	}
	if (h->user >= LIMIT_PLUGINS || !owned_find_table(t, h, &x)) {
		refuse(v, answer, "a table that is not there");
		return;
	}
	/* Those of a sub-table lie in a handle, which may move. */
	vt = *x.vt;
	x.vt = &vt;
	if ((table_op_takes_entry(h->op) && !(e = owned_find_entry(t, h))) ||
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
			owned_let_go(t, e);
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
	struct owned_target x;
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
	if (owned_hold_entry(w->tables, &w->x, w->user, e, HANDLE_LENT, &number)) {
		table_frame_answer(&room->frame, &head, PLUGIN_SUCCESS);
		room->frame.head.entry = number;
		owned_put_along(w->tables, &w->x, w->user, e, &room->frame);
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

	if (v->head.user >= LIMIT_PLUGINS || !owned_find_table(t, &v->head, &w.x)) {
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
