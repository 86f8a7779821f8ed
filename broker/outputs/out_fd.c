/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs that are file descriptors: stdout and file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/outputs/out.h"

struct out_fd {
	struct out out;
	char *path; /* NULL: stdout */
	bool keep_open;
	struct out_stream stream; /* fd is -1: not open */
};

static bool
fd_open(struct out_fd *o, struct err *err)
{
	int fd = open(o->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0)
		return err_sys(err, "failed to open output file %s", o->path);
	bool is_torn = o->stream.is_torn;
	o->stream = out_stream_of(fd, o->stream.stop);
	o->stream.is_torn = is_torn;
	return true;
}

static void
fd_close(struct out_fd *o)
{
	if (o->path && o->stream.fd >= 0) {
		close(o->stream.fd);
		o->stream.fd = -1;
	}
}

static bool
fd_write(struct out *out, const struct out_batch *b, struct out_loss *ret_loss,
    struct err *err)
{
	struct out_fd *o = (struct out_fd *)out;

	if (o->stream.fd < 0 && !fd_open(o, err)) {
		*ret_loss = (struct out_loss){b->n, OUTPUTS_FAILED};
		return false;
	}
	bool ok = out_stream_write(&o->stream, b, ret_loss, err);
	if (!o->keep_open)
		fd_close(o);
	return ok || err_wrap(err, "%s", o->path ? o->path : "standard output");
}

static bool
fd_write_now(struct out *out, const struct out_batch *b)
{
	struct out_fd *o = (struct out_fd *)out;

	return o->keep_open && o->stream.fd >= 0 && out_stream_write_now(&o->stream, b);
}

static void
fd_reopen(struct out *out)
{
	fd_close((struct out_fd *)out);
}

static void
fd_free(struct out *out, uint32_t wait_ms)
{
	struct out_fd *o = (struct out_fd *)out;

	fd_close(o);
	free(o->path);
	free(o);
}

static struct out *
fd_new(const char *name, const char *path, bool keep_open, const struct out_env *env,
    struct err *err)
{
	struct out_fd *o = calloc(1, sizeof(*o));

	char *copy = path ? strdup(path) : NULL;

	if (!o || (path && !copy)) {
		err_nomem(err);
		free(copy);
		free(o);
		return NULL;
	}
	*o = (struct out_fd){
	    .out = {.name = name,
		.write = fd_write,
		.write_now = fd_write_now,
		.reopen = fd_reopen,
		.free = fd_free},
	    .path = copy,
	    .keep_open = keep_open,
	    .stream = path ? (struct out_stream){.fd = -1, .stop = env->stop}
			   : out_stream_of(STDOUT_FILENO, env->stop),
	};
	return &o->out;
}

struct out *
out_file_new(const struct settings *s, const struct out_env *env, struct err *err)
{
	return fd_new("file", s->file_name, s->file_keep_alive, env, err);
}

struct out *
out_stdout_new(const struct settings *s, const struct out_env *env, struct err *err)
{
	return fd_new("stdout", NULL, true, env, err);
}
