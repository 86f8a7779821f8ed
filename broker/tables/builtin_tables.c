/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of the built-in tables. */
#include "broker/tables/builtin_tables.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/tables/builtin_internal.h"

enum {
	TID_FIELD = 0, /* of threads, and PID_FIELD: what the key is */
	FD_FIELD = 10, /* of file descriptors */
};

void
builtin_refuse(
    const struct table_view *v, struct table_frame *answer, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_frame_fail(answer, &v->head, text);
}

static void
answer_entry(struct builtin_tables *b, struct builtin_table *t, uint32_t user,
    const struct table_view *v, struct builtin_entry *e, bool is_new,
    struct table_frame *answer)
{
	uint32_t number;

	/* The handle's reference; a new entry comes with it. */
	e->refs += !is_new;
	if (!builtin_hold_entry(b, user, t, v->head.table, e, is_new, &number)) {
		builtin_entry_drop(b, e);
		builtin_refuse(v, answer, "too many entries of tables are held");
		return;
	}
	table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	answer->head.entry = number;
	if (!is_new)
		builtin_put_along(b, e, user, answer);
}

static void
set_number(struct builtin_tables *b, struct builtin_entry *e, uint32_t i, uint64_t num)
{
	union builtin_value *v = builtin_entry_value(b, e, i);

	if (v)
		v->num = num;
}

static void
serve_insert(struct builtin_tables *b, struct builtin_table *t, uint32_t user,
    const struct table_view *v, struct builtin_handle *h, uint64_t key,
    struct table_frame *answer)
{
	struct builtin_entry *e = h->entry;

	if (!h->is_new || !builtin_table_put(b, t, e, key)) {
		builtin_refuse(v, answer, "the entry cannot be added to the table");
		return;
	}
	if (e->kind == KIND_THREADS)
		set_number(b, e, TID_FIELD, key);
	else if (e->kind == KIND_FDS)
		set_number(b, e, FD_FIELD, key);
	builtin_handle_free(b, h);
	answer_entry(b, t, user, v, e, false, answer);
}

static void
serve_erase(struct builtin_tables *b, struct builtin_table *t, uint64_t key,
    const struct table_view *v, struct table_frame *answer)
{
	if (builtin_table_erase(b, t, key))
		table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	else
		builtin_refuse(v, answer, "no entry with that key");
}

static void
answer_sub_table(struct builtin_tables *b, struct builtin_entry *e, uint32_t i,
    const struct builtin_field *f, uint32_t user, const struct table_view *v,
    struct table_frame *answer)
{
	union builtin_value *at = builtin_entry_value(b, e, i);
	uint32_t number;
	struct builtin_handle *h;

	if (at && !at->sub)
		at->sub = builtin_table_new((enum builtin_kind)f->sub);
	struct builtin_table *sub = at ? at->sub : NULL;
	if (!sub || !(h = table_slot_take(&b->handles, user, &number))) {
		builtin_refuse(v, answer, "a sub-table cannot be had");
		return;
	}
	h->table = sub;
	h->entry = NULL;
	sub->refs++;
	table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	table_frame_num(answer, b->klass[f->sub].key_type, PLUGIN_STATE_TABLE,
	    number | TABLE_SLOT_MARK);
}

static void
serve_read(struct builtin_tables *b, const struct builtin_table *t, uint32_t user,
    const struct table_view *v, struct builtin_entry *e, struct table_frame *answer)
{
	uint32_t i;
	const struct builtin_field *f = builtin_find_field(b, t, v->head.field, &i);

	if (!f) {
		builtin_refuse(v, answer, "a field that the table does not have");
		return;
	}
	if (f->type == PLUGIN_STATE_TABLE) {
		answer_sub_table(b, e, i, f, user, v, answer);
		return;
	}
	const union builtin_value value =
	    i < e->n_value ? e->value[i] : (union builtin_value){0};
	table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	if (f->type == PLUGIN_STATE_STRING)
		table_frame_str(answer, v->head.field, value.str ? value.str : "");
	else
		table_frame_num(answer, v->head.field, f->type, value.num);
}

static void
serve_write(struct builtin_tables *b, const struct builtin_table *t,
    const struct table_view *v, struct builtin_entry *e, struct table_frame *answer)
{
	uint32_t i;
	const struct builtin_field *f = builtin_find_field(b, t, v->head.field, &i);
	union builtin_value *at;

	if (!f || v->head.n_values != 1 || v->value[0].type != f->type ||
	    f->type == PLUGIN_STATE_TABLE) {
		builtin_refuse(v, answer, "a field that the table does not have");
		return;
	}
	if (f->read_only) {
		builtin_refuse(v, answer,
		    "attempt to write to read-only static struct field: %s", f->name);
		return;
	}
	at = builtin_entry_value(b, e, i);
	bool done = at != NULL;
	if (at && f->type == PLUGIN_STATE_STRING)
		done = builtin_value_set_str(b, at, table_view_str(v, 0));
	else if (at)
		at->num = v->value[0].num;
	if (done)
		table_frame_answer(answer, &v->head, PLUGIN_SUCCESS);
	else
		builtin_refuse(v, answer, "the built-in tables are full");
}

