/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/spin.h"
#include "worker/tables_internal.h"

enum {
	/* Longer than the broker takes to give up on an owner. */
	DEADLINE_MS = LIMIT_TABLE_CALL_MS + 1000,
	/* An answer is worth a look before a sleep: about what being woken costs. */
	SPIN_NS = 40000,
	/* A thread that cannot be woken looks again so soon. */
	NAP_NS = 50000,
	QUEUE_MAX = 256,
};

/* A call that is waited for, on the stack of who waits. */
struct table_pending {
	struct table_pending *next;
	uint32_t call;
	uint8_t *wire; /* TABLE_FRAME_BYTES for the answer */
	uint32_t len;
	bool done;
	struct table_queued *visit; /* one that waits to be answered */
};

struct table_queued {
	struct table_queued *next;
	uint32_t len;
	_Alignas(8) uint8_t wire[];
};

void
tables_fail(struct tables *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->host->error, sizeof(t->host->error), fmt, ap);
	va_end(ap);
}

/* Room. */

static TABLE_THREAD_LOCAL struct table_room *rooms[TABLE_DEPTH];
static TABLE_THREAD_LOCAL uint32_t depth;

static pthread_key_t at_end; /* runs room_free_all where a thread has room */
static bool has_at_end;

static void
room_free_all(void *arg)
{
	struct table_room **room = arg;

	for (uint32_t i = 0; i < TABLE_DEPTH; i++) {
		free(room[i]);
		room[i] = NULL;
	}
	use_thread_ends();
}

static void
make_key(void)
{
	has_at_end = pthread_key_create(&at_end, room_free_all) == 0;
}

struct table_room *
table_room_take(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (depth == TABLE_DEPTH)
		return NULL;
	if (!rooms[depth]) {
		rooms[depth] = aligned_alloc(8, sizeof(**rooms));
		pthread_once(&once, make_key);
		if (has_at_end)
			pthread_setspecific(at_end, rooms);
	}
	return rooms[depth] ? rooms[depth++] : NULL;
}

void
table_room_give_back(void)
{
	depth--;
}

/* What comes down. */

static struct table_pending *
find_pending(struct tables *t, uint32_t call)
{
	struct table_pending *p = t->pending;

	while (p && p->call != call)
		p = p->next;
	return p;
}

/* Whoever waits for it finds it; what nobody waits for any more is forgotten. */
static void
sort_frame(struct tables *t, const struct table_view *v, uint32_t len)
{
	struct table_queued *q = NULL;

	pthread_mutex_lock(&t->lock);
	if (v->head.flags & TABLE_REPLY) {
		struct table_pending *p = find_pending(t, v->head.call);
		if (p && !p->done) {
			memcpy(p->wire, t->in_frame, len);
			p->len = len;
			p->done = true;
		}
	} else if (t->n_queue < QUEUE_MAX &&
		   (q = spare_take(&t->spare, sizeof(*q) + len))) {
		struct table_pending *p = v->head.op == TABLE_VISIT
					      ? find_pending(t, (uint32_t)v->head.number)
					      : NULL;
		q->next = NULL;
		q->len = len;
		memcpy(q->wire, t->in_frame, len);
		if (p && !p->visit) {
			p->visit = q;
		} else if (v->head.op == TABLE_VISIT) {
			spare_give_back(&t->spare, q);
		} else {
			*t->queue_end = q;
			t->queue_end = &q->next;
			t->n_queue++;
		}
	}
	pthread_mutex_unlock(&t->lock);
}

static void
drain(struct tables *t)
{
	uint32_t type, len;
	struct table_view v;
	struct err err;

	pthread_mutex_lock(&t->side->in_lock);
	while (ring_take(&t->side->in, t->in_frame, TABLE_FRAME_BYTES, &type, &len) ==
	       RING_OK) {
		if (type == FRAME_TABLE && table_check(&v, t->in_frame, len, &err))
			sort_frame(t, &v, len);
	}
	pthread_mutex_unlock(&t->side->in_lock);
}

static struct table_queued *
next_queued(struct tables *t)
{
	struct table_queued *q;

	pthread_mutex_lock(&t->lock);
	q = t->queue;
	if (q) {
		t->queue = q->next;
		t->n_queue--;
		if (!t->queue)
			t->queue_end = &t->queue;
	}
	pthread_mutex_unlock(&t->lock);
	return q;
}

