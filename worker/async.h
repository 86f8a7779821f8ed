/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events that the plugin injects whenever it likes, from any of its threads. They go up
 * at once, past whatever the plugin is doing; the broker puts them in order.
 *
 * What Falco checks is checked here, with its messages; what waits there in a queue waits
 * in the side ring here.
 */
#ifndef WORKER_ASYNC_H
#define WORKER_ASYNC_H

#include <stdatomic.h>

#include "worker/host.h"
#include "worker/plugin.h"
#include "worker/side.h"

struct async {
	struct plugin *plugin;
	struct host *host;
	struct side *side;
	bool attached;
	_Atomic bool installed; /* the handler takes events */
	bool compatible;        /* with the open source, which is shown as source */
	bool plugin_source;     /* that is a plugin's, not that of system calls */
	char source[256];
	pthread_mutex_t lock; /* of the complaint: any thread may have it */
	struct complaint full;
};

void async_init(
    struct async *a, struct plugin *plugin, struct host *host, struct side *side);

/* Gives the plugin the handler. Falco's words on failure, ERR_PLUGIN. */
bool async_attach(
    struct async *a, const char *source, bool plugin_source, struct err *err);
/* Takes it away: afterwards the plugin injects nothing any more. */
void async_detach(struct async *a);

/* Has the plugin put its state into events, as FRAME_STATE. */
bool async_dump(struct async *a, struct err *err);

#endif
