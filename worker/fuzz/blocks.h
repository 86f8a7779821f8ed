/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where basic blocks of a plugin begin, from its file: for coverage of plugins that were
 * not built for it.
 *
 * Only functions whose bounds the file itself tells are looked at: those of C, C++ and
 * Rust in .eh_frame, which is there in stripped files too, those of Go in its table of
 * functions. One that does not decode from end to end, or that jumps between its
 * instructions, is left out. So is Go's runtime, parts of which run with all signals
 * blocked.
 */
#ifndef WORKER_FUZZ_BLOCKS_H
#define WORKER_FUZZ_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/fuzz/shared.h"

struct blocks {
	const uint8_t *file;
	size_t size;
	/* Where the plugin is loaded: Go's table needs what relocation makes of it. */
	uintptr_t base;
	uint32_t n;
	uint32_t at[FUZZ_BLOCKS]; /* addresses in the file's own terms, ascending */
};

/* None when the file is not understood, is built with coverage of its own, or is of
 * another machine than x86-64. */
void blocks_find(struct blocks *b);
/* Where it is in the file; SIZE_MAX: nowhere. */
size_t blocks_offset(const struct blocks *b, uint64_t address);

#endif
