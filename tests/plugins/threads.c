/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts eight threads in its constructor, before anybody asked; they log until the end
 * of the process, close and destroy notwithstanding.
 *
 * Falco does not notice: they end with its process.
 */
#define KIT_HOOK
#define KIT_NAME "threads"
#define KIT_ID   4307
#define KIT_OWN_init
#include <pthread.h>
#include <stdatomic.h>

#include "tests/plugins/kit.h"

enum {
	THREADS = 8
};

static atomic_uint started;
static _Atomic(plugin_log_fn) log_fn;
static plugin_owner *owner;

static void *
work(void *unused)
{
	plugin_log_fn log;

	(void)unused;
	started++;
	for (;;) {
		if ((log = log_fn))
			log(owner, "thread", "still here", PLUGIN_LOG_DEBUG);
		usleep(10000);
	}
	return NULL;
}

static void
kit_at(enum kit_step step, uint64_t number)
{
	pthread_t t;

	(void)number;
	for (int i = 0; step == KIT_CONSTRUCTOR && i < THREADS; i++)
		if (pthread_create(&t, NULL, work, NULL) == 0)
			pthread_detach(t);
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	owner = in->owner;
	log_fn = in->log_fn;
	while (started < THREADS)
		usleep(1000);
	*rc = PLUGIN_SUCCESS;
	return calloc(1, sizeof(struct kit_state));
}
