/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof, from outside, that a worker is as confined as it was meant to be: what the
 * kernel says of it in /proc, not what was attempted. It comes after the worker has put
 * on its filter and before the broker lets it load a plugin.
 */
#ifndef WORKER_LAUNCH_ATTEST_H
#define WORKER_LAUNCH_ATTEST_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "worker/launch/host.h"
#include "worker/launch/launcher.h"

struct attest_subject {
	const struct host *host;
	const struct launch_request *request; /* with descriptors */
	pid_t worker_pid, shim_pid;
	uid_t host_uid;
	gid_t host_gid;
	ino_t setup_socket; /* inode of the worker's end, still open in it */
	uint32_t layers;    /* attempted */
	uint32_t
	    by_proof; /* shown by our code inside: Landlock and MDWE leave no trace */
};

/* *ret_layers hold; an attempted one that does not hold is an error (but LAYER_MDWE).
 * *ret_inner_pid is the worker's pid as it sees it. */
bool attest_worker(const struct attest_subject *s, uint32_t *ret_layers,
    int32_t *ret_inner_pid, struct err *err);

/* After it was taken over: whoever held the listener of its filter could answer for us.
 */
bool attest_listener_is_gone(pid_t worker_pid, struct err *err);

#endif
