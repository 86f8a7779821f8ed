/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/host.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/launch/landlock.h"
#include "worker/launch/proc_text.h"
#include "worker/launch/root.h"

/*
 * Workers' uids as root. No distribution, systemd range or subuid default reaches here;
 * 64 blocks, chosen by the launcher's pid, keep programs on one host apart.
 */
#define WORKER_UID_FIRST  1900000000u
#define WORKER_UIDS       65536u
#define WORKER_UID_BLOCKS 64u

/* In a container only some uids exist: then the upper end of the largest range, which is
 * where nobody lives. */
static bool
choose_uids(struct host *h, struct err *err)
{
	char text[4096];
	unsigned long best_first = 0, best_n = 0;

	h->uid_first =
	    WORKER_UID_FIRST + (uint32_t)getpid() % WORKER_UID_BLOCKS * WORKER_UIDS;
	h->n_uids = WORKER_UIDS;
	if (!proc_read("/proc/self/uid_map", text, sizeof(text), err))
		return false;
	for (char *line = text, *end; *line != '\0'; line = end) {
		unsigned long first = strtoul(line, &end, 10);
		strtoul(end, &end, 10);
		unsigned long n = strtoul(end, &end, 10);
		while (*end == ' ' || *end == '\n')
			end++;
		if (first <= h->uid_first && h->uid_first + h->n_uids <= first + n)
			return true;
		if (n > best_n) {
			best_first = first;
			best_n = n;
		}
		if (end == line)
			break;
	}
	/* Half of them for workers and egress, which has one of its own. */
	if (best_n < 4) {
		h->is_root = false;
		return true;
	}
	h->n_uids = best_n / 2 < WORKER_UIDS ? (uint32_t)(best_n / 2) : WORKER_UIDS;
	h->uid_first = (uid_t)(best_first + best_n - h->n_uids);
	return true;
}

bool
host_probe(struct host *h, struct err *err)
{
	static const char *const ns_name[] = {
#define NAMESPACE(layer, flag, name) "/proc/self/ns/" name,
	    LAUNCH_NAMESPACES(NAMESPACE)
#undef NAMESPACE
	};
	char text[4096];

	memset(h, 0, sizeof(*h));
	cgroups_init(&h->cgroups);
	h->is_root = geteuid() == 0;
	h->landlock_abi = landlock_abi();
	for (size_t i = 0; i < LAUNCH_N_NAMESPACES; i++) {
		struct stat st;
		/* A kernel without one of them cannot give that layer: 0 says so. */
		h->ns[i] = stat(ns_name[i], &st) == 0 ? st.st_ino : 0;
	}
	if (!proc_read("/proc/self/status", text, sizeof(text), err))
		return false;
	uint64_t n_filters;
	if (proc_number(text, "Seccomp_filters:", 10, &n_filters))
		h->n_filters = (unsigned)n_filters;

	if (h->is_root && !choose_uids(h, err))
		return false;
	if (!h->is_root)
		return true;
	/* Groups would stay on workers, whose user namespace could not drop them. */
	if (setgroups(0, NULL) < 0)
		return err_sys(err, "dropping supplementary groups");
	h->can_mount = root_can_clone();
	return true;
}

void
host_leave(struct host *h)
{
	cgroups_end(&h->cgroups);
}

uid_t
host_worker_uid(const struct host *h, uint32_t id)
{
	return h->is_root ? h->uid_first + id % (h->n_uids - 1) : geteuid();
}

gid_t
host_worker_gid(const struct host *h, uint32_t id)
{
	return h->is_root ? (gid_t)host_worker_uid(h, id) : getegid();
}

uid_t
host_egress_uid(const struct host *h)
{
	return h->is_root ? h->uid_first + h->n_uids - 1 : geteuid();
}
