/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts to a shell command's standard input: one process per alert, or one for all with
 * keep_alive. A process that ended is started again for the next alert.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker/outputs/out.h"

extern char **environ;

struct out_program {
	struct out out;
	char *command;
	bool keep_alive;
	int fd;    /* its standard input; -1: none runs */
	pid_t pid; /* 0: none */
};

/* The output thread blocks all signals; the program must not inherit that. */
static bool
start(struct out_program *o, struct err *err)
{
	char *argv[] = {"sh", "-c", o->command, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, pipe_signal;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_sys(err, "pipe");
	sigemptyset(&none);
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &pipe_signal);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	errno = posix_spawn(&o->pid, "/bin/sh", &actions, &attr, argv, environ);
	bool ok = errno == 0 || err_sys(err, "starting %s", o->command);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[0]);
	if (ok) {
		o->fd = ends[1];
	} else {
		o->pid = 0;
		close(ends[1]);
	}
	return ok;
}

static void
reap(struct out_program *o, int flags)
{
	pid_t pid;

	do {
		pid = waitpid(o->pid, NULL, flags);
	} while (pid < 0 && errno == EINTR);
	if (pid != 0)
		o->pid = 0;
}

/* As pclose: waits for the program to end. */
static void
finish(struct out_program *o)
{
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
	if (o->pid)
		reap(o, 0);
}

static bool
program_write(
    struct out *out, const struct out_batch *b, uint32_t *ret_failed, struct err *err)
{
	struct out_program *o = (struct out_program *)out;

	*ret_failed = b->n;
	if (o->fd < 0 && !start(o, err))
		return false;
	bool ok = out_write_lines(o->fd, b, ret_failed, err);
	if (!ok || !o->keep_alive)
		finish(o);
	return ok || err_wrap(err, "%s", o->command);
}

static void
program_reopen(struct out *out)
{
	finish((struct out_program *)out);
}

static void
program_free(struct out *out, uint32_t wait_ms)
{
	enum {
		STEP_MS = 5
	};
	static const int signals[] = {0, SIGTERM, SIGKILL};
	struct out_program *o = (struct out_program *)out;

	if (o->fd >= 0)
		close(o->fd);
	/* It has its input's end, then is asked, then is made to. */
	for (size_t i = 0; o->pid && i < sizeof(signals) / sizeof(*signals); i++) {
		if (signals[i])
			kill(o->pid, signals[i]);
		for (uint32_t ms = 0; o->pid && ms <= wait_ms; ms += STEP_MS) {
			reap(o, WNOHANG);
			if (o->pid)
				nanosleep(
				    &(struct timespec){.tv_nsec = STEP_MS * 1000000L},
				    NULL);
		}
	}
	free(o->command);
	free(o);
}

struct out *
out_program_new(const struct settings *s, const atomic_bool *stop, struct err *err)
{
	struct out_program *o = calloc(1, sizeof(*o));

	char *command = strdup(s->program);

	if (!o || !command) {
		err_nomem(err);
		free(command);
		free(o);
		return NULL;
	}
	*o = (struct out_program){
	    .out = {.name = "program",
		.line_by_line = !s->program_keep_alive,
		.write = program_write,
		.reopen = program_reopen,
		.free = program_free},
	    .command = command,
	    .keep_alive = s->program_keep_alive,
	    .fd = -1,
	};
	return &o->out;
}
