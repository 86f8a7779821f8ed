/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/operators/notify.h"

#include <event2/event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "broker/keeper/keeper.h"

enum {
	STATUS_BYTES = 256,
	/* The line for people is renewed this often where there is no watchdog. */
	STATUS_S = 10,
};

struct notify {
	bool watchdog;
	struct event *on_beat;
	void (*status)(char *out, unsigned long size, void *arg);
	void *arg;
};

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
	keeper_notify(text);
}

static void
on_beat(int fd, short what, void *arg)
{
	struct notify *n = arg;

	tell_with_status(n, n->watchdog ? "WATCHDOG=1\n" : "");
}

/* Twice within the time that systemd waits; 0 when it does not watch, or not us. */
static uint64_t
watchdog_us(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!us || (pid && strtol(pid, NULL, 10) != (long)keeper_pid()))
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
	if (path[0] != '/' && path[0] != '@') {
		err_set(err, ERR_USAGE, "NOTIFY_SOCKET is no socket's address: %s", path);
		return NULL;
	}
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
	n->on_beat = event_new(base, -1, EV_PERSIST, on_beat, n);
	if (n->on_beat && event_add(n->on_beat, &tv) == 0)
		return n;
	err_nomem(err);
	notify_free(n);
	return NULL;
}

void
notify_free(struct notify *n)
{
	if (!n)
		return;
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

	if (!n)
		return;
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu\n",
	    (unsigned long long)(clock_mono_ns() / 1000));
	keeper_notify(text);
}

void
notify_stopping(struct notify *n)
{
	if (n)
		keeper_notify("STOPPING=1\n");
}

void
notify_status(struct notify *n)
{
	tell_with_status(n, "");
}
