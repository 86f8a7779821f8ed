/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages with descriptors over a SOCK_SEQPACKET pair, between our own processes: what
 * the launcher and mews-egress are told and tell. EINTR is no result.
 */
#ifndef PROTO_PACKET_H
#define PROTO_PACKET_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/err.h"

enum packet_rc {
	PACKET_OK,
	PACKET_AGAIN,  /* with MSG_DONTWAIT; err is left alone */
	PACKET_CLOSED, /* by the other end */
	PACKET_ERROR,
};

/* What comes with a message besides its bytes. */
struct packet_in {
	int *
	    fds; /* room for max_fd; those that came are close-on-exec and the caller's */
	unsigned max_fd, n_fd;
	bool lost;      /* some did not come: this process has no descriptor free */
	pid_t peer_pid; /* in our pid namespace, where SO_PASSCRED is on; else 0 */
};

/* All of iov as one message, with n_fd descriptors, which stay the caller's. flags:
 * MSG_DONTWAIT or 0. */
enum packet_rc packet_send(int fd, const struct iovec *iov, size_t n_iov, const int *fds,
    unsigned n_fd, int flags, struct err *err);
/* One message into iov. More descriptors than there is room for, or more bytes, is
 * PACKET_ERROR, and all descriptors are closed. in may be NULL: none are expected. */
enum packet_rc packet_receive(int fd, struct iovec *iov, size_t n_iov, size_t *ret_size,
    struct packet_in *in, int flags, struct err *err);

#endif
