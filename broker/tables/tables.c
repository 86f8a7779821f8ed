/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on their way to whoever has the table, and answers on their way back. */
#include "broker/tables/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/tables/tables_internal.h"

enum {
	MAX_WALKS = 8, /* of one worker at once */
};

/* Built-in tables. */

/* The next entry of a walk is told to the user, or that there is none. */
static void
walk_on(struct table_registry *r, struct table_call *c, bool more)
{
	struct table_user *u = &r->user[c->from];

	while (more && builtin_walk_next(c->walk, &r->frame)) {
		struct table_head as = {.op = TABLE_VISIT};
		struct table_call *visit = table_call_new(r, c->from, c->from, &as);
		if (!visit)
			break;
		visit->within = c;
		r->frame.head.call = visit->number;
		r->frame.head.number = c->from_call;
		if (table_send_frame(r, u))
			return;
		table_call_free(r, visit);
		more = false;
	}
	table_frame_answer(&r->frame, &c->head, PLUGIN_SUCCESS);
	r->frame.head.number = more;
	table_send_frame(r, u);
	table_call_free(r, c);
}

static void
serve_builtin(
    struct table_registry *r, struct table_user *u, uint32_t id, struct table_view *v)
{
	uint32_t from = (uint32_t)(u - r->user);
	struct table_head head = v->head;
	struct table_value value;

	v->head.table = id;
	if (head.op == TABLE_ITERATE) {
		struct table_call *c = u->n_walk < MAX_WALKS
					   ? table_call_new(r, from, BUILTIN, &head)
					   : NULL;
		if (c && (c->walk = builtin_walk_new(r->builtin, from + 1, id))) {
			u->n_walk++;
			walk_on(r, c, true);
			return;
		}
		if (c)
			table_call_free(r, c);
		table_fail(r, u, &head, "the table cannot be iterated");
		return;
	}
	builtin_serve(r->builtin, from + 1, v, &r->frame);
	r->counts.failed += r->frame.head.rc != PLUGIN_SUCCESS;
	if (table_op_is_one_way(head.op))
		return;
	/* The number of a sub-table is the user's own. */
	value = r->frame.value[0];
	if (r->frame.head.rc == PLUGIN_SUCCESS && r->frame.head.n_values == 1 &&
	    value.type == PLUGIN_STATE_TABLE) {
		const struct table_handle h = {
		    .owner = BUILTIN, .id = (uint32_t)value.num, .is_sub = true};
		r->frame.value[0].num = table_handle_new(u, &h);
	}
	table_send_frame(r, u);
}

/* Calls from one worker to another. */

static void
patch(uint8_t *frame, const struct table_head *h)
{
	memcpy(frame, h, sizeof(*h));
}

static void
forward(struct table_registry *r, struct table_user *u, const struct table_handle *h,
    struct table_view *v, uint8_t *frame, uint32_t len)
{
	struct table_user *owner = &r->user[h->owner];
	struct table_head head = v->head;
	bool one_way = table_op_is_one_way(head.op);
	char text[LIMIT_NAME_BYTES + 128];
	struct table_call *c = NULL;

	if (h->incarnation != owner->incarnation || !table_user_is_there(owner) ||
	    owner->silent) {
		snprintf(text, sizeof(text),
		    owner->silent
			? "the owner of the table, plugin '%.500s', does not answer"
			: "the owner of the table, plugin '%.500s', is not there",
		    owner->worker->plugin->setting->name);
		if (!one_way)
			table_fail(r, u, &head, text);
		return;
	}
	if (!one_way &&
	    !(c = table_call_new(r, (uint32_t)(u - r->user), h->owner, &head))) {
		table_fail(r, u, &head, "no memory");
		return;
	}
	v->head.table = h->id;
	v->head.user = (uint32_t)(u - r->user) + 1;
	v->head.call = c ? c->number : 0;
	patch(frame, &v->head);
	/* Nobody waits for what is let go of: it is read before the next call. */
	if (!table_send(owner, frame, len, !one_way) && c)
		table_call_fail(r, c, "the owner of the table does not read its calls");
}

/* An owner comes to an entry of an iteration. */
static void
on_visit(struct table_registry *r, struct table_user *owner, struct table_view *v,
    uint8_t *frame, uint32_t len)
{
	uint32_t at = (uint32_t)(owner - r->user);
	struct table_call *walk = table_call_find(r, (uint32_t)v->head.number, at), *c;
	struct table_head head = v->head;

	if (!walk || walk->op != TABLE_ITERATE ||
	    !(c = table_call_new(r, at, walk->from, &head))) {
		table_fail(r, owner, &head, "the iteration is over");
		return;
	}
	c->within = walk;
	v->head.number = walk->from_call;
	v->head.call = c->number;
	v->head.user = 0;
	patch(frame, &v->head);
	if (!table_send(&r->user[walk->from], frame, len, true))
		table_call_fail(r, c, "the iteration is over");
}

