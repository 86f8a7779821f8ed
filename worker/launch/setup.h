/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the launcher and a worker that is being made say to each other: over one socket,
 * open from the clone until the worker has shut itself in, and through one sealed memfd
 * with the filters. Both sides are our own code then; the plugin is not loaded yet.
 *
 *   launcher                        child (later the worker)
 *   GO + mounts (SCM_RIGHTS) ─────▶ builds its root
 *                            ◀───── NETWORK: sockets for egress (SCM_RIGHTS), where the
 *                                   profile connects somewhere
 *                                   drops everything
 *                            ◀───── WALLS: what only the process itself can prove
 *                                   exec of the worker, confine_enter
 *                            ◀───── HELLO: the filter is in force; its listener
 * (SCM_RIGHTS) TAKEN ────────────────────────▶ closes the listener, then the socket end
 * of file: attests, answers the broker
 *
 * FAIL may come from the child in place of anything; it ends there.
 */
#ifndef WORKER_LAUNCH_SETUP_H
#define WORKER_LAUNCH_SETUP_H

#include <stdint.h>

/* In the worker, from exec to the end of confine_enter. Rings and channels are 3 to 7.
 * The socket is policy's CONFINEMENT_LISTENER_FD: the one on which sendmsg is let
 * through. */
#define SETUP_SOCKET_FD  8
#define SETUP_FILTERS_FD 9
/* A plugin finds nothing open past this. */
#define SETUP_LAST_KEPT_FD 7

enum setup_kind {
	SETUP_GO = 1,
	SETUP_FAIL,
	SETUP_NETWORK,
	SETUP_WALLS,
	SETUP_HELLO,
	SETUP_TAKEN,
};

struct setup_record {
	uint32_t kind;
	uint32_t layers; /* WALLS: enum launch_layer */
	int32_t sys;     /* FAIL: errno, 0 when none */
	/* HELLO under a filter that lets nobody call sendmsg: the listener's number in
	 * the worker, whence the launcher takes it. Else 0. */
	int32_t listener;
	char text[1200]; /* FAIL: struct err's */
};

#define SETUP_FILTERS_MAGIC 0x6d657766u

enum setup_filters_flag {
	SETUP_UNCONFINED = 1 << 0, /* asked for by that name: no filter is no error */
	SETUP_LISTENER = 1 << 1,   /* the first program answers with notifications */
	/* The launcher is an ordinary user without a user namespace of the worker's: it
	 * can attest and watch only what this user's processes may look into. */
	SETUP_STAYS_READABLE = 1 << 2,
};

/* Start of the memfd; the two programs (struct sock_filter[]) follow, load first. */
struct setup_filters {
	uint32_t magic;
	uint32_t flags;
	uint32_t load_bytes;
	uint32_t run_bytes;
};

/* The kernel's BPF_MAXINSNS of struct sock_filter. */
#define SETUP_FILTER_MAX_BYTES (4096u * 8u)

#endif
