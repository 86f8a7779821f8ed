/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's mouth: every message to the broker goes through here, from any thread,
 * whole and in order. Reading the channel stays with the thread that serves it.
 */
#ifndef WORKER_UPLINK_H
#define WORKER_UPLINK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/channel.h"

struct uplink {
	struct channel *channel; /* its sending half is ours */
	pthread_mutex_t lock;
	/* Log lines of the second that began at window_ns, and those left out of it. */
	uint64_t window_ns;
	uint32_t in_window, left_out;
};

void uplink_init(struct uplink *u, struct channel *channel);

/* Returns when the socket has taken all of it. ERR_GONE: the broker is not there any
 * more. */
bool uplink_send(struct uplink *u, const Control__Message *m, struct err *err);

/*
 * A line of the plugin's, or about it. Cut to LIMIT_LOG_LINE_BYTES; lines past
 * LIMIT_LOG_LINES_PER_S a second are left out and counted in one line when the second is
 * over. Never fails: a broker that is gone is seen where the channel is read.
 */
void uplink_log(
    struct uplink *u, const char *component, const char *text, uint32_t severity);

/* The step that was asked for failed; text is complete. */
bool uplink_failed(
    struct uplink *u, Control__Failed__Step step, const char *text, struct err *err);

#endif
