/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capture files as sysdig and Falco write and read them: blocks, most of
 * them one event each, behind a section header; gzip-compressed or plain.
 *
 * The reader believes nothing that a file says of itself: what it allocates is bounded by
 * LIMIT_EVENT_BYTES, whatever lengths are in the file, and what it hands out has been
 * checked. Events of kinds that plugins do not make come out too; whoever has no use for
 * them skips them.
 */
#ifndef BROKER_CAPTURE_SCAP_H
#define BROKER_CAPTURE_SCAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* BLOCK(id, number, kind): HEAD begins a section, META is about the machine, EVENT holds
 * an event; LEGACY one, too, but without nparams. */
/* clang-format off */
#define SCAP_BLOCKS(BLOCK) \
	BLOCK(SECTION,           0x0a0d0d0a, HEAD) \
	BLOCK(MACHINE,           0x201,      META) \
	BLOCK(EVENT,             0x216,      EVENT) \
	BLOCK(EVENT_FLAGS,       0x217,      EVENT) \
	BLOCK(EVENT_LARGE,       0x221,      EVENT) \
	BLOCK(EVENT_FLAGS_LARGE, 0x222,      EVENT) \
	BLOCK(EVENT_OLD,         0x204,      LEGACY) \
	BLOCK(EVENT_FLAGS_OLD,   0x208,      LEGACY)
/* clang-format on */

enum scap_block {
#define SCAP_BLOCK_ENUM(id, number, kind) SCAP_##id = number,
	SCAP_BLOCKS(SCAP_BLOCK_ENUM)
#undef SCAP_BLOCK_ENUM
};

/* For parsers, not for rules. */
#define SCAP_FLAG_STATE 1u

struct scap_event {
	/* The whole event with its header, 8-byte aligned; the reader's memory, until the
	 * next call. NULL for one that was only skipped. */
	const uint8_t *bytes;
	uint32_t len;
	uint64_t ts_ns;
	uint16_t type;
	/* Of types 322 and 402: parameter 0. */
	uint32_t plugin_id;
	/* Of type 402; points into bytes. */
	const char *async_name;
	bool is_state; /* by its flags, or among the events that a section begins with */
};

enum scap_rc {
	SCAP_GOT_EVENT,
	SCAP_SKIPPED, /* an event that nobody can use: only its type is known */
	SCAP_END,
	SCAP_FAILED,
};

struct scap_counts {
	uint64_t events;  /* handed out */
	uint64_t legacy;  /* skipped: written by programs of before 2019 */
	uint64_t large;   /* skipped: more than LIMIT_EVENT_BYTES */
	uint64_t unknown; /* skipped: of a type that is none; not even numbered */
	uint64_t sections;
};

struct scap_reader;

/* Reads as far as the first event, which must be there. A regular file only. */
struct scap_reader *scap_reader_open(const char *path, struct err *err);
/* The same of an open file, which becomes the reader's, also on failure. name is for
 * messages. */
struct scap_reader *scap_reader_fdopen(int fd, const char *name, struct err *err);
void scap_reader_free(struct scap_reader *r);

enum scap_rc scap_reader_next(
    struct scap_reader *r, struct scap_event *ret_event, struct err *err);
/* Has only state been read so far, of the first section? Falco reads that much when it
 * opens a file. */
bool scap_reader_is_opening(const struct scap_reader *r);
const struct scap_counts *scap_reader_counts(const struct scap_reader *r);

/*
 * The writer: gzip; everything that was written is in the file after _close alone. After
 * an error nothing more is written.
 */
struct scap_writer;

/* fd becomes the writer's, also on failure. Of the machine nothing is told, as Falco does
 * where it has no kernel driver. */
struct scap_writer *scap_writer_new(int fd, struct err *err);
/* A whole event. is_state: SCAP_FLAG_STATE. What does not fit in a block is ERR_LIMIT and
 * leaves the file as it was. */
bool scap_writer_event(struct scap_writer *w, const void *event, uint32_t len,
    bool is_state, struct err *err);
/* What can be read after a crash: compresses and writes what is held back. */
bool scap_writer_flush(struct scap_writer *w, struct err *err);
/* Bytes that the file has by now; the rest waits in the compressor. */
uint64_t scap_writer_bytes(const struct scap_writer *w);
/* Ends the file and frees the writer. */
bool scap_writer_close(struct scap_writer *w, struct err *err);

#endif
