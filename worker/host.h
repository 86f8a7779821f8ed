/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plugin sees of us: the owner handle, its last error and the log function.
 *
 * The log function may be called by any thread of the plugin at any time, also before
 * init has returned and after destroy. Tables are in tables.h.
 */
#ifndef WORKER_HOST_H
#define WORKER_HOST_H

#include "proto/plugin_api.h"
#include "worker/uplink.h"

struct listen;
struct tables;

struct host {
	struct uplink *up;
	struct tables *tables; /* NULL: there are none */
	struct listen *listen;
	char error[256]; /* "" when the last table operation was fine */
};

void host_init(struct host *h, struct uplink *up);

/* Counts, with a line in the log for the first and then one a minute at most. */
struct complaint {
	uint64_t count, again_ns;
};

void host_complain(struct host *h, struct complaint *c, uint32_t severity,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The callbacks; owner is a struct host. */
const char *host_last_error(plugin_owner *owner);
void host_log(
    plugin_owner *owner, const char *component, const char *msg, int32_t severity);

#endif
