/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/outputs/queue.h"

#include <stdlib.h>
#include <string.h>

enum {
	SPARE_CHUNKS = 8
};

void
queue_init(struct queue *q, uint32_t capacity, size_t limit_bytes)
{
	*q = (struct queue){.capacity = capacity, .limit_bytes = limit_bytes};
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->filled, NULL);
}

static void
free_chunks(struct queue_chunk *c)
{
	while (c) {
		struct queue_chunk *next = c->next;
		free(c);
		c = next;
	}
}

void
queue_release(struct queue *q)
{
	free_chunks(q->head);
	free_chunks(q->spare);
	pthread_cond_destroy(&q->filled);
	pthread_mutex_destroy(&q->lock);
}

/* A chunk with room for need bytes at the tail; NULL when memory is gone. Locked. */
static struct queue_chunk *
room(struct queue *q, size_t need)
{
	struct queue_chunk *c = q->tail;

	if (c && c->n < QUEUE_CHUNK_LINES && c->cap - c->used >= need)
		return c;
	if (q->spare && need <= QUEUE_CHUNK_BYTES) {
		c = q->spare;
		q->spare = c->next;
		q->n_spare--;
	} else {
		size_t cap = need > QUEUE_CHUNK_BYTES ? need : QUEUE_CHUNK_BYTES;
		c = malloc(sizeof(*c) + cap);
		if (!c)
			return NULL;
		c->cap = cap;
	}
	c->next = NULL;
	c->used = 0;
	c->n = 0;
	if (q->tail)
		q->tail->next = c;
	else
		q->head = c;
	q->tail = c;
	return c;
}

/* Is it time to wake the reader, whoever still writes? Locked. */
static bool
is_plenty(const struct queue *q)
{
	return q->bytes >= QUEUE_WAKE_BYTES ||
	       (q->capacity && q->depth > q->capacity / 2);
}

/* Must the reader be woken for what is there? Locked; once per sleep. */
static bool
take_waiting(struct queue *q)
{
	bool wake = q->waiting && q->head;

	if (wake)
		q->waiting = false;
	return wake;
}

bool
queue_put(struct queue *q, uint32_t priority, const char *line, size_t len)
{
	struct queue_chunk *c = NULL;

	pthread_mutex_lock(&q->lock);
	if ((q->capacity == 0 || q->depth < q->capacity) && len < q->limit_bytes &&
	    q->bytes <= q->limit_bytes - len - 1)
		c = room(q, len + 1);
	if (c) {
		c->line[c->n++] =
		    (struct queue_line){(uint32_t)c->used, (uint32_t)len, priority};
		memcpy(c->text + c->used, line, len);
		c->used += len;
		c->text[c->used++] = '\n';
		q->bytes += len + 1;
		if (++q->depth > q->depth_max)
			q->depth_max = q->depth;
	}
	bool wake = (!c || is_plenty(q)) && take_waiting(q);
	pthread_mutex_unlock(&q->lock);
	if (wake)
		pthread_cond_signal(&q->filled);
	return c != NULL;
}

/* Locked. */
static void
keep_spare(struct queue *q, struct queue_chunk *c)
{
	c->next = q->spare;
	q->spare = c;
	q->n_spare++;
}

static bool
may_keep(const struct queue *q, const struct queue_chunk *c)
{
	return c->cap == QUEUE_CHUNK_BYTES && q->n_spare < SPARE_CHUNKS;
}

/* The reader sleeps, so what is in the queue is all that there is. Locked. */
static bool
are_few(const struct queue *q)
{
	const struct queue_chunk *c = q->head;

	return q->waiting && !q->woken && c && !c->next && c->used <= QUEUE_FEW_BYTES &&
	       may_keep(q, c);
}

bool
queue_offer(struct queue *q, queue_take_fn *take, void *arg)
{
	pthread_mutex_lock(&q->lock);
	bool done = are_few(q) && take(q->head, arg);
	if (done) {
		struct queue_chunk *c = q->head;
		q->head = q->tail = NULL;
		q->depth -= c->n;
		q->bytes -= c->used;
		keep_spare(q, c);
	}
	pthread_mutex_unlock(&q->lock);
	return done;
}

void
queue_flush(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	bool wake = take_waiting(q);
	pthread_mutex_unlock(&q->lock);
	if (wake)
		pthread_cond_signal(&q->filled);
}

struct queue_chunk *
queue_take(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	while (!q->head && !q->woken) {
		q->waiting = true;
		pthread_cond_wait(&q->filled, &q->lock);
	}
	q->waiting = false;
	struct queue_chunk *c = q->head;
	if (c) {
		q->head = c->next;
		if (!q->head)
			q->tail = NULL;
	} else {
		q->woken = false;
	}
	pthread_mutex_unlock(&q->lock);
	return c;
}

void
queue_wake(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->woken = true;
	pthread_mutex_unlock(&q->lock);
	pthread_cond_signal(&q->filled);
}

void
queue_done(struct queue *q, uint32_t n, size_t bytes)
{
	pthread_mutex_lock(&q->lock);
	q->depth -= n;
	q->bytes -= bytes;
	pthread_mutex_unlock(&q->lock);
}

void
queue_recycle(struct queue *q, struct queue_chunk *c)
{
	pthread_mutex_lock(&q->lock);
	if (may_keep(q, c)) {
		keep_spare(q, c);
		c = NULL;
	}
	pthread_mutex_unlock(&q->lock);
	free(c);
}

uint32_t
queue_discard(struct queue *q)
{
	uint32_t n = 0;

	pthread_mutex_lock(&q->lock);
	struct queue_chunk *list = q->head;
	q->head = q->tail = NULL;
	for (const struct queue_chunk *c = list; c; c = c->next) {
		n += c->n;
		q->bytes -= c->used;
	}
	q->depth -= n;
	pthread_mutex_unlock(&q->lock);
	free_chunks(list);
	return n;
}

void
queue_depth(struct queue *q, uint32_t *ret_depth, uint32_t *ret_depth_max)
{
	pthread_mutex_lock(&q->lock);
	*ret_depth = q->depth;
	*ret_depth_max = q->depth_max;
	pthread_mutex_unlock(&q->lock);
}
