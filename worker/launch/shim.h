/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shim: pid 1 of a worker's pid namespace, so that the worker is none: signals that
 * end it end it, and orphans are buried. Killing the shim kills all of the namespace.
 */
#ifndef WORKER_LAUNCH_SHIM_H
#define WORKER_LAUNCH_SHIM_H

#include <stdnoreturn.h>
#include <sys/types.h>

/* Waits for the worker, writes its struct child_death to death_fd and ends. */
noreturn void shim_run(pid_t worker, int death_fd, const char *name);

#endif
