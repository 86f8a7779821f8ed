/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The side rings: asynchronous events and table operations on their way, beside the
 * batches. Any thread may put something on the way up; what comes down is taken by one
 * thread at a time.
 */
#ifndef WORKER_SIDE_H
#define WORKER_SIDE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/chunk.h"
#include "proto/ring.h"

struct side {
	pthread_mutex_t out_lock, in_lock;
	struct ring_writer out;
	struct ring_reader in;
	int wake_fd; /* eventfd of the broker */
};

void side_init(
    struct side *s, struct ring_map *up, const struct ring_map *down, int wake_fd);

/* False when there is no room: the broker has not taken what came before. */
bool side_put(struct side *s, enum frame_type type, const void *p, uint32_t len);
/* The same without waking the broker: it finds this together with what it is woken for
 * next. */
bool side_put_quietly(struct side *s, enum frame_type type, const void *p, uint32_t len);

#endif
