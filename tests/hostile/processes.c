/* SPDX-License-Identifier: Apache-2.0 */
/* Signals others, changes who and what it is, undoes its confinement. */
#include "tests/hostile/hostile.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static void
attack(void)
{
	struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
	struct sock_fprog program = {1, &allow};
	struct rlimit wide = {RLIM_INFINITY, RLIM_INFINITY};
	struct sched_param realtime = {.sched_priority = 1};
	cpu_set_t cpu;

	tried("kill_all", kill(-1, SIGKILL));
	tried("kill_group", kill(0, 0));
	tried("kill_parent", kill(getppid(), SIGKILL));
	tried("kill_init", kill(1, SIGKILL));
	tried("tgkill_other", syscall(SYS_tgkill, 1, 1, SIGKILL));
	tried("tkill_other", syscall(SYS_tkill, 1, SIGKILL));
	tried("pidfd_open", syscall(SYS_pidfd_open, 1, 0));
	tried("setsid", setsid());
	tried("setpgid", setpgid(0, 0));
	tried("setuid", syscall(SYS_setuid, 0));
	tried("setresuid", syscall(SYS_setresuid, 0, 0, 0));
	tried("setgroups", syscall(SYS_setgroups, 0, NULL));
	tried("capset", syscall(SYS_capset, NULL, NULL));
	tried("undo_dumpable", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	tried("undo_pdeathsig", prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0));
	tried("undo_mdwe", prctl(65 /* PR_SET_MDWE */, 0, 0, 0, 0));
	tried("undo_securebits", prctl(PR_SET_SECUREBITS, 0, 0, 0, 0));
	tried("let_trace", prctl(PR_SET_PTRACER, -1L, 0, 0, 0));
	tried("subreaper", prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	tried(
	    "prctl_seccomp", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0));
	tried("own_filter", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
	tried("own_listener", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				  SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
	tried("landlock", syscall(SYS_landlock_create_ruleset, NULL, 0, 1));
	tried("wider_files", setrlimit(RLIMIT_NOFILE, &wide));
	tried("wider_core", setrlimit(RLIMIT_CORE, &wide));
	tried("other_limits", syscall(SYS_prlimit64, 1, RLIMIT_NOFILE, &wide, NULL));
	tried("nice", setpriority(PRIO_PROCESS, 0, -20));
	tried("realtime", sched_setscheduler(0, SCHED_FIFO, &realtime));
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	tried("affinity_other", sched_setaffinity(1, sizeof(cpu), &cpu));
	tried("sethostname", syscall(SYS_sethostname, "hostile", 7));
	tried("settime", syscall(SYS_clock_settime, 0, (long[2]){0, 0}));
	tried("adjtimex", syscall(SYS_adjtimex, (long[26]){0}));
	tried("syslog", syscall(SYS_syslog, 3, NULL, 0));
}
