/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of libc that this program defines anew, and so for the plugin too, because a
 * program's definitions come before libc's: comparisons of texts, whose operands are kept
 * (coverage.h), and memory. What a case takes is counted and bounded; what it gives back
 * is overwritten and kept for a while, so that a pointer to it shows.
 */
#ifndef WORKER_FUZZ_HOOKS_H
#define WORKER_FUZZ_HOOKS_H

#include <stdint.h>

/* What freed memory is filled with. */
enum {
	HOOKS_FREED = 0xdb
};

/* A case begins, which may take this much. */
void hooks_begin(uint64_t memory_bytes);

#endif
