/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for what comes and goes with every event: pieces that are given back are kept
 * for who wants one next, up to SPARE_PIECES. What is larger than a piece is allocated.
 *
 * Not safe between threads: one for each, or under a lock.
 */
#ifndef WORKER_SPARE_H
#define WORKER_SPARE_H

#include <stddef.h>
#include <stdint.h>

enum {
	/* An entry of a table with a dozen values. */
	SPARE_PIECE_BYTES = 512,
	SPARE_PIECES = 64,
};

struct spare_piece;

/* Begins as 0. */
struct spare {
	struct spare_piece *first;
	uint32_t n;
};

/* Aligned as by malloc; what is in it is not defined. NULL: no memory. */
void *spare_take(struct spare *s, size_t bytes);
/* p: from any spare; NULL is fine. */
void spare_give_back(struct spare *s, void *p);
/* Frees what is kept. */
void spare_release(struct spare *s);

#endif
