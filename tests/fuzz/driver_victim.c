/* SPDX-License-Identifier: Apache-2.0 */
/* A target that dies of a word that no seed holds, in the way that VICTIM_DIES_BY names.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

const char *const fuzz_seeds[] = {"some text", "other text", NULL};
const char *const fuzz_words[] = {"needle", NULL};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *by = getenv("VICTIM_DIES_BY");

	if (!by || !memmem(data, size, "needle", 6))
		return 0;
	if (strcmp(by, "abort") == 0)
		abort();
	if (strcmp(by, "exit") == 0)
		exit(0);
	if (strcmp(by, "segv") == 0) {
		volatile uintptr_t nowhere = 8;
		*(volatile int *)nowhere = 1;
	}
	if (strcmp(by, "term") == 0)
		kill(getpid(), SIGTERM);
	return 0;
}
