/* SPDX-License-Identifier: Apache-2.0 */
/* What passes through a relay once both ends are there, and the request before that on
 * filtered sockets. */
#include "worker/egress/relay.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/utf8.h"
#include "worker/egress/http.h"

#define SECOND_NS 1000000000ull
/* Streams may say nothing for long; the kernel's keepalive finds dead peers. */
#define IDLE_NS (2 * 3600 * SECOND_NS)
/* One side has ended, the other is not heard of. */
#define HALF_IDLE_NS (600 * SECOND_NS)
#define LINGER_NS    (2 * SECOND_NS)
/* What a worker may send past its request before it is cut off. */
#define DISCARD_BYTES (1u << 20)

static bool
is_filtered(const struct relay *r)
{
	return r->unix_socket != NULL && r->unix_socket->filtered;
}

void
relay_begin(struct relay *r)
{
	if (!flow_open(&r->up) || !flow_open(&r->down)) {
		worker_count(r->worker, EGRESS_REASON_LIMIT);
		relay_end(r, true);
		return;
	}
	r->state = RELAY_RELAYING;
	relay_pump(r);
}

/* Reads and forgets what the worker sends. False: it is over. ret_end: and so is the
 * worker's side. */
static bool
discard(struct relay *r, bool *ret_end)
{
	char bytes[4096];
	ssize_t n;

	*ret_end = false;
	while ((n = recv(r->client.fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		r->n_discarded += (size_t)n;
		if (r->n_discarded > DISCARD_BYTES)
			return false;
	}
	*ret_end = n == 0;
	return n == 0 || errno == EAGAIN || errno == EINTR;
}

void
relay_drain(struct relay *r)
{
	bool has_ended;

	if (!discard(r, &has_ended) || has_ended)
		relay_end(r, false);
}

static void
linger(struct relay *r)
{
	struct loop *loop = &r->worker->server->loop;

	loop_forget(loop, &r->again);
	loop_close(loop, &r->server);
	shutdown(r->client.fd, SHUT_WR);
	r->state = RELAY_LINGERING;
	relay_set_deadline(r, LINGER_NS);
	relay_drain(r);
}

/* False: the server does not take it. */
static bool
send_head(struct relay *r)
{
	while (r->n_head_sent < r->head.len) {
		ssize_t n = send(r->server.fd, r->head.data + r->n_head_sent,
		    r->head.len - r->n_head_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		r->n_head_sent += (size_t)n;
		r->worker->counters.bytes_up += (uint64_t)n;
	}
	return true;
}

static enum flow_rc
pump_up(struct relay *r)
{
	bool has_ended;

	if (!is_filtered(r))
		return flow_pump(&r->up, r->client.fd, r->server.fd);
	/* One request is all that passes. */
	return send_head(r) && discard(r, &has_ended) ? FLOW_WAITS : FLOW_BROKEN;
}

void
relay_pump(struct relay *r)
{
	struct egress_counters *c = &r->worker->counters;
	uint64_t up_before = r->up.n_bytes, down_before = r->down.n_bytes;
	/* Down first: what a server said before it broke off is delivered. */
	enum flow_rc down = flow_pump(&r->down, r->server.fd, r->client.fd);
	enum flow_rc up = pump_up(r);

	c->bytes_up += r->up.n_bytes - up_before;
	c->bytes_down += r->down.n_bytes - down_before;
	if (down == FLOW_DONE && is_filtered(r)) {
		linger(r);
	} else if (up == FLOW_BROKEN || down == FLOW_BROKEN) {
		relay_end(r, true);
	} else if (up == FLOW_DONE && down == FLOW_DONE) {
		relay_end(r, false);
	} else {
		if (up == FLOW_MORE || down == FLOW_MORE)
			loop_again(&r->worker->server->loop, &r->again);
		/* Both ends of a unix socket are on this host: none is dead unheard. */
		bool is_half = up == FLOW_DONE || down == FLOW_DONE;
		relay_set_deadline(r, is_half                  ? HALF_IDLE_NS
				      : r->unix_socket != NULL ? UINT64_MAX
							       : IDLE_NS);
	}
}

static void
deny_request(struct relay *r, const struct http_request *request)
{
	struct buf what, allow_with;

	buf_init(&what, 400);
	buf_init(&allow_with, 250);
	if (request->path == NULL) {
		buf_addf(&what, "send to %s: %s", r->unix_socket->path, request->why);
	} else {
		utf8_escape(&what, request->method, request->n_method, 32);
		buf_addc(&what, ' ');
		utf8_escape(&what, request->path, request->n_path, 200);
		buf_addf(&what, " at %s", r->unix_socket->path);
		if (request->n_method == 3 && memcmp(request->method, "GET", 3) == 0)
			buf_addf(&allow_with, "unix: [{path: %s, http-get: [\"%.*s\"]}]",
			    r->unix_socket->path, (int)request->n_path, request->path);
	}
	/* Cut texts do not fit where they would be written. */
	worker_denied(r->worker, EGRESS_REASON_REQUEST, buf_str(&what),
	    allow_with.failed ? "" : buf_str(&allow_with));
	buf_release(&what);
	buf_release(&allow_with);
}

static void
answer_refusal(struct relay *r, const struct http_request *request)
{
	struct buf out;

	deny_request(r, request);
	buf_init(&out, 1024);
	http_refusal(request, &out);
	/* A fresh socket has room for it; who fills it otherwise goes without. */
	if (send(r->client.fd, out.data, out.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		relay_end(r, true);
	else
		linger(r);
	buf_release(&out);
}

void
relay_read_head(struct relay *r)
{
	const struct profile_unix *u = r->unix_socket;
	struct http_request request;
	struct buf forward;
	char bytes[2048];
	ssize_t n;

	while ((n = recv(r->client.fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		buf_add(&r->head, bytes, (size_t)n);
		/* Past this the check refuses. */
		if (r->head.len > LIMIT_HTTP_HEAD_BYTES)
			break;
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		/* It may have said all and wait for the answer; if not, it never will. */
		if (n < 0 || r->head.len == 0) {
			relay_end(r, true);
			return;
		}
	}
	buf_init(&forward, 2 * LIMIT_HTTP_HEAD_BYTES);
	switch (http_request_check(buf_str(&r->head), r->head.len, u->http_get,
	    u->n_http_get, &request, &forward)) {
	case HTTP_MORE:
		if (n == 0)
			relay_end(r, true);
		break;
	case HTTP_REFUSED:
		answer_refusal(r, &request);
		break;
	case HTTP_ALLOWED:
		buf_release(&r->head);
		r->head = forward;
		buf_init(&forward, 0);
		relay_open_unix(r);
		break;
	}
	buf_release(&forward);
}
