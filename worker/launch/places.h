/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unix sockets of the host that one worker may listen at: their files, which are
 * made, changed and removed by the launcher.
 *
 * The socket itself is the worker's own, bound where it is: in the worker's network
 * namespace, so that abstract names lead nowhere. Which directory a path is in is settled
 * before the plugin is loaded; after that no component of it may be a symbolic link.
 * Directories are made where they are missing. A file that is there already is replaced
 * if it is a socket that nobody has, as a program that was killed leaves one.
 */
#ifndef WORKER_LAUNCH_PLACES_H
#define WORKER_LAUNCH_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "policy/notify.h"
#include "policy/profile.h"

struct place {
	const struct profile_listen_unix *listen;
	char *path;  /* its directory as it really is */
	int dir_fd;  /* O_PATH; -1: not bound */
	int file_fd; /* O_PATH, of the socket's file */
};

struct places {
	const struct profile *profile;
	char *cwd; /* what relative paths start at, as inside */
	struct place at[LIMIT_UNIX_LISTENERS];
	unsigned n;
};

/* profile stays the caller's, and must outlive ps. False: no memory. */
bool places_init(struct places *ps, const struct profile *profile);
/* Removes the files that there are. May be called again. */
void places_clear(struct places *ps);
void places_release(struct places *ps);

/* The place that path means; NULL: none. */
struct place *places_find(struct places *ps, const char *path);
/* Whether path is such a place, or a directory above one: to look for it is no wonder. */
bool places_concern(struct places *ps, const char *path);
/* Binds the worker's socket there; 0 or errno. */
int places_bind(struct place *at, int socket_fd);
/* What a call that would change path comes to: 0 or errno in *ret_error. False: path is
 * no place, nor above one. */
bool places_change(struct places *ps, enum notify_change change, const char *path,
    uint32_t mode, int *ret_error);

#endif
