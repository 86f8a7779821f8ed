/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/notify.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define ARGS(...)                                                                        \
	(const uint64_t[6])                                                              \
	{                                                                                \
		__VA_ARGS__                                                              \
	}

static const struct profile pure = {.base = PROFILE_PURE};

static struct notify_verdict
judged(bool is_sealed, int nr, const uint64_t args[6])
{
	struct notify_verdict v;

	notify_judge(&pure, is_sealed, 2, nr, args, &v);
	return v;
}

static void
assert_error(struct notify_verdict v, int error)
{
	assert_int_equal(v.answer, NOTIFY_ERRNO);
	assert_int_equal(v.error, error);
	assert_true(v.is_denial);
}

static void
test_notify_lets_libraries_load_until_the_seal(void **state)
{
	const uint64_t *read_only = ARGS(0, 0x1000, O_RDONLY | O_CLOEXEC);
	struct notify_verdict v = judged(false, __NR_openat, read_only);

	assert_int_equal(v.answer, NOTIFY_CONTINUE);
	assert_int_equal(v.path_arg, 1);
	assert_error(judged(true, __NR_openat, read_only), ENOENT);
	assert_error(
	    judged(false, __NR_openat, ARGS(0, 0x1000, O_RDONLY | O_CREAT)), EACCES);
	assert_error(judged(false, __NR_openat, ARGS(0, 0x1000, O_WRONLY)), EACCES);
	assert_error(
	    judged(true, __NR_openat, ARGS(0, 0x1000, O_TMPFILE | O_RDWR)), EACCES);
}

static void
test_notify_opens_logs_of_readers_though_they_would_make_them(void **state)
{
	const char *path[] = {"/logs"};
	const struct profile reads = {.read = path, .n_read = 1};
	static const struct {
		uint64_t flags;
		enum notify_answer answer;
	} cases[] = {
	    {O_RDONLY | O_CREAT | O_CLOEXEC, NOTIFY_CONTINUE},
	    {O_RDONLY | O_CREAT | O_EXCL, NOTIFY_ERRNO},
	    {O_RDONLY | O_CREAT | O_TRUNC, NOTIFY_ERRNO},
	    {O_WRONLY | O_CREAT, NOTIFY_ERRNO},
	    {O_RDWR | O_CREAT, NOTIFY_ERRNO},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct notify_verdict v;
		notify_judge(
		    &reads, true, 2, __NR_openat, ARGS(0, 0x1000, cases[i].flags), &v);
		assert_int_equal(v.answer, cases[i].answer);
		assert_true(v.is_denial);
	}
}

