/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's side. What the broker sends is checked: it may be somebody else's by
 * then. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "broker/keeper/keeper_wire.h"
#include "proto/packet.h"

enum {
	MAX_ARGS = 4096,
	ARGUMENT_BYTES = 4 << 20,
	/* Alive at a time: the broker has one, and one that is being replaced. */
	MAX_CHILDREN = 16,
};

struct child {
	pid_t pid; /* 0: free */
	int status_fd;
};

struct keeper {
	int fd, signal_fd;
	pid_t broker;
	const struct keeper_config *config;
	sigset_t mask; /* of what it starts */
	struct child child[MAX_CHILDREN];
	bool restart, stops;
};

static const int handed_on[] = {
    SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCONT, SIGTSTP};

void
keeper_signals(sigset_t *ret_set)
{
	sigemptyset(ret_set);
	sigaddset(ret_set, SIGCHLD);
	for (size_t i = 0; i < sizeof(handed_on) / sizeof(*handed_on); i++)
		sigaddset(ret_set, handed_on[i]);
}

/* Starting programs. */

/* The arguments of this process, split in text's memory. */
static bool
own_arguments(struct buf *text, char **argv, int *ret_argc)
{
	char piece[4096];
	ssize_t n = -1;
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC), argc = 0;

	while (fd >= 0 && (n = read(fd, piece, sizeof(piece))) > 0)
		buf_add(text, piece, (size_t)n);
	if (fd >= 0)
		close(fd);
	if (n < 0 || text->failed)
		return false;
	buf_str(text);
	for (size_t at = 0; at < text->len && argc < MAX_ARGS;
	     at += strlen(text->data + at) + 1)
		argv[argc++] = text->data + at;
	argv[argc] = NULL;
	*ret_argc = argc;
	return argc > 0 && argc < MAX_ARGS;
}

/* 0 or an errno. */
static int
spawn_with(const struct keeper *k, const char *path, char **argv,
    posix_spawn_file_actions_t *actions, pid_t *ret_pid)
{
	posix_spawnattr_t attr;
	sigset_t ignored; /* by mews */
	int rc;

	sigemptyset(&ignored);
	sigaddset(&ignored, SIGPIPE);
	sigaddset(&ignored, SIGXFSZ);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &k->mask);
	posix_spawnattr_setsigdefault(&attr, &ignored);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(ret_pid, path, actions, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	return rc;
}

static int
spawn_program(const struct keeper *k, int end, pid_t *ret_pid)
{
	static char sh[] = "sh", dash_c[] = "-c";
	char *argv[] = {sh, dash_c, (char *)(uintptr_t)k->config->program, NULL};
	posix_spawn_file_actions_t actions;
	int rc;

	if (!k->config->program || !*k->config->program)
		return EPERM;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, end, STDIN_FILENO);
	rc = spawn_with(k, "/bin/sh", argv, &actions, ret_pid);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static int
spawn_dry_run(const struct keeper *k, int end, pid_t *ret_pid)
{
	static char *argv[MAX_ARGS + 2], dry_run[] = "--dry-run";
	posix_spawn_file_actions_t actions;
	struct buf text;
	int argc, rc = E2BIG;

	buf_init(&text, ARGUMENT_BYTES);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, end, STDERR_FILENO);
	if (own_arguments(&text, argv, &argc)) {
		argv[argc] = dry_run;
		argv[argc + 1] = NULL;
		rc = spawn_with(k, "/proc/self/exe", argv, &actions, ret_pid);
	}
	posix_spawn_file_actions_destroy(&actions);
	buf_release(&text);
	return rc;
}

static struct child *
find_child(struct keeper *k, pid_t pid)
{
	for (size_t i = 0; i < MAX_CHILDREN; i++) {
		if (k->child[i].pid == pid)
			return &k->child[i];
	}
	return NULL;
}

static void
answer(const struct keeper *k, int error, const int fd[KEEPER_FDS])
{
	struct keeper_answer a = {error};
	const struct iovec iov = {&a, sizeof(a)};
	struct err ignored;

	/* Whoever has not read this many answers has asked for none of them. */
	packet_send(k->fd, &iov, 1, fd, error ? 0 : KEEPER_FDS, MSG_DONTWAIT, &ignored);
}

static void
close_both(const int fd[2])
{
	for (int i = 0; i < 2; i++) {
		if (fd[i] >= 0)
			close(fd[i]);
	}
}

static void
start(struct keeper *k, enum keeper_request request)
{
	bool writes = request == KEEPER_PROGRAM; /* the broker does */
	int pipe_fd[2] = {-1, -1}, status_fd[2] = {-1, -1}, pidfd = -1, error;
	struct child *c = find_child(k, 0);
	pid_t pid = 0;

	if (!c)
		error = EAGAIN;
	else if (pipe2(pipe_fd, O_CLOEXEC) < 0 || pipe2(status_fd, O_CLOEXEC) < 0)
		error = errno;
	else
		error = writes ? spawn_program(k, pipe_fd[0], &pid)
			       : spawn_dry_run(k, pipe_fd[1], &pid);
	if (!error) {
		*c = (struct child){pid, status_fd[1]};
		status_fd[1] = -1;
		/* Nobody else buries it, so the number is its own. */
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0u);
		error = pidfd < 0 ? errno : 0;
	}
	answer(k, error, (int[KEEPER_FDS]){pipe_fd[writes], status_fd[0], pidfd});
	close_both(pipe_fd);
	close_both(status_fd);
	if (pidfd >= 0)
		close(pidfd);
}

