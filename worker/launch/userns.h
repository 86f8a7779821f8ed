/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the id maps of user namespaces. */
#ifndef WORKER_LAUNCH_USERNS_H
#define WORKER_LAUNCH_USERNS_H

#include <sys/types.h>

#include "base/err.h"

/* Maps inner_uid and inner_gid of pid's new user namespace to ours outside. */
bool userns_map(pid_t pid, uid_t inner_uid, gid_t inner_gid, uid_t outer_uid,
    gid_t outer_gid, struct err *err);

/* A user namespace with nobody in it, for mapping the owners in a mount; its descriptor,
 * or -1. Root's: uid and gid outside are one number. */
int userns_new(uid_t inner_uid, gid_t inner_gid, uid_t outer);

#endif
