/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/message.h"

#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

enum packet_rc
message_send(int fd, const struct message_head *head, const void *body, size_t n_body,
    const int *fds, unsigned n_fd, int flags, struct err *err)
{
	const struct iovec iov[] = {
	    {(void *)(uintptr_t)head, sizeof(*head)},
	    {(void *)(uintptr_t)body, n_body},
	};

	return packet_send(fd, iov, n_body > 0 ? 2 : 1, fds, n_fd, flags, err);
}

enum packet_rc
message_receive(int fd, struct message_head *ret_head, void *body, size_t max_body,
    size_t *ret_n_body, int *ret_fds, unsigned max_fd, unsigned *ret_n_fd,
    struct err *err)
{
	struct iovec iov[] = {{ret_head, sizeof(*ret_head)}, {body, max_body}};
	struct packet_in in = {.fds = ret_fds, .max_fd = max_fd};
	size_t size;
	enum packet_rc rc = packet_receive(fd, iov, 2, &size, &in, MSG_DONTWAIT, err);

	*ret_n_fd = in.n_fd;
	if (rc != PACKET_OK)
		return rc;
	if (size < sizeof(*ret_head)) {
		while (*ret_n_fd > 0)
			close(ret_fds[--*ret_n_fd]);
		err_set(err, ERR_PEER, "a message that is too short");
		return PACKET_ERROR;
	}
	*ret_n_body = size - sizeof(*ret_head);
	return PACKET_OK;
}
