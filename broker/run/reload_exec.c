/* SPDX-License-Identifier: Apache-2.0 */
/* The program beside itself (a dry run), and in its own place. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "broker/run/reload_check.h"
#include "broker/settings/files.h"
#include "broker/supervisor/supervisor.h"

enum {
	MAX_ARGS = 4096,
	/* As long as loading and initialising may take, twice. */
	DRY_RUN_MS = 60000,
	POLL_MS = 20,
	KEPT_BYTES = 4096, /* of what it says */
};

/* The arguments that this process was started with, split in text's memory. */
static bool
own_arguments(struct buf *text, char **argv, int *ret_argc, struct err *err)
{
	if (!file_read("/proc/self/cmdline", text, err))
		return false;
	*ret_argc = 0;
	for (size_t at = 0; at < text->len; at += strlen(text->data + at) + 1) {
		if (*ret_argc == MAX_ARGS)
			return err_set(
			    err, ERR_LIMIT, "more than %d arguments", MAX_ARGS);
		argv[(*ret_argc)++] = text->data + at;
	}
	argv[*ret_argc] = NULL;
	return *ret_argc > 0 || err_set(err, ERR_SYS, "no arguments");
}

void
reload_exec(void)
{
	char *argv[MAX_ARGS + 1];
	struct buf text;
	struct err err;
	int argc;

	buf_init(&text, 4 << 20);
	if (own_arguments(&text, argv, &argc, &err)) {
		setenv(RELOAD_STARTED_AGAIN, "1", true);
		execv("/proc/self/exe", argv);
		err_sys(&err, "execv");
	}
	log_error("cannot start again: %s", err.msg);
	buf_release(&text);
}

static bool
spawn(int out_fd, pid_t *ret_pid, struct err *err)
{
	posix_spawn_file_actions_t actions;
	static char dry_run[] = "--dry-run";
	char *argv[MAX_ARGS + 2];
	struct buf text;
	int argc, rc;

	buf_init(&text, 4 << 20);
	if (!own_arguments(&text, argv, &argc, err)) {
		buf_release(&text);
		return false;
	}
	argv[argc] = dry_run;
	argv[argc + 1] = NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out_fd, 2);
	rc = posix_spawn(ret_pid, "/proc/self/exe", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	buf_release(&text);
	return rc == 0 || err_set(err, ERR_SYS, "posix_spawn: %s", strerror(rc));
}

static void
on_poll(int fd, short what, void *arg)
{
}

/* Keeps the end of what it says: the error is its last line. */
static void
take_output(int fd, struct buf *said)
{
	char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0) {
		buf_add(said, piece, (size_t)n);
		if (said->len > KEPT_BYTES)
			buf_splice(said, 0, said->len - KEPT_BYTES, NULL, 0);
	}
}

/* Turns of the loop until it has ended; false when it was killed for being late. */
static bool
await(struct app *app, pid_t pid, int fd, struct buf *said, int *ret_status)
{
	const struct timeval tv = {0, POLL_MS * 1000};
	struct event *poll =
	    event_new(app->supervisor->base, -1, EV_PERSIST, on_poll, NULL);
	uint64_t end = clock_mono_ns() + DRY_RUN_MS * 1000000ull;
	bool late = !poll || event_add(poll, &tv) < 0;

	while (!late && waitpid(pid, ret_status, WNOHANG) == 0) {
		event_base_loop(app->supervisor->base, EVLOOP_ONCE);
		take_output(fd, said);
		late = clock_mono_ns() > end;
	}
	if (late) {
		kill(pid, SIGKILL);
		waitpid(pid, ret_status, 0);
	}
	take_output(fd, said);
	if (poll)
		event_free(poll);
	return !late;
}

/* "Error: …" and what follows, or the last line; fit for people. */
static bool
said_error(const struct buf *said, struct err *err)
{
	const char *text = buf_str(said), *at = strstr(text, "Error: ");
	size_t n;
	struct buf clean;

	at = at ? at + 7 : text;
	n = strlen(at);
	while (n > 0 && at[n - 1] == '\n')
		n--;
	buf_init(&clean, 8 * KEPT_BYTES);
	utf8_escape(&clean, at, n, sizeof(err->msg));
	err_set(err, ERR_USAGE, "a dry run failed: %s", buf_str(&clean));
	buf_release(&clean);
	return false;
}

bool
reload_dry_run(struct app *app, struct err *err)
{
	struct buf said;
	int fd[2], status = 0;
	bool done;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(err, "pipe2");
	/* Only our end must not block. */
	fcntl(fd[1], F_SETFL, 0);
	done = spawn(fd[1], &pid, err);
	close(fd[1]);
	buf_init(&said, 1 << 20);
	if (done) {
		done = await(app, pid, fd[0], &said, &status) ||
		       err_set(err, ERR_USAGE, "a dry run took longer than %d s",
			   DRY_RUN_MS / 1000);
		if (done && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
			done = said_error(&said, err);
	}
	close(fd[0]);
	buf_release(&said);
	return done;
}
