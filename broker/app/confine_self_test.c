/* SPDX-License-Identifier: Apache-2.0 */
/* Each attempt in a process of its own that has confined itself as the broker does. */
#include "broker/app/confine_self.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/signals.h"

/* clang-format off */
static const struct {
	const char *call;
	long number, arg[5];
} attempts[] = {
	{"execve",            SYS_execve,            {(long)"/bin/true", 0, 0}},
	{"execveat",          SYS_execveat,          {-100, (long)"/bin/true", 0, 0, 0}},
	{"fork",              SYS_fork,              {0}},
	{"vfork",             SYS_vfork,             {0}},
	{"clone",             SYS_clone,             {SIGCHLD}},
	{"clone",             SYS_clone,             {CLONE_NEWUSER | SIGCHLD}},
	{"mount",             SYS_mount,             {(long)"none", (long)"/tmp", (long)"tmpfs", 0, 0}},
	{"umount2",           SYS_umount2,           {(long)"/tmp", 0}},
	{"fsopen",            SYS_fsopen,            {(long)"tmpfs", 0}},
	{"open_tree",         SYS_open_tree,         {-100, (long)"/", 1}},
	{"pivot_root",        SYS_pivot_root,        {(long)"/", (long)"/"}},
	{"chroot",            SYS_chroot,            {(long)"/"}},
	{"unshare",           SYS_unshare,           {CLONE_NEWUSER}},
	{"setns",             SYS_setns,             {3, 0}},
	{"ptrace",            SYS_ptrace,            {PTRACE_TRACEME}},
	{"process_vm_readv",  SYS_process_vm_readv,  {1, 0, 0, 0, 0}},
	{"process_vm_writev", SYS_process_vm_writev, {1, 0, 0, 0, 0}},
	{"pidfd_getfd",       SYS_pidfd_getfd,       {3, 0, 0}},
	{"bpf",               SYS_bpf,               {0, 0, 0}},
	{"perf_event_open",   SYS_perf_event_open,   {0}},
	{"userfaultfd",       SYS_userfaultfd,       {1}},
	{"io_uring_setup",    SYS_io_uring_setup,    {1, 0}},
	{"keyctl",            SYS_keyctl,            {0}},
	{"setuid",            SYS_setuid,            {0}},
	{"init_module",       SYS_init_module,       {0}},
	{"mprotect",          SYS_mprotect,          {0, 4096, PROT_READ | PROT_EXEC}},
	{"socket",            SYS_socket,            {AF_PACKET, SOCK_RAW, 0}},
};
/* clang-format on */

/* What it wrote to its standard error; its status. */
static int
confined(void (*what)(const void *), const void *arg, char *said, size_t size)
{
	int fd[2], status = 0;
	struct err err;

	assert_int_equal(pipe(fd), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fd[1], STDERR_FILENO);
		close(fd[0]);
		close(fd[1]);
		if (!confine_self(&err)) {
			dprintf(STDERR_FILENO, "%s", err.msg);
			_exit(99);
		}
		what(arg);
		_exit(0);
	}
	close(fd[1]);
	size_t n = 0;
	ssize_t got;
	while ((got = read(fd[0], said + n, size - 1 - n)) > 0)
		n += (size_t)got;
	said[n] = '\0';
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
attempt(const void *arg)
{
	const size_t *i = arg;
	const long *a = attempts[*i].arg;

	syscall(attempts[*i].number, a[0], a[1], a[2], a[3], a[4], 0);
}

static void
test_what_it_has_given_up_is_its_end_and_is_named(void **state)
{
	char said[512], want[64];

	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
		int status = confined(attempt, &i, said, sizeof(said));

		snprintf(want, sizeof(want), "system call %s\n", attempts[i].call);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS ||
		    !strstr(said, want))
			fail_msg("%s: status 0x%x, said \"%s\"", attempts[i].call, status,
			    said);
	}
}

static void *
attempt_in_thread(void *arg)
{
	size_t first = 0;

	attempt(&first);
	return arg;
}

static void
make_a_thread(const void *unused)
{
	pthread_t t;

	/* That there are threads is not forbidden. */
	if (pthread_create(&t, NULL, attempt_in_thread, NULL) == 0)
		pthread_join(t, NULL);
}

static void
test_so_it_is_in_threads_made_later(void **state)
{
	char said[512];
	int status = confined(make_a_thread, NULL, said, sizeof(said));

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	assert_non_null(strstr(said, "system call execve\n"));
}

static void
block_it(const void *unused)
{
	size_t first = 0;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	attempt(&first);
}

static void
block_as_threads_do(const void *unused)
{
	size_t first = 0;
	sigset_t before;

	signals_block(&before);
	attempt(&first);
}

static void
test_threads_that_take_no_signals_say_it_too(void **state)
{
	char said[512];
	int status = confined(block_as_threads_do, NULL, said, sizeof(said));

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	assert_non_null(strstr(said, "system call execve\n"));
}

static void
test_a_blocked_signal_does_not_save_it(void **state)
{
	char said[512];
	int status = confined(block_it, NULL, said, sizeof(said));

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void
show_status(const void *unused)
{
	char text[4096];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(text, sizeof(text), f))
		dprintf(STDERR_FILENO, "%s", text);
}

static void
test_privileges_are_given_up_for_good(void **state)
{
	char said[8192];
	int status = confined(show_status, NULL, said, sizeof(said));
	/* CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, KILL, NET_BIND_SERVICE */
	const unsigned long long kept = 0x42f;
	unsigned long long caps = ~0ull;

	assert_int_equal(status, 0);
	assert_non_null(strstr(said, "NoNewPrivs:\t1\n"));
	assert_non_null(strstr(said, "Seccomp:\t2\n"));
	assert_int_equal(sscanf(strstr(said, "CapEff:"), "CapEff: %llx", &caps), 1);
	assert_int_equal(caps & ~kept, 0);
	if (geteuid() == 0) {
		assert_int_equal(
		    sscanf(strstr(said, "CapBnd:"), "CapBnd: %llx", &caps), 1);
		assert_int_equal(caps & ~kept, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_it_has_given_up_is_its_end_and_is_named),
	    cmocka_unit_test(test_so_it_is_in_threads_made_later),
	    cmocka_unit_test(test_threads_that_take_no_signals_say_it_too),
	    cmocka_unit_test(test_a_blocked_signal_does_not_save_it),
	    cmocka_unit_test(test_privileges_are_given_up_for_good),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
