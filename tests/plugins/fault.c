/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goes wrong in one step: FAULT_STEP is the step, FAULT_HOW the way. In steps that
 * happen once per event it does so at event 5, and every time that event comes.
 *
 * Falco has the plugin in its own process: a crash or exit ends Falco with it, a call
 * that hangs hangs its source for ever.
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
	ABORT,
	JUMP,    /* to where no code is */
	OVERFLOW /* of the stack */
};

/* Functions of their own, for stacks to name. */
static __attribute__((noinline)) void
fault_touches_nowhere(void)
{
	*(volatile int *)nowhere = 1;
}

static __attribute__((noinline)) void
fault_jumps_nowhere(void)
{
	((void (*)(void))nowhere)();
	nowhere++;
}

static __attribute__((noinline)) int
fault_goes_deeper(volatile int *up)
{
	volatile int here[256] = {*up + 1};

	return nowhere ? fault_goes_deeper(here) + here[0] : 0;
}

static void
kit_at(enum kit_step step, uint64_t number)
{
	bool per_event = step == KIT_NEXT_BATCH || step == KIT_EXTRACT;

	if (step != FAULT_STEP || (per_event && number != FAULT_EVENT))
		return;
	switch ((enum fault)FAULT_HOW) {
	case CRASH:
		fault_touches_nowhere();
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
	case JUMP:
		fault_jumps_nowhere();
		break;
	case OVERFLOW:
		nowhere = (uintptr_t)fault_goes_deeper(&(volatile int){0});
	}
}