static void
queued_free(struct tables *t, struct table_queued *q)
{
	pthread_mutex_lock(&t->lock);
	spare_give_back(&t->spare, q);
	pthread_mutex_unlock(&t->lock);
}

static void
put_frame(struct tables *t, struct table_room *room, bool quietly)
{
	static const struct timespec nap = {.tv_nsec = NAP_NS};
	uint32_t len = table_frame_write(&room->frame, room->wire, sizeof(room->wire));

	atomic_store(&t->in_use, true);
	/* The broker takes what is there; should it not, it is at its end. */
	for (int i = 0; len > 0 && i < 2000; i++) {
		/* Without room the broker is to make some. */
		if (quietly && i == 0
			? side_put_quietly(t->side, FRAME_TABLE, room->wire, len)
			: side_put(t->side, FRAME_TABLE, room->wire, len))
			return;
		nanosleep(&nap, NULL);
	}
}

/* For the user's call that we serve: each entry is told to it, and its word waited for.
 */
struct remote_visit {
	struct tables *tables;
	uint32_t call;
};

static bool
visit_remote(void *arg, const struct table_view *entry)
{
	const struct remote_visit *r = arg;
	struct table_room *room = table_room_take();
	struct table_view v;
	bool more = false;

	if (!room)
		return false;
	table_frame_begin(&room->frame, TABLE_VISIT, 0);
	room->frame.head.number = r->call;
	room->frame.head.entry = entry->head.entry;
	for (uint32_t i = 0; i < entry->head.n_values; i++) {
		const struct table_value *x = &entry->value[i];
		if (x->type == PLUGIN_STATE_STRING)
			table_frame_str(&room->frame, x->field, entry->bytes + x->off);
		else
			table_frame_num(&room->frame, x->field, x->type, x->num);
	}
	more = table_transact(r->tables, room, NULL, NULL, &v) && v.head.number == 1;
	table_room_give_back();
	return more;
}

static void
serve_one(struct tables *t, struct table_queued *q)
{
	struct table_room *room = table_room_take();
	struct table_view v;
	struct err err;

	/* At the greatest depth nobody is answered: the caller's deadline tells it. */
	if (room && table_check(&v, q->wire, q->len, &err)) {
		if (v.head.op == TABLE_ITERATE) {
			struct remote_visit r = {t, v.head.call};
			owned_iterate(t, &v, visit_remote, &r, &room->frame);
		} else {
			owned_serve(t, &v, &room->frame);
		}
		if (!table_op_is_one_way(v.head.op))
			put_frame(t, room, false);
	}
	if (room)
		table_room_give_back();
	queued_free(t, q);
}

bool
tables_serve(struct tables *t)
{
	struct table_queued *q;
	bool any = false;

	if (!atomic_load(&t->in_use))
		return false;
	drain(t);
	for (; (q = next_queued(t)); any = true)
		serve_one(t, q);
	return any;
}

bool
tables_sleep(struct tables *t)
{
	pthread_mutex_lock(&t->side->in_lock);
	pthread_mutex_lock(&t->lock);
	bool idle = !t->queue;
	pthread_mutex_unlock(&t->lock);
	idle = idle && ring_reader_sleep(&t->side->in);
	pthread_mutex_unlock(&t->side->in_lock);
	return idle;
}

void
tables_awake(struct tables *t)
{
	pthread_mutex_lock(&t->side->in_lock);
	ring_reader_awake(&t->side->in);
	pthread_mutex_unlock(&t->side->in_lock);
}

/* Calls. */

static void
answer_visit(struct tables *t, struct table_queued *q, table_visit_fn *visit, void *arg)
{
	struct table_room *room = table_room_take();
	struct table_view v;
	struct err err;

	if (room && table_check(&v, q->wire, q->len, &err)) {
		bool more = visit && visit(arg, &v);
		table_frame_answer(&room->frame, &v.head, PLUGIN_SUCCESS);
		room->frame.head.number = more;
		put_frame(t, room, false);
	}
	if (room)
		table_room_give_back();
	queued_free(t, q);
}

