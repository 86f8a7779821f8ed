/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind, listen and connect of a worker, done by the launcher in its place.
 *
 * The descriptor is taken hold of (pidfd_getfd) and the address copied before anything
 * is decided, so that no other thread of the worker can exchange either afterwards. A
 * bind that the policy allows is done on a new socket of the host's network, which then
 * takes the number of the worker's own; every other socket stays in the worker's empty
 * network namespace, and which of the two a socket is, the kernel tells. Unix sockets
 * stay there too, also when a file of the host is made for one (places.h).
 */
#ifndef WORKER_LAUNCH_SOCKETS_H
#define WORKER_LAUNCH_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "policy/profile.h"
#include "worker/launch/places.h"

/* Finds out what the launcher's own network namespace is; once. False: this kernel
 * cannot tell namespaces of sockets apart (before Linux 5.14). */
bool sockets_init(struct err *err);
bool sockets_are_told_apart(void);

/* A notification that is being answered. */
struct sockets_call {
	int notify_fd, worker_pidfd;
	pid_t pid; /* of the calling thread, whose memory holds the address */
	uint64_t id;
	const uint64_t *args;
	const struct profile *profile;
	struct places *places;
};

struct sockets_answer {
	int error; /* for the worker; 0: done */
	/* The caller is gone, and so may be what was read in its name: no answer. */
	bool is_void;
	bool is_denial; /* what people are told */
	bool was_slow;  /* it kept the launcher from other work */
	char what[300];
	char allow_with[256];
};

void sockets_bind(const struct sockets_call *c, struct sockets_answer *ret_answer);
void sockets_listen(const struct sockets_call *c, struct sockets_answer *ret_answer);
void sockets_connect(const struct sockets_call *c, struct sockets_answer *ret_answer);

#endif
