/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into mews and its helpers, it stands in front of calls of the C library and
 * lets one of them fail. Workers do not have it: their environment is not ours.
 *
 *   MEWS_FAULT_IN=PROGRAM       the file name of the program that it is for; forked
 *                               children of it go on counting
 *   MEWS_FAULT=CALL:N[+]:ERRNO  the Nth call fails, with + every one from there on
 *   MEWS_FAULT_SEEN=FILE        begins with "1" once a call has failed; not empty before
 *   MEWS_FAULT_STORM_US=N       a signal every N us, whose handler does nothing
 *   MEWS_FAULT_CLOCK=N          the wall clock is an hour ahead, then an hour behind, and
 *                               so on, another after N readings
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* CALL(what it returns, name, what a failure returns, parameters, arguments) */
/* clang-format off */
#define CALLS(CALL) \
	CALL(int, memfd_create, -1, (const char *name, unsigned flags), (name, flags)) \
	CALL(int, socketpair, -1, (int d, int t, int p, int fd[2]), (d, t, p, fd)) \
	CALL(int, socket, -1, (int d, int t, int p), (d, t, p)) \
	CALL(int, epoll_create1, -1, (int flags), (flags)) \
	CALL(int, epoll_ctl, -1, (int e, int op, int fd, struct epoll_event *ev), (e, op, fd, ev)) \
	CALL(int, eventfd, -1, (unsigned n, int flags), (n, flags)) \
	CALL(int, pipe2, -1, (int fd[2], int flags), (fd, flags)) \
	CALL(int, ftruncate, -1, (int fd, off_t n), (fd, n)) \
	CALL(int, fstat, -1, (int fd, struct stat *st), (fd, st)) \
	CALL(void *, mmap, MAP_FAILED, (void *a, size_t n, int p, int f, int fd, off_t o), (a, n, p, f, fd, o)) \
	CALL(ssize_t, read, -1, (int fd, void *p, size_t n), (fd, p, n)) \
	CALL(ssize_t, sendmsg, -1, (int fd, const struct msghdr *m, int f), (fd, m, f)) \
	CALL(ssize_t, recvmsg, -1, (int fd, struct msghdr *m, int f), (fd, m, f)) \
	CALL(int, setsockopt, -1, (int fd, int l, int o, const void *p, socklen_t n), (fd, l, o, p, n)) \
	CALL(int, bind, -1, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n)) \
	CALL(int, listen, -1, (int fd, int n), (fd, n)) \
	CALL(int, posix_spawn, EAGAIN, (pid_t *ret, const char *path, const posix_spawn_file_actions_t *f, const posix_spawnattr_t *a, char *const argv[], char *const env[]), (ret, path, f, a, argv, env)) \
	CALL(pid_t, fork, -1, (void), ()) \
	CALL(int, pthread_create, EAGAIN, (pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *arg), (t, a, f, arg)) \
	CALL(int, sigaction, -1, (int n, const struct sigaction *a, struct sigaction *old), (n, a, old)) \
	CALL(int, waitid, -1, (idtype_t t, id_t id, siginfo_t *i, int o), (t, id, i, o)) \
	CALL(int, inotify_init1, -1, (int flags), (flags)) \
	CALL(int, mkdir, -1, (const char *path, mode_t mode), (path, mode)) \
	CALL(int, renameat, -1, (int a, const char *from, int b, const char *to), (a, from, b, to)) \
	CALL(ssize_t, getrandom, -1, (void *p, size_t n, unsigned f), (p, n, f))
/* Those with a last argument that is not always there; N: how many words are before it. */
#define VARIADIC(CALL) \
	CALL(int, open, -1, (const char *path, int f, ...), f, (path, f, last)) \
	CALL(int, openat, -1, (int d, const char *path, int f, ...), f, (d, path, f, last)) \
	CALL(int, fcntl, -1, (int fd, int c, ...), c, (fd, c, last))