static void
test_notify_judges_sockets_by_profile(void **state)
{
	const struct profile listener = {.base = PROFILE_LISTENER};
	struct profile_unix path = {.path = "/run/x"};
	const struct profile local = {.unix_socket = &path, .n_unix_socket = 1};
	struct profile_listen_unix at = {.path = "/run/x"};
	const struct profile server = {.listen_unix = &at, .n_listen_unix = 1};
	static const struct {
		uint64_t args[3];
		bool listener, local, told;
	} cases[] = {
	    {{AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0}, true, true, false},
	    {{AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 17}, true, true, false},
	    {{AF_INET, SOCK_STREAM, 6}, true, true, false},
	    {{AF_UNIX, SOCK_STREAM, 0}, false, true, true},
	    {{AF_UNIX, SOCK_DGRAM, 0}, false, false, true},
	    {{AF_INET, SOCK_STREAM, 262}, false, false, false},
	    {{AF_INET, SOCK_STREAM, 132}, false, false, true},
	    {{AF_INET, SOCK_RAW, 1}, false, false, true},
	    {{AF_INET, SOCK_DGRAM, 1}, false, false, true},
	    {{AF_INET, SOCK_STREAM | 0x1000, 0}, false, false, true},
	    {{AF_NETLINK, SOCK_RAW, 0}, false, false, false},
	    {{AF_NETLINK, SOCK_RAW, 9}, false, false, true},
	    {{AF_PACKET, SOCK_RAW, 0}, false, false, true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const uint64_t *args =
		    ARGS(cases[i].args[0], cases[i].args[1], cases[i].args[2]);
		struct notify_verdict v;
		notify_judge(&listener, true, 2, __NR_socket, args, &v);
		assert_int_equal(v.answer == NOTIFY_CONTINUE, cases[i].listener);
		assert_int_equal(v.is_denial, cases[i].told);
		notify_judge(&local, true, 2, __NR_socket, args, &v);
		assert_int_equal(v.answer == NOTIFY_CONTINUE, cases[i].local);
		notify_judge(&pure, true, 2, __NR_socket, args, &v);
		assert_error(v, EACCES);
		notify_judge(&server, true, 2, __NR_socket, args, &v);
		assert_int_equal(
		    v.answer == NOTIFY_CONTINUE, cases[i].listener || args[0] == AF_UNIX);
	}
}

static void
test_notify_knows_what_may_be_meant_for_its_sockets(void **state)
{
	struct profile_listen_unix at = {.path = "/run/x"};
	const struct profile server = {.listen_unix = &at, .n_listen_unix = 1};
	static const struct {
		int nr;
		uint64_t args[4];
		enum notify_change change;
		uint32_t mode;
	} cases[] = {
	    {__NR_unlinkat, {AT_FDCWD, 0x1000, 0}, NOTIFY_UNLINK, 0},
	    {__NR_unlinkat, {AT_FDCWD, 0x1000, AT_REMOVEDIR}, NOTIFY_RMDIR, 0},
	    {__NR_mkdirat, {AT_FDCWD, 0x1000, 0755}, NOTIFY_MKDIR, 0},
	    {__NR_fchmodat, {AT_FDCWD, 0x1000, 0660}, NOTIFY_CHMOD, 0660},
	    {__NR_renameat, {AT_FDCWD, 0x1000, 0, 0}, NOTIFY_NO_CHANGE, 0},
	    {__NR_fchownat, {AT_FDCWD, 0x1000, 0, 0}, NOTIFY_NO_CHANGE, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const uint64_t *a = cases[i].args;
		struct notify_verdict v;
		notify_judge(
		    &server, true, 2, cases[i].nr, ARGS(a[0], a[1], a[2], a[3]), &v);
		assert_int_equal(v.change, cases[i].change);
		assert_int_equal(v.mode, cases[i].mode);
		assert_error(v, EACCES);
		notify_judge(
		    &pure, true, 2, cases[i].nr, ARGS(a[0], a[1], a[2], a[3]), &v);
		assert_int_equal(v.change, NOTIFY_NO_CHANGE);
	}
}

static void
test_notify_leaves_addresses_to_the_watcher(void **state)
{
	assert_int_equal(judged(true, __NR_bind, ARGS(3)).answer, NOTIFY_BIND);
	assert_int_equal(judged(true, __NR_listen, ARGS(3)).answer, NOTIFY_LISTEN);
	assert_int_equal(judged(true, __NR_connect, ARGS(3)).answer, NOTIFY_CONNECT);
}

static void
test_notify_lets_nothing_be_made_that_runs_as_its_owner(void **state)
{
	const char *dir[] = {"/data"};
	const struct profile writes = {.write = dir, .n_write = 1};
	struct notify_verdict v;

	notify_judge(&writes, true, 2, __NR_openat,
	    ARGS(0, 0x1000, O_WRONLY | O_CREAT, 04755), &v);
	assert_int_equal(v.answer, NOTIFY_ERRNO);
	/* Without O_CREAT the mode is whatever stood in the register. */
	notify_judge(&writes, true, 2, __NR_openat, ARGS(0, 0x1000, O_WRONLY, 04755), &v);
	assert_int_equal(v.answer, NOTIFY_CONTINUE);
}

static void
test_notify_lets_it_look_at_any_time(void **state)
{
	struct notify_verdict v = judged(true, __NR_newfstatat, ARGS(0, 0x1000, 0x2000));

	assert_int_equal(v.answer, NOTIFY_CONTINUE);
	assert_int_equal(v.path_arg, 1);
	assert_true(v.is_denial);
	assert_int_equal(judged(false, __NR_faccessat, ARGS(0)).answer, NOTIFY_CONTINUE);
}

static void
test_notify_seals_once_and_only_so(void **state)
{
	const uint64_t *seal =
	    ARGS(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, 0x1000);

	assert_int_equal(judged(false, __NR_seccomp, seal).answer, NOTIFY_SEAL);
	assert_error(judged(true, __NR_seccomp, seal), EPERM);
	assert_error(
	    judged(false, __NR_seccomp,
		ARGS(SECCOMP_SET_MODE_FILTER,
		    SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER)),
	    EPERM);
	assert_error(
	    judged(false, __NR_seccomp, ARGS(SECCOMP_SET_MODE_FILTER, 0, 0x1000)), EPERM);
	assert_error(
	    judged(false, __NR_seccomp, ARGS(SECCOMP_GET_ACTION_AVAIL, 1)), EPERM);
}

static void
test_notify_signals_reach_only_itself(void **state)
{
	struct notify_verdict v;

	/* Where there is no pid namespace, its pid is not the one that the filter knows.
	 */
	notify_judge(&pure, true, 77, __NR_tgkill, ARGS(77, 80, 6), &v);
	assert_int_equal(v.answer, NOTIFY_CONTINUE);
	assert_false(v.is_denial);
	assert_int_equal(judged(true, __NR_kill, ARGS(2, 15)).answer, NOTIFY_CONTINUE);
	assert_error(judged(true, __NR_tgkill, ARGS(1, 1, 9)), EPERM);
	assert_error(judged(true, __NR_kill, ARGS(1, 9)), EPERM);
	assert_error(judged(true, __NR_kill, ARGS((uint64_t)-1, 9)), EPERM);
	assert_error(judged(true, __NR_kill, ARGS(0, 9)), EPERM);
	assert_error(judged(true, __NR_tkill, ARGS(2, 9)), EPERM);
}

static void
test_notify_kills_for_namespaces_but_not_for_fork(void **state)
{
	assert_error(judged(false, __NR_clone, ARGS(0x1200011)), EPERM);
	assert_int_equal(
	    judged(false, __NR_clone, ARGS(CLONE_NEWUSER | 17)).answer, NOTIFY_KILL);
	assert_int_equal(
	    judged(true, __NR_clone, ARGS(0x3d0f00 | CLONE_NEWNS)).answer, NOTIFY_KILL);
	assert_int_equal(judged(false, __NR_ptrace, ARGS(16, 1)).answer, NOTIFY_KILL);
	assert_int_equal(
	    judged(false, __NR_personality, ARGS(0x400000)).answer, NOTIFY_KILL);
}

static void
test_notify_lets_processes_start_where_there_may_be_some(void **state)
{
	const uint64_t fork_of_libc[6] = {0x1200011}, spawn[6] = {0x4111},
		       apart[6] = {CLONE_NEWUSER | 17}, shared[6] = {CLONE_FILES | 17};
	struct notify_verdict v;
	struct profile p;

	assert_true(profile_builtin(&p, "pure"));
	p.limits.processes = 2;
	notify_judge(&p, true, 2, __NR_clone, fork_of_libc, &v);
	assert_int_equal(v.answer, NOTIFY_CONTINUE);
	assert_false(v.is_denial);
	notify_judge(&p, true, 2, __NR_clone, spawn, &v);
	assert_error(v, EPERM);
	notify_judge(&p, true, 2, __NR_clone, shared, &v);
	assert_error(v, EPERM);
	notify_judge(&p, true, 2, __NR_clone, apart, &v);
	assert_int_equal(v.answer, NOTIFY_KILL);
	notify_judge(&p, true, 2, __NR_execve, fork_of_libc, &v);
	assert_error(v, EACCES);
}

static void
test_notify_unknown_calls_are_unknown(void **state)
{
	struct notify_verdict v = judged(false, 999, ARGS(0));

	assert_int_equal(v.answer, NOTIFY_ERRNO);
	assert_int_equal(v.error, ENOSYS);
	assert_false(v.is_denial);
	assert_int_equal(judged(false, -1, ARGS(0)).error, ENOSYS);
	assert_null(notify_name(999));
	assert_string_equal(notify_name(__NR_read), "read");
}

static void
test_notify_names_the_path_argument(void **state)
{
	assert_int_equal(judged(true, __NR_mkdirat, ARGS(0)).path_arg, 1);
	assert_int_equal(judged(true, __NR_renameat2, ARGS(0)).path_arg, 1);
	assert_int_equal(judged(true, __NR_linkat, ARGS(0)).path_arg, 3);
	assert_int_equal(judged(true, __NR_symlinkat, ARGS(0)).path_arg, 2);
	assert_int_equal(judged(true, __NR_execve, ARGS(0)).path_arg, 0);
	assert_int_equal(judged(true, __NR_execveat, ARGS(0)).path_arg, 1);
	assert_int_equal(judged(true, __NR_truncate, ARGS(0)).path_arg, 0);
	assert_int_equal(judged(true, __NR_socket, ARGS(2, 1)).path_arg, -1);
}

static void
assert_words(int nr, const uint64_t args[6], const char *path, const char *want_what,
    const char *want_allow)
{
	char what[512], allow[256];

	notify_explain(nr, args, path, what, sizeof(what), allow, sizeof(allow));
	assert_string_equal(what, want_what);
	assert_string_equal(allow, want_allow);
}

static void
test_notify_explains_in_one_line(void **state)
{
	assert_words(__NR_openat, ARGS(0, 1, O_RDONLY), "/etc/shadow",
	    "read \"/etc/shadow\" (openat, O_RDONLY)", "read: [/etc/shadow]");
	assert_words(__NR_openat, ARGS(0, 1, O_RDWR | O_CREAT), "/var/lib/x/state",
	    "write \"/var/lib/x/state\" (openat, O_RDWR|O_CREAT)", "write: [/var/lib/x]");
	assert_words(__NR_openat, ARGS(0, 1, O_RDONLY | O_CREAT), "/var/log/x/log",
	    "read \"/var/log/x/log\" (openat, O_RDONLY|O_CREAT)",
	    "read: [/var/log/x/log]");
	assert_words(
	    __NR_mkdirat, ARGS(0), "/x", "change \"/x\" (mkdirat)", "write: [/]");
	assert_words(__NR_newfstatat, ARGS(0), "/data/a",
	    "look for \"/data/a\" (newfstatat)", "read: [/data/a]");
	assert_words(__NR_openat, ARGS(0), "/lib/x.so.1",
	    "read \"/lib/x.so.1\" (openat, O_RDONLY)",
	    "read: [/lib/x.so.1] and late_dlopen: true");
	assert_words(__NR_openat, ARGS(0), NULL, "read \"?\" (openat, O_RDONLY)", "");
	assert_words(
	    __NR_openat, ARGS(0), "relative", "read \"relative\" (openat, O_RDONLY)", "");
	assert_words(__NR_socket, ARGS(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 6), NULL,
	    "open a socket (socket, AF_INET, SOCK_STREAM, protocol 6)",
	    "profile: client with connect: [HOST:PORT], or profile: listener with "
	    "listen: "
	    "[tcp:PORT]");
	assert_words(__NR_socket, ARGS(AF_UNIX, SOCK_STREAM), NULL,
	    "open a socket (socket, AF_UNIX, SOCK_STREAM, protocol 0)",
	    "unix: [PATH] to connect, listen: unix:PATH to listen");
	assert_words(__NR_socket, ARGS(AF_NETLINK, SOCK_RAW), NULL,
	    "open a socket (socket, AF_NETLINK, SOCK_RAW, protocol 0)", "");
	assert_words(__NR_socket, ARGS(99, 77), NULL,
	    "open a socket (socket, family 99, type 13, protocol 0)", "");
	assert_words(__NR_execve, ARGS(0), "/bin/sh",
	    "start the program \"/bin/sh\" (execve)", "");
	assert_words(__NR_clone, ARGS(0x1200011), NULL,
	    "start a process (clone, flags 0x1200011)", "");
	assert_words(
	    __NR_kill, ARGS(1, 9), NULL, "signal process 1 (kill, signal 9)", "");
	assert_words(__NR_mprotect, ARGS(0, 0, 5), NULL,
	    "make memory executable (mprotect)", "jit: true");
	assert_words(__NR_mmap, ARGS(0, 0, 3, 1), NULL,
	    "make shared memory that it can write (mmap)", "");
	assert_words(__NR_ptrace, ARGS(16), NULL, "call ptrace, which no plugin may", "");
	assert_words(999, ARGS(16), NULL, "call number 999", "");
}

static void
test_notify_escapes_paths(void **state)
{
	char what[512], allow[256];
	char path[4000];

	notify_explain(__NR_openat, ARGS(0), "/a\n\x1b[31mroot: \xff", what, sizeof(what),
	    allow, sizeof(allow));
	assert_null(strpbrk(what, "\n\x1b\xff"));
	assert_string_equal(allow, "");
	/* In a list this would be two entries. */
	notify_explain(
	    __NR_openat, ARGS(0), "/a, /etc", what, sizeof(what), allow, sizeof(allow));
	assert_string_equal(allow, "");
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	notify_explain(
	    __NR_openat, ARGS(0), path, what, sizeof(what), allow, sizeof(allow));
	assert_string_equal(allow, "");
	assert_non_null(strstr(what, "..."));
}

static void
test_notify_tells_of_paths_that_are_not_there(void **state)
{
	struct confinement_mount mounts[] = {
	    {"/usr/lib/libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6", false, true, false},
	    {"/opt/p.so", "/opt/p.so", false, true, false},
	    {"/var/log", "/var/log", true, false, false},
	};
	struct confinement c = {.mount = mounts, .n_mount = 3};
	static const char *const quiet[] = {"/opt/p.so", "/", "/opt", "/var/log",
	    "/var/log/a/b", "//var//log/./x", "/usr/lib/libc.so.6",
	    "/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libm.so.6", "/etc/ld.so.cache",
	    "/proc/self/maps", "/sys/fs/cgroup/cpu.max",
	    "/usr/lib/x86_64-linux-gnu/libnew.so", "/usr/lib/tls/x86_64/libnew.so",
	    "/lib/x86_64-linux-gnu/tls", "/usr/lib/x86_64-linux-gnu",
	    "/usr/share/zoneinfo/UTC"};
	static const char *const told[] = {"/etc/shadow", "/var/logs", "/opt/p.so.1",
	    "/var/log/../../etc/shadow", "/proc/1/environ", "/proc/self/mem",
	    "/proc/self/maps/../mem", "/lib/x86_64-linux-gnu/libnew.so",
	    "/usr/lib/x/y.so", "etc/passwd", "/root/.aws/config"};

	for (size_t i = 0; i < sizeof(quiet) / sizeof(*quiet); i++)
		if (notify_path_is_denied(&c, quiet[i]))
			fail_msg("%s is told", quiet[i]);
	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++)
		if (!notify_path_is_denied(&c, told[i]))
			fail_msg("%s is not told", told[i]);
}

static void
test_notify_raw_shows_arguments(void **state)
{
	char text[256];

	notify_raw(__NR_ptrace, ARGS(16, 1, ~0ull), text, sizeof(text));
	assert_string_equal(text, "ptrace(0x10, 0x1, 0xffffffffffffffff, 0x0, 0x0, 0x0)");
	notify_raw(999, ARGS(0), text, sizeof(text));
	assert_string_equal(text, "syscall 999(0x0, 0x0, 0x0, 0x0, 0x0, 0x0)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_notify_lets_libraries_load_until_the_seal),
	    cmocka_unit_test(
		test_notify_opens_logs_of_readers_though_they_would_make_them),
	    cmocka_unit_test(test_notify_judges_sockets_by_profile),
	    cmocka_unit_test(test_notify_knows_what_may_be_meant_for_its_sockets),
	    cmocka_unit_test(test_notify_leaves_addresses_to_the_watcher),
	    cmocka_unit_test(test_notify_lets_nothing_be_made_that_runs_as_its_owner),
	    cmocka_unit_test(test_notify_lets_it_look_at_any_time),
	    cmocka_unit_test(test_notify_seals_once_and_only_so),
	    cmocka_unit_test(test_notify_signals_reach_only_itself),
	    cmocka_unit_test(test_notify_kills_for_namespaces_but_not_for_fork),
	    cmocka_unit_test(test_notify_lets_processes_start_where_there_may_be_some),
	    cmocka_unit_test(test_notify_unknown_calls_are_unknown),
	    cmocka_unit_test(test_notify_names_the_path_argument),
	    cmocka_unit_test(test_notify_explains_in_one_line),
	    cmocka_unit_test(test_notify_escapes_paths),
	    cmocka_unit_test(test_notify_tells_of_paths_that_are_not_there),
	    cmocka_unit_test(test_notify_raw_shows_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
