/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints to stdout and stderr in every step, as several published plugins do.
 *
 * In Falco this goes to Falco's own stdout, between the alerts.
 */
#define KIT_HOOK
#define KIT_NAME "printer"
#define KIT_ID   4308
#include "tests/plugins/kit.h"

static void
kit_at(enum kit_step step, uint64_t number)
{
	printf("stdout of step %d, event %llu\n", (int)step, (unsigned long long)number);
	fflush(stdout);
	fprintf(stderr, "stderr of step %d\n", (int)step);
}
