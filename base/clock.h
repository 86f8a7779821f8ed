/* SPDX-License-Identifier: Apache-2.0 */
/* Time, in nanoseconds. The wall clock is for events and logs; deadlines use the
 * monotonic one. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct timespec;

uint64_t clock_wall_ns(void);
uint64_t clock_mono_ns(void);
/* What local time is ahead of UTC, at a time in seconds since the epoch and now. A zone
 * that changes while the program runs is seen within a second of it. Now: the thread of
 * the loop alone. */
int64_t clock_utc_offset_at_s(int64_t t);
int64_t clock_utc_offset_s(void);
/* When ms are over, on the monotonic clock. */
void clock_mono_in(struct timespec *ret, uint32_t ms);

#endif
