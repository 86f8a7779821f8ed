/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting by looking again and again, for a time about that of being woken: for an answer
 * that is on its way from another process. Others that want the CPU get it now and then,
 * for whoever is to answer may be among them. Should they keep it for long, the machine
 * is busy, and for a while it is better to sleep: who is woken has precedence.
 */
#ifndef BASE_SPIN_H
#define BASE_SPIN_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* Of one thread. Zero: never, which is right where there is but one CPU. */
struct spin {
	bool is_possible;
	uint32_t looks;
	uint64_t end_ns, busy_until_ns;
};

enum {
	/* Between two yields: the clock costs as much as many looks, the scheduler more.
	 */
	SPIN_LOOKS = 16,
	/* A yield that takes longer went to somebody who works. */
	SPIN_LONG_YIELD_NS = 200000,
	SPIN_BUSY_NS = 20000000,
};

static inline void
spin_begin(struct spin *s, uint64_t ns)
{
	uint64_t now = s->is_possible ? clock_mono_ns() : 0;

	s->end_ns = now >= s->busy_until_ns ? now + ns : 0;
}

/* After a look that was in vain; false: sleep. */
static inline bool
spin_on(struct spin *s)
{
	if (!s->is_possible)
		return false;
	if (++s->looks % SPIN_LOOKS == 0) {
		uint64_t before = clock_mono_ns(), now;
		if (before >= s->end_ns)
			return false;
		sched_yield();
		now = clock_mono_ns();
		if (now - before > SPIN_LONG_YIELD_NS)
			s->busy_until_ns = now + SPIN_BUSY_NS;
		return now < s->end_ns;
	}
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
	return true;
}

#endif
