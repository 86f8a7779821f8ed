/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control channel: Messages over a stream socket, each behind a u32 length (host
 * order).
 *
 * Reading is incremental and bounded: a message larger than LIMIT_CONTROL_BYTES, or whose
 * unpacking would allocate more than LIMIT_CONTROL_MEMORY, is ERR_PEER. Only read(2) and
 * write(2) are called, which is what a confined worker may call, and which cannot install
 * descriptors that a peer attaches: the kernel drops those. So SIGPIPE is the process's
 * to ignore. Nothing past the current message is read ahead: poll(2) on fd tells the
 * truth. Who may send what is permits.h.
 */
#ifndef PROTO_CHANNEL_H
#define PROTO_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/control.pb-c.h"

enum {
	CHANNEL_HEAD_BYTES = 4
};

struct channel {
	int fd;
	uint8_t head[CHANNEL_HEAD_BYTES];
	size_t head_len; /* of head, read so far */
	uint8_t *in;     /* the message that is being read, in_size bytes when whole */
	size_t in_len, in_size;
	size_t received_bytes; /* of the last message received, on the wire: for
				  permit_check */
	uint8_t *out;          /* what the socket would not take yet: out_at .. out_len */
	size_t out_len, out_at, out_cap;
};

enum channel_rc {
	CHANNEL_OK,
	CHANNEL_AGAIN,
	CHANNEL_CLOSED,
	CHANNEL_ERROR
};

/* Takes fd over. */
void channel_init(struct channel *c, int fd);
/* Closes fd. */
void channel_release(struct channel *c);

/*
 * Packs and sends. On a non-blocking socket what is not taken is kept and sent by
 * channel_flush; ERR_LIMIT past 2 * LIMIT_CONTROL_BYTES of it (the peer does not read),
 * and for a message that no peer would take. ERR_GONE when the peer has closed.
 */
bool channel_send(struct channel *c, const Control__Message *m, struct err *err);
bool channel_wants_write(const struct channel *c);
/* CHANNEL_OK when nothing is left. */
enum channel_rc channel_flush(struct channel *c, struct err *err);

/*
 * The next whole message; free it with channel_message_free. CHANNEL_AGAIN on a
 * non-blocking socket without one; on a blocking socket it waits. After CHANNEL_ERROR the
 * stream is out of step: close it.
 */
enum channel_rc channel_receive(
    struct channel *c, Control__Message **ret_m, struct err *err);
void channel_message_free(Control__Message *m);

/* Unpacking with the capped allocator; NULL for what is no message or takes too much. */
Control__Message *channel_unpack(const uint8_t *p, size_t len);

#endif
