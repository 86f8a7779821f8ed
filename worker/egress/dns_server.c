/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/dns_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"

#define DATAGRAMS_PER_TURN 64
#define STREAMS_PER_TURN   16
/* A query over TCP, from connection to answer; between queries as long. */
#define STREAM_DEADLINE_NS 10000000000ull
#define FLOOD_PAUSE_NS     50000000ull
#define NS_PER_QUERY       (1000000000ull / LIMIT_EGRESS_QUERIES_PER_S)
#define QUERIES_AT_ONCE    (5u * LIMIT_EGRESS_QUERIES_PER_S)

/* One connection over TCP: length and message, one after the other. */
struct dns_stream {
	struct source source;
	LIST_ENTRY(dns_stream) link;
	struct worker *worker;
	struct loop_item grave;
	uint64_t deadline_ns;
	size_t n; /* bytes in query */
	uint8_t query[2 + DNS_QUERY_BYTES];
};

static bool
has_tokens(struct worker *w)
{
	uint64_t fresh = (clock_mono_ns() - w->query_tokens_ns) / NS_PER_QUERY;

	w->query_tokens_ns += fresh * NS_PER_QUERY;
	w->query_tokens += fresh;
	if (w->query_tokens > QUERIES_AT_ONCE)
		w->query_tokens = QUERIES_AT_ONCE;
	return w->query_tokens > 0;
}

static bool
name_is_below(const char *name, const char *zone)
{
	size_t n = strlen(name), n_zone = strlen(zone);

	return n >= n_zone && strcmp(name + n - n_zone, zone) == 0;
}

static void
deny_name(struct worker *w, const struct dns_query *q)
{
	char what[300 + DNS_NAME_BYTES], allow_with[300];

	/* Names of addresses are asked for by libraries, and nobody misses them. */
	if (name_is_below(q->name, ".in-addr.arpa") ||
	    name_is_below(q->name, ".ip6.arpa")) {
		worker_count(w, EGRESS_REASON_NAME);
		return;
	}
	/* Letters, digits, "-", "_" and dots: nothing to escape. */
	snprintf(what, sizeof(what), "look up the name %s", q->name);
	snprintf(allow_with, sizeof(allow_with), "connect: [%s:PORT]", q->name);
	worker_denied(w, EGRESS_REASON_NAME, what, q->name[0] != '\0' ? allow_with : "");
}

/* The answer's size; 0: none. */
static size_t
answer(struct worker *w, const uint8_t *query, size_t n, uint8_t out[DNS_ANSWER_BYTES])
{
	uint64_t now_ns = clock_mono_ns();
	struct dns_query q;
	enum dns_rcode rcode;
	uint8_t ip4[4];
	bool has_address = false;

	w->counters.queries++;
	w->query_tokens--;
	if (!dns_parse(query, n, &q, &rcode)) {
		worker_denied(
		    w, EGRESS_REASON_MALFORMED, "send what is no DNS query", "");
		return 0;
	}
	if (rcode != DNS_NOERROR) {
		worker_denied(w, EGRESS_REASON_MALFORMED,
		    "send a DNS query of a kind that is not answered", "");
		return dns_answer(query, &q, rcode, NULL, 0, out);
	}
	switch (names_look_up(&w->names, q.name, now_ns, ip4)) {
	case NAMES_KNOWN:
		has_address = q.type == DNS_TYPE_A;
		break;
	case NAMES_UNKNOWN:
		rcode = DNS_NXDOMAIN;
		deny_name(w, &q);
		break;
	case NAMES_FULL:
		rcode = DNS_SERVFAIL;
		worker_denied(w, EGRESS_REASON_LIMIT,
		    "look up more names of a pattern than can be kept", "");
		break;
	}
	return dns_answer(query, &q, rcode, has_address ? ip4 : NULL, NAMES_TTL_S, out);
}

/* Who floods is not read for a while; the kernel drops what does not fit. */
static void
wait_with_queries(struct worker *w, struct source *s)
{
	w->queries_wait_ns = clock_mono_ns() + FLOOD_PAUSE_NS;
	loop_change(&w->server->loop, s, 0);
	loop_wake_at(&w->server->loop, w->queries_wait_ns);
	worker_denied(w, EGRESS_REASON_RATE, "ask for names too often", "");
}

void
dns_server_on_datagram(struct source *s, uint32_t events)
{
	struct listener *l = (struct listener *)(void *)s;
	uint8_t query[DNS_QUERY_BYTES + 1], out[DNS_ANSWER_BYTES];

	for (int i = 0; i < DATAGRAMS_PER_TURN; i++) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		if (!has_tokens(l->worker)) {
			wait_with_queries(l->worker, s);
			return;
		}
		/* One byte more than is read: what is longer shows. */
		ssize_t n = recvfrom(s->fd, query, sizeof(query), MSG_DONTWAIT,
		    (struct sockaddr *)&from, &len);
		if (n < 0)
			return;
		size_t n_out = answer(l->worker, query, (size_t)n, out);
		if (n_out > 0)
			(void)!sendto(s->fd, out, n_out, MSG_DONTWAIT | MSG_NOSIGNAL,
			    (struct sockaddr *)&from, len);
	}
}

