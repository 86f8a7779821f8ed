/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plugin that may use the network tries beyond what its policy names. "only=P,Q"
 * gives two ports: P is the one that it may listen on, at Q something of the host's
 * listens, which it must not reach.
 */
#include "tests/hostile/hostile.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

static unsigned may_port, host_port;

static struct sockaddr_in
at(const char *address, unsigned port)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	inet_pton(AF_INET, address, &in.sin_addr);
	return in;
}

static int
new_socket(int type)
{
	return socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* One that it may listen on, brought in from the host's network; -1 where it may not. */
static int
bound(int type)
{
	struct sockaddr_in in = at("0.0.0.0", may_port);
	int one = 1, fd = new_socket(type);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd >= 0 && bind(fd, (void *)&in, sizeof(in)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Whether a connection comes about, now or soon. */
static void
try_connect(const char *name, int fd, const char *address, unsigned port)
{
	struct sockaddr_in in = at(address, port);
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};
	int rc = connect(fd, (void *)&in, sizeof(in)), error = 0;
	socklen_t len = sizeof(error);

	if (rc < 0 && errno == EINPROGRESS && poll(&pfd, 1, 1000) > 0) {
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
		errno = error;
		rc = error ? -1 : 0;
	}
	tried(name, rc);
}

static void
families(void)
{
	static const struct {
		const char *name;
		int family, type, protocol;
	} kinds[] = {
	    {"unix_datagram", AF_UNIX, SOCK_DGRAM, 0},
	    {"inet_raw", AF_INET, SOCK_RAW, IPPROTO_ICMP},
	    {"inet_ping", AF_INET, SOCK_DGRAM, IPPROTO_ICMP},
	    {"inet_sctp", AF_INET, SOCK_STREAM, IPPROTO_SCTP},
	    {"inet_mptcp", AF_INET, SOCK_STREAM, 262},
	    {"inet_udplite", AF_INET, SOCK_DGRAM, 136},
	    {"netlink_route", AF_NETLINK, SOCK_RAW, 0},
	    {"netlink_audit", AF_NETLINK, SOCK_RAW, 9},
	    {"packet", AF_PACKET, SOCK_RAW, 0},
	    {"vsock", AF_VSOCK, SOCK_STREAM, 0},
	    {"alg", AF_ALG, SOCK_SEQPACKET, 0},
	    {"bluetooth", AF_BLUETOOTH, SOCK_RAW, 1},
	    {"xdp", AF_XDP, SOCK_RAW, 0},
	};
	int pair[2];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		tried(kinds[i].name,
		    socket(kinds[i].family, kinds[i].type, kinds[i].protocol));
	tried("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}

static void
send_out(void)
{
	struct sockaddr_in far = at("8.8.8.8", 53), near = at("127.0.0.1", host_port);
	struct iovec iov = {"x", 1};
	struct msghdr m = {.msg_name = &near,
	    .msg_namelen = sizeof(near),
	    .msg_iov = &iov,
	    .msg_iovlen = 1};
	struct mmsghdr mm = {.msg_hdr = m};
	int fd = new_socket(SOCK_DGRAM);

	tried("datagram_far", sendto(fd, "x", 1, 0, (void *)&far, sizeof(far)));
	close(fd);
	fd = new_socket(SOCK_STREAM);
	try_connect("connect_far", fd, "8.8.8.8", 53);
	close(fd);
	fd = new_socket(SOCK_STREAM);
	try_connect("connect_host", fd, "127.0.0.1", host_port);
	close(fd);
	fd = new_socket(SOCK_STREAM);
	tried("fastopen_sendto",
	    sendto(fd, "x", 1, MSG_FASTOPEN, (void *)&near, sizeof(near)));
	tried("fastopen_sendmsg", sendmsg(fd, &m, MSG_FASTOPEN));
	tried("fastopen_sendmmsg", sendmmsg(fd, &mm, 1, MSG_FASTOPEN));
	close(fd);
}

static void
misuse_bound(void)
{
	struct sockaddr unspec = {.sa_family = AF_UNSPEC};
	struct sockaddr_in near = at("127.0.0.1", host_port), other = at("0.0.0.0", 0);
	char room[64] = "";
	int fd = bound(SOCK_STREAM);

	if (fd < 0)
		fd = new_socket(SOCK_STREAM);
	tried("bound_unspec", connect(fd, &unspec, sizeof(unspec)));
	try_connect("bound_connect", fd, "127.0.0.1", host_port);
	tried("bound_fastopen",
	    sendto(fd, "x", 1, MSG_FASTOPEN, (void *)&near, sizeof(near)));
	tried("bound_ifconf", ioctl(fd, 0x8912 /* SIOCGIFCONF */, room));
	tried("bound_ethtool", ioctl(fd, 0x8946 /* SIOCETHTOOL */, room));
	listen(fd, 1);
	tried("listening_unspec", connect(fd, &unspec, sizeof(unspec)));
	shutdown(fd, SHUT_RDWR);
	try_connect("shut_connect", fd, "127.0.0.1", host_port);
	tried("bound_again", bind(fd, (void *)&other, sizeof(other)));
	close(fd);
}

static void
bind_others(void)
{
	static const struct {
		const char *name, *address;
		int more;
	} places[] = {
	    {"bind_other_port", "0.0.0.0", 1},
	    {"bind_other_loopback", "127.0.0.1", 1},
	    {"bind_host_port", "127.0.0.1", 0},
	};
	struct sockaddr_un abstract = {.sun_family = AF_UNIX, .sun_path = "\0hostile"};
	int one = 1;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		unsigned port = places[i].more ? may_port + 1 : host_port;
		struct sockaddr_in in = at(places[i].address, port);
		int fd = new_socket(SOCK_STREAM);
		tried(places[i].name, bind(fd, (void *)&in, sizeof(in)));
		close(fd);
	}
	int fd = new_socket(SOCK_STREAM);
	tried("reuse_port", setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)));
	tried("bind_abstract",
	    bind(fd, (void *)&abstract, offsetof(struct sockaddr_un, sun_path) + 8));
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	tried("abstract", fd < 0 ? -1
				 : connect(fd, (void *)&abstract,
				       offsetof(struct sockaddr_un, sun_path) + 8));
}

static void
options(void)
{
	struct sock_filter all = {0x06, 0, 0, 0xffff};
	struct sock_fprog program = {1, &all};
	int fd = new_socket(SOCK_STREAM), one = 1;

	tried("attach_filter",
	    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
	tried("bind_device", setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	tried("mark", setsockopt(fd, SOL_SOCKET, SO_MARK, &one, sizeof(one)));
	tried("repair", setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &one, sizeof(one)));
	tried("upper_protocol", setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", 4));
	tried("fastopen", setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &one, sizeof(one)));
	tried("fastopen_connect",
	    setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one)));
	tried(
	    "transparent", setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &one, sizeof(one)));
	tried("tables",
	    setsockopt(fd, IPPROTO_IP, 64 /* IPT_SO_SET_REPLACE */, &one, sizeof(one)));
	close(fd);
}

