/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/operators/notify.h"

#include <errno.h>
#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	STATUS_BYTES = 256,
	/* The line for people is renewed this often where there is no watchdog. */
	STATUS_S = 10,
};

struct notify {
	int fd;
	struct sockaddr_un to;
	socklen_t to_len;
	bool watchdog;
	struct event *on_beat;
	void (*status)(char *out, unsigned long size, void *arg);
	void *arg;
};

/* Lost when the other side does not read: it is the one that asked. */
static void
tell(struct notify *n, const char *text)
{
	if (n)
		(void)!sendto(n->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
		    (const struct sockaddr *)&n->to, n->to_len);
}

static void
tell_with_status(struct notify *n, const char *what)
{
	char status[STATUS_BYTES] = "", text[2 * STATUS_BYTES];

	if (!n)
		return;
	n->status(status, sizeof(status), n->arg);
	for (char *p = status; *p; p++) {
		if (*p == '\n')
			*p = ' ';
	}
	snprintf(text, sizeof(text), "%sSTATUS=%s\n", what, status);
	tell(n, text);
}

static void
on_beat(int fd, short what, void *arg)
{
	struct notify *n = arg;

	tell_with_status(n, n->watchdog ? "WATCHDOG=1\n" : "");
}

static bool
set_address(struct notify *n, const char *path)
{
	size_t len = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(n->to.sun_path))
		return false;
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, path, len);
	if (path[0] == '@')
		n->to.sun_path[0] = '\0';
	n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

/* Twice within the time that systemd waits; 0 when it does not watch, or not us. */
static uint64_t
watchdog_us(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!us || (pid && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	return strtoull(us, NULL, 10) / 2;
}

struct notify *
notify_new(struct event_base *base,
    void (*status)(char *out, unsigned long size, void *arg), void *arg, struct err *err)
{
	const char *path = getenv("NOTIFY_SOCKET");
	uint64_t us = watchdog_us();
	struct timeval tv = {STATUS_S, 0};
	struct notify *n;

	err->code = ERR_NONE;
	if (!path || !*path)
		return NULL;
	n = calloc(1, sizeof(*n));
	if (!n) {
		err_nomem(err);
		return NULL;
	}
	n->status = status;
	n->arg = arg;
	n->watchdog = us > 0;
	if (us > 0)
		tv =
		    (struct timeval){(time_t)(us / 1000000), (suseconds_t)(us % 1000000)};
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	n->on_beat = event_new(base, -1, EV_PERSIST, on_beat, n);
	if (n->fd < 0)
		err_sys(err, "socket");
	else if (!set_address(n, path))
		err_set(err, ERR_USAGE, "NOTIFY_SOCKET is no socket's address: %s", path);
	else if (!n->on_beat || event_add(n->on_beat, &tv) < 0)
		err_nomem(err);
	else
		return n;
	notify_free(n);
	return NULL;
}

void
notify_free(struct notify *n)
{
	if (!n)
		return;
	if (n->fd >= 0)
		close(n->fd);
	if (n->on_beat)
		event_free(n->on_beat);
	free(n);
}

void
notify_ready(struct notify *n)
{
	tell_with_status(n, "READY=1\n");
}

void
notify_reloading(struct notify *n)
{
	char text[128];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu\n",
	    (unsigned long long)(clock_mono_ns() / 1000));
	tell(n, text);
}

void
notify_stopping(struct notify *n)
{
	tell(n, "STOPPING=1\n");
}

void
notify_status(struct notify *n)
{
	tell_with_status(n, "");
}
