/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/flow.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"

/* Of one flow before others have their turn: up to a mebibyte. */
#define ROUNDS 16

void
flow_init(struct flow *f)
{
	*f = (struct flow){.pipe = {-1, -1}};
}

bool
flow_open(struct flow *f)
{
	return pipe2(f->pipe, O_CLOEXEC | O_NONBLOCK) == 0;
}

void
flow_release(struct flow *f)
{
	for (int i = 0; i < 2; i++) {
		if (f->pipe[i] >= 0)
			close(f->pipe[i]);
		f->pipe[i] = -1;
	}
}

/* Moves what it can; 0: the end; -1 with EAGAIN: not now. */
static ssize_t
move(int from, int to, size_t n)
{
	ssize_t rc;

	do
		rc = splice(from, NULL, to, NULL, n, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	while (rc < 0 && errno == EINTR);
	return rc;
}

enum flow_rc
flow_pump(struct flow *f, int from, int to)
{
	for (int round = 0; round < ROUNDS; round++) {
		bool has_moved = false;
		if (!f->has_ended && f->held < LIMIT_EGRESS_PIPE_BYTES) {
			ssize_t n =
			    move(from, f->pipe[1], LIMIT_EGRESS_PIPE_BYTES - f->held);
			if (n < 0 && errno != EAGAIN)
				return FLOW_BROKEN;
			if (n > 0)
				f->held += (size_t)n;
			f->has_ended = n == 0;
			has_moved = n >= 0;
		}
		if (f->held > 0) {
			ssize_t n = move(f->pipe[0], to, f->held);
			if (n == 0 || (n < 0 && errno != EAGAIN))
				return FLOW_BROKEN;
			if (n > 0) {
				f->held -= (size_t)n;
				f->n_bytes += (uint64_t)n;
				has_moved = true;
			}
		}
		if (f->has_ended && f->held == 0) {
			if (!f->is_shut)
				shutdown(to, SHUT_WR);
			f->is_shut = true;
			return FLOW_DONE;
		}
		if (!has_moved)
			return FLOW_WAITS;
	}
	return FLOW_MORE;
}
