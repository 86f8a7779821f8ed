/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the source target reads that is no file: a pipe, or an HTTP request's body. The
 * campaign writes and posts, for a plugin's profile gives it neither; a listening
 * plugin's socket is the host's, as in production, so it is reached as anybody reaches
 * it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "broker/fuzz/fuzz.h"

enum {
	/* A plugin that opens no pipe or answers no request is waited for no longer. */
	FEED_MS = 300,
	CALL_MS = 20,
};

bool
fuzz_post_parse(struct fuzz_post *p, const char *url, struct err *err)
{
	static const char scheme[] = "http://";
	const char *host = url + sizeof(scheme) - 1, *path;
	char *end = NULL;
	unsigned long port = 0;
	bool is_v6;

	memset(p, 0, sizeof(*p));
	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
		return err_set(err, ERR_USAGE,
		    "a source is posted to by http:// alone, not '%s'", url);
	path = strchr(host, '/');
	path = path ? path : host + strlen(host);
	is_v6 = strncmp(host, "[::", 3) == 0;
	const char *colon = memrchr(host, ':', (size_t)(path - host));
	if (colon)
		port = strtoul(colon + 1, &end, 10);
	if (port == 0 || port > UINT16_MAX || end != path)
		return err_set(
		    err, ERR_USAGE, "no port in '%s': http://HOST:PORT/PATH", url);
	/* Whatever name the plugin listens by, it is on this host. */
	p->is_v6 = is_v6;
	p->port = (uint16_t)port;
	snprintf(p->path, sizeof(p->path), "%s", *path ? path : "/");
	return strlen(p->path) == strlen(*path ? path : "/") ||
	       err_set(err, ERR_LIMIT, "the path of '%s' is too long", url);
}

static void
hang_up(struct fuzz_feed *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

static int
open_pipe(const struct fuzz_subject *s)
{
	return open(s->file_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
}

static int
call(const struct fuzz_post *p)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET,
	    .sin_port = htons(p->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
	    .sin6_port = htons(p->port),
	    .sin6_addr = in6addr_loopback};
	const struct sockaddr *to = p->is_v6 ? (void *)&v6 : (void *)&v4;
	socklen_t n = p->is_v6 ? sizeof(v6) : sizeof(v4);
	const struct timeval wait = {.tv_usec = CALL_MS * 1000};
	int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* On loopback this is settled at once, unless others wait for it already. */
	if (fd >= 0 &&
	    (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0 ||
		connect(fd, to, n) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

void
fuzz_feed_begin(
    struct fuzz_feed *f, const struct fuzz_subject *s, const uint8_t *bytes, uint32_t n)
{
	int head = 0;

	hang_up(f);
	/* "Connection: close": the answer's end is the end of it. */
	if (s->way == FUZZ_WAY_POST)
		head = snprintf((char *)f->bytes, FUZZ_FEED_HEAD,
		    "POST %s HTTP/1.1\r\nHost: localhost:%u\r\n"
		    "Content-Type: application/json\r\nContent-Length: %u\r\n"
		    "Connection: close\r\n\r\n",
		    s->post.path, s->post.port, n);
	memcpy(f->bytes + head, bytes, n);
	f->n = (uint32_t)head + n;
	f->at = 0;
	f->since_ns = clock_mono_ns();
	f->is_going_on = true;
}

/* True when there is no more to do. */
static bool
step(struct fuzz_feed *f, const struct fuzz_subject *s)
{
	char answer[4096];
	ssize_t n;

	if (f->fd < 0)
		f->fd = s->way == FUZZ_WAY_POST ? call(&s->post) : open_pipe(s);
	if (f->fd < 0)
		return false;
	while (f->at < f->n) {
		n = write(f->fd, f->bytes + f->at, f->n - f->at);
		if (n <= 0)
			return n == 0 || (errno != EAGAIN && errno != EINTR);
		f->at += (uint32_t)n;
	}
	if (s->way == FUZZ_WAY_PIPE)
		return true;
	while ((n = read(f->fd, answer, sizeof(answer))) > 0)
		;
	return n == 0 || errno != EAGAIN;
}

bool
fuzz_feed_step(struct fuzz_feed *f, const struct fuzz_subject *s)
{
	if (!f->is_going_on)
		return false;
	f->is_going_on =
	    !step(f, s) && clock_mono_ns() - f->since_ns < FEED_MS * 1000000ull;
	if (!f->is_going_on)
		hang_up(f);
	return !f->is_going_on;
}

void
fuzz_feed_end(struct fuzz_feed *f)
{
	f->is_going_on = false;
	hang_up(f);
}
