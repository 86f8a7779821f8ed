/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One output as the output thread sees it. All functions run on that thread and may
 * block; errors are told to the caller, who logs and counts them. Lines that could not be
 * written are not tried again (engine.md 3.8).
 */
#ifndef BROKER_OUTPUTS_OUT_H
#define BROKER_OUTPUTS_OUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "broker/outputs/queue.h"
#include "broker/settings/settings.h"

/* Lines of one chunk that follow each other, a newline after each. */
struct out_batch {
	const char *base; /* where their offsets count from */
	const struct queue_line *line;
	uint32_t n;
};

struct out {
	const char *name;
	/* Hands lines over one at a time anyhow: no gain in batches. */
	bool line_by_line;
	/* *ret_failed: how many lines did not get there, when it returns false. */
	bool (*write)(struct out *o, const struct out_batch *b, uint32_t *ret_failed,
	    struct err *err);
	void (*reopen)(struct out *o); /* may be NULL */
	/* Ends what it holds, waits for it no longer than wait_ms. */
	void (*free)(struct out *o, uint32_t wait_ms);
	/* Lines that it took and then had to give up; may be NULL. From any thread. */
	uint64_t (*given_up)(const struct out *o);
};

/* Each NULL with err set when it cannot be made. Nothing of the settings is kept: a
 * blocked output may outlive them. stop becomes
 * true when calls that wait should return. */
struct out *out_file_new(
    const struct settings *s, const atomic_bool *stop, struct err *err);
struct out *out_stdout_new(
    const struct settings *s, const atomic_bool *stop, struct err *err);
struct out *out_syslog_new(
    const struct settings *s, const atomic_bool *stop, struct err *err);
struct out *out_program_new(
    const struct settings *s, const atomic_bool *stop, struct err *err);
struct out *out_http_new(
    const struct settings *s, const atomic_bool *stop, struct err *err);

/*
 * Writes all lines. To a pipe no write is longer than what the kernel keeps in one piece,
 * and none ends inside a line that fits, so that lines of other writers do not get
 * between. *ret_failed: the lines not written whole.
 */
bool out_write_lines(
    int fd, const struct out_batch *b, uint32_t *ret_failed, struct err *err);

#endif
