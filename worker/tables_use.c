/* SPDX-License-Identifier: Apache-2.0 */
/* Calls about tables, and what the plugin holds of them. */
#include "worker/tables_use.h"

#include <stdlib.h>
#include <string.h>

/* What one thread of the plugin holds during a call, and memory for that. */
static TABLE_THREAD_LOCAL struct {
	LIST_HEAD(, user_entry) entries;
	SLIST_HEAD(, user_table) subs;
	struct spare spare;
} scope;

/* Calls. */

struct table_room *
use_begin(struct user_table *u, enum table_op op)
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

bool
use_transact(struct user_table *u, struct table_room *room, table_visit_fn *visit,
    void *visit_arg, struct table_view *ret_v)
{
	return u->own ? serve_own(u->tables, room, visit, visit_arg, ret_v)
		      : table_transact(u->tables, room, visit, visit_arg, ret_v);
}

void
use_tell(struct user_table *u, struct table_room *room)
{
	struct table_view v;

	if (u->own)
		serve_own(u->tables, room, NULL, NULL, &v);
	else
		table_tell(u->tables, room);
}

/* Entries. */

struct user_entry *
user_entry_new(struct user_table *u, const struct table_view *v)
{
	uint32_t values = v->head.n_values * (uint32_t)sizeof(*v->value);
	struct user_entry *e =
	    spare_take(&scope.spare, sizeof(*e) + values + v->head.n_bytes);

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

void
user_entry_free(struct user_entry *e)
{
	struct kept_string *s;

	LIST_REMOVE(e, link);
	while ((s = SLIST_FIRST(&e->strings))) {
		SLIST_REMOVE_HEAD(&e->strings, link);
		spare_give_back(&scope.spare, s);
	}
	spare_give_back(&scope.spare, e);
}

const char *
user_entry_keep(struct user_entry *e, const char *text, size_t n)
{
	struct kept_string *s = spare_take(&scope.spare, sizeof(*s) + n + 1);

	if (!s)
		return NULL;
	memcpy(s->text, text, n);
	s->text[n] = '\0';
	SLIST_INSERT_HEAD(&e->strings, s, link);
	return s->text;
}

struct user_entry *
use_for_entry(struct user_table *u, struct table_room *room)
{
	struct table_view v;
	struct user_entry *e = NULL;

	if (use_transact(u, room, NULL, NULL, &v) && v.head.entry != 0)
		e = user_entry_new(u, &v);
	table_room_give_back();
	return e;
}

void
user_entry_let_go(struct user_entry *e, enum table_op op)
{
	struct table_room *room;

	if (!e->lent && (room = use_begin(e->table, op))) {
		room->frame.head.entry = e->id;
		use_tell(e->table, room);
		table_room_give_back();
	}
	if (!e->lent)
		user_entry_free(e);
}

struct user_table *
user_sub_table(struct user_table *parent, uint32_t id, int32_t key_type)
{
	struct user_table *u =
	    user_table_new(parent->tables, id, parent->own, parent->name, key_type);

	if (u)
		SLIST_INSERT_HEAD(&scope.subs, u, link);
	return u;
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
		user_entry_free(e);
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

void
use_thread_ends(void)
{
	spare_release(&scope.spare);
}
