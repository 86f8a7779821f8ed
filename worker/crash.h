/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Last words: when a signal ends the worker, its handler leaves the registers and the
 * stack where the broker finds them (proto/crash_note.h), then lets the signal do what it
 * would have done. The broker learns how the worker ended from elsewhere, and takes this
 * for no more than the worker's word.
 *
 * Handlers are set before the plugin is loaded: Go's runtime, which sets its own, hands
 * on to them what did not happen in Go. A plugin that sets others has its way.
 */
#ifndef WORKER_CRASH_H
#define WORKER_CRASH_H

#include <stdbool.h>

#include "base/err.h"
#include "proto/ring.h"

/* up stays mapped for good. While there is one thread. */
bool crash_watch(const struct ring_map *up, struct err *err);
/* For the calling thread, one in the process: also a stack that has overflowed is told
 * of. */
bool crash_watch_stack(struct err *err);

#endif
