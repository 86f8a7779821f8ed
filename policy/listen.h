/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a worker may bind to an address, and how to tell people when not: pure
 * functions over the profile, for the watcher, which has copied the address.
 */
#ifndef POLICY_LISTEN_H
#define POLICY_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "policy/profile.h"

/* The entry of listen: that a path means, as the worker gave it: written just so, or
 * relative to cwd. NULL: none. */
const struct profile_listen_unix *listen_find_path(
    const struct profile *p, const char *cwd, const char *path);
/* Whether the directory dir is, in the same sense, above such a path. */
bool listen_is_above(const struct profile *p, const char *cwd, const char *dir);
/* "listen: [unix:/run/a.sock]"; nothing when it is not fit to stand there. */
void listen_path_allow_with(const char *cwd, const char *path, struct buf *out);

/* What the profile lists, with a port: an entry without an address is any address. */
bool listen_is_allowed(const struct profile *p, enum profile_transport transport,
    const struct sockaddr_storage *at);
/* An internet address with the port 0, on loopback or on none: what runtimes bind to in
 * order to find out what the kernel can do, or before they connect. */
bool listen_is_probe(const struct sockaddr_storage *at);

/* "tcp 0.0.0.0:80" */
void listen_text(
    enum profile_transport transport, const struct sockaddr_storage *at, struct buf *out);
/* "listen: [tcp:80]"; nothing when no policy can allow it. */
void listen_allow_with(
    enum profile_transport transport, const struct sockaddr_storage *at, struct buf *out);

#endif
