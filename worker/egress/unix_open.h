/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting to a unix socket that the policy names, and to nothing else. */
#ifndef WORKER_EGRESS_UNIX_OPEN_H
#define WORKER_EGRESS_UNIX_OPEN_H

#include <stdbool.h>

#include "base/err.h"

/* The path with symbolic links among its directories followed (/var/run), as they are
 * now; what does not exist yet is left as it is. malloc'ed; NULL: no memory. */
char *unix_resolve(const char *path);

/*
 * No component of path may be a symbolic link, and the last must be a socket. What is
 * connected to is the inode that was looked at. Never blocks: a full backlog is an error.
 * The socket is close-on-exec and nonblocking.
 */
bool unix_open(const char *path, int *ret_fd, struct err *err);

#endif
