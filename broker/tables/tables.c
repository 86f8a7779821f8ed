/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of one worker to a table of another, or of ours, handed on and answered within a
 * deadline. Long, because registry, calls and their ends keep one set of books.
 */
#include "broker/tables/tables.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"
#include "broker/tables/builtin_tables.h"
#include "proto/chunk.h"
#include "proto/table.h"

enum {
	/* An iteration is many operations. */
	WALK_MS = 3 * LIMIT_TABLE_CALL_MS,
	TICK_MS = 20,
	MAX_HANDLES = LIMIT_TABLE_HANDLES + LIMIT_TABLES,
	MAX_WALKS = 8,        /* of one worker at once */
	BUILTIN = UINT32_MAX, /* in the place of an owner's position */
};

/* A user's number of a table: position + 1. */
struct table_handle {
	uint32_t owner; /* position of its user record, or BUILTIN */
	uint32_t incarnation, id;
	bool used, is_sub;
};

/* A worker that has joined. Its number, to owners, is its position + 1. */
struct table_user {
	struct table_registry *registry;
	struct worker *worker;
	uint32_t incarnation; /* of the worker, that all this is about */
	struct table_handle *handle;
	uint32_t n_handle, n_call, n_walk;
	bool silent; /* let a call expire and has not answered since */
	bool uses_builtin, uses_others, is_used;
};

struct registered_table {
	char name[LIMIT_NAME_BYTES];
	uint32_t key_type, owner, id, incarnation;
};

struct table_call {
	TAILQ_ENTRY(table_call) link;
	uint32_t number;              /* ours; what the one called answers to */
	uint32_t from, to, from_call; /* positions; to may be BUILTIN */
	uint32_t from_incarnation, to_incarnation;
	enum table_op op;
	uint64_t deadline_ns;
	struct table_head head; /* as the caller sent it */
	struct builtin_walk *walk;
	struct table_call *within; /* of VISIT: the ITERATE */
};

/* A call that waits until those loaded before are initialised. */
struct held_call {
	TAILQ_ENTRY(held_call) link;
	uint32_t from, incarnation, len;
	_Alignas(8) uint8_t bytes[];
};

struct table_registry {
	struct supervisor *sup;
	struct event *on_tick;
	bool ticking;
	struct table_user user[LIMIT_PLUGINS - 1];
	uint32_t n_user, next_call;
	struct registered_table *table;
	uint32_t n_table;
	struct builtin_tables *builtin;
	TAILQ_HEAD(, table_call) calls;
	TAILQ_HEAD(, held_call) held;
	struct table_counts counts;
	struct table_frame frame;
	_Alignas(8) uint8_t wire[TABLE_FRAME_BYTES];
};

static void start_ticking(struct table_registry *r);

static bool
is_there(const struct table_user *u)
{
	return u->worker->alive && !u->worker->doomed && u->worker->id == u->incarnation;
}

/* Sending. */

static bool
send_bytes(struct table_user *to, const void *p, uint32_t len, bool wakes)
{
	struct worker *w = to->worker;

	if (!is_there(to) || ring_put(&w->side_writer, FRAME_TABLE, p, len) != RING_OK)
		return false;
	if (wakes && ring_writer_must_wake(&w->side_writer))
		worker_wake(w);
	return true;
}

static bool
send_frame(struct table_registry *r, struct table_user *to)
{
	uint32_t len = table_frame_write(&r->frame, r->wire, sizeof(r->wire));

	return len > 0 && send_bytes(to, r->wire, len, true);
}

static void
fail_call(struct table_registry *r, struct table_user *to, const struct table_head *head,
    const char *words)
{
	r->counts.failed++;
	table_frame_fail(&r->frame, head, words);
	send_frame(r, to);
}

/* Calls. */

static void
call_free(struct table_registry *r, struct table_call *c)
{
	struct table_call *o;

	TAILQ_REMOVE(&r->calls, c, link);
	/* Visits of an iteration that is over. */
	TAILQ_FOREACH (o, &r->calls, link) {
		if (o->within == c)
			o->within = NULL;
	}
	if (c->walk)
		r->user[c->from].n_walk--;
	builtin_walk_free(c->walk);
	r->user[c->from].n_call--;
	free(c);
}

static struct table_call *
call_new(struct table_registry *r, uint32_t from, uint32_t to, const struct table_head *h)
{
	struct table_call *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->number = ++r->next_call;
	c->from = from;
	c->to = to;
	c->from_call = h->call;
	c->from_incarnation = r->user[from].incarnation;
	c->to_incarnation = to == BUILTIN ? 0 : r->user[to].incarnation;
	c->op = h->op;
	c->head = *h;
	c->deadline_ns =
	    clock_mono_ns() +
	    (h->op == TABLE_ITERATE ? WALK_MS : LIMIT_TABLE_CALL_MS) * 1000000ull;
	r->user[from].n_call++;
	TAILQ_INSERT_TAIL(&r->calls, c, link);
	start_ticking(r);
	return c;
}

static struct table_call *
call_find(struct table_registry *r, uint32_t number, uint32_t to)
{
	struct table_call *c;

	TAILQ_FOREACH (c, &r->calls, link) {
		if (c->number == number && c->to == to)
			return c;
	}
	return NULL;
}

