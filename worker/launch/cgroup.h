/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits by control groups (version 2), where this host gives us a group to divide: one
 * that is delegated (systemd's Delegate=, told by the attribute user.delegate or
 * trusted.delegate) and writable. Each worker then has a group of its own below it, which
 * bounds what resource limits do not count: memory of the kernel, and all of a worker's
 * processes together. Where there is none, resource limits and the launcher's meter hold.
 *
 * Everybody in the delegated group moves to a group "mews-PID" below it, for the kernel
 * divides no group that has processes. cgroups_end moves them back; what a launcher that
 * was killed has left is removed by the next.
 */
#ifndef WORKER_LAUNCH_CGROUP_H
#define WORKER_LAUNCH_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct profile;

enum cgroup_controller {
	CGROUP_MEMORY = 1 << 0,
	CGROUP_PIDS = 1 << 1,
	CGROUP_CPU = 1 << 2,
};

struct cgroups {
	int base_fd;          /* the delegated group; -1: none, and the rest is empty */
	uint32_t controllers; /* enum cgroup_controller */
};

/* What this process's group would give; changes nothing. Why not, in words, where it is
 * nothing. */
uint32_t cgroups_look(char *ret_why, unsigned long size);

/* Takes the group over, where there is one; that there is none is no error. */
void cgroups_init(struct cgroups *g);
/* After the last worker. */
void cgroups_end(struct cgroups *g);

/* A group for worker id, with its limits set; *ret_fd is -1 where there are none to be
 * had. The caller's to close, and to remove. */
bool cgroup_make(const struct cgroups *g, uint32_t id, const struct profile *p,
    int *ret_fd, struct err *err);
/* When all of its processes are gone. */
void cgroup_remove(const struct cgroups *g, uint32_t id);

#endif
