/* SPDX-License-Identifier: Apache-2.0 */
/* What workers know of tables: their names, and handles of those that they use. */
#include "broker/tables/tables_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum {
	MAX_HANDLES = LIMIT_TABLE_HANDLES + LIMIT_TABLES,
};

/* Handles. */

uint32_t
table_handle_new(struct table_user *u, const struct table_handle *h)
{
	uint32_t i = 0;

	while (i < u->n_handle && u->handle[i].used)
		i++;
	if (i == u->n_handle) {
		uint32_t n = u->n_handle ? 2 * u->n_handle : 16;
		n = n < MAX_HANDLES ? n : MAX_HANDLES;
		struct table_handle *p =
		    n > u->n_handle ? reallocarray(u->handle, n, sizeof(*p)) : NULL;
		if (!p)
			return 0;
		memset(p + u->n_handle, 0, (n - u->n_handle) * sizeof(*p));
		u->handle = p;
		u->n_handle = n;
	}
	u->handle[i] = *h;
	u->handle[i].used = true;
	return i + 1;
}

const struct table_handle *
table_handle_find(const struct table_user *u, uint32_t number)
{
	return number > 0 && number <= u->n_handle && u->handle[number - 1].used
		   ? &u->handle[number - 1]
		   : NULL;
}

/* Names. */

static const struct registered_table *
find_registered(const struct table_registry *r, const char *name)
{
	for (uint32_t i = 0; i < r->n_table; i++) {
		if (strcmp(r->table[i].name, name) == 0)
			return &r->table[i];
	}
	return NULL;
}

/* Plugins see tables of those loaded before them. */
static bool
may_see(const struct table_registry *r, const struct table_user *u,
    const struct registered_table *t)
{
	return t->owner == BUILTIN || &r->user[t->owner] <= u;
}

static void
on_list(struct table_registry *r, struct table_user *u, const struct table_view *v)
{
	table_frame_answer(&r->frame, &v->head, PLUGIN_SUCCESS);
	for (uint32_t i = 0; i < r->n_table; i++) {
		if (may_see(r, u, &r->table[i]))
			table_frame_str(
			    &r->frame, r->table[i].key_type, r->table[i].name);
	}
	table_send_frame(r, u);
}

static void
on_get(struct table_registry *r, struct table_user *u, const struct table_view *v)
{
	const struct registered_table *t = find_registered(r, table_view_str(v, 0));
	struct table_handle h;

	table_frame_answer(&r->frame, &v->head, PLUGIN_SUCCESS);
	/* A name that is not known is no failure, but no table either. */
	if (t && may_see(r, u, t)) {
		if (t->key_type != v->head.field) {
			char text[LIMIT_NAME_BYTES + 128];
			snprintf(text, sizeof(text),
			    "table in registry accessed with wrong key type: table='%s', "
			    "requested='%s', actual='%s'",
			    t->name, state_type_name(v->head.field),
			    state_type_name(t->key_type));
			table_fail(r, u, &v->head, text);
			return;
		}
		if (t->owner != BUILTIN && &r->user[t->owner] == u) {
			r->frame.head.table = t->id;
			r->frame.head.number = 1;
		} else {
			h = (struct table_handle){.owner = t->owner,
			    .incarnation = t->incarnation,
			    .id = t->id};
			r->frame.head.table = table_handle_new(u, &h);
			if (t->owner == BUILTIN) {
				u->uses_builtin = true;
			} else {
				u->uses_others = true;
				r->user[t->owner].is_used = true;
			}
		}
	}
	table_send_frame(r, u);
}

static void
on_add(struct table_registry *r, struct table_user *u, const struct table_view *v)
{
	const char *name = table_view_str(v, 0);
	char text[LIMIT_NAME_BYTES + 128];
	struct registered_table *t;

	if (find_registered(r, name)) {
		snprintf(text, sizeof(text),
		    "table added to registry multiple times: %.1000s", name);
		table_fail(r, u, &v->head, text);
		return;
	}
	t = r->n_table < LIMIT_TABLES && strlen(name) < sizeof(t->name) &&
		    v->head.table != 0 && state_type_is_valid(v->head.field) &&
		    utf8_valid(name, strlen(name))
		? &r->table[r->n_table]
		: NULL;
	if (!t) {
		table_fail(r, u, &v->head, "the table cannot be added");
		return;
	}
	*t = (struct registered_table){
	    .key_type = v->head.field,
	    .owner = (uint32_t)(u - r->user),
	    .id = v->head.table,
	    .incarnation = u->incarnation,
	};
	memcpy(t->name, name, strlen(name) + 1);
	r->n_table++;
	table_frame_answer(&r->frame, &v->head, PLUGIN_SUCCESS);
	table_send_frame(r, u);
}

/* Somebody loaded before has not come so far yet. */
bool
table_names_must_wait(const struct table_registry *r, const struct table_user *u)
{
	for (const struct table_user *o = r->user; o < u; o++) {
		enum worker_state s = o->worker->state;
		if (s >= WORKER_STARTING && s < WORKER_INITIALIZED)
			return true;
		if (s == WORKER_LOADED)
			return true;
	}
	return false;
}

void
table_names_serve(
    struct table_registry *r, struct table_user *u, const struct table_view *v)
{
	if (v->head.op == TABLE_LIST)
		on_list(r, u, v);
	else if (v->head.op == TABLE_GET)
		on_get(r, u, v);
	else
		on_add(r, u, v);
}

bool
table_names_hold(
    struct table_registry *r, struct table_user *u, const void *p, uint32_t len)
{
	struct held_call *h = malloc(sizeof(*h) + len);

	if (!h)
		return false;
	*h = (struct held_call){
	    .from = (uint32_t)(u - r->user), .incarnation = u->incarnation, .len = len};
	memcpy(h->bytes, p, len);
	TAILQ_INSERT_TAIL(&r->held, h, link);
	return true;
}

/* Those that have waited long enough. */
void
table_names_resume(struct table_registry *r)
{
	struct held_call *h = TAILQ_FIRST(&r->held), *next;
	struct table_view v;
	struct err err;

	for (; h; h = next) {
		struct table_user *u = &r->user[h->from];
		next = TAILQ_NEXT(h, link);
		bool stale = h->incarnation != u->incarnation || !table_user_is_there(u);
		if (!stale && table_names_must_wait(r, u))
			continue;
		TAILQ_REMOVE(&r->held, h, link);
		if (!stale && table_check(&v, h->bytes, h->len, &err))
			table_names_serve(r, u, &v);
		free(h);
	}
}

void
table_names_drop(struct table_registry *r, uint32_t owner)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < r->n_table; i++) {
		if (r->table[i].owner != owner)
			r->table[kept++] = r->table[i];
	}
	r->n_table = kept;
}