/* The caller is told no, and the call is over. */
static void
call_fail(struct table_registry *r, struct table_call *c, const char *words)
{
	struct table_user *from = &r->user[c->from];

	if (from->incarnation == c->from_incarnation)
		fail_call(r, from, &c->head, words);
	call_free(r, c);
}

/* Handles. */

static uint32_t
handle_new(struct table_user *u, const struct table_handle *h)
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

static const struct table_handle *
handle_find(const struct table_user *u, uint32_t number)
{
	return number > 0 && number <= u->n_handle && u->handle[number - 1].used
		   ? &u->handle[number - 1]
		   : NULL;
}

/* What is about tables, not about one. */

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
	send_frame(r, u);
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
			fail_call(r, u, &v->head, text);
			return;
		}
		if (t->owner != BUILTIN && &r->user[t->owner] == u) {
			r->frame.head.table = t->id;
			r->frame.head.number = 1;
		} else {
			h = (struct table_handle){.owner = t->owner,
			    .incarnation = t->incarnation,
			    .id = t->id};
			r->frame.head.table = handle_new(u, &h);
			if (t->owner == BUILTIN) {
				u->uses_builtin = true;
			} else {
				u->uses_others = true;
				r->user[t->owner].is_used = true;
			}
		}
	}
	send_frame(r, u);
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
		fail_call(r, u, &v->head, text);
		return;
	}
	t = r->n_table < LIMIT_TABLES && strlen(name) < sizeof(t->name) &&
		    v->head.table != 0 && state_type_is_valid(v->head.field) &&
		    utf8_valid(name, strlen(name))
		? &r->table[r->n_table]
		: NULL;
	if (!t) {
		fail_call(r, u, &v->head, "the table cannot be added");
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
	send_frame(r, u);
}

/* Somebody loaded before has not come so far yet. */
static bool
must_wait(const struct table_registry *r, const struct table_user *u)
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

static void
about_tables(struct table_registry *r, struct table_user *u, const struct table_view *v)
{
	if (v->head.op == TABLE_LIST)
		on_list(r, u, v);
	else if (v->head.op == TABLE_GET)
		on_get(r, u, v);
	else
		on_add(r, u, v);
}

static bool
hold(struct table_registry *r, struct table_user *u, const void *p, uint32_t len)
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
static void
resume(struct table_registry *r)
{
	struct held_call *h = TAILQ_FIRST(&r->held), *next;
	struct table_view v;
	struct err err;

	for (; h; h = next) {
		struct table_user *u = &r->user[h->from];
		next = TAILQ_NEXT(h, link);
		bool stale = h->incarnation != u->incarnation || !is_there(u);
		if (!stale && must_wait(r, u))
			continue;
		TAILQ_REMOVE(&r->held, h, link);
		if (!stale && table_check(&v, h->bytes, h->len, &err))
			about_tables(r, u, &v);
		free(h);
	}
}

/* Built-in tables. */

/* The next entry of a walk is told to the user, or that there is none. */
static void
walk_on(struct table_registry *r, struct table_call *c, bool more)
{
	struct table_user *u = &r->user[c->from];

	while (more && builtin_walk_next(c->walk, &r->frame)) {
		struct table_head as = {.op = TABLE_VISIT};
		struct table_call *visit = call_new(r, c->from, c->from, &as);
		if (!visit)
			break;
		visit->within = c;
		r->frame.head.call = visit->number;
		r->frame.head.number = c->from_call;
		if (send_frame(r, u))
			return;
		call_free(r, visit);
		more = false;
	}
	table_frame_answer(&r->frame, &c->head, PLUGIN_SUCCESS);
	r->frame.head.number = more;
	send_frame(r, u);
	call_free(r, c);
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
		struct table_call *c =
		    u->n_walk < MAX_WALKS ? call_new(r, from, BUILTIN, &head) : NULL;
		if (c && (c->walk = builtin_walk_new(r->builtin, from + 1, id))) {
			u->n_walk++;
			walk_on(r, c, true);
			return;
		}
		if (c)
			call_free(r, c);
		fail_call(r, u, &head, "the table cannot be iterated");
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
		r->frame.value[0].num = handle_new(u, &h);
	}
	send_frame(r, u);
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

	if (h->incarnation != owner->incarnation || !is_there(owner) || owner->silent) {
		snprintf(text, sizeof(text),
		    owner->silent
			? "the owner of the table, plugin '%.500s', does not answer"
			: "the owner of the table, plugin '%.500s', is not there",
		    owner->worker->plugin->setting->name);
		if (!one_way)
			fail_call(r, u, &head, text);
		return;
	}
	if (!one_way && !(c = call_new(r, (uint32_t)(u - r->user), h->owner, &head))) {
		fail_call(r, u, &head, "no memory");
		return;
	}
	v->head.table = h->id;
	v->head.user = (uint32_t)(u - r->user) + 1;
	v->head.call = c ? c->number : 0;
	patch(frame, &v->head);
	/* Nobody waits for what is let go of: it is read before the next call. */
	if (!send_bytes(owner, frame, len, !one_way) && c)
		call_fail(r, c, "the owner of the table does not read its calls");
}

