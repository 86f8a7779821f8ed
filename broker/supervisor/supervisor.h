/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop of the broker and the workers in it. One per process. Nothing in the
 * loop blocks: launching is the launcher's work (bounded by LAUNCH_DEADLINE_MS), sinks
 * have a thread of their own.
 */
#ifndef BROKER_SUPERVISOR_SUPERVISOR_H
#define BROKER_SUPERVISOR_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"
#include "base/spin.h"
#include "broker/supervisor/worker.h"

struct event_base;
struct launcher;

TAILQ_HEAD(worker_list, worker);

struct supervisor {
	struct event_base *base;
	bool has_edges; /* the loop can tell of a change instead of a state */
	struct launcher *launcher;
	struct event *on_launcher;
	struct event *on_watch;         /* workers and calls of plugins that hang */
	bool is_calm;                   /* ... could, but not soon */
	uint64_t looked_at_ns, seen_ns; /* worker_deadline.c's: the time of deadlines */
	struct worker_list workers;
	uint32_t next_id;
	const char *worker_path;
	uint64_t
	    memory_bytes; /* a plugin may have at least this; 0: as its profile says */
	const char *egress_hosts; /* as launch_request's */
	uint32_t min_tier;        /* as launcher.h */
	const char *state_dir;    /* NULL: nothing is kept */
	bool keeps_no_records;    /* there, as was said */
	bool stopping;
	struct spin spin;      /* of the loop */
	const void *spun_last; /* who might have waited so, to know whether it is alone */
	bool libs_log_enabled;
	int libs_log_severity; /* plugin ABI numbers */
	struct err fatal;      /* the launcher is gone: the run must end */
};

struct supervisor *supervisor_new(
    struct launcher *l, const char *worker_path, struct err *err);
/* Kills what is left. The launcher stays the caller's. */
void supervisor_free(struct supervisor *s);

/* Runs the loop until w has reached its goal. False: it failed, and err says why. */
bool supervisor_await(struct supervisor *s, struct worker *w, struct err *err);
/* Runs the loop until w has answered worker_ask_open_params: w->open_params. */
bool supervisor_await_open_params(
    struct supervisor *s, struct worker *w, struct err *err);
/* Runs the loop until w has answered worker_ask. False: with no, or not at all. */
bool supervisor_await_answer(struct supervisor *s, struct worker *w, struct err *err);
/* Stops every worker in good order, at most deadline_ms; then kills. */
void supervisor_stop(struct supervisor *s, uint32_t deadline_ms);

/* The paths of mews-worker and mews-launcher: beside this program, in the folders where
 * the build puts them, or in the directory that packages use. */
bool supervisor_program_path(
    const char *name, char *ret_path, size_t size, struct err *err);

#endif
