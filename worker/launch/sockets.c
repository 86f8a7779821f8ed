/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "policy/listen.h"
#include "policy/notify.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

/* How long a blocking connect inside the worker's own namespace may keep us: it is
 * loopback, where the other end answers at once or never. */
#define CONNECT_MS 5

static uint64_t host_network; /* cookie; 0: this kernel does not tell */

static uint64_t
network_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) < 0)
		return 0;
	return cookie;
}

bool
sockets_init(struct err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(err, "socket");
	host_network = network_of(fd);
	close(fd);
	return true;
}

bool
sockets_are_told_apart(void)
{
	return host_network != 0;
}

/* The worker's socket, as far as it matters. */
struct target {
	int fd; /* ours, of the same socket */
	int family, type;
	bool is_hosts; /* of the host's network: injected before */
	enum profile_transport transport;
};

static int
option(int fd, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, name, &value, &len) == 0 ? value : 0;
}

/* False: a->error says why. */
static bool
take_hold(const struct sockets_call *c, struct target *t, struct sockets_answer *a)
{
	t->fd = (int)syscall(SYS_pidfd_getfd, c->worker_pidfd, (int)c->args[0], 0u);
	if (t->fd < 0) {
		a->error = errno;
		return false;
	}
	socklen_t len = sizeof(t->type);
	uint64_t network = network_of(t->fd);
	if (getsockopt(t->fd, SOL_SOCKET, SO_TYPE, &t->type, &len) < 0) {
		a->error = errno; /* ENOTSOCK */
	} else if (network == 0 || host_network == 0) {
		a->error = EACCES;
	} else {
		t->family = option(t->fd, SOL_SOCKET, SO_DOMAIN);
		t->is_hosts = network == host_network;
		t->transport = t->type == SOCK_DGRAM ? PROFILE_UDP : PROFILE_TCP;
		return true;
	}
	close(t->fd);
	return false;
}

static bool
is_valid(const struct sockets_call *c)
{
	return ioctl(c->notify_fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &c->id) == 0;
}

/* The address once, into our memory. */
static bool
read_address(const struct sockets_call *c, struct sockaddr_storage *at,
    socklen_t *ret_len, struct sockets_answer *a)
{
	uint64_t n = c->args[2] & 0xffffffff;

	memset(at, 0, sizeof(*at));
	if (n < sizeof(at->ss_family) || n > sizeof(*at)) {
		a->error = EINVAL;
		return false;
	}
	struct iovec here = {at, n};
	struct iovec there = {(void *)(uintptr_t)c->args[1], n};
	ssize_t got = process_vm_readv(c->pid, &here, 1, &there, 1, 0);
	/* What was read went by a pid: it counts only if the caller still waits. */
	if (!is_valid(c)) {
		a->is_void = true;
		return false;
	}
	if (got != (ssize_t)n) {
		a->error = EFAULT;
		return false;
	}
	size_t least = at->ss_family == AF_INET    ? sizeof(struct sockaddr_in)
		       : at->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						   : n;
	if (n < least) {
		a->error = EINVAL;
		return false;
	}
	*ret_len = (socklen_t)n;
	return true;
}

static void
deny(struct sockets_answer *a, int error, enum profile_transport transport,
    const struct sockaddr_storage *at, const char *why)
{
	struct buf b;

	a->error = error;
	a->is_denial = true;
	buf_init(&b, sizeof(a->what));
	buf_adds(&b, "bind to ");
	listen_text(transport, at, &b);
	buf_adds(&b, why);
	snprintf(a->what, sizeof(a->what), "%s", buf_str(&b));
	buf_release(&b);
}

static void
deny_place(struct sockets_answer *a, enum profile_transport transport,
    const struct sockaddr_storage *at)
{
	struct buf b;

	deny(a, EACCES, transport, at, " (bind)");
	buf_init(&b, sizeof(a->allow_with));
	listen_allow_with(transport, at, &b);
	snprintf(a->allow_with, sizeof(a->allow_with), "%s", buf_str(&b));
	buf_release(&b);
}

static void
deny_path(struct sockets_answer *a, const struct sockaddr_storage *at, socklen_t len)
{
	const struct sockaddr_un *un = (const void *)at;
	size_t n =
	    len > offsetof(struct sockaddr_un, sun_path)
		? strnlen(un->sun_path, len - offsetof(struct sockaddr_un, sun_path))
		: 0;
	struct buf b;

	a->error = EACCES;
	if (at->ss_family != AF_UNIX)
		return;
	a->is_denial = true;
	buf_init(&b, sizeof(a->what));
	buf_adds(&b, "connect to the socket \"");
	utf8_escape(&b, un->sun_path, n, 150);
	buf_adds(&b, "\" (connect)");
	snprintf(a->what, sizeof(a->what), "%s", buf_str(&b));
	if (n > 0 && notify_path_is_plain(un->sun_path, n))
		snprintf(a->allow_with, sizeof(a->allow_with), "unix: [%.*s]", (int)n,
		    un->sun_path);
	buf_release(&b);
}

