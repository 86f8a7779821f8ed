/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/packet.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_FDS 253 /* the kernel's SCM_MAX_FD */

union control {
	struct cmsghdr align;
	/* Room for credentials too, which a listening end may have asked for. */
	char bytes[CMSG_SPACE(MAX_FDS * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

enum packet_rc
packet_send(int fd, const struct iovec *iov, size_t n_iov, const int *fds, unsigned n_fd,
    int flags, struct err *err)
{
	struct msghdr m = {
	    .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = n_iov};
	union control control;
	ssize_t n;

	if (n_fd > MAX_FDS) {
		err_set(err, ERR_LIMIT, "%u descriptors in one message", n_fd);
		return PACKET_ERROR;
	}
	if (n_fd > 0) {
		memset(&control, 0, sizeof(control));
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(n_fd * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fd * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fd * sizeof(int));
	}
	do
		n = sendmsg(fd, &m, flags | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return PACKET_OK;
	if (errno == EAGAIN)
		return PACKET_AGAIN;
	if (errno == EPIPE || errno == ECONNRESET) {
		err_set(err, ERR_GONE, "the other end has closed");
		return PACKET_CLOSED;
	}
	err_sys(err, "sendmsg");
	return PACKET_ERROR;
}

/* Takes what fits, closes what does not. */
static bool
take_control(struct msghdr *m, struct packet_in *in)
{
	bool fits = true;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred cred;
			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
			in->peer_pid = cred.pid;
		}
		if (c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len;
		     at += sizeof(int)) {
			int fd;
			memcpy(&fd, (char *)c + at, sizeof(fd));
			if (in->n_fd < in->max_fd) {
				in->fds[in->n_fd++] = fd;
			} else {
				close(fd);
				fits = false;
			}
		}
	}
	return fits;
}

enum packet_rc
packet_receive(int fd, struct iovec *iov, size_t n_iov, size_t *ret_size,
    struct packet_in *in, int flags, struct err *err)
{
	union control control;
	struct msghdr m = {
	    .msg_iov = iov,
	    .msg_iovlen = n_iov,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes),
	};
	struct packet_in nothing = {0};
	ssize_t n;

	if (in == NULL)
		in = &nothing;
	in->n_fd = 0;
	in->peer_pid = 0;
	do
		n = recvmsg(fd, &m, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return PACKET_AGAIN;
	if (n == 0 || (n < 0 && errno == ECONNRESET)) {
		err_set(err, ERR_GONE, "the other end has closed");
		return PACKET_CLOSED;
	}
	if (n < 0) {
		err_sys(err, "recvmsg");
		return PACKET_ERROR;
	}
	in->lost = (m.msg_flags & MSG_CTRUNC) != 0;
	if (!take_control(&m, in) || (m.msg_flags & MSG_TRUNC) != 0 ||
	    (in == &nothing && in->lost)) {
		while (in->n_fd > 0)
			close(in->fds[--in->n_fd]);
		err_set(err, ERR_PEER, "a message with too much in it");
		return PACKET_ERROR;
	}
	*ret_size = (size_t)n;
	return PACKET_OK;
}
