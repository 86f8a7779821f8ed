/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines kept on disk until they are delivered: in order, at least once, across ends of
 * the program. A folder of segment files; each record has a checksum, so a torn end (a
 * crash while writing) is cut off and a damaged record is not taken for an alert.
 * Bounded: past max_bytes nothing more is taken.
 *
 * One thread may put while another takes. What the kernel has is safe against the end of
 * this program, not against that of the machine: nothing is synced.
 */
#ifndef BROKER_OUTPUTS_SPOOL_H
#define BROKER_OUTPUTS_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct spool;

/* Makes the folder (its parent is there), or goes on with what is in it. ERR_USAGE when
 * another program has it open. */
struct spool *spool_open(const char *dir, uint64_t max_bytes, struct err *err);
void spool_close(struct spool *s);

/* ERR_LIMIT: it is full. */
bool spool_put(struct spool *s, const char *line, size_t len, struct err *err);

/* The oldest line that is not done; false when there is none. Replaces what is in out. */
bool spool_next(struct spool *s, struct buf *out);
/* That line is delivered, or given up. */
void spool_done(struct spool *s);

struct spool_counts {
	uint64_t bytes;   /* that wait */
	uint64_t damaged; /* records, or rests of files, that were left out since it was
			     opened */
};
void spool_counts(struct spool *s, struct spool_counts *ret_counts);

#endif
