/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin that listens: told when events begin and end, and given threads for routines
 * of its own meanwhile. A routine is called again and again until it
 * says no or is unsubscribed; each has a thread, which Falco's pool does not promise but
 * allows.
 */
#ifndef WORKER_LISTEN_H
#define WORKER_LISTEN_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/limits.h"
#include "worker/host.h"
#include "worker/plugin.h"

struct listen;

struct routine {
	struct listen *listen;
	pthread_t thread;
	uint32_t (*fn)(plugin_state *, void *state);
	void *state;
	bool used;
	_Atomic bool stop, over;
};

struct listen {
	struct plugin *plugin;
	struct host *host;
	bool open;
	pthread_mutex_t lock; /* of routine[].used */
	struct routine routine[LIMIT_ROUTINES];
};

void listen_init(struct listen *l, struct plugin *plugin, struct host *host);
/* capture_open; Falco's words on failure, ERR_PLUGIN. */
bool listen_open(struct listen *l, struct err *err);
/* capture_close, and the end of all routines. */
void listen_close(struct listen *l);

#endif
