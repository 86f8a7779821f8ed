/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

#define ACCEPTS_PER_TURN 64
#define SECOND_NS        1000000000ull
/* Libc asks each of two name servers twice, five seconds each. */
#define RESOLVE_DEADLINE_NS (20 * SECOND_NS)
/* To one address; with others left to try, less. */
#define CONNECT_DEADLINE_NS  (10 * SECOND_NS)
#define CONNECT_IMPATIENT_NS (3 * SECOND_NS)
#define OPEN_DEADLINE_NS     (5 * SECOND_NS)
#define HEAD_DEADLINE_NS     (10 * SECOND_NS)
#define BOTH_EDGES           (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

static void connect_next(struct relay *r);

void
relay_set_deadline(struct relay *r, uint64_t from_now_ns)
{
	r->deadline_ns =
	    from_now_ns == UINT64_MAX ? UINT64_MAX : clock_mono_ns() + from_now_ns;
	loop_wake_at(&r->worker->server->loop, r->deadline_ns);
}

static void
relay_free(struct loop_item *item)
{
	free((char *)item - offsetof(struct relay, grave));
}

void
relay_end(struct relay *r, bool is_reset)
{
	struct worker *w = r->worker;
	struct loop *loop = &w->server->loop;

	LIST_REMOVE(r, link);
	w->n_relays--;
	w->server->n_relays--;
	resolver_cancel(&r->wait);
	loop_forget(loop, &r->again);
	if (is_reset) {
		loop_reset(loop, &r->client);
		loop_reset(loop, &r->server);
	} else {
		loop_close(loop, &r->client);
		loop_close(loop, &r->server);
	}
	flow_release(&r->up);
	flow_release(&r->down);
	buf_release(&r->head);
	r->grave.run = relay_free;
	loop_bury(loop, &r->grave);
}

void
relay_end_all(struct worker *w)
{
	while (!LIST_EMPTY(&w->relays))
		relay_end(LIST_FIRST(&w->relays), true);
}

static bool
may_connect(const struct relay *r, const struct address *a)
{
	enum address_class class = address_class(a);

	return r->target.is_address || class == ADDRESS_PUBLIC ||
	       (class == ADDRESS_PRIVATE && r->target.is_internal) ||
	       (class == ADDRESS_LOOPBACK && address_is_localhost(r->target.name)) ||
	       names_has_address(&r->worker->names, a, r->port);
}

/* None of the addresses was one to connect to. */
static void
deny_addresses(struct relay *r)
{
	const struct address *a = &r->resolved.address[0];
	char what[512], text[80];
	struct buf b;

	buf_init(&b, 256);
	address_text(a, r->port, &b);
	snprintf(text, sizeof(text), "%s", buf_str(&b));
	buf_clear(&b);
	buf_addf(&b, "connect: [\"%s\"]", text);
	if (address_class(a) == ADDRESS_PRIVATE)
		buf_adds(&b, ", or internal: true where it has the name");
	snprintf(what, sizeof(what), "connect to %s:%u: the name stands for %s, %s",
	    r->target.name, r->port, text, address_class_text(address_class(a)));
	worker_denied(r->worker, EGRESS_REASON_ADDRESS, what, buf_str(&b));
	buf_release(&b);
}

