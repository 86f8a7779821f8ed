/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "broker/outputs/out.h"

enum {
	LOOK_MS = 50, /* how often *stop is looked at meanwhile */
};

bool
out_wait(int fd, short what, uint32_t ms, const atomic_bool *stop)
{
	struct pollfd p = {.fd = fd, .events = what};

	for (uint32_t waited = 0; !atomic_load(stop) && waited <= ms; waited += LOOK_MS) {
		if (poll(&p, 1, LOOK_MS) > 0)
			return true;
	}
	return false;
}

struct out_stream
out_stream_of(int fd, const atomic_bool *stop)
{
	struct stat st;

	return (struct out_stream){.fd = fd,
	    .is_pipe = fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode),
	    .stop = stop};
}

/* Bytes written; fewer than n when it failed, errno says why: EAGAIN is *stop. */
static size_t
write_all(const struct out_stream *s, const char *p, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t k = write(s->fd, p + done, n - done);
		if (k >= 0) {
			done += (size_t)k;
		} else if (errno == EAGAIN) {
			if (!out_wait(s->fd, POLLOUT, UINT32_MAX, s->stop)) {
				errno = EAGAIN;
				break;
			}
		} else if (errno != EINTR) {
			break;
		}
	}
	return done;
}

bool
out_stream_write_now(struct out_stream *s, const struct out_batch *b)
{
	const struct queue_line *first = b->line, *last = b->line + b->n - 1;
	const struct iovec text = {
	    .iov_base = (void *)(uintptr_t)(b->base + first->offset),
	    .iov_len = last->offset + last->len + 1 - first->offset};

	/* Other files wait for their disks. */
	if (!s->is_pipe || s->is_torn || s->cannot_tell || text.iov_len > PIPE_BUF)
		return false;
	if (pwritev2(s->fd, &text, 1, -1, RWF_NOWAIT) == (ssize_t)text.iov_len)
		return true;
	/* Whatever else is wrong the thread will find out. */
	s->cannot_tell = errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL;
	return false;
}

bool
out_stream_write(struct out_stream *s, const struct out_batch *b,
    struct out_loss *ret_loss, struct err *err)
{
	size_t piece = s->is_pipe ? PIPE_BUF : SIZE_MAX, done;

	/* What follows half a line must not look like the rest of it. */
	if (s->is_torn && write_all(s, "\n", 1) == 1)
		s->is_torn = false;
	for (uint32_t i = 0; i < b->n;) {
		const char *start = b->base + b->line[i].offset;
		size_t len = (size_t)b->line[i].len + 1;
		uint32_t k = i + 1;
		while (k < b->n && len + b->line[k].len + 1 <= piece)
			len += (size_t)b->line[k++].len + 1;
		done = s->is_torn ? 0 : write_all(s, start, len);
		if (done < len) {
			bool is_asked = errno == EAGAIN;
			for (; done > b->line[i].len; i++)
				done -= (size_t)b->line[i].len + 1;
			s->is_torn |= done > 0;
			*ret_loss = (struct out_loss){
			    b->n - i, is_asked ? OUTPUTS_GIVEN_UP : OUTPUTS_FAILED};
			return err_sys(err, "write");
		}
		i = k;
	}
	return true;
}