/* A socket of the host's network like the worker's own, bound. -1: errno. */
static int
make_bound(const struct target *t, const struct sockaddr_storage *at, socklen_t len)
{
	int flags = fcntl(t->fd, F_GETFL);
	int fd = socket(t->family,
	    t->type | SOCK_CLOEXEC | (flags & O_NONBLOCK ? SOCK_NONBLOCK : 0), 0);
	int one = 1, only = option(t->fd, IPPROTO_IPV6, IPV6_V6ONLY);

	if (fd < 0)
		return -1;
	/* With datagrams it would let two sockets share a port, and one take what is the
	 * other's. */
	bool reuse =
	    t->transport == PROFILE_TCP && option(t->fd, SOL_SOCKET, SO_REUSEADDR) != 0;
	if ((!reuse ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0) &&
	    (t->family != AF_INET6 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) == 0) &&
	    bind(fd, (const void *)at, len) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* fd takes the number of the worker's socket. */
static bool
inject(const struct sockets_call *c, int fd)
{
	struct seccomp_notif_addfd add = {
	    .id = c->id,
	    .flags = SECCOMP_ADDFD_FLAG_SETFD,
	    .srcfd = (uint32_t)fd,
	    .newfd = (uint32_t)c->args[0],
	    .newfd_flags = O_CLOEXEC,
	};

	return ioctl(c->notify_fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add) >= 0;
}

static void
bind_on_host(const struct sockets_call *c, const struct target *t,
    const struct sockaddr_storage *at, socklen_t len, struct sockets_answer *a)
{
	/* Until the second filter is on, sendmsg is let through on one descriptor; by
	 * that, datagrams could leave through this socket. */
	if (t->transport == PROFILE_UDP && !c->is_sealed) {
		deny(a, EACCES, t->transport, at,
		    " before its initialisation was over (bind)");
		return;
	}
	if (t->family != at->ss_family) {
		a->error = EAFNOSUPPORT;
		return;
	}
	int fd = make_bound(t, at, len);
	if (fd < 0) {
		int error = errno;
		if (error == EACCES || error == EPERM)
			deny(a, error, t->transport, at,
			    ", a port that is root's on this host (bind)");
		a->error = error;
		return;
	}
	/* Fails when the caller is gone, or has no room. */
	if (!inject(c, fd)) {
		a->is_void = errno == ENOENT;
		a->error = errno;
	}
	close(fd);
}

static void
bind_target(
    const struct sockets_call *c, const struct target *t, struct sockets_answer *a)
{
	struct sockaddr_storage at;
	socklen_t len;

	if (!read_address(c, &at, &len, a))
		return;
	if (t->is_hosts)
		a->error = EINVAL; /* bound already, as all that were injected */
	else if (listen_is_allowed(c->profile, t->transport, &at))
		bind_on_host(c, t, &at, len, a);
	else if (!listen_is_probe(&at))
		deny_place(a, t->transport, &at);
	else if (bind(t->fd, (const void *)&at, len) < 0)
		a->error = errno;
}

void
sockets_bind(const struct sockets_call *c, struct sockets_answer *ret_answer)
{
	struct target t;

	*ret_answer = (struct sockets_answer){0};
	if (!take_hold(c, &t, ret_answer))
		return;
	bind_target(c, &t, ret_answer);
	close(t.fd);
}

void
sockets_listen(const struct sockets_call *c, struct sockets_answer *ret_answer)
{
	struct sockets_answer *a = ret_answer;
	struct sockaddr_storage at = {0};
	socklen_t len = sizeof(at);
	struct target t;

	*a = (struct sockets_answer){0};
	if (!take_hold(c, &t, a))
		return;
	unsigned backlog = (unsigned)c->args[1];
	if (backlog > LIMIT_LISTEN_BACKLOG)
		backlog = LIMIT_LISTEN_BACKLOG;
	/* Of the host's network there are those that we bound, and connections that came
	 * in on them: never anything else may listen. */
	if (t.is_hosts && (getsockname(t.fd, (void *)&at, &len) < 0 ||
			      !listen_is_allowed(c->profile, t.transport, &at)))
		a->error = EACCES;
	else if (!is_valid(c))
		a->is_void = true;
	else if (listen(t.fd, (int)backlog) < 0)
		a->error = errno;
	close(t.fd);
}

/* In the worker's own namespace. */
static int
connect_inside(
    int fd, const struct sockaddr_storage *at, socklen_t len, struct sockets_answer *a)
{
	int flags = fcntl(fd, F_GETFL);
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};

	if ((flags & O_NONBLOCK) != 0)
		return connect(fd, (const void *)at, len) < 0 ? errno : 0;
	/* Who expects to wait waits here, but not for long. The flag is the worker's,
	 * whose other threads may see it. */
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	int error = connect(fd, (const void *)at, len) < 0 ? errno : 0;
	if (error == EINPROGRESS) {
		bool done = poll(&pfd, 1, CONNECT_MS) > 0;
		a->was_slow = !done;
		error = done ? option(fd, SOL_SOCKET, SO_ERROR) : ETIMEDOUT;
	}
	fcntl(fd, F_SETFL, flags);
	return error;
}

void
sockets_connect(const struct sockets_call *c, struct sockets_answer *ret_answer)
{
	struct sockets_answer *a = ret_answer;
	struct sockaddr_storage at;
	struct target t;
	socklen_t len;

	*a = (struct sockets_answer){0};
	if (!take_hold(c, &t, a))
		return;
	if (t.is_hosts) {
		/* It would lead out of the host's door, past all that egress checks. */
		a->error = EPERM;
		a->is_denial = true;
		snprintf(a->what, sizeof(a->what),
		    "connect a socket that it listens on (connect, fd %d)",
		    (int)c->args[0]);
	} else if (t.family != AF_INET && t.family != AF_INET6) {
		/* A path would be looked up in our root. */
		if (read_address(c, &at, &len, a))
			deny_path(a, &at, len);
	} else if (read_address(c, &at, &len, a)) {
		a->error = connect_inside(t.fd, &at, len, a);
	}
	close(t.fd);
}
