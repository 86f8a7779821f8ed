/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum packet_rc
wire_send(int fd, const void *message, size_t size, const int *fds, unsigned n_fd,
    int flags, struct err *err)
{
	const struct iovec iov = {(void *)(uintptr_t)message, size};

	return packet_send(fd, &iov, 1, fds, n_fd, flags, err);
}

enum packet_rc
wire_receive(int fd, void *message, size_t max_size, size_t *ret_size,
    struct packet_in *in, int flags, struct err *err)
{
	struct iovec iov = {message, max_size};
	enum packet_rc rc = packet_receive(fd, &iov, 1, ret_size, in, flags, err);

	if (rc != PACKET_OK || in == NULL || !in->lost)
		return rc;
	while (in->n_fd > 0)
		close(in->fds[--in->n_fd]);
	err_set(err, ERR_LIMIT, "no descriptor is free for what a message brought");
	return PACKET_ERROR;
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
