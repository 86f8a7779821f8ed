/* SPDX-License-Identifier: Apache-2.0 */
/* Time, in nanoseconds. The wall clock is for events and logs; deadlines use the
 * monotonic one. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct timespec;

uint64_t clock_wall_ns(void);
uint64_t clock_mono_ns(void);
/* When ms are over, on the monotonic clock. */
void clock_mono_in(struct timespec *ret, uint32_t ms);

#endif
