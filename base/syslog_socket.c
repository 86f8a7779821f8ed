/* SPDX-License-Identifier: Apache-2.0 */
#include "base/syslog_socket.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static bool
connect_to(struct syslog_socket *s)
{
	static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t n = strlen(s->path);

	if (n >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(at.sun_path, s->path, n + 1);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		s->is_stream = types[i] == SOCK_STREAM;
		s->fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (s->fd >= 0 && connect(s->fd, (struct sockaddr *)&at, sizeof(at)) == 0)
			return true;
		syslog_socket_close(s);
		if (errno != EPROTOTYPE)
			break;
	}
	return false;
}

void
syslog_socket_close(struct syslog_socket *s)
{
	int saved = errno;

	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	errno = saved;
}

static size_t
head(char *out, size_t size, int priority)
{
	time_t now = time(NULL);
	char when[32];
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%b %e %T", &tm);
	int n = snprintf(out, size, "<%d>%s %s: ", LOG_USER | priority, when,
	    program_invocation_short_name);
	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

bool
syslog_socket_send(struct syslog_socket *s, int priority, const char *text, size_t len)
{
	char start[512];
	struct iovec iov[] = {{start, head(start, sizeof(start), priority)},
	    {(void *)(uintptr_t)text, len}, {(char[]){'\0'}, 1}};

	for (int tries = 0; tries < 2; tries++) {
		if (s->fd < 0 && !connect_to(s))
			return false;
		/* In a stream a line ends with a NUL. */
		struct msghdr m = {.msg_iov = iov, .msg_iovlen = s->is_stream ? 3 : 2};
		ssize_t n = sendmsg(s->fd, &m, MSG_NOSIGNAL);
		if (n >= 0 && (!s->is_stream || (size_t)n == iov[0].iov_len + len + 1))
			return true;
		if (n >= 0) {
			/* The next line must not become part of this one. */
			syslog_socket_close(s);
			errno = EAGAIN;
			return false;
		}
		if (errno == EAGAIN || errno == EMSGSIZE)
			return false;
		/* Who listened may have been started again. */
		syslog_socket_close(s);
	}
	return false;
}
