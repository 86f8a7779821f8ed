/* SPDX-License-Identifier: Apache-2.0 */
/* What mews-egress holds: its workers, each with its sockets, names and connections. */
#ifndef WORKER_EGRESS_SERVER_H
#define WORKER_EGRESS_SERVER_H

#include "worker/egress/denials.h"
#include "worker/egress/loop.h"
#include "worker/egress/message.h"
#include "worker/egress/names.h"
#include "worker/egress/resolver.h"

struct relay;
struct dns_stream;

struct server {
	struct loop loop;
	struct source control; /* of MESSAGE_FD */
	struct resolver *resolver;
	LIST_HEAD(, worker) workers;
	unsigned n_relays, max_relays;
	uint64_t n_relays_ever; /* tokens */
	bool is_due;            /* something is to be told to the parent */
	bool parent_is_slow;    /* its socket is full; that waits */
	bool has_ended;         /* the parent is gone, or talks nonsense */
};

struct listener {
	struct source source;
	struct worker *worker;
	const struct egress_socket *socket;
};

struct worker {
	LIST_ENTRY(worker) link;
	struct server *server;
	uint32_t id;
	struct arena arena;
	struct profile profile; /* of egress_policy_unpack */
	struct egress_plan plan;
	struct listener listener[LIMIT_EGRESS_SOCKETS]; /* as in plan */
	struct names names;
	struct denials denials;
	struct egress_counters counters;
	bool counters_due, opens_due;
	bool is_removed; /* nothing left of it but what is to be told */
	LIST_HEAD(, relay) relays;
	unsigned n_relays;
	LIST_HEAD(, dns_stream) dns_streams;
	unsigned n_dns_streams;
	uint64_t query_tokens; /* queries that may come now */
	uint64_t query_tokens_ns;
	uint64_t queries_wait_ns; /* until then none is read; 0: all are */
	struct loop_item grave;
};

bool server_init(
    struct server *s, struct resolver *resolver, int control_fd, struct err *err);
/* Until the parent is gone. */
void server_run(struct server *s);

/* Counts, and tells the parent when that is due. what and allow_with: as in struct
 * egress_event. */
void worker_denied(struct worker *w, enum egress_reason reason, const char *what,
    const char *allow_with);
/* One of its relays waits for the parent. */
void worker_has_opens_due(struct worker *w);
/* Only counts: what happens without anybody's fault. */
void worker_count(struct worker *w, enum egress_reason reason);

#endif
