/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring: one direction of shared memory between two processes that do not trust each
 * other.
 *
 * Each worker has two memfds, one per writer: "up" (worker writes, broker maps read-only)
 * and "down" (broker writes, worker maps read-only). A memfd is one page of indices that
 * its writer owns, then the data of its ring. The reader's index of a ring therefore
 * lives in the *other* memfd. Sizes are sealed and known on both sides beforehand; no
 * size, offset or position is ever re-read from shared memory as truth.
 *
 *   page:  tail          written by the owner: bytes it has put, over all 64 bits
 *          peer_head     written by the owner: bytes it has taken from the other ring
 *          data_waiting  the owner sleeps until the other ring has data
 *          space_waiting the owner sleeps until its own ring has room
 *
 * A record is {u32 len, u32 type, u64 seq} and len bytes, padded to 8. The data is mapped
 * twice in a row, so no record wraps. seq counts records from 0: a replayed or skipped
 * record is a breach.
 *
 * Ordering: W1 the record's bytes, W2 release of tail; R1 acquire of tail pairs with W2;
 * R2 release of head after the copy; W3 acquire of head pairs with R2.
 *
 * Sleeping is Dekker's: the sleeper stores its flag (S1), then loads the index (S2); the
 * waker stores the index (K1), then loads the flag (K2); all four sequentially
 * consistent, so one of them sees the other and no wake-up is lost. The wake-up itself is
 * an eventfd, which remembers. A peer that lies about its flag harms only its own waking.
 */
#ifndef PROTO_RING_H
#define PROTO_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum ring_rc {
	RING_OK,
	RING_EMPTY,
	RING_FULL,
	RING_BROKEN,  /* a verdict on the peer, not an error of ours: end that worker */
	RING_TOO_BIG, /* fits no empty ring either: the caller's mistake */
};

/* One side's view of one memfd. */
struct ring_map {
	void *page;    /* indices; read-only in the process that does not own it */
	uint8_t *data; /* size bytes, mapped twice in a row */
	uint32_t size; /* a power of two */
};

/* A memfd of a page and data_bytes (a power of two, whole pages), sealed against
 * shrinking and growing. */
bool ring_memfd_new(const char *name, uint32_t data_bytes, int *ret_fd, struct err *err);
/* Maps it; writable for its owner alone. Refuses a memory whose size is another or is not
 * sealed: touching it could be made to fault. Does not close fd. */
bool ring_map(
    struct ring_map *m, int fd, uint32_t data_bytes, bool writable, struct err *err);
/* Two rings in one memfd, the second (its page, then its data) behind the first. */
bool ring_pair_new(const char *name, uint32_t first_bytes, uint32_t second_bytes,
    int *ret_fd, struct err *err);
bool ring_pair_map(struct ring_map *first, struct ring_map *second, int fd,
    uint32_t first_bytes, uint32_t second_bytes, bool writable, struct err *err);
/* For the broker, after mapping its own: from now on nobody can map it writable, or seal
 * it. */
bool ring_seal_future_writes(int fd, struct err *err);
void ring_unmap(struct ring_map *m);

/* A word of the owner's that its peer may look at, of no meaning here (call.h). */
void ring_note(struct ring_map *own, uint64_t note);
uint64_t ring_peer_note(const struct ring_map *peer);
/* The rest of the page: RING_REST_BYTES of the owner's that its peer may read, of no
 * meaning here (crash_note.h), zero in the beginning. */
enum {
	RING_REST_BYTES = 3584
};
void *ring_rest(const struct ring_map *m);

struct ring_writer {
	struct ring_map *own;        /* where we write */
	const struct ring_map *peer; /* whose page holds our reader's head */
	uint64_t tail, seq;          /* ours: never re-read */
	uint64_t peer_head;          /* last checked value */
	uint32_t sleeps;             /* counts ours */
	uint32_t woken;              /* the peer's sleep that we have ended */
};

struct ring_reader {
	struct ring_map *own;        /* whose page publishes our head */
	const struct ring_map *peer; /* where the data is */
	uint64_t head, seq;
	uint64_t peer_tail; /* last checked value */
	uint32_t sleeps, woken;
};

void ring_writer_init(
    struct ring_writer *w, struct ring_map *own, const struct ring_map *peer);
void ring_reader_init(
    struct ring_reader *r, struct ring_map *own, const struct ring_map *peer);

/*
 * Room for a record of up to max_len bytes, contiguous and 8-byte aligned: RING_OK and
 * *ret_p, RING_FULL, RING_BROKEN when the peer's head cannot be, or RING_TOO_BIG past
 * LIMIT_FRAME_BYTES or the ring. The record does not exist until ring_commit, whose len
 * is at most what was reserved; a reservation that is not committed is simply forgotten.
 */
enum ring_rc ring_reserve(struct ring_writer *w, uint32_t max_len, void **ret_p);
void ring_commit(struct ring_writer *w, uint32_t type, uint32_t len);
enum ring_rc ring_put(struct ring_writer *w, uint32_t type, const void *p, uint32_t len);

/*
 * Copies the next record out, header checked from one read of it. cap >=
 * LIMIT_FRAME_BYTES takes any record. dst is private memory: parse only the copy.
 */
enum ring_rc ring_take(struct ring_reader *r, void *dst, uint32_t cap, uint32_t *ret_type,
    uint32_t *ret_len);

/*
 * Sleeping: announce and look once more; on true sleep on the eventfd, then call _awake;
 * on false there is something to do after all (a breach counts), and nothing was
 * announced.
 */
bool ring_reader_sleep(struct ring_reader *r);
bool ring_writer_sleep(struct ring_writer *w, uint32_t max_len);
void ring_reader_awake(struct ring_reader *r);
void ring_writer_awake(struct ring_writer *w);
/* After commits (takes), before doing anything else that may block: must the peer be
 * woken, because it waits for data (room)? True once for each sleep of the peer: whoever
 * is told so wakes it. */
bool ring_writer_must_wake(struct ring_writer *w);
bool ring_reader_must_wake(struct ring_reader *r);

/* Bytes that wait to be taken, for people to see; not checked, at most the ring's size.
 */
uint64_t ring_reader_fill(const struct ring_reader *r);

#endif
