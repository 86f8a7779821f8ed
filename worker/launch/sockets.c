/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "policy/listen.h"
#include "worker/egress/egress.h"

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

/* The path in a unix socket's address; false, with the error in a: it is none, or has
 * none. An abstract name is the path "". */
static bool
path_of(const struct sockaddr_storage *at, socklen_t len,
    char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1], struct sockets_answer *a)
{
	const struct sockaddr_un *un = (const void *)at;

	if (at->ss_family != AF_UNIX || len > sizeof(*un)) {
		a->error = EINVAL;
		return false;
	}
	size_t n = strnlen(un->sun_path, len - offsetof(struct sockaddr_un, sun_path));
	memcpy(path, un->sun_path, n);
	path[n] = '\0';
	return true;
}

/* allow_with: NULL where no policy can. */
static void
deny_path(struct sockets_answer *a, int error, const char *verb, const char *path,
    const char *why, const struct buf *allow_with)
{
	struct buf b;

	a->error = error;
	a->is_denial = true;
	buf_init(&b, sizeof(a->what));
	buf_addf(&b, "%s the socket \"", verb);
	utf8_escape(&b, path, strlen(path), 150);
	buf_addf(&b, "\"%s", why);
	snprintf(a->what, sizeof(a->what), "%s", buf_str(&b));
	/* A policy line that was cut would say something else. */
	if (allow_with && allow_with->len < sizeof(a->allow_with))
		snprintf(a->allow_with, sizeof(a->allow_with), "%s", buf_str(allow_with));
	buf_release(&b);
}

static void
deny_bind_path(const struct sockets_call *c, struct sockets_answer *a, const char *path)
{
	struct buf allow_with;

	buf_init(&allow_with, 4096);
	if (path[0] != '\0')
		listen_path_allow_with(c->places->cwd, path, &allow_with);
	deny_path(a, EACCES, "listen at", path,
	    path[0] != '\0' ? " (bind)" : ", an abstract name (bind)", &allow_with);
	buf_release(&allow_with);
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
bind_path(const struct sockets_call *c, const struct target *t,
    const struct sockaddr_storage *at, socklen_t len, struct sockets_answer *a)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];

	if (!path_of(at, len, path, a))
		return;
	struct place *place = places_find(c->places, path);
	if (!place) {
		deny_bind_path(c, a, path);
		return;
	}
	a->error = places_bind(place, t->fd);
	if (a->error == EACCES || a->error == EPERM || a->error == EROFS ||
	    a->error == ELOOP)
		deny_path(a, a->error, "listen at", path,
		    ", where this host's permissions do not let mews make it (bind)",
		    NULL);
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
	else if (t->family == AF_UNIX)
		bind_path(c, t, &at, len, a);
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

/* Whoever does not wait has its error still to come, and takes it itself. */
static bool
was_refused(int fd, int error)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	return error == ECONNREFUSED || error == ENETUNREACH ||
	       (error == EINPROGRESS &&
		   getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
		   info.tcpi_state == TCP_CLOSE);
}

/* A place at which nothing was put for it, by the name that its address stands for. */
static void
deny_connect(const struct profile *p, const struct address *to, uint16_t port,
    struct sockets_answer *a)
{
	const char *quote = to->is_ip6 ? "\"" : "";
	struct egress_plan plan;
	struct buf b;
	struct err err;

	buf_init(&b, sizeof(a->what));
	if (egress_stands_for_name(to)) {
		/* Names below a pattern only mews-egress knows. */
		const char *name = egress_plan_make(&plan, p, &err)
				       ? egress_plan_name(&plan, p, to)
				       : NULL;
		buf_addf(&b, "%s:%u", name ? name : "NAME", port);
	} else {
		address_text(to, port, &b);
	}
	a->is_denial = true;
	snprintf(a->what, sizeof(a->what), "connect to tcp %s (connect)", buf_str(&b));
	int n = snprintf(a->allow_with, sizeof(a->allow_with), "connect: [%s%s%s]", quote,
	    buf_str(&b), quote);
	if (n >= (int)sizeof(a->allow_with))
		a->allow_with[0] = '\0';
	buf_release(&b);
}

/* In the worker's own namespace, which holds what its policy gives. Datagrams are no
 * wish to get somewhere: libc connects such sockets to find out which address is best. */
static void
connect_internet(const struct sockets_call *c, const struct target *t,
    const struct sockaddr_storage *at, socklen_t len, struct sockets_answer *a)
{
	struct address to;
	uint16_t port;

	if (profile_connects(c->profile))
		a->error = connect_inside(t->fd, at, len, a);
	else
		a->error = EPERM;
	if (t->type == SOCK_STREAM &&
	    (a->error == EPERM || was_refused(t->fd, a->error)) &&
	    address_of_sockaddr((const void *)at, &to, &port)) {
		address_unmap(&to);
		deny_connect(c->profile, &to, port, a);
	}
}

/* The socket that stands at this path in the worker's root, O_PATH; -1: error. */
static int
find_inside(const struct sockets_call *c, const char *path, struct sockets_answer *a)
{
	struct open_how how = {
	    .flags = O_PATH | O_CLOEXEC,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	};
	char text[48];
	struct stat st;

	snprintf(text, sizeof(text), "/proc/%d/root", (int)c->pid);
	int root = open(text, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0) {
		a->error = errno;
		return -1;
	}
	/* It went by a pid: only now is it known whose root that is. */
	int fd = -1;
	if (!is_valid(c))
		a->is_void = true;
	else if ((fd = (int)syscall(SYS_openat2, root, path + 1, &how, sizeof(how))) < 0)
		a->error = errno;
	close(root);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode))) {
		a->error = ECONNREFUSED;
		close(fd);
		fd = -1;
	}
	return fd;
}

/* To the proxy of a socket that unix: lists. By the worker itself it would be the
 * kernel's to look the path up, and sockets in directories that it reads would be there
 * too. */
static void
connect_path(const struct sockets_call *c, const struct target *t,
    const struct sockaddr_storage *at, socklen_t len, struct sockets_answer *a)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	struct sockaddr_un inside = {.sun_family = AF_UNIX};
	struct sockaddr_storage to = {0};
	struct buf allow_with;
	uint32_t i = 0;

	if (!path_of(at, len, path, a))
		return;
	while (i < c->profile->n_unix_socket &&
	       strcmp(c->profile->unix_socket[i].path, path) != 0)
		i++;
	/* libc's cache of names, which it does without. */
	if (i == c->profile->n_unix_socket && strcmp(path, "/var/run/nscd/socket") == 0) {
		a->error = ENOENT;
		return;
	}
	if (i == c->profile->n_unix_socket || t->type != SOCK_STREAM) {
		buf_init(&allow_with, 4096);
		if (profile_path_is_plain(path))
			buf_addf(&allow_with, "unix: [%s]", path);
		deny_path(a, EACCES, "connect to", path, " (connect)", &allow_with);
		buf_release(&allow_with);
		return;
	}
	int fd = find_inside(c, path, a);
	if (fd < 0)
		return;
	snprintf(inside.sun_path, sizeof(inside.sun_path), "/proc/self/fd/%d", fd);
	memcpy(&to, &inside, sizeof(inside));
	a->error = connect_inside(t->fd, &to, sizeof(inside), a);
	close(fd);
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
	} else if (read_address(c, &at, &len, a)) {
		if (t.family == AF_UNIX)
			connect_path(c, &t, &at, len, a);
		else
			connect_internet(c, &t, &at, len, a);
	}
	close(t.fd);
}
