/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes memory, 1 MiB more with each event, and writes to all of it.
 *
 * In Falco nothing bounds it: the memory is Falco's own, until the kernel ends that.
 */
#define KIT_HOOK
#define KIT_NAME "hog"
#define KIT_ID   4306
#include "tests/plugins/kit.h"

static void
kit_at(enum kit_step step, uint64_t number)
{
	size_t size = 1 << 20;
	char *p;

	(void)number;
	if (step != KIT_NEXT_BATCH)
		return;
	p = malloc(size);
	if (!p)
		abort();
	memset(p, 1, size);
}
