/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a socket of every kind, and reaches for what listens on the host. */
#include "tests/hostile/hostile.h"

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static const struct {
	const char *name;
	int family, type, protocol;
} kinds[] = {
    {"unix_stream", AF_UNIX, SOCK_STREAM, 0},
    {"unix_datagram", AF_UNIX, SOCK_DGRAM, 0},
    {"inet_stream", AF_INET, SOCK_STREAM, 0},
    {"inet_datagram", AF_INET, SOCK_DGRAM, 0},
    {"inet_raw", AF_INET, SOCK_RAW, IPPROTO_ICMP},
    {"inet_sctp", AF_INET, SOCK_STREAM, IPPROTO_SCTP},
    {"inet_mptcp", AF_INET, SOCK_STREAM, 262},
    {"inet6_stream", AF_INET6, SOCK_STREAM, 0},
    {"inet6_datagram", AF_INET6, SOCK_DGRAM, 0},
    {"netlink", AF_NETLINK, SOCK_RAW, 0},
    {"packet", AF_PACKET, SOCK_RAW, 0},
    {"vsock", AF_VSOCK, SOCK_STREAM, 0},
    {"alg", AF_ALG, SOCK_SEQPACKET, 0},
    {"bluetooth", AF_BLUETOOTH, SOCK_RAW, 1},
    {"xdp", AF_XDP, SOCK_RAW, 0},
    {"family_250", 250, SOCK_STREAM, 0},
};

static void
attack(void)
{
	struct sockaddr_un abstract = {.sun_family = AF_UNIX, .sun_path = "\0hostile"};
	struct sockaddr_in loopback = {.sin_family = AF_INET,
	    .sin_port = htons(22),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int pair[2];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		tried(kinds[i].name,
		    socket(kinds[i].family, kinds[i].type, kinds[i].protocol));
	tried("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	/* The descriptors that a worker does have, misused as sockets. */
	for (int fd = 0; fd < 8; fd++) {
		if (connect(fd, (void *)&abstract,
			offsetof(struct sockaddr_un, sun_path) + 8) == 0 ||
		    connect(fd, (void *)&loopback, sizeof(loopback)) == 0 ||
		    bind(fd, (void *)&loopback, sizeof(loopback)) == 0 ||
		    listen(fd, 1) == 0) {
			told("misused_descriptor", "got", 0);
			return;
		}
	}
	told("misused_descriptor", "denied", errno);
}
