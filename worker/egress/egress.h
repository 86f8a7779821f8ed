/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and outbound connections of those workers that may have any, for whoever starts
 * workers.
 *
 * A worker's network namespace holds nothing but sockets that egress_sockets_make put
 * there: a resolver at 127.0.0.1:53 and a listener for every place that the policy names.
 * They are served from outside by one small unprivileged process, mews-egress, which
 * answers for allowed names alone, looks at the class of every real address, connects,
 * and relays. It never looks into what it relays, but for unix sockets with http-get.
 *
 * The order of things, per worker:
 *   egress_plan_make      what its policy needs; n = 0: nothing, it needs no egress
 *   egress_sockets_make   in the child, inside its network namespace
 *   egress_unix_make      in the child, for each unix socket, in its root before that is
 *                         made read-only
 *   egress_add            hands them over; close them afterwards
 *   egress_remove         when the worker is dead
 *
 * In the worker, host number N of the policy is 127.64.0.N, names of a pattern are
 * 127.64.1.0 and up as they are asked for, and an address of the policy is itself (on
 * lo). A pattern's listener covers its port on every address: connecting there to what
 * the policy does not name is reset, everything else is refused by the kernel.
 *
 * A name whose real address is not public (loopback, private, link-local, cloud metadata,
 * …) is not connected to, unless the policy lists that very address with that port too;
 * "localhost" in the policy stands for loopback, and a name marked as internal may be
 * private.
 */
#ifndef WORKER_EGRESS_EGRESS_H
#define WORKER_EGRESS_EGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "policy/profile.h"
#include "worker/egress/address.h"
#include "worker/egress/counters.h"

enum egress_socket_kind {
	EGRESS_DNS_UDP,
	EGRESS_DNS_TCP,
	EGRESS_TCP,
	EGRESS_UNIX,
};

struct egress_socket {
	enum egress_socket_kind kind;
	struct address address; /* 0.0.0.0: every IPv4 address inside */
	uint16_t port;
	uint32_t unix_index; /* of EGRESS_UNIX: in profile.unix_socket */
};

/* The sockets of one worker, in the order in which descriptors are handed over; those of
 * kind EGRESS_UNIX come last. The same profile always gives the same plan. */
struct egress_plan {
	struct egress_socket socket[LIMIT_EGRESS_SOCKETS];
	unsigned n;
	unsigned n_inet; /* the rest is EGRESS_UNIX */
	/* What lo must have besides. */
	struct address address[LIMIT_POLICY_ITEMS];
	unsigned n_address;
	/* Of profile.connect[i], when it is a plain name: its N in 127.64.0.N. */
	uint8_t host_number[LIMIT_POLICY_ITEMS];
};

/* Errors are those of the policy: an entry that cannot be had and why, or too many. */
bool egress_plan_make(
    struct egress_plan *plan, const struct profile *profile, struct err *err);

/* Whether an address inside stands for a name; which of the policy's plain ones it is,
 * NULL: none of them. */
bool egress_stands_for_name(const struct address *inside);
const char *egress_plan_name(const struct egress_plan *plan,
    const struct profile *profile, const struct address *inside);

/*
 * In the new network namespace, with capabilities over it: lo goes up, gets the addresses
 * that the policy names, and plan->n_inet sockets are made, bound and listening.
 * Close-on-exec. On failure none is left open.
 */
bool egress_sockets_make(
    const struct egress_plan *plan, int ret_fd[LIMIT_EGRESS_SOCKETS], struct err *err);
/* A listening socket at name in the directory dir_fd, whoever may enter that may
 * connect. Changes the working directory and leaves it at dir_fd. */
bool egress_unix_make(int dir_fd, const char *name, int *ret_fd, struct err *err);

/* What egress needs of a profile (connect, unix), as bytes to send, and back again: the
 * rest of *ret_profile is zero. Every count, length and text is checked. */
void egress_policy_pack(const struct profile *profile, struct buf *out);
bool egress_policy_unpack(const void *bytes, size_t n, struct arena *arena,
    struct profile *ret_profile, struct err *err);

struct egress;

struct egress_config {
	const char *path; /* of mews-egress */
	const char
	    *hosts_path; /* names resolved before all others, as in hosts(5); NULL */
	/* As root: who it becomes. An id that owns nothing and runs nothing else. */
	uid_t uid;
	gid_t gid;
};

/* Starts mews-egress in the network namespace of the caller, and waits until it is ready.
 */
struct egress *egress_start(const struct egress_config *config, struct err *err);
/* Ends it, which ends every connection; waits for it. */
void egress_free(struct egress *e);

/*
 * fds: plan.n of them, which stay the caller's. Does not wait: the worker's sockets queue
 * until they are served. Unix sockets of the host
 * are connected to by this library, in this process and with its rights, when the worker
 * connects; so profile's are the only ones that mews-egress can ask for.
 */
bool egress_add(struct egress *e, uint32_t id, const struct profile *profile,
    const int *fds, struct err *err);
/* Its connections end now. Its last counters come as an event. Unknown ids are fine. */
bool egress_remove(struct egress *e, uint32_t id, struct err *err);
/* They come as an event. */
bool egress_ask_counters(struct egress *e, uint32_t id, struct err *err);

enum egress_event_kind {
	/* The first of its kind, and again when count reaches 10, 100, 1000 …; past
	 * LIMIT_DENIALS kinds of one worker all others are one kind. */
	EGRESS_EVENT_DENIED,
	EGRESS_EVENT_COUNTERS,
	EGRESS_EVENT_FAILED, /* a worker was not taken on: what says why. It has no
				network. */
	EGRESS_EVENT_LOST,   /* the process is gone: no worker has a network any more */
};

struct egress_event {
	enum egress_event_kind kind;
	uint32_t id;
	/* DENIED: escaped; and what would allow it ("connect: [10.0.0.5:443]"; empty: no
	 * policy can). */
	char what[512];
	char allow_with[256];
	uint64_t count; /* occurrences so far */
	bool is_last;   /* COUNTERS: the worker was removed */
	struct egress_counters counters;
};

/* Readable when egress_event should be called. */
int egress_fd(const struct egress *e);
/* False when there is none now. Never blocks. Also where the library connects to unix
 * sockets for workers: call it until it returns false. */
bool egress_event(struct egress *e, struct egress_event *ret_event);

#endif
