/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts to a shell command's standard input: one process per alert, or one for all with
 * keep_alive. A process that ended is started again for the next alert. The keeper starts
 * it, for the broker may not.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/keeper/keeper.h"
#include "broker/outputs/out.h"

struct out_program {
	struct out out;
	char *command; /* for messages */
	bool keep_alive;
	bool runs;
	struct keeper_child child;
	struct out_stream input; /* its standard input; fd is -1: closed */
};

enum {
	LOOK_MS = 50 /* how often a wait looks at *stop */
};

static bool
start(struct out_program *o, struct err *err)
{
	if (!keeper_run_program(&o->child, err))
		return err_wrap(err, "%s", o->command);
	o->runs = true;
	/* A program that does not read must not hold the thread. */
	fcntl(o->child.pipe_fd, F_SETFL, O_NONBLOCK);
	o->input = out_stream_of(o->child.pipe_fd, o->input.stop);
	return true;
}

static void
close_input(struct out_program *o)
{
	if (o->input.fd >= 0)
		close(o->input.fd);
	o->input.fd = o->child.pipe_fd = -1;
}

static bool
has_ended(struct out_program *o, uint32_t wait_ms)
{
	int status;

	if (o->runs && keeper_child_ended(&o->child, (int)wait_ms, &status)) {
		keeper_child_release(&o->child);
		o->runs = false;
	}
	return !o->runs;
}

/* As pclose: waits for the program to end; at most until the output is to stop. */
static void
finish(struct out_program *o)
{
	close_input(o);
	while (!has_ended(o, LOOK_MS) && !atomic_load(o->input.stop)) {
	}
}

static bool
program_write(struct out *out, const struct out_batch *b, struct out_loss *ret_loss,
    struct err *err)
{
	struct out_program *o = (struct out_program *)out;

	*ret_loss = (struct out_loss){b->n, OUTPUTS_FAILED};
	if (o->input.fd < 0 && !start(o, err))
		return false;
	bool ok = out_stream_write(&o->input, b, ret_loss, err);
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
	static const int signals[] = {0, SIGTERM, SIGKILL};
	struct out_program *o = (struct out_program *)out;

	close_input(o);
	/* It has its input's end, then is asked, then is made to. */
	for (size_t i = 0; o->runs && i < sizeof(signals) / sizeof(*signals); i++) {
		if (signals[i])
			keeper_child_signal(&o->child, signals[i]);
		has_ended(o, wait_ms);
	}
	if (o->runs)
		keeper_child_release(&o->child);
	free(o->command);
	free(o);
}

struct out *
out_program_new(const struct settings *s, const struct out_env *env, struct err *err)
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
	    .child = {-1, -1, -1},
	    .input = {.fd = -1, .stop = env->stop},
	};
	return &o->out;
}
