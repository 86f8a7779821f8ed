/* SPDX-License-Identifier: Apache-2.0 */
/* Enters the kernel by other doors than the filter's architecture. */
#include "tests/hostile/hostile.h"

static void
attack(void)
{
#ifdef __x86_64__
	long rc;

	if (only("x32"))
		tried("x32", syscall(0x40000000 | SYS_getpid));
	if (only("int80")) {
		/* 20: getpid of i386 */
		__asm__ volatile("int $0x80"
				 : "=a"(rc)
				 : "a"(20L)
				 : "memory", "r8", "r9", "r10", "r11");
		told("int80", rc < 0 ? "denied" : "got", rc < 0 ? (int)-rc : 0);
	}
	if (only("vsyscall")) {
		rc = ((long (*)(void *))0xffffffffff600400ul)(NULL);
		told("vsyscall", rc > 0 ? "harmless" : "denied", 0);
	}
#endif
}
