/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plugin sees of us: the owner handle, its last error, the log function, and the
 * state tables.
 *
 * The log function may be called by any thread of the plugin at any time, also before
 * init has returned and after destroy. Tables are only touched by the thread that calls
 * the plugin. There are none: listing gives an empty list, getting one fails as for a
 * name that is not known, adding one fails with a last error. The functions are all
 * there, because SDKs call through them without looking.
 */
#ifndef WORKER_HOST_H
#define WORKER_HOST_H

#include "proto/plugin_api.h"
#include "worker/uplink.h"

struct host {
	struct uplink *up;
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

const struct plugin_init_tables *host_init_tables(void);
/* For extract_fields and parse_event; the last also writes. */
const struct plugin_table_reader *host_table_reader(void);
const struct plugin_table_writer *host_table_writer(void);
struct plugin_table_reader_ext *host_table_reader_ext(void);
struct plugin_table_writer *host_table_writer_ext(void);

#endif