/* Everywhere where the user may have something. */
static void
on_forget(struct table_registry *r, struct table_user *u, struct table_view *v,
    uint8_t *frame, uint32_t len)
{
	bool asked[LIMIT_PLUGINS] = {false}, builtin = false;

	v->head.user = (uint32_t)(u - r->user) + 1;
	patch(frame, &v->head);
	for (uint32_t i = 0; i < u->n_handle; i++) {
		struct table_handle *h = &u->handle[i];
		if (!h->used)
			continue;
		if (h->owner == BUILTIN) {
			builtin = true;
		} else if (!asked[h->owner] &&
			   h->incarnation == r->user[h->owner].incarnation) {
			asked[h->owner] = true;
			table_send(&r->user[h->owner], frame, len, false);
		}
		h->used = !h->is_sub;
	}
	if (builtin)
		builtin_serve(r->builtin, v->head.user, v, &r->frame);
}

static bool
take_call(struct table_registry *r, struct table_user *u, struct table_view *v,
    uint8_t *frame, uint32_t len, struct err *err)
{
	const struct table_handle *h;

	r->counts.calls++;
	if (u->n_call >= LIMIT_TABLE_CALLS)
		return err_set(err, ERR_PEER, "more table operations at once than %u",
		    LIMIT_TABLE_CALLS);
	switch (v->head.op) {
	case TABLE_LIST:
	case TABLE_GET:
	case TABLE_ADD:
		if (!table_names_must_wait(r, u))
			table_names_serve(r, u, v);
		else if (!table_names_hold(r, u, frame, len))
			return err_nomem(err);
		return true;
	case TABLE_FORGET:
		on_forget(r, u, v, frame, len);
		return true;
	case TABLE_VISIT:
		on_visit(r, u, v, frame, len);
		return true;
	default:
		break;
	}
	h = table_handle_find(u, v->head.table);
	if (!h) {
		if (!table_op_is_one_way(v->head.op))
			table_fail(r, u, &v->head, "a table that is not there");
	} else if (h->owner == BUILTIN) {
		serve_builtin(r, u, h->id, v);
	} else {
		forward(r, u, h, v, frame, len);
	}
	return true;
}

/* Only READ may answer with a table, and with nothing else. */
static bool
give_sub_table(struct table_registry *r, const struct table_call *c,
    const struct table_view *v, uint8_t *frame, struct err *err)
{
	struct table_value value;

	for (uint32_t i = 0; i < v->head.n_values; i++) {
		if (v->value[i].type == PLUGIN_STATE_TABLE &&
		    (c->op != TABLE_READ || v->head.n_values != 1))
			return err_set(err, ERR_PEER, "a table where none is wanted");
	}
	if (v->head.n_values != 1 || v->value[0].type != PLUGIN_STATE_TABLE)
		return true;
	const struct table_handle h = {
	    .owner = c->to,
	    .incarnation = c->to_incarnation,
	    .id = (uint32_t)v->value[0].num,
	    .is_sub = true,
	};
	value = v->value[0];
	value.num = table_handle_new(&r->user[c->from], &h);
	memcpy(frame + sizeof(struct table_head), &value, sizeof(value));
	return true;
}

static bool
take_reply(struct table_registry *r, struct table_user *u, struct table_view *v,
    uint8_t *frame, uint32_t len, struct err *err)
{
	struct table_call *c = table_call_find(r, v->head.call, (uint32_t)(u - r->user));
	struct table_user *from;

	u->silent = false;
	/* Too late, or never asked: for nobody. */
	if (!c)
		return true;
	from = &r->user[c->from];
	if (v->head.op != (uint32_t)c->op)
		return err_set(err, ERR_PEER, "an answer to another table operation");
	if (c->op == TABLE_VISIT && c->within && c->within->walk) {
		struct table_call *walk = c->within;
		bool more = v->head.number == 1 && v->head.rc == PLUGIN_SUCCESS;
		table_call_free(r, c);
		walk_on(r, walk, more);
		return true;
	}
	if (!give_sub_table(r, c, v, frame, err))
		return false;
	v->head.call = c->from_call;
	v->head.user = v->head.table = 0;
	patch(frame, &v->head);
	r->counts.failed += v->head.rc != PLUGIN_SUCCESS;
	if (from->incarnation == c->from_incarnation)
		table_send(from, frame, len, true);
	table_call_free(r, c);
	return true;
}

/* From the worker's side ring. */
static bool
on_frame(struct worker *w, void *frame, uint32_t len, void *arg, struct err *err)
{
	struct table_user *u = arg;
	struct table_view v;

	if (!table_check(&v, frame, len, err))
		return false;
	u->incarnation = w->id;
	return v.head.flags & TABLE_REPLY
		   ? take_reply(u->registry, u, &v, frame, len, err)
		   : take_call(u->registry, u, &v, frame, len, err);
}

