/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker's root: an empty tmpfs that holds what the confinement mounts and nothing
 * else; no /proc, /sys, /dev, /etc.
 *
 * The launcher opens every source before the clone, and that inode is what is mounted. As
 * root it clones the mounts itself, so that files which root alone can read may be mapped
 * to the worker's uid. An ordinary user's launcher cannot; then the child opens the paths
 * again inside its own mount namespace and compares inodes.
 */
#ifndef WORKER_LAUNCH_ROOT_H
#define WORKER_LAUNCH_ROOT_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"
#include "policy/confinement.h"
#include "worker/launch/host.h"

struct root_source {
	int fd;      /* O_PATH; -1 once closed */
	int tree_fd; /* a detached mount, ready to be put in place; -1: the child makes it
		      */
	struct stat st;
};

/* Whether this process may clone mounts: root's privilege, which containers take away. */
bool root_can_clone(void);

/* One source per mount of c, in its order. The plugin's must still be the file that c was
 * made from. */
bool root_open(const struct confinement *c, struct root_source *source, struct err *err);
void root_close(struct root_source *source, uint32_t n);

/* What directories may hide from the worker, in words; "": nothing. */
struct root_note {
	char text[512];
};

/* Launcher, host->can_mount: fills every tree_fd. userns_fd maps 0 to worker_uid; -1: no
 * user namespace, so nothing can be mapped. */
bool root_clone(const struct confinement *c, struct root_source *source, int userns_fd,
    uid_t worker_uid, struct root_note *note, struct err *err);

/* Launcher as root that cannot map owners: whether a uid that owns nothing may read all.
 */
bool root_check_readable(const struct confinement *c, const struct root_source *source,
    struct root_note *note, struct err *err);

/* Child, in its new mount namespace: builds the root and moves into it. fill, NULL or
 * not, puts more into it before it becomes read-only: paths are relative to root_fd. */
bool root_enter(const struct confinement *c, struct root_source *source,
    bool (*fill)(int root_fd, void *arg, struct err *err), void *arg, struct err *err);
/* The fd (O_PATH) of the directory that path, absolute and plain, is in below root_fd,
 * made where it is missing; *ret_name is the rest. No component may be a symbolic link.
 * -1: errno. */
int root_parent(int root_fd, const char *path, const char **ret_name);

#endif