/* A second thread that changes, without pause, what the first one passes. */
static struct sockaddr_in changing;
static int changing_fd, private_fd, bound_fd;
static volatile bool is_over;

enum {
	RACES = 1200, /* of each kind; the launcher answers so many within a second */
	STORM_BINDS = 50,
	STORM_NS = 100000
};

static void *
change_port(void *arg)
{
	while (!is_over) {
		changing.sin_port = htons((uint16_t)may_port);
		changing.sin_port = htons((uint16_t)(may_port + 1));
	}
	return arg;
}

static void *
change_socket(void *arg)
{
	while (!is_over) {
		dup2(private_fd, changing_fd);
		dup2(bound_fd, changing_fd);
	}
	return arg;
}

static void
race_bind(void)
{
	const char *outcome = "denied";
	pthread_t thread;

	changing = at("0.0.0.0", may_port);
	is_over = false;
	if (pthread_create(&thread, NULL, change_port, NULL) != 0)
		return;
	for (int i = 0; i < RACES; i++) {
		struct sockaddr_in in;
		socklen_t len = sizeof(in);
		int fd = new_socket(SOCK_STREAM);
		if (bind(fd, (void *)&changing, sizeof(changing)) == 0 &&
		    getsockname(fd, (void *)&in, &len) == 0 &&
		    ntohs(in.sin_port) != may_port)
			outcome = "got";
		close(fd);
	}
	is_over = true;
	pthread_join(thread, NULL);
	told("race_bind", outcome, 0);
}

