/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ends a case early: signals of the plugin's own making, calls that take too long,
 * too much memory. A record with the stack is left in "up", then the process ends; there
 * is nothing to go on with.
 *
 * Handlers are set before the plugin is loaded: Go's runtime, which sets its own, hands
 * on to them what did not happen in Go.
 */
#ifndef WORKER_FUZZ_TRAP_H
#define WORKER_FUZZ_TRAP_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "worker/fuzz/shared.h"

/* On the thread that will run the cases. */
bool trap_init(struct fuzz_up *up, struct err *err);
/* Objects that are loaded now are named in stacks; the one of this path is the plugin. */
void trap_set_module(const char *path);

/* Ends the process, as of the caller. */
void trap_raise(enum fuzz_trap_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* Sees to it, from the main thread, that no case takes longer than *hang_ms; never
 * returns. */
void trap_watch(const uint32_t *hang_ms) __attribute__((noreturn));
/* A case is running, or none is. */
void trap_running(bool running);

/*
 * While memory that the plugin pointed to is read, a fault comes back here:
 * if (sigsetjmp(trap_back, 0) == 0) { trap_reading(true); …; }
 * trap_reading(false) in either case.
 */
extern __thread sigjmp_buf trap_back;
void trap_reading(bool reading);

#endif
