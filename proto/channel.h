/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control channel: Messages over a stream socket, each behind a u32 length (host order).
 *
 * Reading is incremental and bounded: a message larger than LIMIT_CONTROL_BYTES, or whose
 * unpacking would allocate more than LIMIT_CONTROL_MEMORY, is ERR_PEER. No descriptors are
 * received over it, ever. Who may send what is permits.h.
 */
#ifndef PROTO_CHANNEL_H
#define PROTO_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/control.pb-c.h"

struct channel {
	int fd;
	uint8_t *in;
	size_t in_len, in_cap;
	uint8_t *out; /* what the socket would not take yet */
	size_t out_len, out_at, out_cap;
};

enum channel_rc { CHANNEL_OK, CHANNEL_AGAIN, CHANNEL_CLOSED, CHANNEL_ERROR };

/* Takes fd over. */
void channel_init(struct channel *c, int fd);
void channel_release(struct channel *c);

/* Packs and sends. On a non-blocking socket what is not taken is kept (bounded by
 * 2 * LIMIT_CONTROL_BYTES) and sent by channel_flush. */
bool channel_send(struct channel *c, const Control__Message *m, struct err *err);
bool channel_wants_write(const struct channel *c);
enum channel_rc channel_flush(struct channel *c, struct err *err);

/* The next whole message; free it with channel_message_free. CHANNEL_AGAIN on a non-blocking
 * socket without one; on a blocking socket it waits. */
enum channel_rc channel_receive(struct channel *c, Control__Message **ret_m, struct err *err);
void channel_message_free(Control__Message *m);

/* Unpacking with the capped allocator, for the fuzz target and the launcher's protocol. */
Control__Message *channel_unpack(const uint8_t *p, size_t len);

#endif
