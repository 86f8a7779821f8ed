/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines on their way to the outputs: bounded in number and bytes, many writers, one
 * reader.
 *
 * Lines are copied into chunks, each with its newline, so that a chunk's text is what a
 * file gets in one write. A line counts until the reader says that it is done with it,
 * also while its chunk is out of the queue. Nothing is allocated per line.
 *
 * Waking a sleeping reader costs more than a line: it is woken once half a chunk waits,
 * or half of what may, and otherwise when queue_flush says that no more is to come for
 * now.
 */
#ifndef BROKER_OUTPUTS_QUEUE_H
#define BROKER_OUTPUTS_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct queue_line {
	uint32_t offset, len; /* in the chunk's text; len without the newline */
	uint32_t priority;    /* enum priority */
};

enum {
	QUEUE_CHUNK_BYTES = 64 << 10,
	QUEUE_CHUNK_LINES = 1024,
	QUEUE_WAKE_BYTES = QUEUE_CHUNK_BYTES / 2,
	/* What is handed over without the reader: it takes no longer than waking it. */
	QUEUE_FEW_BYTES = 4096,
};

struct queue_chunk {
	struct queue_chunk *next;
	size_t used, cap;
	uint32_t n;
	struct queue_line line[QUEUE_CHUNK_LINES];
	char text[];
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct queue_chunk *head, *tail, *spare;
	uint32_t n_spare;
	uint32_t capacity; /* lines; 0: no bound but limit_bytes */
	uint32_t depth, depth_max;
	size_t bytes, limit_bytes;
	bool waiting, woken;
};

void queue_init(struct queue *q, uint32_t capacity, size_t limit_bytes);
void queue_release(struct queue *q);

/* False when there is no room. Never waits for the reader. */
bool queue_put(struct queue *q, uint32_t priority, const char *line, size_t len);
/* The reader is to have what was put. */
void queue_flush(struct queue *q);
/* While the reader sleeps and a few lines are there, take may do its work: it gets them
 * all, must not wait, and says whether they are done with. False: they are still there.
 */
typedef bool queue_take_fn(const struct queue_chunk *c, void *arg);
bool queue_offer(struct queue *q, queue_take_fn *take, void *arg);
/* Waits for a chunk. NULL when queue_wake was called and there is none. */
struct queue_chunk *queue_take(struct queue *q);
void queue_wake(struct queue *q);
/* n lines of a taken chunk, with their newlines, need no room any more. */
void queue_done(struct queue *q, uint32_t n, size_t bytes);
void queue_recycle(struct queue *q, struct queue_chunk *c);
/* Drops what waits; the number of lines. */
uint32_t queue_discard(struct queue *q);
void queue_depth(struct queue *q, uint32_t *ret_depth, uint32_t *ret_depth_max);

#endif
