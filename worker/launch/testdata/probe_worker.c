/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker for the launcher's test: it shuts itself in like the real one, then does what
 * it is told over its control socket, one datagram a command, and answers with one:
 * "try WHAT" with the errno (0: it worked), "see" with what it finds, "tighten", "exit
 * N", "abort", "hang".
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/confine.h"
#include "worker/launch/setup.h"

#define CONTROL_FD 3

static const char *argument; /* of "try open-read PATH" and the like */

static int
done(long rc)
{
	return rc < 0 ? errno : 0;
}

static int
try_read(void)
{
	char c;
	int fd = open(argument, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	int rc = read(fd, &c, 1) < 0 && errno != EISDIR ? errno : 0;
	close(fd);
	return rc;
}

static int
try_write(void)
{
	return done(open(argument, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int
try_exec(void)
{
	char *argv[] = {"x", NULL};

	return done(execve(argument, argv, argv + 1));
}

static int
try_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {
	    .sin_family = AF_INET,
	    .sin_port = htons(53),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	if (fd < 0)
		return errno;
	return done(connect(fd, (struct sockaddr *)&to, sizeof(to)));
}

static int
try_mount(void)
{
	return done(mount("none", "/", "tmpfs", 0, NULL));
}

static int
try_remount(void)
{
	return done(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
}

static int
try_unshare(void)
{
	return done(unshare(CLONE_NEWUSER));
}

static int
try_ptrace(void)
{
	return done(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int
try_fork(void)
{
	pid_t pid = (pid_t)syscall(SYS_fork);

	if (pid == 0)
		_exit(0);
	return done(pid);
}

static int
try_kill_shim(void)
{
	return done(kill(1, SIGKILL));
}

static int
try_writable_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int
try_become_readable(void)
{
	return done(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int
try_more_memory(void)
{
	struct rlimit r = {RLIM_INFINITY, RLIM_INFINITY};

	return done(setrlimit(RLIMIT_DATA, &r));
}

static int
try_setuid(void)
{
	return done(setuid(1));
}

static const struct {
	const char *name;
	int (*run)(void);
} attempts[] = {
    {"read", try_read},
    {"write", try_write},
    {"exec", try_exec},
    {"socket", try_socket},
    {"mount", try_mount},
    {"remount", try_remount},
    {"unshare", try_unshare},
    {"ptrace", try_ptrace},
    {"fork", try_fork},
    {"kill-shim", try_kill_shim},
    {"writable-code", try_writable_code},
    {"become-readable", try_become_readable},
    {"more-memory", try_more_memory},
    {"setuid", try_setuid},
};

static int
try_it(char *name)
{
	char *space = strchr(name, ' ');

	if (space != NULL)
		*space = '\0';
	argument = space != NULL ? space + 1 : "";
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		if (strcmp(attempts[i].name, name) == 0)
			return attempts[i].run();
	return -1;
}

/* "uid 0 gid 0 pid 2 env A=b,C=d" */
static void
see(char *out, size_t size, char **env)
{
	int n = snprintf(
	    out, size, "uid %u gid %u pid %d env ", getuid(), getgid(), (int)getpid());

	for (; *env != NULL && n > 0 && (size_t)n < size; env++)
		n += snprintf(out + n, size - (size_t)n, "%s,", *env);
}

static void
obey(char *command, char *answer, size_t size, char **env)
{
	struct err err;

	snprintf(answer, size, "what?");
	if (strncmp(command, "try ", 4) == 0) {
		snprintf(answer, size, "%d", try_it(command + 4));
	} else if (strncmp(command, "flood ", 6) == 0) {
		for (;;)
			try_it(command + 6);
	} else if (strcmp(command, "see") == 0) {
		see(answer, size, env);
	} else if (strcmp(command, "tighten") == 0) {
		snprintf(answer, size, "%s", confine_tighten(&err) ? "0" : err.msg);
	} else if (strncmp(command, "exit ", 5) == 0) {
		_exit((int)strtol(command + 5, NULL, 10));
	} else if (strcmp(command, "abort") == 0) {
		abort();
	}
}

static void *
sleep_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* A worker that is not what it seems, for attestation to find out: CHEAT= "descriptor"
 * keeps one more open, "thread" has one more, "filter" says that it is confined and is
 * not, "listener" keeps its filter's listener. */
static bool keeps_listener;

/* Stands in for libc's in confine_enter, whose third close is the listener's. */
int
close(int fd)
{
	static int n;

	if (keeps_listener && ++n == 3)
		return 0;
	return (int)syscall(SYS_close, fd);
}

static void
cheat(const char *how)
{
	pthread_t thread;

	if (strcmp(how, "descriptor") == 0) {
		fcntl(1, F_DUPFD, 20);
	} else if (strcmp(how, "listener") == 0) {
		keeps_listener = true;
	} else if (strcmp(how, "thread") == 0) {
		pthread_create(&thread, NULL, sleep_for_ever, NULL);
	} else if (strcmp(how, "filter") == 0) {
		struct setup_record r = {.kind = SETUP_HELLO};
		close(SETUP_FILTERS_FD);
		if (write(SETUP_SOCKET_FD, &r, sizeof(r)) < 0 ||
		    read(SETUP_SOCKET_FD, &r, sizeof(r)) < 0)
			_exit(5);
		close(SETUP_SOCKET_FD);
		sleep_for_ever(NULL);
	}
}

int
main(int argc, char **argv, char **env)
{
	char command[512], answer[2048];
	struct err err;

	if (getenv("CHEAT") != NULL)
		cheat(getenv("CHEAT"));
	if (!confine_enter(&err)) {
		dprintf(2, "%s\n", err.msg);
		return 3;
	}
	for (;;) {
		ssize_t n = read(CONTROL_FD, command, sizeof(command) - 1);
		if (n <= 0)
			return 0;
		command[n] = '\0';
		obey(command, answer, sizeof(answer), env);
		if (write(CONTROL_FD, answer, strlen(answer)) < 0)
			return 4;
	}
}
