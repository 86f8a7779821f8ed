/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last two steps of a worker's confinement, taken by the worker itself because only a
 * process can filter its own system calls. The launcher left what is needed in fds 8
 * (its socket) and 9 (filters); see worker/launch/setup.h.
 *
 * confine_enter comes first in main, while there is one thread and before a byte of the
 * plugin is mapped. When it has returned, fds 8 and 9 are gone and nothing that was given
 * up can come back. confine_tighten comes after the plugin's init.
 *
 * Both fail closed: on false the worker must end.
 */
#ifndef WORKER_CONFINE_H
#define WORKER_CONFINE_H

#include <stdbool.h>

#include "base/err.h"

bool confine_enter(struct err *err);

/*
 * Puts the second filter, which takes away what only loading needed, on every thread. A
 * plugin may prevent this (its code runs already): it guards an honest plugin against its
 * input, the first filter guards against the plugin.
 */
bool confine_tighten(struct err *err);

#endif
