/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/index.h"

#include <stdlib.h>

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

bool
index_number_build(struct index_number *ix, struct arena *arena, const uint64_t *v,
    uint32_t n, struct err *err)
{
	*ix = (struct index_number){0};
	ix->threshold = arena_array(arena, (size_t)n + 1, sizeof(*ix->threshold));
	if (!ix->threshold)
		return err_nomem(err);
	for (uint32_t i = 0; i < n; i++)
		ix->threshold[i] = v[i];
	qsort(ix->threshold, n, sizeof(*ix->threshold), by_value);
	for (uint32_t i = 0; i < n; i++) {
		if (i == 0 || ix->threshold[i] != ix->threshold[ix->n - 1])
			ix->threshold[ix->n++] = ix->threshold[i];
	}
	return true;
}

uint32_t
index_number_rank(const struct index_number *ix, uint64_t v)
{
	uint32_t low = 0, n = ix->n;

	/* low: the thresholds below v. */
	while (n) {
		uint32_t half = n / 2;
		if (ix->threshold[low + half] < v) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return 2 * low + (low < ix->n && ix->threshold[low] == v);
}
