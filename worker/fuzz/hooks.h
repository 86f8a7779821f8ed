/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of libc that this program defines anew, and so for the plugin too, because a
 * program's definitions come before libc's: comparisons of texts, whose operands are kept
 * (coverage.h), and memory. What a case takes is counted and bounded; what it gives back
 * is overwritten and kept for a while, so that a pointer to it shows.
 */
#ifndef WORKER_FUZZ_HOOKS_H
#define WORKER_FUZZ_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A case begins, which may take this much. */
void hooks_begin(uint64_t memory_bytes);

/* Before confinement: the mark of freed memory, another in every process, so that no case
 * holds it by chance. */
bool hooks_init(struct err *err);
/* Is this memory that was given back? */
bool hooks_looks_freed(const void *p, size_t n);

#endif