static struct table_queued *
take_visit(struct tables *t, struct table_pending *p)
{
	pthread_mutex_lock(&t->lock);
	struct table_queued *q = p->visit;
	p->visit = NULL;
	pthread_mutex_unlock(&t->lock);
	return q;
}

static bool
is_done(struct tables *t, const struct table_pending *p)
{
	pthread_mutex_lock(&t->lock);
	bool done = p->done;
	pthread_mutex_unlock(&t->lock);
	return done;
}

/* Until the broker rings, or for a moment. */
static void
rest(struct tables *t, bool serving, uint64_t now, uint64_t deadline)
{
	static const struct timespec nap = {.tv_nsec = NAP_NS};
	struct pollfd p = {.fd = t->wake_fd, .events = POLLIN};
	uint64_t left_ms = (deadline - now) / 1000000, rings;

	if (!serving) {
		nanosleep(&nap, NULL);
		return;
	}
	if (!tables_sleep(t))
		return;
	if (poll(&p, 1, (int)left_ms + 1) > 0 && read(t->wake_fd, &rings, 8) < 0)
		nanosleep(&nap, NULL);
	tables_awake(t);
}

/* Answers what has come meanwhile; true when there was something. */
static bool
serve_meanwhile(struct tables *t, struct table_pending *p, bool serving,
    table_visit_fn *visit, void *arg)
{
	struct table_queued *q;

	if ((q = take_visit(t, p))) {
		answer_visit(t, q, visit, arg);
		return true;
	}
	if (!serving || !(q = next_queued(t)))
		return false;
	serve_one(t, q);
	/* Whatever it did: what we know of entries may be old. */
	atomic_fetch_add(&t->epoch, 1);
	return true;
}

static void
await(struct tables *t, struct table_pending *p, table_visit_fn *visit, void *arg)
{
	bool serving = pthread_equal(pthread_self(), t->serving);
	uint64_t now = clock_mono_ns(), deadline = now + DEADLINE_MS * 1000000ull;
	struct spin own = {.is_possible = t->spin->is_possible},
		    *spin = serving ? t->spin : &own;

	spin_begin(spin, SPIN_NS);
	for (;;) {
		drain(t);
		if (is_done(t, p))
			return;
		if (serve_meanwhile(t, p, serving, visit, arg)) {
			spin_begin(spin, SPIN_NS);
			continue;
		}
		if (spin_on(spin))
			continue;
		now = clock_mono_ns();
		if (now >= deadline)
			return;
		rest(t, serving, now, deadline);
	}
}

static void
forget_pending(struct tables *t, struct table_pending *p)
{
	struct table_pending **at = &t->pending;

	pthread_mutex_lock(&t->lock);
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	spare_give_back(&t->spare, p->visit);
	pthread_mutex_unlock(&t->lock);
}

bool
table_transact(struct tables *t, struct table_room *room, table_visit_fn *visit,
    void *visit_arg, struct table_view *ret_v)
{
	struct table_pending p = {
	    .call = atomic_fetch_add(&t->next_call, 1) + 1, .wire = room->wire};
	struct err err;

	room->frame.head.call = p.call;
	if (!pthread_equal(pthread_self(), t->serving))
		room->frame.head.flags |= TABLE_ROUTINE;
	uint32_t len = table_frame_write(&room->frame, room->wire, sizeof(room->wire));
	if (len == 0) {
		tables_fail(t, "a key or value of a table is too large");
		return false;
	}
	pthread_mutex_lock(&t->lock);
	p.next = t->pending;
	t->pending = &p;
	pthread_mutex_unlock(&t->lock);
	put_frame(t, room, false);
	await(t, &p, visit, visit_arg);
	forget_pending(t, &p);
	if (!p.done || !table_check(ret_v, room->wire, p.len, &err)) {
		tables_fail(t, "a table operation was not answered in time");
		return false;
	}
	if (ret_v->head.rc != PLUGIN_SUCCESS) {
		tables_fail(t, "%s", table_view_words(ret_v));
		return false;
	}
	return true;
}

void
table_tell(struct tables *t, struct table_room *room)
{
	/* The serving thread has an answer for the broker sooner or later. */
	put_frame(t, room, pthread_equal(pthread_self(), t->serving));
}
