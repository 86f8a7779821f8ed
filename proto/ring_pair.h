/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: both sides of both rings in one process, and the shared words by their
 * place, as PROTOCOL.md gives it and as another worker would see them.
 */
#ifndef PROTO_RING_PAIR_H
#define PROTO_RING_PAIR_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/ring.h"

enum {
	PAIR_BYTES = 64 << 10,
	AT_TAIL = 0,
	AT_PEER_HEAD = 64,
	AT_DATA_WAITING = 128,
	AT_SPACE_WAITING = 192,
};

struct ring_pair {
	int up_fd, down_fd;
	/* The writing side owns up, the reading side owns down. */
	struct ring_map up_own, up_seen, down_own, down_seen;
	struct ring_writer w;
	struct ring_reader r;
};

static inline void
ring_pair_init(struct ring_pair *p)
{
	struct err err;

	if (!ring_memfd_new("test-up", PAIR_BYTES, &p->up_fd, &err) ||
	    !ring_memfd_new("test-down", PAIR_BYTES, &p->down_fd, &err) ||
	    !ring_map(&p->up_own, p->up_fd, PAIR_BYTES, true, &err) ||
	    !ring_map(&p->up_seen, p->up_fd, PAIR_BYTES, false, &err) ||
	    !ring_map(&p->down_own, p->down_fd, PAIR_BYTES, true, &err) ||
	    !ring_map(&p->down_seen, p->down_fd, PAIR_BYTES, false, &err)) {
		fprintf(stderr, "ring_pair: %s\n", err.msg);
		abort();
	}
	ring_writer_init(&p->w, &p->up_own, &p->down_seen);
	ring_reader_init(&p->r, &p->down_own, &p->up_seen);
}

static inline void
ring_pair_release(struct ring_pair *p)
{
	ring_unmap(&p->up_own);
	ring_unmap(&p->up_seen);
	ring_unmap(&p->down_own);
	ring_unmap(&p->down_seen);
	close(p->up_fd);
	close(p->down_fd);
}

static inline volatile uint64_t *
page_word(const struct ring_map *m, size_t at)
{
	return (volatile uint64_t *)(void *)((uint8_t *)m->page + at);
}

static inline volatile uint32_t *
data_word(const struct ring_map *m, size_t at)
{
	return (volatile uint32_t *)(void *)(m->data + at);
}

#endif
