/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/launch/child.h"
#include "worker/launch/title.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "mews runs on x86_64 and aarch64"
#endif

#define ALLOW(nr)                                                                        \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1),                                 \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* All that it still does. x32 calls have other numbers, so they fall through. */
static bool
shim_filter(void)
{
	struct sock_filter filter[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    ALLOW(SYS_waitid),
	    ALLOW(SYS_write),
	    ALLOW(SYS_exit_group),
	    ALLOW(SYS_rt_sigreturn),
	    ALLOW(SYS_restart_syscall),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {
	    .len = sizeof(filter) / sizeof(filter[0]),
	    .filter = filter,
	};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0ul, &program) == 0;
}

noreturn void
shim_run(pid_t worker, int death_fd, const char *name)
{
	title_set("mews-shim", name);
	/* The launcher waits for the end of the set-up socket, which the worker alone may
	 * hold now. */
	bool ok = dup3(death_fd, 0, O_CLOEXEC) == 0 &&
		  syscall(SYS_close_range, 1u, ~0u, 0u) == 0;
	/* An unconfined worker's shim has no no_new_privs, which a filter needs. */
	if (ok && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		ok = shim_filter();
	if (!ok)
		_exit(1);
	for (;;) {
		siginfo_t info = {0};
		if (waitid(P_ALL, 0, &info, WEXITED) < 0) {
			if (errno == EINTR)
				continue;
			_exit(1);
		}
		if (info.si_pid != worker)
			continue;
		struct child_death death = {info.si_code, info.si_status};
		ssize_t n = write(0, &death, sizeof(death));
		/* The rest of the namespace ends with this process. */
		_exit(n == (ssize_t)sizeof(death) ? 0 : 1);
	}
}
