/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One worker under watch: its filter's notifications are judged and answered, denials are
 * kept until they are told, its end is noted. Work per turn is bounded, and so is a
 * worker's rate: what it asks beyond that waits, and only the asking thread with it.
 */
#ifndef WORKER_LAUNCH_WATCH_H
#define WORKER_LAUNCH_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "worker/launch/launcher.h"
#include "worker/launch/places.h"
#include "worker/launch/spawn.h"

struct watch_denial {
	struct launch_event event; /* as it will be told, count included */
	uint64_t tell_at;          /* count at which it is told next */
	bool is_due;
};

struct watch {
	uint32_t id;
	struct spawned worker;
	struct arena arena; /* of the confinement */
	const struct confinement *confinement;
	struct places places; /* where it listens by path; they go with it */
	bool is_sealed;       /* the second filter is on */
	bool is_killed;       /* for an attack; death.last_call says which */
	bool is_dead;         /* buried; the death event waits to be told */
	/* Of a dead one: ticks until its death is told though egress has not said its
	 * last. */
	unsigned n_ticks_waited_for_egress;
	struct launch_event egress;
	bool egress_is_due;
	struct launch_event death;
	/* The last one stands for all kinds past the bound. */
	struct watch_denial *denial[LIMIT_DENIALS + 1];
	unsigned n_denials;
	unsigned answers_left; /* until the next tick */
	/* Of limits: cpu. What it may still use; below zero it is stopped until the share
	 * has come in again. */
	int64_t cpu_left_ns;
	uint64_t cpu_used_ns, cpu_at_ns; /* as of the last tick */
	bool is_stopped;
};

/* False when this kernel's notifications do not fit. Once, at the launcher's start. */
bool watch_init(struct err *err);

/* Takes arena (with confinement in it) and worker over. */
struct watch *watch_new(uint32_t id, struct arena *arena,
    const struct confinement *confinement, const struct spawned *worker);
/* Closes what is open; kills nothing. */
void watch_free(struct watch *w);

/* The listener is readable: answers one notification. */
void watch_notification(struct watch *w);
/* Egress refused something, or could not; count is how often by now. */
void watch_denied(
    struct watch *w, const char *what, const char *allow_with, uint64_t count);
/* What egress counted; is_last: nothing more of this worker comes. */
void watch_counted(struct watch *w, const struct egress_counters *counters, bool is_last);
/* It is dead; egress will count once more. */
void watch_wait_for_egress(struct watch *w);
/* Every 100 ms: it may ask on. */
void watch_tick(struct watch *w);
/* Whether it needs ticks even when it asks nothing. */
bool watch_is_metered(const struct watch *w);
/* The shim has ended, or was killed: buries it. */
void watch_bury(struct watch *w);
/* The next event to tell, until watch_told; NULL: none. */
const struct launch_event *watch_event(struct watch *w);
void watch_told(struct watch *w, const struct launch_event *event);

#endif
