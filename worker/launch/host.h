/* SPDX-License-Identifier: Apache-2.0 */
/* What the launcher may do on this host: found out once, at its start. */
#ifndef WORKER_LAUNCH_HOST_H
#define WORKER_LAUNCH_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "worker/launch/cgroup.h"
#include "worker/launch/layers.h"

struct host {
	/* Root that has other uids to give: workers get some of their own. Uid 0 of a
	 * user namespace with nobody else in it is an ordinary user. */
	bool is_root;
	bool can_mount; /* is_root, and may clone mounts here */
	int landlock_abi;
	unsigned
	    n_filters;   /* seccomp filters that are on us already, and so on workers */
	uid_t uid_first; /* of those for workers, when root */
	uint32_t n_uids;
	ino_t ns[LAUNCH_N_NAMESPACES]; /* of the launcher, as LAUNCH_NAMESPACES */
	struct cgroups cgroups;
};

bool host_probe(struct host *h, struct err *err);
/* After the last worker: what of the host was taken is given back. */
void host_leave(struct host *h);
/* The host's uid and gid of worker id: its own when root, else the launcher's. */
uid_t host_worker_uid(const struct host *h, uint32_t id);
gid_t host_worker_gid(const struct host *h, uint32_t id);
/* Of mews-egress: no worker has it. Its gid is the same number, when root. */
uid_t host_egress_uid(const struct host *h);

#endif