static void
race_connect(void)
{
	struct sockaddr_in near = at("127.0.0.1", host_port);
	const char *outcome = "denied";
	pthread_t thread;

	private_fd = new_socket(SOCK_STREAM);
	bound_fd = bound(SOCK_STREAM);
	changing_fd = dup(private_fd);
	is_over = false;
	if (bound_fd >= 0 && pthread_create(&thread, NULL, change_socket, NULL) == 0) {
		for (int i = 0; i < RACES; i++) {
			struct sockaddr_in in;
			socklen_t len = sizeof(in);
			connect(changing_fd, (void *)&near, sizeof(near));
			if (getpeername(bound_fd, (void *)&in, &len) == 0)
				outcome = "got";
		}
		is_over = true;
		pthread_join(thread, NULL);
	}
	close(private_fd);
	close(bound_fd);
	close(changing_fd);
	told("race_connect", outcome, 0);
}

static void
on_storm(int signal)
{
	(void)signal;
}

/* Signals without pause while the launcher looks at a bind: each must come to its one
 * answer, and to one socket. */
static void
storm_bind(void)
{
	struct sigaction catch = {.sa_handler = on_storm, .sa_flags = SA_RESTART};
	struct sigevent by_signal = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG};
	const struct itimerspec often = {{0, STORM_NS}, {0, STORM_NS}};
	unsigned n = 0, wrong = 0;
	timer_t timer;

	sigaction(SIGURG, &catch, NULL);
	if (timer_create(CLOCK_MONOTONIC, &by_signal, &timer) < 0 ||
	    timer_settime(timer, 0, &often, NULL) < 0) {
		told("storm_bind", "no storm", errno);
		return;
	}
	for (int i = 0; i < STORM_BINDS; i++) {
		struct sockaddr_in in = at("0.0.0.0", may_port), is = {0};
		socklen_t len = sizeof(is);
		int fd = new_socket(SOCK_STREAM);
		if (bind(fd, (void *)&in, sizeof(in)) == 0)
			n++;
		else
			wrong += errno == EINTR;
		/* Bound where it said, or not at all. */
		getsockname(fd, (void *)&is, &len);
		wrong += is.sin_port != 0 && ntohs(is.sin_port) != may_port;
		close(fd);
	}
	timer_delete(timer);
	told("storm_bind",
	    wrong              ? "interrupted"
	    : n == STORM_BINDS ? "all"
	    : n == 0           ? "none"
			       : "some",
	    0);
}

/* Names: none but the listed ones, whatever they look like, however many. */
static void
names(void)
{
	static const char *const asked[] = {"other.example", "metadata.google.internal",
	    "169.254.169.254.nip.io",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
	    "x_y.example", "localhost.localdomain", "a.b.c.d.e.f.g.h.i.j.k.example"};
	static const unsigned char garbage[] = {
	    0, 1, 1, 0, 0, 9, 0xff, 0xff, 0, 0, 0, 0, 0xc0, 0x0c, 0xc0, 0x0c, 63, 'x'};
	struct sockaddr_in dns = at("127.0.0.1", 53);
	const char *outcome = "denied";
	int fd;

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct addrinfo *found;
		if (getaddrinfo(asked[i], "80", NULL, &found) == 0) {
			outcome = "got";
			freeaddrinfo(found);
		}
	}
	told("names", outcome, 0);
	fd = new_socket(SOCK_DGRAM);
	for (int i = 0; i < 10000; i++)
		(void)!sendto(
		    fd, garbage, i % (int)sizeof(garbage), 0, (void *)&dns, sizeof(dns));
	close(fd);
	told("name_flood", "sent", 0);
}

static void
datagrams(void)
{
	struct sockaddr_in near = at("127.0.0.1", host_port);
	struct iovec iov = {"x", 1};
	struct msghdr m = {.msg_name = &near,
	    .msg_namelen = sizeof(near),
	    .msg_iov = &iov,
	    .msg_iovlen = 1};
	struct mmsghdr mm = {.msg_hdr = m};
	int fd = bound(SOCK_DGRAM);

	if (fd < 0)
		fd = new_socket(SOCK_DGRAM);
	tried("datagram_sendto", sendto(fd, "x", 1, 0, (void *)&near, sizeof(near)));
	tried("datagram_sendmsg", sendmsg(fd, &m, 0));
	tried("datagram_sendmmsg", sendmmsg(fd, &mm, 1, 0));
	try_connect("datagram_connect", fd, "127.0.0.1", host_port);
	close(fd);
}

static void
attack(void)
{
	sscanf(hostile_only, "%u-%u", &may_port, &host_port);
	families();
	send_out();
	misuse_bound();
	bind_others();
	options();
	race_bind();
	race_connect();
	storm_bind();
	names();
	datagrams();
}
