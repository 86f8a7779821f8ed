/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/pipeline/async.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "proto/async.h"

bool
async_queue_init(struct async_queue *q, struct err *err)
{
	*q = (struct async_queue){0};
	q->heap = calloc(LIMIT_ASYNC_EVENTS, sizeof(*q->heap));
	return q->heap || err_nomem(err);
}

void
async_queue_release(struct async_queue *q)
{
	for (uint32_t i = 0; i < q->n; i++)
		free(q->heap[i]);
	free(q->heap);
	*q = (struct async_queue){0};
}

/* A heap: the first is before all others. */

static bool
is_before(const struct async_event *a, const struct async_event *b)
{
	/* No time (all ones) becomes 0: first of all. */
	uint64_t at_a = a->ts_ns + 1, at_b = b->ts_ns + 1;

	return at_a != at_b ? at_a < at_b : a->order < b->order;
}

static void
put(struct async_queue *q, struct async_event *e)
{
	uint32_t at = q->n++;

	for (; at > 0 && is_before(e, q->heap[(at - 1) / 2]); at = (at - 1) / 2)
		q->heap[at] = q->heap[(at - 1) / 2];
	q->heap[at] = e;
	q->bytes += e->len;
}

struct async_event *
async_queue_take(struct async_queue *q)
{
	struct async_event *first = q->heap[0], *last = q->heap[--q->n];
	uint32_t at = 0;

	for (uint32_t child; (child = 2 * at + 1) < q->n; at = child) {
		if (child + 1 < q->n && is_before(q->heap[child + 1], q->heap[child]))
			child++;
		if (!is_before(q->heap[child], last))
			break;
		q->heap[at] = q->heap[child];
	}
	q->heap[at] = last;
	q->bytes -= first->len;
	return first;
}

bool
async_queue_is_due(const struct async_queue *q, uint64_t ts_ns)
{
	return q->n > 0 &&
	       (q->heap[0]->ts_ns == UINT64_MAX || q->heap[0]->ts_ns <= ts_ns);
}

void
async_event_set_time(struct async_event *e, uint64_t ts_ns)
{
	e->ts_ns = ts_ns;
	memcpy(e->bytes, &ts_ns, sizeof(ts_ns));
}

/* Falco's words, at most once a second. */
static void
tell(uint64_t *told_ns, const char *text, uint64_t n)
{
	uint64_t now = clock_mono_ns();

	if (now - *told_ns < 1000000000u && *told_ns != 0)
		return;
	*told_ns = now;
	log_warning("[libs]: %s (%llu dropped so far)", text, (unsigned long long)n);
}

static bool
names_have(const struct plugin *p, const char *name)
{
	for (uint32_t i = 0; i < p->n_async_event; i++) {
		if (strcmp(p->async_event[i], name) == 0)
			return true;
	}
	return false;
}

bool
async_queue_put(struct async_queue *q, const struct plugin *plugin, const char *source,
    uint32_t source_id, const void *peer_event, uint32_t len, struct err *err)
{
	struct async_view v;

	if (!async_check(&v, peer_event, len, err))
		return false;
	if (!names_have(plugin, v.name))
		return err_set(err, ERR_PEER,
		    "an async event of a name that it does not "
		    "have");
	if (!plugin_injects_for(plugin, source))
		return err_set(err, ERR_PEER, "an async event for source '%s'", source);
	if (source_id != 0 && v.tid != UINT64_MAX)
		return err_set(err, ERR_PEER,
		    "an async event with a thread for source '%s'", source);
	if (v.ts_ns != UINT64_MAX && v.ts_ns > clock_wall_ns() + LIMIT_ASYNC_AHEAD_NS) {
		tell(&q->told_future_ns, "async event ts too far in future",
		    ++q->dropped_future);
		return true;
	}
	struct async_event *e = NULL;
	if (q->n < LIMIT_ASYNC_EVENTS && q->bytes + len <= LIMIT_ASYNC_BYTES)
		e = malloc(sizeof(*e) + len);
	if (!e) {
		tell(&q->told_full_ns, "async event queue is full", ++q->dropped_full);
		return true;
	}
	e->ts_ns = v.ts_ns;
	e->order = q->arrived++;
	e->len = len;
	memcpy(e->bytes, peer_event, len);
	memcpy(e->bytes + ASYNC_ID_OFF, &source_id, sizeof(source_id));
	e->name = (const char *)e->bytes + ASYNC_NAME_OFF;
	put(q, e);
	return true;
}
