/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what /proc says. */
#ifndef WORKER_LAUNCH_PROC_TEXT_H
#define WORKER_LAUNCH_PROC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The whole file, NUL-terminated; a longer one than size - 1 is an error. */
bool proc_read(const char *path, char *out, size_t size, struct err *err);
/* The number behind key ("Seccomp:") at the start of a line; false when not there. */
bool proc_number(const char *text, const char *key, int base, uint64_t *ret_value);
/* The rest of the line behind key; NULL when not there. Ends at '\n'. */
const char *proc_line(const char *text, const char *key);

#endif
