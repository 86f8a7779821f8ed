/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop of mews-egress: epoll, one deadline, and objects that die only between
 * two turns, so that an event in hand never points at freed memory.
 */
#ifndef WORKER_EGRESS_LOOP_H
#define WORKER_EGRESS_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"

/* Something that the loop waits for; a member of what it belongs to. */
struct source {
	int fd; /* -1: none */
	void (*ready)(struct source *s, uint32_t events);
};

/* Work left over: run next turn, after a look at everybody else's. And graves. */
struct loop_item {
	TAILQ_ENTRY(loop_item) link;
	void (*run)(struct loop_item *item);
	bool is_queued;
};
TAILQ_HEAD(loop_items, loop_item);

struct loop {
	int epoll_fd;
	int spare_fd;     /* given up for a moment to refuse whom there is no room for */
	uint64_t next_ns; /* no deadline is earlier; UINT64_MAX: none */
	struct loop_items again, graves;
	unsigned n_again;
};

bool loop_init(struct loop *l, struct err *err);
/* s->fd and s->ready are set. False: no memory. */
bool loop_add(struct loop *l, struct source *s, uint32_t events);
void loop_change(struct loop *l, struct source *s, uint32_t events);
/* Closes s->fd, if any; events in hand do not reach it any more. */
void loop_close(struct loop *l, struct source *s);
/* run is called next turn, once. */
void loop_again(struct loop *l, struct loop_item *item);
void loop_forget(struct loop *l, struct loop_item *item);
/* run is called when this turn is over; it frees. */
void loop_bury(struct loop *l, struct loop_item *item);
void loop_wake_at(struct loop *l, uint64_t at_ns);

/*
 * A connection of listener, nonblocking, or -1: none waits. When there are no more
 * descriptors for it, it is taken and reset, and *ret_full is set.
 */
int loop_accept(struct loop *l, const struct source *listener, bool *ret_full);

/* Waits and serves once. True when deadlines are to be looked at: next_ns was reached and
 * is UINT64_MAX now. */
bool loop_turn(struct loop *l);

/* The peer of a reset TCP connection sees that it is one. */
void loop_reset(struct loop *l, struct source *s);

#endif