/* Service managers. */

/* Nothing that would hand the service over, or keep descriptors. */
static bool
is_known_line(const char *line)
{
	static const char *const key[] = {"READY=", "RELOADING=", "STOPPING=", "STATUS=",
	    "WATCHDOG=1", "MONOTONIC_USEC="};

	for (size_t i = 0; i < sizeof(key) / sizeof(*key); i++) {
		if (strncmp(line, key[i], strlen(key[i])) == 0)
			return true;
	}
	return false;
}

static void
notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (len == 0 || len >= sizeof(to.sun_path))
		return;
	for (const char *line = text; *line; line += *line == '\n') {
		if (!is_known_line(line))
			return;
		line = strchrnul(line, '\n');
	}
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* Lost when the other side does not read: it is the one that asked. */
	(void)!sendto(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
	    (const struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

/* False: there is none, or never will be again. */
static bool
serve_request(struct keeper *k)
{
	char bytes[KEEPER_REQUEST_BYTES + 1];
	ssize_t n = recv(k->fd, bytes, KEEPER_REQUEST_BYTES, MSG_DONTWAIT);

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			close(k->fd);
			k->fd = -1;
		}
		return false;
	}
	bytes[n] = '\0';
	switch (bytes[0]) {
	case KEEPER_PROGRAM:
	case KEEPER_DRY_RUN:
		start(k, (enum keeper_request)bytes[0]);
		break;
	case KEEPER_NOTIFY:
		notify(bytes + 1);
		break;
	case KEEPER_RESTART:
		k->restart = true;
		break;
	default:
		log_error("the broker asks for what there is not: it is ended");
		kill(k->broker, SIGKILL);
		return false;
	}
	return true;
}

/* Ends. */

static void
start_again(const struct keeper *k)
{
	static char *argv[MAX_ARGS + 1];
	struct buf text;
	int argc;

	buf_init(&text, ARGUMENT_BYTES);
	if (own_arguments(&text, argv, &argc)) {
		setenv(KEEPER_STARTED_AGAIN, "1", true);
		/* One that came meanwhile has its effect here. */
		sigprocmask(SIG_SETMASK, &k->mask, NULL);
		execv("/proc/self/exe", argv);
	}
	log_error("cannot start again: %s", strerror(errno));
	_exit(1);
}

/* As the broker ended, for whoever waits for us. */
static noreturn void
end_as(int status)
{
	struct rlimit no_core = {0, 0};
	int signal = WTERMSIG(status);
	struct sigaction by_default = {.sa_handler = SIG_DFL};
	sigset_t set;

	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	if (signal != SIGTERM && signal != SIGINT)
		log_error(
		    "the broker was ended by signal %d (%s)", signal, strsignal(signal));
	setrlimit(RLIMIT_CORE, &no_core);
	sigemptyset(&set);
	sigaddset(&set, signal);
	sigaction(signal, &by_default, NULL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(signal);
	/* The first process of a container does not die of it. */
	_exit(128 + signal);
}

static void
broker_ended(struct keeper *k, int status)
{
	/* What it said last. */
	while (k->fd >= 0 && serve_request(k))
		;
	if (k->restart && !k->stops && WIFEXITED(status))
		start_again(k);
	end_as(status);
}

static void
bury(struct keeper *k)
{
	int status, broker_status = 0;
	bool is_over = false;
	struct child *c;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == k->broker) {
			broker_status = status;
			is_over = true;
		} else if ((c = find_child(k, pid))) {
			(void)!write(c->status_fd, &status, sizeof(status));
			close(c->status_fd);
			c->pid = 0;
		}
	}
	if (is_over)
		broker_ended(k, broker_status);
}

static void
hand_on(struct keeper *k, int signal)
{
	k->stops |= signal == SIGTERM || signal == SIGINT;
	if (signal != SIGTSTP) {
		kill(k->broker, signal);
		return;
	}
	/* In a process group of its own it would not stop for this one. */
	kill(k->broker, SIGSTOP);
	raise(SIGSTOP);
	kill(k->broker, SIGCONT);
}

static void
take_signal(struct keeper *k)
{
	struct signalfd_siginfo info;

	if (read(k->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD)
		bury(k);
	else
		hand_on(k, (int)info.ssi_signo);
}

noreturn void
keeper_serve(
    int fd, pid_t broker, const struct keeper_config *config, const sigset_t *mask)
{
	/* Of who has let go of a program, and does not want to know how it ended. */
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	static struct keeper k;
	sigset_t set;

	sigaction(SIGPIPE, &ignore, NULL);
	k = (struct keeper){.fd = fd, .broker = broker, .config = config, .mask = *mask};
	keeper_signals(&set);
	k.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (k.signal_fd < 0) {
		log_error("signalfd: %s", strerror(errno));
		kill(broker, SIGKILL);
		_exit(1);
	}
	for (;;) {
		struct pollfd pfd[] = {{k.signal_fd, POLLIN, 0}, {k.fd, POLLIN, 0}};

		if (poll(pfd, 2, -1) < 0)
			continue;
		if (pfd[1].revents)
			serve_request(&k);
		if (pfd[0].revents)
			take_signal(&k);
	}
}
