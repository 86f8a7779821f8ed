/* SPDX-License-Identifier: Apache-2.0 */
/* Time, in nanoseconds. The wall clock is for events and logs; deadlines use the
 * monotonic one. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_wall_ns(void);
uint64_t clock_mono_ns(void);

#endif