/* An owner comes to an entry of an iteration. */
static void
on_visit(struct table_registry *r, struct table_user *owner, struct table_view *v,
    uint8_t *frame, uint32_t len)
{
	uint32_t at = (uint32_t)(owner - r->user);
	struct table_call *walk = call_find(r, (uint32_t)v->head.number, at), *c;
	struct table_head head = v->head;

	if (!walk || walk->op != TABLE_ITERATE ||
	    !(c = call_new(r, at, walk->from, &head))) {
		fail_call(r, owner, &head, "the iteration is over");
		return;
	}
	c->within = walk;
	v->head.number = walk->from_call;
	v->head.call = c->number;
	v->head.user = 0;
	patch(frame, &v->head);
	if (!send_bytes(&r->user[walk->from], frame, len, true))
		call_fail(r, c, "the iteration is over");
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
			send_bytes(&r->user[h->owner], frame, len, false);
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
		if (!must_wait(r, u))
			about_tables(r, u, v);
		else if (!hold(r, u, frame, len))
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
	h = handle_find(u, v->head.table);
	if (!h) {
		if (!table_op_is_one_way(v->head.op))
			fail_call(r, u, &v->head, "a table that is not there");
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
	value.num = handle_new(&r->user[c->from], &h);
	memcpy(frame + sizeof(struct table_head), &value, sizeof(value));
	return true;
}

static bool
take_reply(struct table_registry *r, struct table_user *u, struct table_view *v,
    uint8_t *frame, uint32_t len, struct err *err)
{
	struct table_call *c = call_find(r, v->head.call, (uint32_t)(u - r->user));
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
		call_free(r, c);
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
		send_bytes(from, frame, len, true);
	call_free(r, c);
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

static void
drop_tables_of(struct table_registry *r, uint32_t owner)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < r->n_table; i++) {
		if (r->table[i].owner != owner)
			r->table[kept++] = r->table[i];
	}
	r->n_table = kept;
}

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
			call_free(r, c);
		else
			call_fail(r, c, "the owner of the table is gone");
		/* One may have taken others with it. */
		next = TAILQ_FIRST(&r->calls);
	}
	table_frame_begin(&r->frame, TABLE_FORGET, 0);
	r->frame.head.user = at + 1;
	for (uint32_t i = 0; i < r->n_user; i++) {
		if (i != at && u->n_handle > 0)
			send_frame(r, &r->user[i]);
	}
	builtin_serve(r->builtin, at + 1, &forget, &r->frame);
	free(u->handle);
	u->handle = NULL;
	u->n_handle = 0;
	u->silent = false;
	drop_tables_of(r, at);
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
	resume(r);
}

static const struct worker_port port = {.take = on_frame, .moved = on_moved};

/* Time. */

static void
on_tick(int fd, short what, void *arg)
{
	struct table_registry *r = arg;
	uint64_t now = clock_mono_ns();
	char text[LIMIT_NAME_BYTES + 128];
	struct table_call *c = TAILQ_FIRST(&r->calls);

	while (c) {
		struct table_call *next = TAILQ_NEXT(c, link);
		if (now >= c->deadline_ns) {
			snprintf(text, sizeof(text), "a table operation took too long");
			if (c->to != BUILTIN && c->op != TABLE_VISIT) {
				struct table_user *to = &r->user[c->to];
				snprintf(text, sizeof(text),
				    "plugin '%.500s', which owns the table, did not "
				    "answer in time",
				    to->worker->plugin->setting->name);
				if (!to->silent)
					log_warning(
					    "%s (%s)", text, table_op_name(c->op));
				to->silent = c->op != TABLE_ITERATE;
			}
			r->counts.expired++;
			call_fail(r, c, text);
			next = TAILQ_FIRST(&r->calls);
		}
		c = next;
	}
	r->ticking = false;
	if (!TAILQ_EMPTY(&r->calls))
		start_ticking(r);
}

static void
start_ticking(struct table_registry *r)
{
	const struct timeval tv = {.tv_usec = TICK_MS * 1000};

	if (!r->ticking)
		r->ticking = event_add(r->on_tick, &tv) == 0;
}

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
	TAILQ_INIT(&r->calls);
	TAILQ_INIT(&r->held);
	r->sup = sup;
	r->builtin = builtin_tables_new(err);
	r->on_tick = evtimer_new(sup->base, on_tick, r);
	if (!r->builtin || !r->on_tick) {
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
	struct table_call *c;
	struct held_call *h;

	if (!r)
		return;
	while ((c = TAILQ_FIRST(&r->calls)))
		call_free(r, c);
	while ((h = TAILQ_FIRST(&r->held))) {
		TAILQ_REMOVE(&r->held, h, link);
		free(h);
	}
	for (uint32_t i = 0; i < r->n_user; i++) {
		r->user[i].worker->port = NULL;
		free(r->user[i].handle);
	}
	builtin_tables_free(r->builtin);
	if (r->on_tick)
		event_free(r->on_tick);
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
