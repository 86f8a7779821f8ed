/* SPDX-License-Identifier: Apache-2.0 */
/* One worker made: clone, id maps, mounts, the wait for its filter, attestation. */
#ifndef WORKER_LAUNCH_SPAWN_H
#define WORKER_LAUNCH_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "worker/launch/host.h"
#include "worker/launch/launcher.h"
#include "worker/launch/root.h"

/* All descriptors are close-on-exec and the holder's; -1: none. */
struct spawned {
	uint32_t id;
	const struct cgroups *cgroups; /* the host's: it may have one of its own there */
	pid_t shim_pid, worker_pid;
	int shim_pidfd, worker_pidfd;
	int notify_fd; /* the listener of its filter */
	int death_fd;  /* the shim's struct child_death comes out of here */
	uint32_t layers;
	int32_t inner_pid; /* the worker's pid as it sees it */
	struct root_note note;
	/* Sockets of its network, for egress: egress_plan_make's, in its order. NULL:
	 * none. Freed by spawn_drop_network. */
	int *network_fd;
	unsigned n_network;
};

/* On failure nothing is left of it. */
bool spawn_worker(const struct host *host, const struct launch_request *r,
    struct spawned *ret_spawned, struct err *err);

/* Closes what egress has its own descriptors of by now. */
void spawn_drop_network(struct spawned *s);

/* SIGKILL to worker and shim, and with it to all of the pid namespace. */
void spawn_kill(const struct spawned *s);
/* After the shim's pidfd became readable (or a kill: then it waits): buries the shim and
 * tells how the worker ended, then closes everything. */
void spawn_bury(struct spawned *s, bool *ret_signaled, int *ret_status);

#endif
