/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"

enum {
	OUT_LIMIT_BYTES = 2 * LIMIT_CONTROL_BYTES
};

void
channel_init(struct channel *c, int fd)
{
	*c = (struct channel){.fd = fd};
}

void
channel_release(struct channel *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->in);
	free(c->out);
	*c = (struct channel){.fd = -1};
}

static bool
would_block(int e)
{
	return e == EAGAIN || e == EWOULDBLOCK;
}

static bool
peer_is_gone(int e)
{
	return e == EPIPE || e == ECONNRESET;
}

/* Room for n more bytes behind out_len; what was sent already is given up first. */
static bool
reserve_out(struct channel *c, size_t n, struct err *err)
{
	size_t pending = c->out_len - c->out_at;

	if (pending + n > OUT_LIMIT_BYTES)
		return err_set(err, ERR_LIMIT,
		    "control channel: %zu bytes wait to be read by the other side",
		    pending);
	if (c->out_at > 0) {
		memmove(c->out, c->out + c->out_at, pending);
		c->out_at = 0;
		c->out_len = pending;
	}
	if (c->out_cap - c->out_len >= n)
		return true;
	size_t cap = c->out_cap * 2 > pending + n ? c->out_cap * 2 : pending + n;
	uint8_t *out = realloc(c->out, cap);
	if (!out)
		return err_nomem(err);
	c->out = out;
	c->out_cap = cap;
	return true;
}

bool
channel_send(struct channel *c, const Control__Message *m, struct err *err)
{
	size_t n = control__message__get_packed_size(m);
	uint32_t len = (uint32_t)n;

	if (n == 0 || n > LIMIT_CONTROL_BYTES)
		return err_set(err, ERR_LIMIT,
		    "control channel: a message of %zu bytes is not sent", n);
	if (!reserve_out(c, CHANNEL_HEAD_BYTES + n, err))
		return false;
	memcpy(c->out + c->out_len, &len, CHANNEL_HEAD_BYTES);
	control__message__pack(m, c->out + c->out_len + CHANNEL_HEAD_BYTES);
	c->out_len += CHANNEL_HEAD_BYTES + n;
	switch (channel_flush(c, err)) {
	case CHANNEL_OK:
	case CHANNEL_AGAIN:
		return true;
	case CHANNEL_CLOSED:
		return err_set(
		    err, ERR_GONE, "control channel: closed by the other side");
	case CHANNEL_ERROR:
		break;
	}
	return false;
}

bool
channel_wants_write(const struct channel *c)
{
	return c->out_at < c->out_len;
}

enum channel_rc
channel_flush(struct channel *c, struct err *err)
{
	while (c->out_at < c->out_len) {
		ssize_t n = write(c->fd, c->out + c->out_at, c->out_len - c->out_at);
		if (n >= 0) {
			c->out_at += (size_t)n;
		} else if (would_block(errno)) {
			return CHANNEL_AGAIN;
		} else if (peer_is_gone(errno)) {
			return CHANNEL_CLOSED;
		} else if (errno != EINTR) {
			err_sys(err, "control channel: write");
			return CHANNEL_ERROR;
		}
	}
	/* Messages are rare: an idle channel holds no memory. */
	free(c->out);
	c->out = NULL;
	c->out_len = c->out_at = c->out_cap = 0;
	return CHANNEL_OK;
}

/* Up to want bytes in all at p, of which *len are there. */
static enum channel_rc
fill(struct channel *c, uint8_t *p, size_t want, size_t *len, struct err *err)
{
	while (*len < want) {
		ssize_t n = read(c->fd, p + *len, want - *len);
		if (n > 0) {
			*len += (size_t)n;
		} else if (n == 0 || peer_is_gone(errno)) {
			return CHANNEL_CLOSED;
		} else if (would_block(errno)) {
			return CHANNEL_AGAIN;
		} else if (errno != EINTR) {
			err_sys(err, "control channel: read");
			return CHANNEL_ERROR;
		}
	}
	return CHANNEL_OK;
}

enum channel_rc
channel_receive(struct channel *c, Control__Message **ret_m, struct err *err)
{
	enum channel_rc rc = fill(c, c->head, CHANNEL_HEAD_BYTES, &c->head_len, err);

	if (rc != CHANNEL_OK)
		return rc;
	if (!c->in) {
		uint32_t peer_len;
		memcpy(&peer_len, c->head, CHANNEL_HEAD_BYTES);
		if (peer_len == 0 || peer_len > LIMIT_CONTROL_BYTES) {
			err_set(err, ERR_PEER, "control channel: a message of %u bytes",
			    peer_len);
			return CHANNEL_ERROR;
		}
		/* Pages that nothing is written to cost nothing. */
		c->in = malloc(peer_len);
		if (!c->in) {
			err_nomem(err);
			return CHANNEL_ERROR;
		}
		c->in_size = peer_len;
		c->in_len = 0;
	}
	rc = fill(c, c->in, c->in_size, &c->in_len, err);
	if (rc != CHANNEL_OK)
		return rc;
	Control__Message *m = channel_unpack(c->in, c->in_size);
	if (m) {
		*ret_m = m;
		c->received_bytes = c->in_size;
	} else {
		err_set(err, ERR_PEER,
		    "control channel: %zu bytes that are no message, or take too much "
		    "memory",
		    c->in_size);
		rc = CHANNEL_ERROR;
	}
	free(c->in);
	c->in = NULL;
	c->head_len = 0;
	return rc;
}

/* Two bytes on the wire can ask for a hundred of memory, so what unpacking takes is
 * bounded apart from the size of the message. Never given back: a count of all that was
 * asked for. */
static void *
capped_alloc(void *data, size_t n)
{
	size_t *left = data;

	if (n > *left)
		return NULL;
	*left -= n;
	return malloc(n);
}

static void
capped_free(void *data, void *p)
{
	free(p);
}

Control__Message *
channel_unpack(const uint8_t *p, size_t len)
{
	size_t left = LIMIT_CONTROL_MEMORY;
	ProtobufCAllocator capped = {capped_alloc, capped_free, &left};

	return control__message__unpack(&capped, len, p);
}

void
channel_message_free(Control__Message *m)
{
	/* The allocator that is the library's own frees with free(3), as capped_free
	 * does. */
	if (m)
		control__message__free_unpacked(m, NULL);
}
