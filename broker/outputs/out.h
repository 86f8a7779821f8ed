/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One output as its thread sees it. Functions run on that thread and may block; errors
 * are told to the caller, who logs and counts them. Lines that could not be written are
 * not tried again.
 */
#ifndef BROKER_OUTPUTS_OUT_H
#define BROKER_OUTPUTS_OUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "broker/outputs/outputs.h"
#include "broker/outputs/queue.h"
#include "broker/settings/settings.h"

/* Lines of one chunk that follow each other, a newline after each. */
struct out_batch {
	const char *base; /* where their offsets count from */
	const struct queue_line *line;
	uint32_t n;
};

/* How many lines of a batch did not get there, and why. */
struct out_loss {
	uint32_t n;
	enum outputs_loss why;
};

struct out {
	const char *name;
	/* Hands lines over one at a time anyhow: no gain in batches. */
	bool line_by_line;
	/* *ret_loss is set when it returns false. */
	bool (*write)(struct out *o, const struct out_batch *b, struct out_loss *ret_loss,
	    struct err *err);
	/* The same for a few lines while the thread has nothing to do, from another: all
	 * of them, or none where that would take waiting, or anything else is in the way.
	 * May be NULL. */
	bool (*write_now)(struct out *o, const struct out_batch *b);
	void (*reopen)(struct out *o); /* may be NULL */
	/* From any thread, may be NULL: has a call that waits look at *stop now; how much
	 * it keeps on disk. */
	void (*interrupt)(struct out *o);
	uint64_t (*spooled_bytes)(struct out *o);
	/* Ends what it holds, waits for it no longer than wait_ms. */
	void (*free)(struct out *o, uint32_t wait_ms);
};

/* What an output is given of the sink that it is part of, which outlives it. */
struct out_env {
	/* Becomes true when calls that wait should return. */
	const atomic_bool *stop;
	/* By enum outputs_loss: for lines that it took and then had to give up. */
	atomic_uint_fast64_t *lost;
};

/* Each NULL with err set when it cannot be made. Nothing of the settings is kept: a
 * blocked output may outlive them. */
typedef struct out *out_make_fn(
    const struct settings *s, const struct out_env *env, struct err *err);
out_make_fn out_file_new, out_stdout_new, out_syslog_new, out_program_new, out_http_new;

/* A descriptor that lines are written to; one that does not block is waited for. */
struct out_stream {
	int fd;
	bool is_pipe;
	bool is_torn;     /* half a line was written last */
	bool cannot_tell; /* whether a write would wait: an older kernel */
	const atomic_bool *stop;
};

/* Asks the kernel once what fd is. */
struct out_stream out_stream_of(int fd, const atomic_bool *stop);

/*
 * Writes all lines. To a pipe no write is longer than what the kernel keeps in one piece,
 * and none ends inside a line that fits, so that lines of other writers do not get
 * between. *ret_loss: the lines not written whole.
 */
bool out_stream_write(struct out_stream *s, const struct out_batch *b,
    struct out_loss *ret_loss, struct err *err);

/* Writes all lines to a pipe that has room for them, in one piece; else nothing. */
bool out_stream_write_now(struct out_stream *s, const struct out_batch *b);

/* Waits, at most ms, until fd is ready for what (POLLIN, POLLOUT). False when *stop is
 * set, or the time is over. */
bool out_wait(int fd, short what, uint32_t ms, const atomic_bool *stop);

#endif
