/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from one socket to another through a pipe, without looking at them. Both sockets
 * are nonblocking and watched edge-triggered. */
#ifndef WORKER_EGRESS_FLOW_H
#define WORKER_EGRESS_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flow {
	int pipe[2];
	size_t held;      /* bytes in the pipe */
	bool has_ended;   /* the sender is done */
	bool is_shut;     /* and the receiver knows */
	uint64_t n_bytes; /* delivered */
};

/* An empty one, with -1 for its pipe. */
void flow_init(struct flow *f);
bool flow_open(struct flow *f);
void flow_release(struct flow *f);

enum flow_rc {
	FLOW_WAITS, /* for one of the sockets */
	FLOW_MORE,  /* took its turn; there is more to do */
	FLOW_DONE,  /* everything is delivered, the end included */
	FLOW_BROKEN,
};
enum flow_rc flow_pump(struct flow *f, int from, int to);

#endif
