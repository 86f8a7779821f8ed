/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin may not do to the process that fuzzes it. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/fuzz/coverage.h"
#include "worker/fuzz/trap.h"

#define HOOK __attribute__((visibility("default")))

/* Breakpoints must be heard by every thread: a blocked one kills. */

static int
set_mask(int how, const sigset_t *set, sigset_t *old)
{
	uint64_t mask = 0;

	if (set) {
		__builtin_memcpy(&mask, set, sizeof(mask));
		if (how != SIG_UNBLOCK)
			mask &= ~(1ull << (SIGTRAP - 1));
		/* libc's own, as it does itself. */
		mask &= ~(3ull << 31);
	}
	long rc = syscall(SYS_rt_sigprocmask, how, set ? &mask : NULL, old, sizeof(mask));
	return rc < 0 ? errno : 0;
}

HOOK int
pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	return set_mask(how, set, old);
}

HOOK int
sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	int rc = set_mask(how, set, old);

	if (rc == 0)
		return 0;
	errno = rc;
	return -1;
}

/* Ends that the plugin chooses. */

HOOK void __attribute__((noreturn)) exit(int status)
{
	if (coverage_counts)
		trap_raise(FUZZ_TRAP_EXIT, "exit(%d) was called", status);
	_exit(status);
}
