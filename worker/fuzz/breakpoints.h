/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coverage of a plugin that was not built for it: a breakpoint where each basic block
 * begins, which goes when it is hit first. From then on the block costs nothing.
 *
 * The plugin is loaded from a copy of its file that the campaign made, and this process
 * has that file mapped a second time, shared and writable: what is written there is what
 * its code is, without any page of memory being both writable and executable.
 */
#ifndef WORKER_FUZZ_BREAKPOINTS_H
#define WORKER_FUZZ_BREAKPOINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "worker/fuzz/shared.h"

/* Before confinement; the descriptor is closed. */
bool breakpoints_map(int fd, struct err *err);
/* Where the plugin is loaded now; all but blocks that were hit in earlier processes. */
bool breakpoints_plant(struct fuzz_up *up, uintptr_t base, struct err *err);

/* Between cases: hands out constants of the blocks that were hit since. */
void breakpoints_constants(void (*take)(const uint8_t *bytes, uint32_t n));

#endif
