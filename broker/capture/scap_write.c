/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/limits.h"
#include "broker/capture/scap.h"
#include "proto/plugin_api.h"

enum {
	GZIP_WINDOW = 15 + 16, /* with gzip's header and trailer */
	DEFLATE_MEMORY = 8,    /* zlib's default */
	OUT_BYTES = 64 << 10,
	SMALL_BLOCK = 1 << 16, /* as the reader's */
	MACHINE_BODY = 180,
};

struct scap_writer {
	int fd;
	z_stream z;
	bool failed;
	uint64_t bytes;
	uint8_t out[OUT_BYTES];
};

static bool
write_out(struct scap_writer *w, struct err *err)
{
	size_t n = OUT_BYTES - w->z.avail_out;

	for (size_t at = 0; at < n;) {
		ssize_t done = write(w->fd, w->out + at, n - at);
		if (done < 0) {
			w->failed = true;
			return err_sys(err, "cannot write the capture");
		}
		at += (size_t)done;
		w->bytes += (size_t)done;
	}
	w->z.next_out = w->out;
	w->z.avail_out = OUT_BYTES;
	return true;
}

/* Takes n bytes; with flush, until all of it has come out. */
static bool
put(struct scap_writer *w, const void *p, size_t n, int flush, struct err *err)
{
	int rc;

	if (w->failed)
		return err_set(err, ERR_SYS, "the capture could not be written before");
	w->z.next_in = (Bytef *)p;
	w->z.avail_in = (uInt)n;
	do {
		rc = deflate(&w->z, flush);
		if (w->z.avail_out == 0 && !write_out(w, err))
			return false;
	} while (w->z.avail_in > 0 || (flush == Z_FINISH && rc == Z_OK) ||
		 (flush == Z_SYNC_FLUSH && w->z.avail_out == OUT_BYTES && rc == Z_OK));
	return flush == Z_NO_FLUSH || write_out(w, err);
}

/* A block whose body has two parts. */
static bool
put_block(struct scap_writer *w, enum scap_block type, const void *a, uint32_t a_len,
    const void *b, uint32_t b_len, struct err *err)
{
	static const uint8_t zeros[4];
	uint32_t padding = -(a_len + b_len) & 3;
	uint32_t head[2] = {type, 8 + a_len + b_len + padding + 4};

	return put(w, head, sizeof(head), Z_NO_FLUSH, err) &&
	       put(w, a, a_len, Z_NO_FLUSH, err) && put(w, b, b_len, Z_NO_FLUSH, err) &&
	       put(w, zeros, padding, Z_NO_FLUSH, err) &&
	       put(w, &head[1], sizeof(head[1]), Z_NO_FLUSH, err);
}

static bool
put_start(struct scap_writer *w, struct err *err)
{
	static const uint8_t machine[MACHINE_BODY];
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint64_t length;
	} section = {0x1a2b3c4d, 1, 2, UINT64_MAX};

	return put_block(w, SCAP_SECTION, &section, sizeof(section), NULL, 0, err) &&
	       put_block(w, SCAP_MACHINE, machine, sizeof(machine), NULL, 0, err);
}

struct scap_writer *
scap_writer_new(int fd, struct err *err)
{
	struct scap_writer *w = calloc(1, sizeof(*w));

	if (!w || deflateInit2(&w->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW,
		      DEFLATE_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(w);
		close(fd);
		err_nomem(err);
		return NULL;
	}
	w->fd = fd;
	w->z.next_out = w->out;
	w->z.avail_out = OUT_BYTES;
	if (put_start(w, err))
		return w;
	deflateEnd(&w->z);
	close(fd);
	free(w);
	return NULL;
}

/* Events of which each length has four bytes are in large blocks. */
static bool
is_large(uint16_t type)
{
	return type == PLUGIN_EVENT_TYPE || type == PLUGIN_ASYNC_EVENT_TYPE;
}

bool
scap_writer_event(struct scap_writer *w, const void *event, uint32_t len, bool is_state,
    struct err *err)
{
	struct plugin_event h;
	/* u16 cpu, u32 flags if there are any */
	uint8_t pre[6] = {0, 0, SCAP_FLAG_STATE};
	bool large;

	memcpy(&h, event, sizeof(h));
	large = is_large(h.type);
	if (len > (large ? LIMIT_EVENT_BYTES : SMALL_BLOCK - 16u))
		return err_set(err, ERR_LIMIT, "an event of %u bytes", len);
	if (is_state)
		return put_block(w, large ? SCAP_EVENT_FLAGS_LARGE : SCAP_EVENT_FLAGS,
		    pre, 6, event, len, err);
	return put_block(
	    w, large ? SCAP_EVENT_LARGE : SCAP_EVENT, pre, 2, event, len, err);
}

bool
scap_writer_flush(struct scap_writer *w, struct err *err)
{
	return put(w, NULL, 0, Z_SYNC_FLUSH, err);
}

uint64_t
scap_writer_bytes(const struct scap_writer *w)
{
	return w->bytes;
}

bool
scap_writer_close(struct scap_writer *w, struct err *err)
{
	bool done = put(w, NULL, 0, Z_FINISH, err);

	deflateEnd(&w->z);
	if (close(w->fd) < 0 && done)
		done = err_sys(err, "cannot write the capture");
	free(w);
	return done;
}
