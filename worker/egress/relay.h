/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection of a worker's and the one outside that it stands for.
 *
 *   TCP   RESOLVING ─▶ CONNECTING ─▶ RELAYING
 *   unix            ─▶ OPENING    ─▶ RELAYING
 *   unix, filtered  HEAD ─▶ OPENING ─▶ RELAYING ─▶ LINGERING
 *
 * A worker whose connection cannot be made sees it reset.
 */
#ifndef WORKER_EGRESS_RELAY_H
#define WORKER_EGRESS_RELAY_H

#include "worker/egress/flow.h"
#include "worker/egress/server.h"

enum relay_state {
	RELAY_HEAD,       /* reads a request */
	RELAY_RESOLVING,  /* waits for real addresses */
	RELAY_CONNECTING, /* to one of them */
	RELAY_OPENING,    /* waits for the parent to connect */
	RELAY_RELAYING,
	RELAY_LINGERING, /* all is said: reads what the worker still sends, so that it
			    gets to see the answer */
};

struct relay {
	struct source client; /* the worker */
	struct source server;
	LIST_ENTRY(relay) link;
	struct worker *worker;
	enum relay_state state;
	struct flow up, down;
	uint64_t deadline_ns;
	struct loop_item again, grave;
	/* TCP */
	struct names_target target;
	uint16_t port;
	struct resolver_wait wait;
	struct resolved resolved;
	unsigned next_address, n_tried;
	/* unix */
	const struct profile_unix *unix_socket; /* NULL: TCP */
	uint32_t unix_index;
	uint64_t token;
	bool open_is_due; /* the parent is to be asked */
	struct buf head;  /* filtered: as it comes, then as it goes on */
	size_t n_head_sent, n_discarded;
};

/* Of struct listener: EGRESS_TCP and EGRESS_UNIX. */
void relay_on_connection(struct source *s, uint32_t events);
/* The parent's answer: a connected socket, or -1 and why (an errno). Takes fd. */
void relay_opened(struct worker *w, uint64_t token, int fd, int error);

/* Ends or moves on those whose time is up; the deadline of the rest goes to the loop. */
void relay_expire(struct worker *w, uint64_t now_ns);
/* All of the worker's. */
void relay_end_all(struct worker *w);

/* For relay_data.c. is_reset: the other ends are to see that it is no orderly one. */
void relay_end(struct relay *r, bool is_reset);
void relay_set_deadline(struct relay *r, uint64_t from_now_ns);
/* Asks the parent for the socket. */
void relay_open_unix(struct relay *r);

/* relay_data.c: both ends are there. */
void relay_begin(struct relay *r);
void relay_pump(struct relay *r);
void relay_read_head(struct relay *r);
void relay_drain(struct relay *r);

#endif