/* Ends. */

/* The incarnation is over: calls to it fail, calls from it are nobody's, and those who
 * use its tables know nothing of the next one's. */
static void
user_is_gone(struct table_registry *r, struct table_user *u)
{
	uint32_t at = (uint32_t)(u - r->user);
	const struct table_view forget = {.head = {.op = TABLE_FORGET, .user = at + 1}};
	struct table_call *c, *next;

	for (c = TAILQ_FIRST(&r->calls); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->to != at && c->from != at)
			continue;
		if (c->from == at)
			table_call_free(r, c);
		else
			table_call_fail(r, c, "the owner of the table is gone");
		/* One may have taken others with it. */
		next = TAILQ_FIRST(&r->calls);
	}
	table_frame_begin(&r->frame, TABLE_FORGET, 0);
	r->frame.head.user = at + 1;
	for (uint32_t i = 0; i < r->n_user; i++) {
		if (i != at && u->n_handle > 0)
			table_send_frame(r, &r->user[i]);
	}
	builtin_serve(r->builtin, at + 1, &forget, &r->frame);
	free(u->handle);
	u->handle = NULL;
	u->n_handle = 0;
	u->silent = false;
	table_names_drop(r, at);
}

/* An owner is back with tables that nobody has a handle of. */
static void
restart_users_of(struct table_registry *r, struct table_user *owner)
{
	uint32_t at = (uint32_t)(owner - r->user);
	struct err err;

	for (uint32_t i = 0; i < r->n_user; i++) {
		struct table_user *u = &r->user[i];
		for (uint32_t k = 0; k < u->n_handle; k++) {
			const struct table_handle *h = &u->handle[k];
			if (!h->used || h->is_sub || h->owner != at ||
			    h->incarnation == owner->worker->id)
				continue;
			err_set(&err, ERR_GONE,
			    "a table that it uses was begun anew by plugin '%s'",
			    owner->worker->plugin->setting->name);
			worker_give_up(u->worker, &err);
			break;
		}
	}
}

static void
on_moved(struct worker *w, void *arg)
{
	struct table_user *u = arg;
	struct table_registry *r = u->registry;

	if (!w->alive && u->incarnation != 0) {
		user_is_gone(r, u);
		u->incarnation = 0;
	}
	if (w->state == WORKER_INITIALIZED)
		restart_users_of(r, u);
	table_names_resume(r);
}

static const struct worker_port port = {.take = on_frame, .moved = on_moved};

/* Life. */

struct table_registry *
table_registry_new(struct supervisor *sup, struct err *err)
{
	struct table_registry *r = calloc(1, sizeof(*r));
	const char *name;
	uint32_t id, key_type;

	if (!r || !(r->table = calloc(LIMIT_TABLES, sizeof(*r->table)))) {
		free(r);
		err_nomem(err);
		return NULL;
	}
	TAILQ_INIT(&r->held);
	r->builtin = builtin_tables_new(err);
	if (!table_calls_init(r, sup->base) || !r->builtin) {
		table_registry_free(r);
		err_nomem(err);
		return NULL;
	}
	for (uint32_t i = 0; (name = builtin_table_name(i, &id, &key_type)); i++) {
		struct registered_table *t = &r->table[r->n_table++];
		*t = (struct registered_table){
		    .key_type = key_type, .owner = BUILTIN, .id = id};
		snprintf(t->name, sizeof(t->name), "%s", name);
	}
	return r;
}

void
table_registry_free(struct table_registry *r)
{
	struct held_call *h;

	if (!r)
		return;
	table_calls_release(r);
	while ((h = TAILQ_FIRST(&r->held))) {
		TAILQ_REMOVE(&r->held, h, link);
		free(h);
	}
	for (uint32_t i = 0; i < r->n_user; i++) {
		r->user[i].worker->port = NULL;
		free(r->user[i].handle);
	}
	builtin_tables_free(r->builtin);
	free(r->table);
	free(r);
}

bool
table_registry_join(struct table_registry *r, struct worker *w, struct err *err)
{
	if (r->n_user == sizeof(r->user) / sizeof(*r->user))
		return err_set(err, ERR_LIMIT, "too many plugins for one source");
	struct table_user *u = &r->user[r->n_user++];
	*u = (struct table_user){.registry = r, .worker = w, .incarnation = w->id};
	w->port = &port;
	w->port_arg = u;
	return true;
}

bool
tables_are_shared_by(const struct worker *w)
{
	const struct table_user *u = w->port == &port ? w->port_arg : NULL;
	uint32_t builtin = 0;

	for (uint32_t i = 0; u && i < u->registry->n_user; i++)
		builtin += u->registry->user[i].uses_builtin;
	return u && (u->uses_others || u->is_used || (u->uses_builtin && builtin > 1));
}

const struct table_counts *
table_registry_counts(const struct table_registry *r)
{
	return &r->counts;
}