/* Memory, which the loader asks for before anything else can be. */
#define MEMORY(CALL) \
	CALL(malloc, (size_t n), (n)) \
	CALL(calloc, (size_t n, size_t size), (n, size)) \
	CALL(realloc, (void *p, size_t n), (p, n))
/* clang-format on */

enum call {
#define ENUM(ret, name, ...) CALL_##name,
	CALLS(ENUM)
	VARIADIC(ENUM)
#undef ENUM
#define ENUM(name, ...) CALL_##name,
	    MEMORY(ENUM)
#undef ENUM
		CALL_write,
	CALL_clone3,
	CALL_N,
};

static const char *const call_name[CALL_N] = {
#define NAME(ret, name, ...) #name,
    CALLS(NAME) VARIADIC(NAME)
#undef NAME
#define NAME(name, ...) #name,
	MEMORY(NAME)
#undef NAME
	    "write",
    "clone3",
};

static bool is_on;
static char *seen; /* shared with the file, by forked children too */
static unsigned long count[CALL_N];
static int fail_call = -1, fail_errno;
static unsigned long fail_at;
static bool fail_on;
static unsigned long clock_period, clock_reads;

static bool
fails(enum call c)
{
	if (!is_on)
		return false;
	unsigned long n = __atomic_add_fetch(&count[c], 1, __ATOMIC_RELAXED);
	if (fail_call != (int)c || (fail_on ? n < fail_at : n != fail_at))
		return false;
	if (seen)
		*seen = '1';
	errno = fail_errno;
	return true;
}

