/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launcher's child: from the clone to the exec of the worker, and the shim, which is
 * what becomes of the child itself. All of it is trusted code that gives up, step by
 * step, everything it came with.
 */
#ifndef WORKER_LAUNCH_CHILD_H
#define WORKER_LAUNCH_CHILD_H

#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "worker/launch/host.h"
#include "worker/launch/launcher.h"
#include "worker/launch/root.h"

struct egress_plan;

struct child {
	const struct launch_request *request; /* with descriptors */
	const struct host *host;
	uint32_t layers; /* to be built; 0 for PROFILE_UNCONFINED */
	uid_t host_uid;
	gid_t host_gid;
	int setup_fd;               /* struct setup_record both ways */
	int death_fd;               /* the shim's struct child_death */
	int stdin_fd;               /* at its end already */
	int filters_fd;             /* memfd of struct setup_filters */
	struct root_source *source; /* as many as mounts */
	const struct egress_plan *plan;
};

/* The shim's last words: how the worker ended. waitid's numbers. */
struct child_death {
	int32_t code;   /* CLD_EXITED, CLD_KILLED, CLD_DUMPED */
	int32_t status; /* exit code or signal */
};

/* Returns never; says why over setup_fd. */
noreturn void child_run(struct child *c);

struct child_rlimit {
	int resource;
	rlim_t value; /* soft and hard */
};
#define CHILD_MAX_RLIMITS 9
/* What a worker gets; also what attestation expects. */
unsigned child_rlimits(const struct host *host, const struct profile *p, uint32_t layers,
    struct child_rlimit ret_limit[CHILD_MAX_RLIMITS]);

#endif
