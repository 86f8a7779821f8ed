/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/listen.h"

#include <stdio.h>

#include "worker/tables.h"

void
listen_init(struct listen *l, struct plugin *plugin, struct host *host)
{
	*l = (struct listen){.plugin = plugin, .host = host};
	pthread_mutex_init(&l->lock, NULL);
	host->listen = l;
}

/* Routines. */

static void *
run(void *arg)
{
	struct routine *r = arg;
	const struct listen *l = r->listen;

	while (!atomic_load(&r->stop) && r->fn(l->plugin->state, r->state))
		tables_call_done(l->host->tables);
	tables_call_done(l->host->tables);
	atomic_store(&r->over, true);
	return NULL;
}

/* Ends it; from within itself, at its next return. */
static void
end(struct routine *r)
{
	atomic_store(&r->stop, true);
	if (pthread_equal(r->thread, pthread_self())) {
		pthread_detach(r->thread);
		return;
	}
	pthread_join(r->thread, NULL);
	r->used = false;
}

/* With the lock: those that have said no make room. */
static struct routine *
free_place(struct listen *l)
{
	struct routine *free = NULL;

	for (uint32_t i = 0; i < LIMIT_ROUTINES; i++) {
		struct routine *r = &l->routine[i];
		if (r->used && atomic_load(&r->over) && !atomic_load(&r->stop))
			end(r);
		if (!r->used && !free)
			free = r;
	}
	return free;
}

static plugin_routine *
subscribe(plugin_owner *owner, uint32_t (*fn)(plugin_state *, void *state), void *state)
{
	struct host *h = owner;
	struct listen *l = h->listen;
	struct routine *r;

	pthread_mutex_lock(&l->lock);
	r = fn && l->open ? free_place(l) : NULL;
	if (r) {
		r->listen = l;
		r->fn = fn;
		r->state = state;
		atomic_store(&r->stop, false);
		atomic_store(&r->over, false);
		r->used = pthread_create(&r->thread, NULL, run, r) == 0;
	}
	if (!r || !r->used) {
		snprintf(h->error, sizeof(h->error), "no more routines can be had");
		r = NULL;
	}
	pthread_mutex_unlock(&l->lock);
	return r;
}

static int32_t
unsubscribe(plugin_owner *owner, plugin_routine *routine)
{
	struct host *h = owner;
	struct listen *l = h->listen;
	struct routine *r = NULL;

	pthread_mutex_lock(&l->lock);
	for (uint32_t i = 0; i < LIMIT_ROUTINES; i++) {
		if (routine == &l->routine[i] && l->routine[i].used &&
		    !atomic_load(&l->routine[i].stop))
			r = &l->routine[i];
	}
	if (r)
		atomic_store(&r->stop, true);
	pthread_mutex_unlock(&l->lock);
	if (!r)
		return PLUGIN_FAILURE;
	/* Not under the lock: it may subscribe another before it ends. */
	end(r);
	return PLUGIN_SUCCESS;
}

static const struct plugin_routine_vtable vtable = {
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
};

/* Capture. */

static struct plugin_listen_input
input(const struct listen *l)
{
	return (struct plugin_listen_input){
	    .owner = l->host,
	    .routine = &vtable,
	    .table_reader_ext = tables_reader_ext(),
	    .table_writer_ext = tables_writer_ext(),
	    .get_owner_last_error = host_last_error,
	};
}

bool
listen_open(struct listen *l, struct err *err)
{
	const struct plugin_listen_input in = input(l);
	const struct plugin *p = l->plugin;

	/* Routines may be subscribed from here on. */
	l->open = true;
	int32_t rc = p->sym.capture_open(p->state, &in);
	tables_call_done(l->host->tables);
	return rc == PLUGIN_SUCCESS ||
	       err_set(err, ERR_PLUGIN, "capture_open error for plugin '%s' : %s",
		   p->info.name, plugin_last_error(p));
}

void
listen_close(struct listen *l)
{
	const struct plugin_listen_input in = input(l);
	const struct plugin *p = l->plugin;
	struct complaint once = {0};

	if (!l->open)
		return;
	if (p->sym.capture_close(p->state, &in) != PLUGIN_SUCCESS)
		host_complain(l->host, &once, PLUGIN_LOG_ERROR,
		    "capture_close error for plugin '%s' : %s", p->info.name,
		    plugin_last_error(p));
	tables_call_done(l->host->tables);
	pthread_mutex_lock(&l->lock);
	l->open = false;
	pthread_mutex_unlock(&l->lock);
	for (uint32_t i = 0; i < LIMIT_ROUTINES; i++) {
		if (l->routine[i].used && !atomic_load(&l->routine[i].stop))
			end(&l->routine[i]);
	}
}
