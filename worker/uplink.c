/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/uplink.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "proto/plugin_api.h"

enum {
	COMPONENT_BYTES = 128,
	SECOND_NS = 1000000000
};

void
uplink_init(struct uplink *u, struct channel *channel)
{
	*u = (struct uplink){.channel = channel};
	pthread_mutex_init(&u->lock, NULL);
}

/* With the lock. */
static bool
send_whole(struct uplink *u, const Control__Message *m, struct err *err)
{
	struct pollfd p = {.fd = u->channel->fd, .events = POLLOUT};

	if (!channel_send(u->channel, m, err))
		return false;
	while (channel_wants_write(u->channel)) {
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return err_sys(err, "waiting for the broker");
		switch (channel_flush(u->channel, err)) {
		case CHANNEL_OK:
		case CHANNEL_AGAIN:
			break;
		case CHANNEL_CLOSED:
			return err_set(err, ERR_GONE, "the broker is gone");
		case CHANNEL_ERROR:
			return false;
		}
	}
	return true;
}

bool
uplink_send(struct uplink *u, const Control__Message *m, struct err *err)
{
	pthread_mutex_lock(&u->lock);
	bool ok = send_whole(u, m, err);
	pthread_mutex_unlock(&u->lock);
	return ok;
}

/* With the lock. Both texts are bounded. */
static void
send_log(struct uplink *u, const char *component, const char *text, uint32_t severity)
{
	char line[LIMIT_LOG_LINE_BYTES], name[COMPONENT_BYTES];
	Control__Log log = CONTROL__LOG__INIT;
	Control__Message m = CONTROL__MESSAGE__INIT;
	struct err ignored;

	snprintf(line, sizeof(line), "%s", text);
	snprintf(name, sizeof(name), "%s", component ? component : "");
	log.text = line;
	log.component = component ? name : NULL;
	log.has_severity = true;
	log.severity = severity;
	m.body_case = CONTROL__MESSAGE__BODY_LOG;
	m.log = &log;
	send_whole(u, &m, &ignored);
}

void
uplink_log(struct uplink *u, const char *component, const char *text, uint32_t severity)
{
	uint64_t now = clock_mono_ns();

	pthread_mutex_lock(&u->lock);
	if (now - u->window_ns >= SECOND_NS) {
		uint32_t left_out = u->left_out;
		u->window_ns = now;
		u->in_window = u->left_out = 0;
		if (left_out > 0) {
			char note[64];
			snprintf(note, sizeof(note), "%u lines were left out", left_out);
			send_log(u, NULL, note, PLUGIN_LOG_WARNING);
		}
	}
	if (u->in_window < LIMIT_LOG_LINES_PER_S) {
		u->in_window++;
		send_log(u, component, text, severity);
	} else {
		u->left_out++;
	}
	pthread_mutex_unlock(&u->lock);
}

bool
uplink_failed(
    struct uplink *u, Control__Failed__Step step, const char *text, struct err *err)
{
	char copy[sizeof(((struct err *)0)->msg)];
	Control__Failed failed = CONTROL__FAILED__INIT;
	Control__Message m = CONTROL__MESSAGE__INIT;

	snprintf(copy, sizeof(copy), "%s", text);
	failed.has_step = true;
	failed.step = step;
	failed.text = copy;
	m.body_case = CONTROL__MESSAGE__BODY_FAILED;
	m.failed = &failed;
	return uplink_send(u, &m, err);
}
