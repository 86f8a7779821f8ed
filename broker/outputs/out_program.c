/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts to a shell command's standard input: one process per alert, or one for all with
 * keep_alive. A process that ended is started again for the next alert. The keeper starts
 * it: the command is the one that this program was started with.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/keeper/keeper.h"
#include "broker/outputs/out.h"

struct out_program {
	struct out out;
	char *command;
	bool keep_alive, runs;
	struct keeper_child child; /* while it runs */
};

/* Has its end been seen, within wait_ms? */
static bool
ended(struct out_program *o, int wait_ms)
{
	int status;

	if (o->runs && keeper_child_ended(&o->child, wait_ms, &status)) {
		keeper_child_release(&o->child);
		o->runs = false;
	}
	return !o->runs;
}

static void
end_input(struct out_program *o)
{
	if (o->runs && o->child.pipe_fd >= 0) {
		close(o->child.pipe_fd);
		o->child.pipe_fd = -1;
	}
}

/* As pclose: waits for the program to end. */
static void
finish(struct out_program *o)
{
	end_input(o);
	ended(o, -1);
}

static bool
program_write(
    struct out *out, const struct out_batch *b, uint32_t *ret_failed, struct err *err)
{
	struct out_program *o = (struct out_program *)out;

	*ret_failed = b->n;
	if (!o->runs && !(o->runs = keeper_run_program(&o->child, err)))
		return err_wrap(err, "%s", o->command);
	bool ok = out_write_lines(o->child.pipe_fd, b, ret_failed, err);
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

	end_input(o);
	/* It has its input's end, then is asked, then is made to. */
	for (size_t i = 0; o->runs && i < sizeof(signals) / sizeof(*signals); i++) {
		if (signals[i])
			keeper_child_signal(&o->child, signals[i]);
		ended(o, (int)wait_ms);
	}
	if (o->runs)
		keeper_child_release(&o->child);
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
	};
	return &o->out;
}
