/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the control socket: ctl.c (connections), ctl_commands.c (answers),
 * ctl_tap.c (events as they pass). */
#ifndef BROKER_OPERATORS_CTL_INTERNAL_H
#define BROKER_OPERATORS_CTL_INTERNAL_H

#include <sys/queue.h>

#include "base/json_write.h"
#include "broker/operators/ctl.h"

struct bufferevent;

struct ctl_client {
	TAILQ_ENTRY(ctl_client) link;
	struct ctl *ctl;
	struct bufferevent *bev;
	bool is_over;      /* freed as soon as nobody looks at it */
	bool waits_reload; /* for the one that it asked for */
	/* What it taps: events of this source, fields of this plugin. */
	struct app_source *tap;
	uint32_t tap_plugin;
	double tap_tokens;
	uint64_t tap_at_ns, tap_skipped;
};

TAILQ_HEAD(ctl_clients, ctl_client);

struct ctl {
	struct app *app;
	char *path;
	int fd;
	struct event *on_accept;
	struct ctl_clients clients;
	uint32_t n;
	uint64_t started_ns;
};

/* Writes the members of the answer. False: error says why not; what was written is
 * dropped. */
typedef bool ctl_command_fn(
    struct ctl_client *c, const char *argument, struct json_writer *w, struct err *err);
#define CTL_DECLARE(function, name, argument, text) ctl_command_fn function;
CTL_COMMANDS(CTL_DECLARE)
#undef CTL_DECLARE

/* A line, to be sent. A client that does not read is over. */
void ctl_send(struct ctl_client *c, const struct buf *line);

/* The client does not tap any more. */
void ctl_tap_end(struct ctl_client *c);

#endif
