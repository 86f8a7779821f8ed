/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State tables as the plugin knows them: the functions that it is given to use tables,
 * and those of its own that others use.
 *
 * A table is used through handles. Each is an object of ours; that of a table begins with
 * a table_input, because some SDKs read the name and the key's type there. The table
 * itself lies elsewhere, in another worker or in the broker, and an operation is a call
 * that is waited for (proto/table.h); only what the plugin looks up in a table of its own
 * stays in this process. Values of an entry come along with it where the plugin has asked
 * for the field before, and are read from there until something is written.
 *
 * While a call is waited for on the serving thread, calls of others to our tables are
 * served: two plugins that use each other's tables cannot wait for each other. Calls into
 * the plugin's own tables are made on the serving thread alone, as all others.
 */
#ifndef WORKER_TABLES_H
#define WORKER_TABLES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/spin.h"
#include "proto/plugin_api.h"
#include "proto/table.h"
#include "proto/table_slots.h"
#include "worker/host.h"
#include "worker/side.h"
#include "worker/spare.h"

/* Of a thread, in the program itself: found without the loader's help, so that the worker
 * needs no library for it. */
#define TABLE_THREAD_LOCAL __thread __attribute__((tls_model("initial-exec")))

struct tables;

/* What has been added by the plugin (tables_owner.h). */
struct owned {
	struct owned_root *root;
	uint32_t n_root;
	struct owned_class *klass;
	uint32_t n_class;
	struct table_slots handles;
};

struct table_pending;
struct table_queued;

struct tables {
	struct host *host;
	struct side *side;
	int wake_fd; /* the broker rings it for the serving thread */
	struct spin *spin;
	pthread_t serving;
	const char *plugin;                   /* its name */
	const char *(*last_error)(void *arg); /* the plugin's own */
	void *last_error_arg;
	bool has_ext; /* written for an API that knows the extended vtables */

	pthread_mutex_t lock; /* of what follows */
	struct table_pending *pending;
	struct table_queued *queue, **queue_end;
	uint32_t n_queue;
	struct spare spare; /* of what waits in the queue */

	/* The plugin has ever asked for something: before, nobody asks for anything of
	 * it.
	 */
	atomic_bool in_use;
	_Atomic uint32_t next_call, epoch;
	struct plugin_table_info *listed;
	uint8_t *in_frame; /* TABLE_FRAME_BYTES, under side->in_lock */
	struct owned owned;
};

/* spin is the serving thread's. */
bool tables_init(struct tables *t, struct host *host, struct side *side, int wake_fd,
    struct spin *spin, struct err *err);
/* Before the plugin's init, on the thread that will call it. */
void tables_begin(struct tables *t, const char *plugin, const char *api_version,
    const char *(*last_error)(void *arg), void *arg);

/* Serves what others ask for; from the serving thread, between calls of the plugin.
 * False: there was nothing. */
bool tables_serve(struct tables *t);
/* Nothing to serve, and the broker will ring: announced like ring_reader_sleep. */
bool tables_sleep(struct tables *t);
void tables_awake(struct tables *t);
/* A call of the plugin has returned: entries that it kept are let go of. */
void tables_call_done(struct tables *t);

/* For init, extract_fields, parse_event and the rest. */
const struct plugin_init_tables *tables_for_init(void);
const struct plugin_table_reader *tables_reader(void);
const struct plugin_table_writer *tables_writer(void);
struct plugin_table_reader_ext *tables_reader_ext(void);
struct plugin_table_writer *tables_writer_ext(void);

#endif
