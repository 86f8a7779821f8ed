/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FDS 253 /* the kernel's SCM_MAX_FD */

union fd_control {
	struct cmsghdr align;
	/* Room for credentials too, which a listening end may have asked for. */
	char bytes[CMSG_SPACE(MAX_FDS * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

enum wire_rc
wire_send(int fd, const void *message, size_t size, const int *fds, unsigned n_fd,
    int flags, struct err *err)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)message, .iov_len = size};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	union fd_control control;

	if (n_fd > MAX_FDS) {
		err_set(err, ERR_LIMIT, "%u descriptors in one message", n_fd);
		return WIRE_ERROR;
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
	ssize_t n;
	do
		n = sendmsg(fd, &m, flags | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)size)
		return WIRE_OK;
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return WIRE_AGAIN;
	if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) {
		err_set(err, ERR_GONE, "the other end has closed");
		return WIRE_CLOSED;
	}
	err_sys(err, "sendmsg");
	return WIRE_ERROR;
}

/* Takes what fits, closes what does not. */
static bool
take_control(struct msghdr *m, struct wire_in *in)
{
	bool fit = true;

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
		unsigned n = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		for (unsigned i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (in->n_fd < in->max_fd) {
				in->fds[in->n_fd++] = fd;
			} else {
				close(fd);
				fit = false;
			}
		}
	}
	return fit;
}

enum wire_rc
wire_receive(int fd, void *message, size_t max_size, size_t *ret_size, struct wire_in *in,
    int flags, struct err *err)
{
	struct iovec iov = {.iov_base = message, .iov_len = max_size};
	union fd_control control;
	struct msghdr m = {
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes),
	};
	struct wire_in nothing = {0};
	ssize_t n;

	if (in == NULL)
		in = &nothing;
	in->n_fd = 0;
	in->peer_pid = 0;
	do
		n = recvmsg(fd, &m, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return WIRE_AGAIN;
	if (n == 0 || (n < 0 && errno == ECONNRESET)) {
		err_set(err, ERR_GONE, "the other end has closed");
		return WIRE_CLOSED;
	}
	if (n < 0) {
		err_sys(err, "recvmsg");
		return WIRE_ERROR;
	}
	bool fit = take_control(&m, in);
	if (!fit || (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		for (unsigned i = 0; i < in->n_fd; i++)
			close(in->fds[i]);
		in->n_fd = 0;
		err_set(err, ERR_PEER, "a message with too much in it");
		return WIRE_ERROR;
	}
	*ret_size = (size_t)n;
	return WIRE_OK;
}

bool
wire_memfd(
    const char *name, const void *bytes, size_t size, int *ret_memfd, struct err *err)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_sys(err, "memfd_create");
	size_t done = 0;
	while (done < size) {
		ssize_t n = write(fd, (const char *)bytes + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			goto fail;
		done += (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS,
		F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		goto fail;
	*ret_memfd = fd;
	return true;
fail:
	err_sys(err, "filling a memfd");
	close(fd);
	return false;
}