#define CALL(ret, name, failure, params, args)                                           \
	EXPORT ret name params;                                                          \
	ret name params                                                                  \
	{                                                                                \
		static ret(*real) params;                                                \
		if (!real)                                                               \
			*(void **)(void *)&real = dlsym(RTLD_NEXT, #name);               \
		return fails(CALL_##name) ? failure : real args;                         \
	}
CALLS(CALL)
#undef CALL

#define CALL(ret, name, failure, params, before, args)                                   \
	EXPORT ret name params;                                                          \
	ret name params                                                                  \
	{                                                                                \
		static ret(*real) params;                                                \
		va_list ap;                                                              \
		va_start(ap, before);                                                    \
		long last = va_arg(ap, long);                                            \
		va_end(ap);                                                              \
		if (!real)                                                               \
			*(void **)(void *)&real = dlsym(RTLD_NEXT, #name);               \
		return fails(CALL_##name) ? failure : real args;                         \
	}
VARIADIC(CALL)
#undef CALL

/* libseccomp goes on as if it had what it was refused, and crashes: not ours to mend. */
static bool
is_excused(const void *caller)
{
	static uintptr_t from, to;
	struct dl_find_object o;

	if (!is_on || ((uintptr_t)caller >= from && (uintptr_t)caller < to))
		return true;
	if (to || _dl_find_object((void *)(uintptr_t)caller, &o) != 0 ||
	    !strstr(o.dlfo_link_map->l_name, "libseccomp"))
		return false;
	from = (uintptr_t)o.dlfo_map_start;
	to = (uintptr_t)o.dlfo_map_end;
	return true;
}

#define CALL(name, params, args)                                                         \
	void *__libc_##name params;                                                      \
	EXPORT void *name params;                                                        \
	void *name params                                                                \
	{                                                                                \
		if (!is_excused(__builtin_return_address(0)) && fails(CALL_##name))      \
			return NULL;                                                     \
		return __libc_##name args;                                               \
	}
MEMORY(CALL)
#undef CALL

/* To files, pipes and sockets: an eventfd gives no such errors. And not to stderr, which
 * has to say what failed. */
EXPORT ssize_t write(int fd, const void *p, size_t n);
ssize_t
write(int fd, const void *p, size_t n)
{
	static ssize_t (*real)(int, const void *, size_t);
	static int (*real_fstat)(int, struct stat *);
	struct stat st;

	if (!real) {
		*(void **)(void *)&real_fstat = dlsym(RTLD_NEXT, "fstat");
		*(void **)(void *)&real = dlsym(RTLD_NEXT, "write");
	}
	if (fd != STDERR_FILENO && real_fstat(fd, &st) == 0 &&
	    (st.st_mode & S_IFMT) != 0 && fails(CALL_write))
		return -1;
	return real(fd, p, n);
}

EXPORT long syscall(long number, ...);
long
syscall(long number, ...)
{
	static long (*real)(long, ...);
	va_list ap;
	long a[6];

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (!real)
		*(void **)(void *)&real = dlsym(RTLD_NEXT, "syscall");
	if (number == SYS_clone3 && fails(CALL_clone3))
		return -1;
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *t);
int
clock_gettime(clockid_t clock, struct timespec *t)
{
	static int (*real)(clockid_t, struct timespec *);
	unsigned long n;

	if (!real)
		*(void **)(void *)&real = dlsym(RTLD_NEXT, "clock_gettime");
	int rc = real(clock, t);
	if (!is_on || clock_period == 0 || clock != CLOCK_REALTIME)
		return rc;
	n = __atomic_fetch_add(&clock_reads, 1, __ATOMIC_RELAXED);
	t->tv_sec += n / clock_period % 2 ? -3600 : 3600;
	return rc;
}

static void
interrupt(int number)
{
}

static void
start_storm(long us)
{
	/* Without SA_RESTART. */
	const struct sigaction a = {.sa_handler = interrupt};
	const struct itimerval every = {{0, us}, {0, us}};

	sigaction(SIGALRM, &a, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

static bool
parse(const char *text)
{
	static const struct {
		const char *name;
		int number;
	} errors[] = {
	    {"ENOMEM", ENOMEM},
	    {"EMFILE", EMFILE},
	    {"EAGAIN", EAGAIN},
	    {"EINTR", EINTR},
	    {"EIO", EIO},
	    {"ENOSPC", ENOSPC},
	    {"EPERM", EPERM},
	};
	const char *colon = strchr(text, ':'), *error = strrchr(text, ':');
	char *end;

	for (int c = 0; colon && c < CALL_N; c++)
		if (strlen(call_name[c]) == (size_t)(colon - text) &&
		    strncmp(call_name[c], text, (size_t)(colon - text)) == 0)
			fail_call = c;
	if (fail_call < 0 || error == colon)
		return false;
	fail_at = strtoul(colon + 1, &end, 10);
	fail_on = *end == '+';
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (strcmp(errors[i].name, error + 1) == 0)
			fail_errno = errors[i].number;
	return fail_errno != 0;
}

__attribute__((constructor)) static void
begin(void)
{
	const char *in = getenv("MEWS_FAULT_IN"), *fault = getenv("MEWS_FAULT"),
		   *storm = getenv("MEWS_FAULT_STORM_US"),
		   *steps = getenv("MEWS_FAULT_CLOCK"), *path = getenv("MEWS_FAULT_SEEN");
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	/* Not the name that it was called by: mews gives its helpers others. */
	self[n < 0 ? 0 : n] = '\0';
	if (!in || !strrchr(self, '/') || strcmp(strrchr(self, '/') + 1, in) != 0)
		return;
	int fd = path ? open(path, O_RDWR | O_CLOEXEC, 0) : -1;
	if (fd >= 0) {
		seen = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		close(fd);
	}
	if (seen == MAP_FAILED)
		seen = NULL;
	if (fault && !parse(fault)) {
		fprintf(stderr, "MEWS_FAULT=%s is not understood\n", fault);
		_exit(99);
	}
	clock_period = steps ? strtoul(steps, NULL, 10) : 0;
	if (storm)
		start_storm(strtol(storm, NULL, 10));
	is_on = true;
}