static void
stream_free(struct loop_item *item)
{
	free((char *)item - offsetof(struct dns_stream, grave));
}

static void
stream_end(struct dns_stream *d)
{
	struct loop *loop = &d->worker->server->loop;

	LIST_REMOVE(d, link);
	d->worker->n_dns_streams--;
	loop_close(loop, &d->source);
	d->grave.run = stream_free;
	loop_bury(loop, &d->grave);
}

/* False: over. */
static bool
serve_query(struct dns_stream *d, size_t n_query)
{
	uint8_t out[2 + DNS_ANSWER_BYTES];
	size_t n_out = 0;

	if (has_tokens(d->worker))
		n_out = answer(d->worker, d->query + 2, n_query, out + 2);
	else
		worker_denied(
		    d->worker, EGRESS_REASON_RATE, "ask for names too often", "");
	if (n_out == 0)
		return false;
	out[0] = (uint8_t)(n_out >> 8);
	out[1] = (uint8_t)n_out;
	/* Who does not read its answers gets no more. */
	if (send(d->source.fd, out, n_out + 2, MSG_DONTWAIT | MSG_NOSIGNAL) !=
	    (ssize_t)(n_out + 2))
		return false;
	d->n -= 2 + n_query;
	memmove(d->query, d->query + 2 + n_query, d->n);
	d->deadline_ns = clock_mono_ns() + STREAM_DEADLINE_NS;
	loop_wake_at(&d->worker->server->loop, d->deadline_ns);
	return true;
}

static void
on_stream(struct source *s, uint32_t events)
{
	struct dns_stream *d = (struct dns_stream *)(void *)s;
	ssize_t n = recv(s->fd, d->query + d->n, sizeof(d->query) - d->n, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		stream_end(d);
		return;
	}
	d->n += (size_t)n;
	while (d->n >= 2) {
		size_t n_query = (size_t)(d->query[0] << 8 | d->query[1]);
		if (n_query > DNS_QUERY_BYTES) {
			worker_denied(d->worker, EGRESS_REASON_MALFORMED,
			    "send what is no DNS query", "");
			stream_end(d);
			return;
		}
		if (d->n < 2 + n_query)
			return;
		if (!serve_query(d, n_query)) {
			stream_end(d);
			return;
		}
	}
}

void
dns_server_on_connection(struct source *s, uint32_t events)
{
	struct worker *w = ((struct listener *)(void *)s)->worker;
	struct loop *loop = &w->server->loop;
	bool is_full;

	for (int i = 0; i < STREAMS_PER_TURN; i++) {
		struct source taken = {loop_accept(loop, s, &is_full), on_stream};
		if (taken.fd < 0 && !is_full)
			return;
		struct dns_stream *d = NULL;
		if (taken.fd >= 0 && w->n_dns_streams < LIMIT_EGRESS_DNS_STREAMS)
			d = calloc(1, sizeof(*d));
		if (d == NULL) {
			worker_denied(w, EGRESS_REASON_LIMIT,
			    "open more connections to the resolver than it may", "");
			loop_reset(loop, &taken);
			continue;
		}
		d->source = taken;
		d->worker = w;
		d->deadline_ns = clock_mono_ns() + STREAM_DEADLINE_NS;
		LIST_INSERT_HEAD(&w->dns_streams, d, link);
		w->n_dns_streams++;
		loop_wake_at(loop, d->deadline_ns);
		if (!loop_add(loop, &d->source, EPOLLIN))
			stream_end(d);
	}
}

void
dns_server_expire(struct worker *w, uint64_t now_ns)
{
	struct dns_stream *next;

	if (w->queries_wait_ns > now_ns) {
		loop_wake_at(&w->server->loop, w->queries_wait_ns);
	} else if (w->queries_wait_ns != 0) {
		w->queries_wait_ns = 0;
		for (unsigned i = 0; i < w->plan.n; i++)
			if (w->listener[i].socket->kind == EGRESS_DNS_UDP)
				loop_change(
				    &w->server->loop, &w->listener[i].source, EPOLLIN);
	}
	for (struct dns_stream *d = LIST_FIRST(&w->dns_streams); d != NULL; d = next) {
		next = LIST_NEXT(d, link);
		if (d->deadline_ns <= now_ns)
			stream_end(d);
		else
			loop_wake_at(&w->server->loop, d->deadline_ns);
	}
}

void
dns_server_end(struct worker *w)
{
	while (!LIST_EMPTY(&w->dns_streams))
		stream_end(LIST_FIRST(&w->dns_streams));
}
