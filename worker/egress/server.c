/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/server.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/egress/dns_server.h"
#include "worker/egress/relay.h"

/* Two sockets, two pipes. */
#define RELAY_FDS 6

/* What each kind of socket does. */
static void (*const on_ready[])(struct source *, uint32_t) = {
    [EGRESS_DNS_UDP] = dns_server_on_datagram,
    [EGRESS_DNS_TCP] = dns_server_on_connection,
    [EGRESS_TCP] = relay_on_connection,
    [EGRESS_UNIX] = relay_on_connection,
};

static struct worker *
find_worker(struct server *s, uint32_t id)
{
	struct worker *w;

	LIST_FOREACH(w, &s->workers, link)
	if (w->id == id)
		return w;
	return NULL;
}

void
worker_count(struct worker *w, enum egress_reason reason)
{
	w->counters.refused[reason]++;
}

void
worker_denied(
    struct worker *w, enum egress_reason reason, const char *what, const char *allow_with)
{
	worker_count(w, reason);
	if (denials_note(&w->denials, w->id, what, allow_with))
		w->server->is_due = true;
}

void
worker_has_opens_due(struct worker *w)
{
	w->opens_due = true;
	w->server->is_due = true;
}

static void
worker_free(struct loop_item *item)
{
	struct worker *w =
	    (struct worker *)(void *)((char *)item - offsetof(struct worker, grave));

	denials_release(&w->denials);
	arena_release(&w->arena);
	free(w);
}

/* Everything but its last words. */
static void
stop_worker(struct worker *w)
{
	for (unsigned i = 0; i < w->plan.n; i++)
		loop_close(&w->server->loop, &w->listener[i].source);
	relay_end_all(w);
	dns_server_end(w);
	names_release(&w->names);
	w->is_removed = true;
	w->counters_due = true;
	w->server->is_due = true;
}

/* Takes the descriptors, also on failure. */
static bool
start_worker(struct worker *w, const char *body, size_t n, const int *fd, unsigned n_fd,
    struct err *err)
{
	bool ok = egress_policy_unpack(body, n, &w->arena, &w->profile, err) &&
		  egress_plan_make(&w->plan, &w->profile, err);

	if (ok && n_fd != w->plan.n)
		ok = err_set(
		    err, ERR_PEER, "%u sockets where %u were due", n_fd, w->plan.n);
	if (!ok)
		w->plan.n = 0;
	for (unsigned i = 0; i < n_fd; i++) {
		if (!ok) {
			close(fd[i]);
			continue;
		}
		struct listener *l = &w->listener[i];
		l->worker = w;
		l->socket = &w->plan.socket[i];
		l->source = (struct source){fd[i], on_ready[l->socket->kind]};
		/* It was made so; to wait in accept would be to wait for a worker. */
		if (fcntl(fd[i], F_SETFL, O_NONBLOCK) < 0 ||
		    !loop_add(&w->server->loop, &l->source, EPOLLIN))
			ok = err_sys(err, "watching a socket");
	}
	return ok;
}

static bool
add_worker(struct server *s, uint32_t id, const char *body, size_t n, const int *fd,
    unsigned n_fd)
{
	struct worker *w = find_worker(s, id) == NULL ? calloc(1, sizeof(*w)) : NULL;
	struct err err;

	if (w == NULL) {
		for (unsigned i = 0; i < n_fd; i++)
			close(fd[i]);
		return false;
	}
	w->server = s;
	w->id = id;
	w->names.profile = &w->profile;
	w->names.plan = &w->plan;
	w->query_tokens_ns = clock_mono_ns();
	w->query_tokens = 5 * LIMIT_EGRESS_QUERIES_PER_S;
	LIST_INIT(&w->relays);
	LIST_INIT(&w->dns_streams);
	for (unsigned i = 0; i < LIMIT_EGRESS_SOCKETS; i++)
		w->listener[i].source.fd = -1;
	/* Short texts take more room there than on the way. */
	arena_init(&w->arena, 32 * LIMIT_EGRESS_GRANT_BYTES);
	LIST_INSERT_HEAD(&s->workers, w, link);
	if (!start_worker(w, body, n, fd, n_fd, &err)) {
		denials_fail(&w->denials, id, err.msg);
		stop_worker(w);
	}
	return true;
}

/* False: the parent talks nonsense. */
static bool
obey(struct server *s, const struct message_head *head, const char *body, size_t n,
    const int *fd, unsigned n_fd)
{
	struct worker *w = find_worker(s, head->id);

	if (head->kind == MESSAGE_ADD)
		return add_worker(s, head->id, body, n, fd, n_fd);
	if (head->kind == MESSAGE_OPENED) {
		/* Which may have ended, and the worker too. */
		if (w != NULL)
			relay_opened(w, head->token, n_fd == 1 ? fd[0] : -1, head->sys);
		else if (n_fd == 1)
			close(fd[0]);
		return n_fd <= 1;
	}
	for (unsigned i = 0; i < n_fd; i++)
		close(fd[i]);
	if (head->kind == MESSAGE_REMOVE) {
		if (w != NULL && !w->is_removed)
			stop_worker(w);
	} else if (head->kind == MESSAGE_COUNTERS) {
		if (w != NULL)
			w->counters_due = s->is_due = true;
	} else {
		return false;
	}
	return true;
}