static void
forget(struct builtin_tables *b, uint32_t user)
{
	struct builtin_handle *h;

	for (uint32_t i = 0; b->handles.held[user] > 0 && i < b->handles.n; i++) {
		if ((h = table_slot_at(&b->handles, user, i)))
			builtin_handle_free(b, h);
	}
}

void
builtin_serve(struct builtin_tables *b, uint32_t user, const struct table_view *v,
    struct table_frame *answer)
{
	const struct table_head *head = &v->head;
	struct builtin_table *t = builtin_find_table(b, user, head->table);
	union plugin_state_data key = {0};
	struct builtin_handle *h = NULL;
	struct builtin_entry *e;

	if (head->op == TABLE_FORGET) {
		forget(b, user);
		table_frame_answer(answer, head, PLUGIN_SUCCESS);
		return;
	}
	if (!t) {
		builtin_refuse(v, answer, "a table that is not there");
		return;
	}
	if (table_op_takes_entry(head->op) && !(h = builtin_find_entry(b, user, head))) {
		builtin_refuse(v, answer, "an entry that is not there");
		return;
	}
	if (table_op_takes_key(head->op) &&
	    !table_view_data(v, 0, b->klass[t->kind].key_type, &key)) {
		builtin_refuse(v, answer, "a key of another type than the table's");
		return;
	}
	switch (head->op) {
	case TABLE_SIZE:
		table_frame_answer(answer, head, PLUGIN_SUCCESS);
		answer->head.number = t->n;
		break;
	case TABLE_FIELDS:
		builtin_serve_fields(&b->klass[t->kind], v, answer);
		break;
	case TABLE_FIELD:
	case TABLE_ADD_FIELD:
		builtin_serve_field(b, t, user, v, answer);
		break;
	case TABLE_ENTRY:
		e = builtin_table_find(t, key.u64);
		if (e)
			answer_entry(b, t, user, v, e, false, answer);
		else
			builtin_refuse(v, answer, "no entry with that key");
		break;
	case TABLE_CREATE:
		e = builtin_entry_new(b, t->kind);
		if (e)
			answer_entry(b, t, user, v, e, true, answer);
		else
			builtin_refuse(v, answer, "the built-in tables are full");
		break;
	case TABLE_RELEASE:
	case TABLE_DESTROY:
		builtin_handle_free(b, h);
		table_frame_answer(answer, head, PLUGIN_SUCCESS);
		break;
	case TABLE_INSERT:
		serve_insert(b, t, user, v, h, key.u64, answer);
		break;
	case TABLE_ERASE:
		serve_erase(b, t, key.u64, v, answer);
		break;
	case TABLE_CLEAR:
		builtin_table_clear(b, t);
		table_frame_answer(answer, head, PLUGIN_SUCCESS);
		break;
	case TABLE_READ:
		serve_read(b, t, user, v, h->entry, answer);
		break;
	case TABLE_WRITE:
		serve_write(b, t, v, h->entry, answer);
		break;
	default:
		builtin_refuse(v, answer, "an operation that no table has");
	}
}

/* Life. */

const char *
builtin_table_name(uint32_t i, uint32_t *ret_number, uint32_t *ret_key_type)
{
	*ret_number = BUILTIN_ROOT;
	*ret_key_type = PLUGIN_STATE_INT64;
	return i == 0 ? "threads" : NULL;
}

struct builtin_tables *
builtin_tables_new(struct err *err)
{
	struct builtin_tables *b = calloc(1, sizeof(*b));

	if (b)
		b->handles.slot_bytes = sizeof(struct builtin_handle);
	if (!b || !builtin_classes_make(b) ||
	    !(b->root = builtin_table_new(KIND_THREADS))) {
		builtin_tables_free(b);
		err_nomem(err);
		return NULL;
	}
	return b;
}

void
builtin_tables_free(struct builtin_tables *b)
{
	if (!b)
		return;
	for (uint32_t user = 0; user < LIMIT_PLUGINS; user++)
		forget(b, user);
	if (b->root)
		builtin_table_drop(b, b->root);
	table_slots_release(&b->handles);
	builtin_classes_free(b);
	free(b);
}
