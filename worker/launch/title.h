/* SPDX-License-Identifier: Apache-2.0 */
/* What ps shows of the launcher, and of shims, which are forks of it. */
#ifndef WORKER_LAUNCH_TITLE_H
#define WORKER_LAUNCH_TITLE_H

#include <stddef.h>

/* Once, in main: argv's own memory, size bytes, which titles overwrite. */
void title_set_area(char *area, size_t size);
/* "mews-shim NAME"; name "": none. */
void title_set(const char *role, const char *name);

#endif
