/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capture files being written, by one thread: whoever has events puts them into a bounded
 * queue and never waits for a disk, unless told to wait, and then only while the disk
 * makes progress. What finds no room is dropped and counted.
 *
 * All functions but those of the thread are called from one thread.
 */
#ifndef BROKER_CAPTURE_CAPTURE_WRITER_H
#define BROKER_CAPTURE_CAPTURE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum capture_state {
	CAPTURE_FREE,   /* nobody's */
	CAPTURE_OPEN,   /* takes events */
	CAPTURE_FULL,   /* has reached its limit: takes no more */
	CAPTURE_FAILED, /* could not be written; the log says why */
};

struct capture_writer;
/* A file, from _open to _close; not to be used after that. */
struct capture_file;

enum capture_flag {
	CAPTURE_AWAITS_STATE = 1,
	CAPTURE_APPENDS = 2, /* another section, which readers take as one file */
};

struct capture_counts {
	uint64_t files, events;
	uint64_t dropped_full;  /* there was no room in the queue */
	uint64_t dropped_large; /* no block holds it */
	uint64_t failed;        /* files that could not be written */
};

struct capture_writer *capture_writer_new(struct err *err);
/* Writes what is queued, waits for it at most LIMIT_CAPTURE_STOP_MS. */
void capture_writer_free(struct capture_writer *w);
void capture_writer_counts(struct capture_writer *w, struct capture_counts *ret_counts);
/* Everything queued is written: at the end of a run. False: it was not in time. */
bool capture_writer_drain(struct capture_writer *w);

/*
 * Makes the file, or empties it, or goes on behind what is there (CAPTURE_APPENDS): the
 * thread does, what goes wrong is in its log and in the file's state. max_bytes 0: no
 * limit. With CAPTURE_AWAITS_STATE, events are
 * held back (LIMIT_CAPTURE_HELD_BYTES of them) until _state_told, so that state comes
 * first. NULL: ERR_LIMIT when there are too many files already.
 */
struct capture_file *capture_file_open(struct capture_writer *w, const char *path,
    uint64_t max_bytes, unsigned flags, struct err *err);
/* Of the state before: state that comes too late to be the file's head is marked so that
 * no rule sees it. */
void capture_file_put_state(struct capture_file *f, const void *event, uint32_t len);
void capture_file_state_told(struct capture_file *f);
/* waits: for room, see above. */
void capture_file_put(
    struct capture_file *f, const void *event, uint32_t len, bool waits);
enum capture_state capture_file_state(const struct capture_file *f);
uint64_t capture_file_bytes(const struct capture_file *f);
void capture_file_close(struct capture_file *f);

#endif
