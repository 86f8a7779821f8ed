/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goes wrong in one step: FAULT_STEP is the step, FAULT_HOW the way. In steps that happen
 * once per event it does so at event 5, and every time that event comes.
 */
#define KIT_HOOK
#define KIT_NAME "fault"
#define KIT_ID   4301
#include "tests/plugins/kit.h"

enum {
	FAULT_EVENT = 5
};

/* Where nothing is mapped; volatile, or the compiler would know. */
static volatile uintptr_t nowhere = 8;

enum fault {
	CRASH,
	HANG,
	SPIN,
	EXIT,
	ABORT
};

static void
kit_at(enum kit_step step, uint64_t number)
{
	bool per_event = step == KIT_NEXT_BATCH || step == KIT_EXTRACT;

	if (step != FAULT_STEP || (per_event && number != FAULT_EVENT))
		return;
	switch ((enum fault)FAULT_HOW) {
	case CRASH:
		*(volatile int *)nowhere = 1;
		break;
	case HANG:
		for (;;)
			sleep(1);
	case SPIN:
		for (volatile int i = 0;; i++)
			;
	case EXIT:
		exit(0);
	case ABORT:
		abort();
	}
}
