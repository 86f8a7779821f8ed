/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs that are file descriptors: stdout and file. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/outputs/out.h"

struct out_fd {
	struct out out;
	char *path; /* NULL: stdout */
	bool keep_open;
	int fd; /* -1: not open */
};

static bool
write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t k = write(fd, p, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

bool
out_write_lines(int fd, const struct out_batch *b, uint32_t *ret_failed, struct err *err)
{
	struct stat st;
	size_t piece = fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) ? PIPE_BUF : SIZE_MAX;

	for (uint32_t i = 0; i < b->n;) {
		const char *start = b->base + b->line[i].offset;
		size_t len = (size_t)b->line[i].len + 1;
		uint32_t k = i + 1;
		while (k < b->n && len + b->line[k].len + 1 <= piece)
			len += (size_t)b->line[k++].len + 1;
		if (!write_all(fd, start, len)) {
			*ret_failed = b->n - i;
			return err_sys(err, "write");
		}
		i = k;
	}
	return true;
}

static bool
fd_write(
    struct out *out, const struct out_batch *b, uint32_t *ret_failed, struct err *err)
{
	struct out_fd *o = (struct out_fd *)out;

	if (o->fd < 0)
		o->fd = open(o->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (o->fd < 0) {
		*ret_failed = b->n;
		return err_sys(err, "failed to open output file %s", o->path);
	}
	bool ok = out_write_lines(o->fd, b, ret_failed, err);
	if (!o->keep_open) {
		close(o->fd);
		o->fd = -1;
	}
	return ok;
}

static void
fd_reopen(struct out *out)
{
	struct out_fd *o = (struct out_fd *)out;

	if (o->path && o->fd >= 0) {
		close(o->fd);
		o->fd = -1;
	}
}

static void
fd_free(struct out *out, uint32_t wait_ms)
{
	struct out_fd *o = (struct out_fd *)out;

	fd_reopen(out);
	free(o->path);
	free(o);
}

static struct out *
fd_new(const char *name, const char *path, bool keep_open, struct err *err)
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
		.reopen = fd_reopen,
		.free = fd_free},
	    .path = copy,
	    .keep_open = keep_open,
	    .fd = path ? -1 : STDOUT_FILENO,
	};
	return &o->out;
}

struct out *
out_file_new(const struct settings *s, const atomic_bool *stop, struct err *err)
{
	return fd_new("file", s->file_name, s->file_keep_alive, err);
}

struct out *
out_stdout_new(const struct settings *s, const atomic_bool *stop, struct err *err)
{
	return fd_new("stdout", NULL, true, err);
}
