/* SPDX-License-Identifier: Apache-2.0 */
/* What the evil worker does in its side ring. */
#ifndef TESTS_HOSTILE_EVIL_SIDE_H
#define TESTS_HOSTILE_EVIL_SIDE_H

#include <stdbool.h>

#include "proto/ring.h"

/* up is the worker's, writable; wake_fd wakes the broker. False: no such attack. */
bool evil_side(
    const char *name, struct ring_map *up, const struct ring_map *down, int wake_fd);

#endif
