/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a worker's network namespace. */
#include "worker/egress/egress.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Connections that wait for mews-egress, per place. */
#define BACKLOG 512

static bool
raise_loopback(int fd, unsigned *ret_index, struct err *err)
{
	struct ifreq ifr = {.ifr_name = "lo"};

	if (ioctl(fd, SIOCGIFFLAGS, &ifr) < 0)
		return err_sys(err, "flags of lo");
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		return err_sys(err, "bringing lo up");
	if (ioctl(fd, SIOCGIFINDEX, &ifr) < 0)
		return err_sys(err, "index of lo");
	*ret_index = (unsigned)ifr.ifr_ifindex;
	return true;
}

/* One address on lo; that it is there already is fine. */
static bool
add_address(int netlink_fd, unsigned lo_index, const struct address *a, struct err *err)
{
	unsigned n = a->is_ip6 ? 16 : 4;
	struct {
		struct nlmsghdr head;
		struct ifaddrmsg ifa;
		struct rtattr attr;
		uint8_t address[16];
	} ask = {
	    .head =
		{
		    .nlmsg_type = RTM_NEWADDR,
		    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
		    .nlmsg_seq = 1,
		},
	    .ifa =
		{
		    .ifa_family = a->is_ip6 ? AF_INET6 : AF_INET,
		    .ifa_prefixlen = (uint8_t)(8 * n),
		    .ifa_flags = IFA_F_NODAD,
		    .ifa_scope = RT_SCOPE_HOST,
		    .ifa_index = lo_index,
		},
	    .attr = {.rta_len = (unsigned short)RTA_LENGTH(n), .rta_type = IFA_LOCAL},
	};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char rest[256];
	} answer;

	memcpy(ask.address, a->bytes, n);
	ask.head.nlmsg_len = (unsigned)(NLMSG_LENGTH(sizeof(ask.ifa)) + RTA_LENGTH(n));
	if (send(netlink_fd, &ask, ask.head.nlmsg_len, 0) < 0)
		return err_sys(err, "asking for an address on lo");
	ssize_t got = recv(netlink_fd, &answer, sizeof(answer), 0);
	if (got < (ssize_t)NLMSG_LENGTH(sizeof(answer.error)) ||
	    answer.head.nlmsg_type != NLMSG_ERROR)
		return err_set(err, ERR_SYS, "no answer about an address on lo");
	errno = -answer.error.error;
	return errno == 0 || errno == EEXIST || err_sys(err, "adding an address to lo");
}

static bool
add_addresses(const struct egress_plan *plan, struct err *err)
{
	bool ok = false;
	unsigned lo_index = 0;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), netlink_fd = -1;

	if (fd < 0)
		return err_sys(err, "socket");
	if (!raise_loopback(fd, &lo_index, err))
		goto end;
	netlink_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (netlink_fd < 0) {
		err_sys(err, "netlink socket");
		goto end;
	}
	for (unsigned i = 0; i < plan->n_address; i++)
		if (!add_address(netlink_fd, lo_index, &plan->address[i], err))
			goto end;
	ok = true;
end:
	if (netlink_fd >= 0)
		close(netlink_fd);
	close(fd);
	return ok;
}

static bool
make_socket(const struct egress_socket *s, int *ret_fd, struct err *err)
{
	struct sockaddr_storage sa;
	bool is_udp = s->kind == EGRESS_DNS_UDP;
	int one = 1;
	int fd = socket(s->address.is_ip6 ? AF_INET6 : AF_INET,
	    (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(err, "socket");
	socklen_t len = address_to_sockaddr(&s->address, s->port, &sa);
	if ((s->address.is_ip6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0) ||
	    bind(fd, (struct sockaddr *)&sa, len) < 0 ||
	    (!is_udp && listen(fd, BACKLOG) < 0)) {
		struct buf text;
		buf_init(&text, 128);
		address_text(&s->address, s->port, &text);
		err_sys(err, "listening at %s in the worker's network", buf_str(&text));
		buf_release(&text);
		close(fd);
		return false;
	}
	*ret_fd = fd;
	return true;
}

bool
egress_sockets_make(
    const struct egress_plan *plan, int ret_fd[LIMIT_EGRESS_SOCKETS], struct err *err)
{
	if (plan->n_inet == 0)
		return true;
	if (!add_addresses(plan, err))
		return false;
	for (unsigned i = 0; i < plan->n_inet; i++)
		if (!make_socket(&plan->socket[i], &ret_fd[i], err)) {
			while (i > 0)
				close(ret_fd[--i]);
			return false;
		}
	return true;
}

bool
egress_unix_make(int dir_fd, const char *name, int *ret_fd, struct err *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t n = strlen(name);

	if (n == 0 || n >= sizeof(sa.sun_path) || strchr(name, '/') != NULL)
		return err_set(
		    err, ERR_LIMIT, "no socket can have the name \"%.200s\"", name);
	memcpy(sa.sun_path, name, n);
	/* There is no bindat. */
	if (fchdir(dir_fd) < 0)
		return err_sys(err, "fchdir");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(err, "socket");
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    fchmodat(AT_FDCWD, name, 0666, 0) < 0 || listen(fd, BACKLOG) < 0) {
		err_sys(err, "making the socket %s", name);
		close(fd);
		return false;
	}
	*ret_fd = fd;
	return true;
}
