/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Abuses the descriptors that the worker itself needs: writes garbage to its control
 * channel, cuts it, floods it, sends descriptors along; "only=" says which.
 */
#include "tests/hostile/hostile.h"

#include <sys/socket.h>
#include <sys/uio.h>

enum {
	CONTROL = 3
};

static void
garbage(void)
{
	static const char bytes[] = "GET / HTTP/1.0\r\n\r\n";

	tried("garbage", write(CONTROL, bytes, sizeof(bytes)));
}

/* A frame of the largest length that the prefix can say. */
static void
oversized(void)
{
	tried("oversized", write(CONTROL, "\xff\xff\xff\x7f", 4));
}

static void
flood(void)
{
	static char zeros[65536];
	ssize_t n = 1;

	for (int i = 0; i < 100000 && n > 0; i++)
		n = write(CONTROL, zeros, sizeof(zeros));
	told("flood", n > 0 ? "got" : "denied", n > 0 ? 0 : errno);
}

static void
rights(void)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control,
	    .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int fd = 0;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	tried("rights", sendmsg(CONTROL, &m, 0));
}

static void
attack(void)
{
	if (only("garbage"))
		garbage();
	if (only("oversized"))
		oversized();
	if (only("flood"))
		flood();
	if (only("rights"))
		rights();
	if (only("hang_up"))
		for (int fd = 3; fd < 16; fd++)
			close(fd);
	if (only("all_closed"))
		for (int fd = 0; fd < 256; fd++)
			close(fd);
	/* What would only hurt later must have hurt by then. */
	usleep(200000);
}
