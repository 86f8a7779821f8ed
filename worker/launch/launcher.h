/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker's end of the launcher: the small, single-threaded process, started before
 * the broker grows, that makes confined workers, attests them from outside, watches over
 * their system calls and tells how they ended.
 *
 * Requests are answered in order and within LAUNCH_DEADLINE_MS; a launcher that does not
 * answer is an error of ours and ends the program (workers die with it). Between answers
 * it sends events, which launcher_event hands out.
 */
#ifndef WORKER_LAUNCH_LAUNCHER_H
#define WORKER_LAUNCH_LAUNCHER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "policy/confinement.h"
#include "worker/egress/counters.h"

#define LAUNCH_DEADLINE_MS 5000

/*
 * What a host must give at least. A layer that the tier needs and that cannot be had is
 * an error of the launch, and the message names it.
 *   3  all of enum launch_layer, but LAYER_MDWE (Linux 6.3), which is had where it exists
 *   2  as 3 without LAYER_USER_NS: for root where user namespaces are switched off
 *   1  no namespaces: LAYER_LANDLOCK, NO_NEW_PRIVS, NO_CAPS, RLIMITS, SECCOMP
 */
#define LAUNCH_TIER_FULL 3

struct launcher;

/* Spawns the launcher binary. First thing in main: the process is small then, and the
 * launcher dies with the thread that made it. */
struct launcher *launcher_start(const char *launcher_path, struct err *err);
/* Kills every worker, ends the launcher, waits for it. */
void launcher_free(struct launcher *l);

struct launch_request {
	uint32_t id;       /* the broker's number of this incarnation; unique for good */
	const char *title; /* process title: the plugin's configured name */
	const struct confinement *confinement;
	const char *worker_path;
	/* Stay the caller's: duplicated on the way. In the worker they are fds 3 to 7. */
	int control_fd, up_fd, down_fd, wake_broker_fd, wake_worker_fd;
	int output_fd;     /* becomes the worker's stdout and stderr: a pipe */
	uint32_t min_tier; /* 1 to 3; 0 is LAUNCH_TIER_FULL */
	/* A hosts(5) file by which names of connect: are resolved first; NULL: none. The
	 * first launch of a plugin that connects decides, for all. */
	const char *egress_hosts;
};

/* Which layers hold, as attested. */
enum launch_layer {
	LAYER_USER_NS = 1 << 0,
	LAYER_PID_NS = 1 << 1,
	LAYER_MOUNT_NS = 1 << 2,
	LAYER_NET_NS = 1 << 3,
	LAYER_IPC_NS = 1 << 4,
	LAYER_UTS_NS = 1 << 5,
	LAYER_CGROUP_NS = 1 << 6,
	LAYER_ROOT = 1 << 7, /* pivoted into an empty root */
	LAYER_LANDLOCK = 1 << 8,
	LAYER_NO_NEW_PRIVS = 1 << 9,
	LAYER_NO_CAPS = 1 << 10,
	LAYER_RLIMITS = 1 << 11,
	LAYER_SECCOMP = 1 << 12,
	LAYER_MDWE = 1 << 13,
};

struct launch_result {
	pid_t worker_pid; /* in the broker's pid namespace */
	uint32_t layers;  /* enum launch_layer */
	/* For the log; "": nothing. What the worker will miss though its profile lists
	 * it. */
	char note[512];
};

/* Makes and attests a worker; it waits for Load on its control channel. A required layer
 * that cannot be had is an error: nothing was started. */
bool launcher_launch(struct launcher *l, const struct launch_request *r,
    struct launch_result *ret_result, struct err *err);
bool launcher_kill(struct launcher *l, uint32_t id, struct err *err);

enum launch_event_kind {
	LAUNCH_EVENT_DIED, /* every id that was launched gets exactly one */
	/* The first of its kind, and again when count reaches 10, 100, 1000 …; past
	 * LIMIT_DENIALS kinds of one worker all others are one kind. */
	LAUNCH_EVENT_DENIED,
	/* What its connections came to so far, of this id: about once a second while that
	 * changes, and before DIED. */
	LAUNCH_EVENT_EGRESS,
	LAUNCH_EVENT_LOST, /* the launcher is gone */
};

struct launch_event {
	enum launch_event_kind kind;
	uint32_t id;
	/* DIED */
	bool signaled; /* status is a signal, else an exit code */
	int status;
	char last_call[160]; /* of a hard violation: the system call with its arguments */
	/* DENIED: decoded and escaped; what would allow it ("read: [/etc/shadow]"; empty:
	 * no policy can). */
	char what[512];
	char allow_with[256];
	uint64_t count;                /* occurrences so far */
	struct egress_counters egress; /* EGRESS */
};

/* Readable when launcher_event has something. */
int launcher_fd(const struct launcher *l);
/* False when there is none now. Never blocks. */
bool launcher_event(struct launcher *l, struct launch_event *ret_event);

/* The layers that min_tier requires. */
uint32_t launch_tier_layers(uint32_t min_tier);
/* "user pid mount net …" */
void launch_layers_text(uint32_t layers, char *out, unsigned long size);

#endif