static enum packet_rc
tell(struct server *s, const struct message_head *head, const void *body, size_t n)
{
	struct err ignored;
	enum packet_rc rc =
	    message_send(s->control.fd, head, body, n, NULL, 0, MSG_DONTWAIT, &ignored);

	if (rc == PACKET_AGAIN) {
		s->parent_is_slow = true;
		loop_change(&s->loop, &s->control, EPOLLIN | EPOLLOUT);
	} else if (rc != PACKET_OK) {
		s->has_ended = true;
	}
	return rc;
}

static bool
tell_event(struct server *s, const struct egress_event *event)
{
	struct message_head head = {.kind = MESSAGE_EVENT, .id = event->id};

	return tell(s, &head, event, sizeof(*event)) == PACKET_OK;
}

static bool
tell_opens(struct worker *w)
{
	struct message_head head = {.kind = MESSAGE_OPEN, .id = w->id};
	struct relay *r;

	LIST_FOREACH(r, &w->relays, link)
	{
		if (!r->open_is_due)
			continue;
		head.token = r->token;
		head.index = r->unix_index;
		if (tell(w->server, &head, NULL, 0) != PACKET_OK)
			return false;
		r->open_is_due = false;
	}
	w->opens_due = false;
	return true;
}

/* False: the parent's socket is full, or it is gone. */
static bool
tell_worker(struct worker *w)
{
	struct server *s = w->server;
	const struct egress_event *denial;
	unsigned index;

	if (w->opens_due && !tell_opens(w))
		return false;
	while ((denial = denials_due(&w->denials, &index)) != NULL) {
		if (!tell_event(s, denial))
			return false;
		denials_told(&w->denials, index);
	}
	if (w->counters_due) {
		struct egress_event e = {
		    .kind = EGRESS_EVENT_COUNTERS,
		    .id = w->id,
		    .is_last = w->is_removed,
		    .counters = w->counters,
		};
		if (!tell_event(s, &e))
			return false;
		w->counters_due = false;
	}
	return true;
}

static void
tell_due(struct server *s)
{
	struct worker *next;

	if (!s->is_due || s->parent_is_slow)
		return;
	for (struct worker *w = LIST_FIRST(&s->workers); w != NULL; w = next) {
		next = LIST_NEXT(w, link);
		if (!tell_worker(w))
			return;
		if (w->is_removed) {
			LIST_REMOVE(w, link);
			w->grave.run = worker_free;
			loop_bury(&s->loop, &w->grave);
		}
	}
	s->is_due = false;
}

static void
on_control(struct source *source, uint32_t events)
{
	struct server *s =
	    (struct server *)(void *)((char *)source - offsetof(struct server, control));
	static char body[LIMIT_EGRESS_GRANT_BYTES];
	struct message_head head;
	int fd[LIMIT_EGRESS_SOCKETS];
	unsigned n_fd;
	size_t n;
	struct err err;

	if ((events & EPOLLOUT) != 0) {
		s->parent_is_slow = false;
		loop_change(&s->loop, &s->control, EPOLLIN);
	}
	if ((events & ~(uint32_t)EPOLLOUT) == 0)
		return;
	enum packet_rc rc = message_receive(source->fd, &head, body, sizeof(body), &n, fd,
	    LIMIT_EGRESS_SOCKETS, &n_fd, &err);
	if (rc != PACKET_AGAIN && (rc != PACKET_OK || !obey(s, &head, body, n, fd, n_fd)))
		s->has_ended = true;
}

bool
server_init(struct server *s, struct resolver *resolver, int control_fd, struct err *err)
{
	struct rlimit files;

	memset(s, 0, sizeof(*s));
	/* The other half is for workers' listeners. */
	s->max_relays = LIMIT_EGRESS_RELAYS;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 &&
	    files.rlim_cur / 2 / RELAY_FDS < s->max_relays)
		s->max_relays = (unsigned)(files.rlim_cur / 2 / RELAY_FDS);
	LIST_INIT(&s->workers);
	s->resolver = resolver;
	s->control = (struct source){control_fd, on_control};
	return loop_init(&s->loop, err) && resolver_start(resolver, &s->loop, err) &&
	       (loop_add(&s->loop, &s->control, EPOLLIN) || err_sys(err, "epoll_ctl"));
}

void
server_run(struct server *s)
{
	struct worker *w;

	while (!s->has_ended) {
		if (loop_turn(&s->loop)) {
			uint64_t now_ns = clock_mono_ns();
			LIST_FOREACH(w, &s->workers, link)
			{
				relay_expire(w, now_ns);
				dns_server_expire(w, now_ns);
			}
		}
		tell_due(s);
	}
}