static bool
connect_to(struct relay *r, const struct address *a)
{
	struct loop *loop = &r->worker->server->loop;
	struct sockaddr_storage sa;
	socklen_t len = address_to_sockaddr(a, r->port, &sa);
	int one = 1;

	r->server.fd =
	    socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	if (r->server.fd < 0)
		return false;
	setsockopt(r->server.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(r->server.fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	if ((connect(r->server.fd, (struct sockaddr *)&sa, len) < 0 &&
		errno != EINPROGRESS) ||
	    !loop_add(loop, &r->server, BOTH_EDGES)) {
		loop_close(loop, &r->server);
		return false;
	}
	r->state = RELAY_CONNECTING;
	relay_set_deadline(r,
	    r->next_address < r->resolved.n ? CONNECT_IMPATIENT_NS : CONNECT_DEADLINE_NS);
	return true;
}

/* The next address that may be connected to, or the end. */
static void
connect_next(struct relay *r)
{
	while (r->next_address < r->resolved.n) {
		const struct address *a = &r->resolved.address[r->next_address++];
		if (!may_connect(r, a))
			continue;
		r->n_tried++;
		if (connect_to(r, a))
			return;
	}
	if (r->n_tried == 0)
		deny_addresses(r);
	else
		worker_count(r->worker, EGRESS_REASON_UNREACHABLE);
	relay_end(r, true);
}

static void
on_connected(struct relay *r)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(r->server.fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ||
	    error != 0) {
		loop_close(&r->worker->server->loop, &r->server);
		connect_next(r);
		return;
	}
	relay_begin(r);
}

static void
on_resolved(struct resolver_wait *wait, const struct resolved *result)
{
	struct relay *r =
	    (struct relay *)(void *)((char *)wait - offsetof(struct relay, wait));

	if (result->n == 0) {
		worker_count(r->worker, EGRESS_REASON_UNRESOLVED);
		relay_end(r, true);
		return;
	}
	r->resolved = *result;
	connect_next(r);
}

static void
on_server(struct source *s, uint32_t events)
{
	struct relay *r =
	    (struct relay *)(void *)((char *)s - offsetof(struct relay, server));

	if (r->state == RELAY_RELAYING)
		relay_pump(r);
	else if (r->state == RELAY_CONNECTING &&
		 (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0)
		on_connected(r);
}

static void
on_client(struct source *s, uint32_t events)
{
	struct relay *r = (struct relay *)(void *)s;

	switch (r->state) {
	case RELAY_HEAD:
		relay_read_head(r);
		break;
	case RELAY_LINGERING:
		relay_drain(r);
		break;
	case RELAY_RELAYING:
		/* A filtered one does not wait for a server that says nothing. */
		if (r->unix_socket != NULL && r->unix_socket->filtered &&
		    (events & EPOLLHUP) != 0)
			relay_end(r, false);
		else
			relay_pump(r);
		break;
	default:
		if ((events & (EPOLLHUP | EPOLLERR)) != 0)
			relay_end(r, true);
	}
}

static void
on_again(struct loop_item *item)
{
	relay_pump(
	    (struct relay *)(void *)((char *)item - offsetof(struct relay, again)));
}

static void
deny_port(struct worker *w, const struct relay *r, const struct address *inside)
{
	char what[DNS_NAME_BYTES + 64], allow_with[DNS_NAME_BYTES];
	struct buf place;

	buf_init(&place, sizeof(what));
	if (r->target.name[0] != '\0')
		buf_addf(&place, "%s:%u", r->target.name, r->port);
	else
		address_text(inside, r->port, &place);
	snprintf(what, sizeof(what), "connect to %s", buf_str(&place));
	snprintf(allow_with, sizeof(allow_with), "connect: [%s]", buf_str(&place));
	/* An address in here that stands for nothing is nothing to allow. */
	worker_denied(
	    w, EGRESS_REASON_PORT, what, r->target.name[0] != '\0' ? allow_with : "");
	buf_release(&place);
}

static void
start_tcp(struct relay *r)
{
	struct worker *w = r->worker;
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct address inside;
	int one = 1;

	/* The worker chose where to connect by this address; it cannot lie about it. */
	if (getsockname(r->client.fd, (struct sockaddr *)&sa, &len) < 0 ||
	    !address_of_sockaddr((struct sockaddr *)&sa, &inside, &r->port)) {
		relay_end(r, true);
		return;
	}
	setsockopt(r->client.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (!names_target(&w->names, &inside, r->port, clock_mono_ns(), &r->target)) {
		deny_port(w, r, &inside);
		relay_end(r, true);
		return;
	}
	r->state = RELAY_RESOLVING;
	relay_set_deadline(r, RESOLVE_DEADLINE_NS);
	if (r->target.is_address) {
		r->resolved.address[0] = r->target.address;
		r->resolved.n = 1;
		connect_next(r);
	} else if (!resolver_ask(w->server->resolver, r->target.name, w->id, &r->wait)) {
		worker_count(w, EGRESS_REASON_LIMIT);
		relay_end(r, true);
	}
}

void
relay_open_unix(struct relay *r)
{
	r->state = RELAY_OPENING;
	r->open_is_due = true;
	relay_set_deadline(r, OPEN_DEADLINE_NS);
	worker_has_opens_due(r->worker);
}

static void
start_unix(struct relay *r, uint32_t unix_index)
{
	r->unix_index = unix_index;
	r->unix_socket = &r->worker->profile.unix_socket[unix_index];
	if (!r->unix_socket->filtered) {
		relay_open_unix(r);
		return;
	}
	r->state = RELAY_HEAD;
	relay_set_deadline(r, HEAD_DEADLINE_NS);
}

static void
start(const struct listener *l, int fd)
{
	struct worker *w = l->worker;
	struct server *server = w->server;
	struct source refused = {.fd = fd};
	struct relay *r = NULL;

	w->counters.connections++;
	/* Nobody takes more than there is left for others: the next worker always finds
	 * some. */
	if (w->n_relays < LIMIT_EGRESS_RELAYS_PER_WORKER &&
	    w->n_relays < server->max_relays - server->n_relays)
		r = calloc(1, sizeof(*r));
	if (r == NULL) {
		worker_denied(w, EGRESS_REASON_LIMIT,
		    "have more connections at once than it may", "");
		loop_reset(&server->loop, &refused);
		return;
	}
	r->client = (struct source){fd, on_client};
	r->server = (struct source){-1, on_server};
	r->worker = w;
	r->wait.done = on_resolved;
	r->again.run = on_again;
	r->token = ++server->n_relays_ever;
	flow_init(&r->up);
	flow_init(&r->down);
	buf_init(&r->head, 2 * LIMIT_HTTP_HEAD_BYTES);
	LIST_INSERT_HEAD(&w->relays, r, link);
	w->n_relays++;
	server->n_relays++;
	if (!loop_add(&server->loop, &r->client, BOTH_EDGES))
		relay_end(r, true);
	else if (l->socket->kind == EGRESS_UNIX)
		start_unix(r, l->socket->unix_index);
	else
		start_tcp(r);
}

void
relay_on_connection(struct source *s, uint32_t events)
{
	const struct listener *l = (struct listener *)(void *)s;

	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		bool is_full;
		int fd = loop_accept(&l->worker->server->loop, s, &is_full);
		if (fd >= 0)
			start(l, fd);
		else if (is_full)
			worker_count(l->worker, EGRESS_REASON_LIMIT);
		else
			return;
	}
}

/* The plugin sees but an end of file. */
static void
tell_unopened(const struct relay *r, int error)
{
	struct buf what;

	buf_init(&what, 400);
	buf_adds(&what, "connect to the socket \"");
	utf8_escape(&what, r->unix_socket->path, strlen(r->unix_socket->path), 256);
	buf_addf(
	    &what, "\" (its policy allows it, but on this host: %s)", strerror(error));
	worker_denied(r->worker, EGRESS_REASON_UNREACHABLE, buf_str(&what), "");
	buf_release(&what);
}

void
relay_opened(struct worker *w, uint64_t token, int fd, int error)
{
	struct relay *r;

	LIST_FOREACH(r, &w->relays, link)
	if (r->token == token && r->state == RELAY_OPENING)
		break;
	if (r == NULL || fd < 0) {
		if (fd >= 0)
			close(fd);
		if (r != NULL) {
			tell_unopened(r, error != 0 ? error : EMFILE);
			relay_end(r, true);
		}
		return;
	}
	r->server.fd = fd;
	if (loop_add(&w->server->loop, &r->server, BOTH_EDGES))
		relay_begin(r);
	else
		relay_end(r, true);
}

static void
expire(struct relay *r)
{
	switch (r->state) {
	case RELAY_CONNECTING:
		loop_close(&r->worker->server->loop, &r->server);
		connect_next(r);
		return;
	case RELAY_RESOLVING:
		worker_count(r->worker, EGRESS_REASON_UNRESOLVED);
		break;
	case RELAY_OPENING:
		worker_count(r->worker, EGRESS_REASON_UNREACHABLE);
		break;
	case RELAY_HEAD:
	case RELAY_RELAYING:
		worker_count(r->worker, EGRESS_REASON_IDLE);
		break;
	case RELAY_LINGERING:
		break;
	}
	relay_end(r, r->state != RELAY_LINGERING);
}

void
relay_expire(struct worker *w, uint64_t now_ns)
{
	struct relay *next;

	for (struct relay *r = LIST_FIRST(&w->relays); r != NULL; r = next) {
		next = LIST_NEXT(r, link);
		if (r->deadline_ns <= now_ns)
			expire(r);
		else
			loop_wake_at(&w->server->loop, r->deadline_ns);
	}
}
