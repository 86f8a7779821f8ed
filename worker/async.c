/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/async.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "proto/async.h"

enum {
	PLUGIN_ERROR_BYTES = 1024, /* what the plugin has room for */
	/* A plugin's own thread may wait for the broker so long when it dumps its state;
	 * an event is never waited for. */
	DUMP_TRIES = 2000,
};

void
async_init(struct async *a, struct plugin *plugin, struct host *host, struct side *side)
{
	*a = (struct async){.plugin = plugin, .host = host, .side = side};
	pthread_mutex_init(&a->lock, NULL);
}

static int32_t refuse(char *ret_text, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int32_t
refuse(char *ret_text, const char *fmt, ...)
{
	va_list ap;

	if (ret_text) {
		va_start(ap, fmt);
		vsnprintf(ret_text, PLUGIN_ERROR_BYTES, fmt, ap);
		va_end(ap);
	}
	return PLUGIN_FAILURE;
}

static int32_t
check(const struct async *a, const struct plugin_event *event, char *ret_text)
{
	const char *name = a->plugin->info.name;
	struct async_view v;
	struct err err;

	if (!event || !async_check(&v, event, event->len, &err))
		return refuse(
		    ret_text, "malformed async event produced by plugin: %s", name);
	if (!name_list_has(&a->plugin->async_events, v.name))
		return refuse(ret_text,
		    "incompatible async event '%s' produced by plugin: %s", v.name, name);
	if (!a->compatible)
		return refuse(ret_text,
		    "async events of plugin '%s' are not compatible with open event "
		    "source '%s'",
		    name, a->source);
	if (a->plugin_source && v.tid != UINT64_MAX)
		return refuse(ret_text,
		    "async events of plugin '%s' can have no thread associated with open "
		    "event source '%s'",
		    name, a->source);
	return PLUGIN_SUCCESS;
}

/* Called by any thread of the plugin. */
static int32_t
take_event(plugin_owner *owner, const struct plugin_event *event, char *ret_text)
{
	struct async *a = owner;

	if (!atomic_load(&a->installed))
		return refuse(ret_text, "async event sent with NULL handler: %s",
		    a->plugin->info.name);
	if (check(a, event, ret_text) != PLUGIN_SUCCESS)
		return PLUGIN_FAILURE;
	/* Falco says success, too, when its queue is full. */
	if (side_put(a->side, FRAME_ASYNC, event, event->len))
		return PLUGIN_SUCCESS;
	pthread_mutex_lock(&a->lock);
	host_complain(a->host, &a->full, PLUGIN_LOG_WARNING, "async event queue is full");
	pthread_mutex_unlock(&a->lock);
	return PLUGIN_SUCCESS;
}

static int32_t
take_state(plugin_owner *owner, const struct plugin_event *event, char *ret_text)
{
	static const struct timespec a_moment = {.tv_nsec = 1000000};
	struct async *a = owner;

	if (check(a, event, ret_text) != PLUGIN_SUCCESS)
		return PLUGIN_FAILURE;
	for (int i = 0; i < DUMP_TRIES; i++) {
		if (side_put(a->side, FRAME_STATE, event, event->len))
			return PLUGIN_SUCCESS;
		nanosleep(&a_moment, NULL);
	}
	return refuse(
	    ret_text, "nobody takes the state of plugin %s", a->plugin->info.name);
}

bool
async_attach(struct async *a, const char *source, bool plugin_source, struct err *err)
{
	const struct plugin *p = a->plugin;

	snprintf(a->source, sizeof(a->source), "%s", source);
	a->plugin_source = plugin_source;
	a->compatible =
	    p->async_sources.n == 0 || name_list_has(&p->async_sources, source);
	/* Events may come before the call returns. */
	atomic_store(&a->installed, true);
	a->attached =
	    p->sym.set_async_event_handler(p->state, a, take_event) == PLUGIN_SUCCESS;
	if (a->attached)
		return true;
	atomic_store(&a->installed, false);
	return err_set(err, ERR_PLUGIN,
	    "can't set async event handler for plugin '%s' : %s", p->info.name,
	    plugin_last_error(p));
}

void
async_detach(struct async *a)
{
	const struct plugin *p = a->plugin;
	struct complaint once = {0};

	if (!a->attached)
		return;
	a->attached = false;
	if (p->sym.set_async_event_handler(p->state, a, NULL) != PLUGIN_SUCCESS)
		host_complain(a->host, &once, PLUGIN_LOG_ERROR,
		    "can't reset async event handler for plugin '%s' : %s", p->info.name,
		    plugin_last_error(p));
	atomic_store(&a->installed, false);
}

bool
async_dump(struct async *a, struct err *err)
{
	const struct plugin *p = a->plugin;

	if (!p->sym.dump_state ||
	    p->sym.dump_state(p->state, a, take_state) == PLUGIN_SUCCESS)
		return true;
	return err_set(err, ERR_PLUGIN, "dump_state error for plugin '%s' : %s",
	    p->info.name, plugin_last_error(p));
}
