/* SPDX-License-Identifier: Apache-2.0 */
/* Starts programs and makes processes. */
#include "tests/hostile/hostile.h"

#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

static char *const argv[] = {(char *)"sh", (char *)"-c", (char *)":", NULL};
static char *const no_env[] = {NULL};

/* A child that should not be: it must not run the rest of the plugin. */
static void
process(const char *name, long pid)
{
	if (pid == 0)
		_exit(0);
	if (tried(name, pid))
		waitpid((pid_t)pid, NULL, __WALL);
}

static void
attack(void)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack,
		    stack_size, tls, set_tid, set_tid_size, cgroup;
	} args = {.exit_signal = SIGCHLD};
	pid_t pid;
	int rc;

	tried("execve", execve("/bin/sh", argv, no_env));
	tried("execve_loader", execve("/lib64/ld-linux-x86-64.so.2", argv, no_env));
	tried("execveat", syscall(SYS_execveat, 1, "", argv, no_env, AT_EMPTY_PATH));
	process("fork", syscall(SYS_fork));
	process("clone", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	process("clone_vm", syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0));
	process("clone3", syscall(SYS_clone3, &args, sizeof(args)));
	rc = posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, no_env);
	told("spawn", rc ? "denied" : "got", rc);
}
