/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/async.h"

#include <string.h>

#include "base/limits.h"

bool
async_check(struct async_view *v, const void *p, uint32_t len, struct err *err)
{
	struct plugin_event h;
	uint32_t n[3];
	const char *bytes = p;

	if (len < ASYNC_NAME_OFF + 1 || len > LIMIT_EVENT_BYTES)
		return err_set(err, ERR_PEER, "an async event of a size that cannot be");
	memcpy(&h, p, sizeof(h));
	memcpy(n, bytes + sizeof(h), sizeof(n));
	if (h.type != PLUGIN_ASYNC_EVENT_TYPE || h.nparams != 3 || h.len != len ||
	    n[0] != sizeof(uint32_t) || n[1] == 0 || n[1] > LIMIT_NAME_BYTES ||
	    (uint64_t)ASYNC_NAME_OFF + n[1] + n[2] > len ||
	    strnlen(bytes + ASYNC_NAME_OFF, n[1]) != n[1] - 1)
		return err_set(err, ERR_PEER, "a malformed async event");
	*v = (struct async_view){
	    .ts_ns = h.ts,
	    .tid = h.tid,
	    .name = bytes + ASYNC_NAME_OFF,
	    .name_len = n[1] - 1,
	    .data_len = n[2],
	};
	return true;
}
