/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin as a source of events: open, close, and batches one after the other.
 *
 * A batch lies in the plugin's memory until the next call of next_batch or close, so the
 * next one is fetched only when the broker has acknowledged the last, unless the plan
 * says that nothing more will be asked of it: Falco's order of calls. Events are checked
 * here for the sake of honest messages; the broker checks again what it gets.
 */
#ifndef WORKER_SOURCE_H
#define WORKER_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/chunk.h"
#include "worker/plugin.h"

enum source_state {
	SOURCE_CLOSED,
	SOURCE_OPEN,       /* Start is awaited */
	SOURCE_FETCHING,   /* the next step is next_batch */
	SOURCE_PUBLISHING, /* events of the batch are left to publish */
	SOURCE_WAITING,    /* for the batch to be acknowledged */
	SOURCE_ENDED, /* the last batch said EOF or failure; its events are still there */
};

enum {
	SOURCE_AHEAD_BATCHES = 256 /* not acknowledged, at most */
};

struct source {
	struct plugin *plugin;
	enum source_state state;
	plugin_instance *instance;
	/* In and out of next_batch: a plugin may leave them as they were. */
	uint32_t n_got;
	struct plugin_event **got;
	/* The batch: what may be delivered of it, the first of them numbered
	 * first_number. */
	const struct plugin_event **event;
	uint32_t n, cap, published;
	uint32_t batch;        /* counts those that were published */
	uint32_t acknowledged; /* of them; never past batch */
	uint64_t first_number, next_number;
	/* The number behind the last event of a batch, by the batch's number: of those
	 * not acknowledged, and of the last that is. */
	uint64_t end_number[SOURCE_AHEAD_BATCHES];
	uint32_t dropped;  /* larger than LIMIT_EVENT_BYTES */
	uint32_t progress; /* as in struct chunk_head */
	uint64_t progress_at_ns;
	int32_t rc;
	char failure[1024]; /* Falco's words for why rc is a failure, else "" */
};

/* first_number: of the first event that there will be. */
void source_init(struct source *s, struct plugin *plugin, uint64_t first_number);
void source_release(struct source *s);

bool source_open(struct source *s, const char *params, struct err *err);
void source_start(struct source *s);
void source_close(struct source *s);

/*
 * Calls next_batch, in SOURCE_FETCHING. Afterwards the state is SOURCE_PUBLISHING when
 * there is anything to tell, else (a time-out without events) it is as before.
 */
bool source_fetch(struct source *s, struct err *err);
/* The events up to here are with the broker; run_ahead as in struct plan: more than a few
 * batches only while they hold few events. */
void source_published(struct source *s, uint32_t n, uint32_t run_ahead);
/* This batch and those before it; false when it is not one that was waited for. */
bool source_acknowledge(struct source *s, uint32_t batch, uint32_t run_ahead);

/* Between batches: whatever was published is acknowledged, and nothing is published of
 * what was fetched. */
bool source_is_between(const struct source *s);

/* What a chunk says about event i of the batch. */
void source_describe(const struct source *s, uint32_t i, struct chunk_event *ret_event);
/* Are these events still in the plugin's memory? */
bool source_holds(const struct source *s, uint32_t batch, uint32_t first, uint32_t n);

#endif
