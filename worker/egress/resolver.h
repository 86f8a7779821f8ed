/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real addresses of allowed names: from the operator's hosts file, or by getaddrinfo in a
 * few threads, so that the loop never waits. What was found is known for some seconds;
 * many connections to one host ask once.
 */
#ifndef WORKER_EGRESS_RESOLVER_H
#define WORKER_EGRESS_RESOLVER_H

#include <sys/queue.h>

#include "base/limits.h"
#include "worker/egress/address.h"
#include "worker/egress/dns.h"
#include "worker/egress/loop.h"

struct resolver;

struct resolved {
	struct address address[LIMIT_EGRESS_ADDRESSES];
	unsigned n;    /* 0: not found */
	char why[128]; /* then */
};

/* Who waits for a name; a member of what it belongs to. */
struct resolver_wait {
	TAILQ_ENTRY(resolver_wait) link;
	TAILQ_HEAD(resolver_waits, resolver_wait) * list; /* NULL: does not wait */
	/* result lives until the call returns. */
	void (*done)(struct resolver_wait *w, const struct resolved *result);
};

/* hosts_path may be NULL. Errors in the file name its line. */
struct resolver *resolver_new(const char *hosts_path, struct err *err);
/* The threads and the loop's part. They never end: the process does. */
bool resolver_start(struct resolver *r, struct loop *l, struct err *err);

/*
 * owner: for whom; nobody keeps more than a share of threads and places busy. w->done is
 * called, at once when the result is known, else from the loop. False, and not
 * called: too many names are being looked up, for the owner or at all.
 */
bool resolver_ask(
    struct resolver *r, const char *name, uint32_t owner, struct resolver_wait *w);
void resolver_cancel(struct resolver_wait *w);

#endif
