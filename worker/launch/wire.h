/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the broker and its launcher say to each other, over a SOCK_SEQPACKET pair: one
 * message is one structure. Descriptors travel by SCM_RIGHTS. A launch's confinement is a
 * sealed memfd. Both ends are our own programs, and each checks what it gets all the
 * same: lengths, kinds, counts, and that texts end.
 */
#ifndef WORKER_LAUNCH_WIRE_H
#define WORKER_LAUNCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "proto/packet.h"
#include "worker/launch/launcher.h"

/* The launcher finds its end of the pair here. */
#define WIRE_FD 3

/* Descriptors of a LAUNCH, in this order. */
enum wire_fd {
	WIRE_CONTROL,
	WIRE_UP,
	WIRE_DOWN,
	WIRE_WAKE_BROKER,
	WIRE_WAKE_WORKER,
	WIRE_OUTPUT,
	WIRE_PLAN,
	WIRE_N_FDS,
};

enum wire_kind {
	WIRE_LAUNCH = 1, /* broker: with WIRE_N_FDS descriptors */
	WIRE_KILL,       /* broker: no answer but the worker's end */
	WIRE_ANSWER,     /* launcher: to LAUNCH */
	WIRE_EVENT,      /* launcher: any time */
};

struct wire_head {
	uint32_t kind;
	uint32_t id;
};

struct wire_answer {
	struct wire_head head;
	uint32_t is_ok;
	uint32_t layers;
	int32_t worker_pid;
	int32_t err_code, err_sys;
	char err_msg[sizeof(((struct err *)0)->msg)];
	char note[sizeof(((struct launch_result *)0)->note)];
};

struct wire_event {
	struct wire_head head;
	struct launch_event event;
};

union wire_message {
	struct wire_head head;
	struct wire_answer answer;
	struct wire_event event;
};

/* size bytes and n_fd descriptors, which stay the caller's. flags: MSG_DONTWAIT or 0. */
enum packet_rc wire_send(int fd, const void *message, size_t size, const int *fds,
    unsigned n_fd, int flags, struct err *err);
/* Also PACKET_ERROR: not all descriptors could be had. */
enum packet_rc wire_receive(int fd, void *message, size_t max_size, size_t *ret_size,
    struct packet_in *in, int flags, struct err *err);

/* The request without its descriptors, as a sealed memfd. */
bool wire_plan_pack(const struct launch_request *r, int *ret_memfd, struct err *err);
/* Back again, in the arena; every count, length and path is checked. */
bool wire_plan_unpack(
    int memfd, struct arena *arena, struct launch_request *ret_request, struct err *err);

/* A memfd with these bytes, sealed for good. */
bool wire_memfd(
    const char *name, const void *bytes, size_t size, int *ret_memfd, struct err *err);

#endif
