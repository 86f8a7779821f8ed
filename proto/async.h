/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An asynchronous event on its way up, in the side ring: FRAME_ASYNC (for the stream of
 * events) and FRAME_STATE (what dump_state gives for a capture file) hold one whole event
 * of type 402, as its plugin made it.
 */
#ifndef PROTO_ASYNC_H
#define PROTO_ASYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/plugin_api.h"

enum {
	ASYNC_ID_OFF = 26 + 3 * 4, /* of the plugin id, which whoever receives it sets */
	ASYNC_NAME_OFF = ASYNC_ID_OFF + 4,
};

struct async_view {
	uint64_t ts_ns, tid;
	const char *name; /* ends in NUL, has none inside */
	uint32_t name_len, data_len;
};

/*
 * Is it an event of type 402 that fills len bytes: three parameters within it, the first
 * of four bytes, the second a text that ends in NUL? The view points into p, which must
 * be private memory.
 */
bool async_check(struct async_view *v, const void *p, uint32_t len, struct err *err);

#endif
