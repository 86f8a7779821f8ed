/* SPDX-License-Identifier: Apache-2.0 */
/* How both ends of the network's measurements count. */
#ifndef TESTS_BENCH_PLUGINS_NET_FIGURES_H
#define TESTS_BENCH_PLUGINS_NET_FIGURES_H

#include <time.h>

#define BULK_MIB 256

static inline double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* For qsort. */
static inline int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

#endif
