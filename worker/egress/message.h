/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mews-egress and who started it say to each other, over a SOCK_SEQPACKET pair: a
 * head, then what its kind says. Nothing is answered in step; see the kinds.
 */
#ifndef WORKER_EGRESS_MESSAGE_H
#define WORKER_EGRESS_MESSAGE_H

#include "proto/packet.h"
#include "worker/egress/egress.h"

/* mews-egress finds its end here. */
#define MESSAGE_FD 3

enum message_kind {
	/* To mews-egress. */
	MESSAGE_ADD = 1,  /* id; then egress_policy_pack; a plan's descriptors */
	MESSAGE_REMOVE,   /* id */
	MESSAGE_COUNTERS, /* id */
	MESSAGE_OPENED,   /* id, token, sys: 0 and a descriptor, or errno */
	/* From it. */
	MESSAGE_OPEN,   /* id, token, index: connect to profile.unix_socket[index] */
	MESSAGE_EVENT,  /* then struct egress_event */
	MESSAGE_READY,  /* the first */
	MESSAGE_FAILED, /* in its place; then why, as text */
};

struct message_head {
	uint32_t kind;
	uint32_t id;
	uint64_t token;
	uint32_t index;
	int32_t sys;
};

/* Descriptors stay the caller's. flags: MSG_DONTWAIT or 0. */
enum packet_rc message_send(int fd, const struct message_head *head, const void *body,
    size_t n_body, const int *fds, unsigned n_fd, int flags, struct err *err);
/* Never blocks. Received descriptors are close-on-exec and the caller's; more than
 * max_fd, or more bytes than fit, is PACKET_ERROR and all are closed. When this process
 * is out of descriptors there are fewer than were sent. */
enum packet_rc message_receive(int fd, struct message_head *ret_head, void *body,
    size_t max_body, size_t *ret_n_body, int *ret_fds, unsigned max_fd,
    unsigned *ret_n_fd, struct err *err);

#endif
