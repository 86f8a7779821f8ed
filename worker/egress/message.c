/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union fd_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(LIMIT_EGRESS_SOCKETS * sizeof(int))];
};

enum message_rc
message_send(int fd, const struct message_head *head, const void *body, size_t n_body,
    const int *fds, unsigned n_fd, int flags, struct err *err)
{
	struct iovec iov[2] = {
	    {(void *)(uintptr_t)head, sizeof(*head)},
	    {(void *)(uintptr_t)body, n_body},
	};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = n_body > 0 ? 2 : 1};
	union fd_control control;
	ssize_t n;

	if (n_fd > LIMIT_EGRESS_SOCKETS) {
		err_set(err, ERR_LIMIT, "%u descriptors in one message", n_fd);
		return MESSAGE_ERROR;
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
		return MESSAGE_OK;
	if (errno == EAGAIN)
		return MESSAGE_AGAIN;
	err_sys(err, "sendmsg");
	return err->sys == EPIPE || err->sys == ECONNRESET ? MESSAGE_CLOSED
							   : MESSAGE_ERROR;
}

enum message_rc
message_receive(int fd, struct message_head *ret_head, void *body, size_t max_body,
    size_t *ret_n_body, int *ret_fds, unsigned max_fd, unsigned *ret_n_fd,
    struct err *err)
{
	struct iovec iov[2] = {{ret_head, sizeof(*ret_head)}, {body, max_body}};
	union fd_control control;
	struct msghdr m = {
	    .msg_iov = iov,
	    .msg_iovlen = 2,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes),
	};
	bool fits = true;
	ssize_t n;

	*ret_n_fd = 0;
	do
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return MESSAGE_AGAIN;
	if (n == 0 || (n < 0 && errno == ECONNRESET)) {
		err_set(err, ERR_GONE, "the other end has closed");
		return MESSAGE_CLOSED;
	}
	if (n < 0) {
		err_sys(err, "recvmsg");
		return MESSAGE_ERROR;
	}
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len;
		     at += sizeof(int)) {
			int got;
			memcpy(&got, (char *)c + at, sizeof(got));
			fits = *ret_n_fd < max_fd;
			if (fits)
				ret_fds[(*ret_n_fd)++] = got;
			else
				close(got);
		}
	}
	if (!fits || (m.msg_flags & MSG_TRUNC) != 0 || n < (ssize_t)sizeof(*ret_head)) {
		while (*ret_n_fd > 0)
			close(ret_fds[--*ret_n_fd]);
		err_set(err, ERR_PEER, "a message of the wrong size");
		return MESSAGE_ERROR;
	}
	*ret_n_body = (size_t)n - sizeof(*ret_head);
	return MESSAGE_OK;
}
