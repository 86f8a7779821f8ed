/* SPDX-License-Identifier: Apache-2.0 */
/* Frames to workers, and calls that are not answered yet. */
#include "broker/tables/tables_internal.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "proto/chunk.h"

enum {
	/* An iteration is many operations. */
	WALK_MS = 3 * LIMIT_TABLE_CALL_MS,
	/* Calls expire by ticks: a time in which the broker did not look is one. */
	TICK_MS = 20,
};

bool
table_user_is_there(const struct table_user *u)
{
	return u->worker->alive && !u->worker->doomed && u->worker->id == u->incarnation;
}

bool
table_send(struct table_user *to, const void *p, uint32_t len, bool wakes)
{
	struct worker *w = to->worker;

	if (!table_user_is_there(to) ||
	    ring_put(&w->side_writer, FRAME_TABLE, p, len) != RING_OK)
		return false;
	if (wakes && ring_writer_must_wake(&w->side_writer))
		worker_wake(w);
	return true;
}

bool
table_send_frame(struct table_registry *r, struct table_user *to)
{
	uint32_t len = table_frame_write(&r->frame, r->wire, sizeof(r->wire));

	return len > 0 && table_send(to, r->wire, len, true);
}

void
table_fail(struct table_registry *r, struct table_user *to, const struct table_head *head,
    const char *words)
{
	r->counts.failed++;
	table_frame_fail(&r->frame, head, words);
	table_send_frame(r, to);
}

static void
start_ticking(struct table_registry *r)
{
	const struct timeval tv = {.tv_usec = TICK_MS * 1000};

	if (!r->ticking)
		r->ticking = event_add(r->on_tick, &tv) == 0;
}

/* Calls. */

void
table_call_free(struct table_registry *r, struct table_call *c)
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
	TAILQ_INSERT_HEAD(&r->spare, c, link);
}

struct table_call *
table_call_new(
    struct table_registry *r, uint32_t from, uint32_t to, const struct table_head *h)
{
	struct table_call *c = TAILQ_FIRST(&r->spare);

	if (c)
		TAILQ_REMOVE(&r->spare, c, link);
	else if (!(c = malloc(sizeof(*c))))
		return NULL;
	*c = (struct table_call){
	    .number = ++r->next_call,
	    .from = from,
	    .to = to,
	    .from_call = h->call,
	    .from_incarnation = r->user[from].incarnation,
	    .to_incarnation = to == BUILTIN ? 0 : r->user[to].incarnation,
	    .op = h->op,
	    .head = *h,
	};
	/* The first may come at once. */
	c->last_tick = r->tick + 1 +
		       (h->op == TABLE_ITERATE ? WALK_MS : LIMIT_TABLE_CALL_MS) / TICK_MS;
	r->user[from].n_call++;
	TAILQ_INSERT_TAIL(&r->calls, c, link);
	start_ticking(r);
	return c;
}

struct table_call *
table_call_find(struct table_registry *r, uint32_t number, uint32_t to)
{
	struct table_call *c;

	TAILQ_FOREACH (c, &r->calls, link) {
		if (c->number == number && c->to == to)
			return c;
	}
	return NULL;
}

void
table_call_fail(struct table_registry *r, struct table_call *c, const char *words)
{
	struct table_user *from = &r->user[c->from];

	if (from->incarnation == c->from_incarnation)
		table_fail(r, from, &c->head, words);
	table_call_free(r, c);
}

static void
on_tick(int fd, short what, void *arg)
{
	struct table_registry *r = arg;
	char text[LIMIT_NAME_BYTES + 128];
	struct table_call *c = TAILQ_FIRST(&r->calls);

	r->tick++;
	while (c) {
		struct table_call *next = TAILQ_NEXT(c, link);
		if (r->tick >= c->last_tick) {
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
			table_call_fail(r, c, text);
			next = TAILQ_FIRST(&r->calls);
		}
		c = next;
	}
	r->ticking = false;
	if (!TAILQ_EMPTY(&r->calls))
		start_ticking(r);
}

bool
table_calls_init(struct table_registry *r, struct event_base *base)
{
	TAILQ_INIT(&r->calls);
	TAILQ_INIT(&r->spare);
	r->on_tick = evtimer_new(base, on_tick, r);
	return r->on_tick != NULL;
}

void
table_calls_release(struct table_registry *r)
{
	struct table_call *c;

	while ((c = TAILQ_FIRST(&r->calls)))
		table_call_free(r, c);
	while ((c = TAILQ_FIRST(&r->spare))) {
		TAILQ_REMOVE(&r->spare, c, link);
		free(c);
	}
	if (r->on_tick)
		event_free(r->on_tick);
}
