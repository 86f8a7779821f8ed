/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/http/http.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "broker/http/http_parse.h"

struct connection {
	TAILQ_ENTRY(connection) link;
	struct http_server *server;
	struct bufferevent *bev;
	struct event *deadline;
	bool answered; /* what still arrives is thrown away */
};

struct http_server {
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *rest; /* until connections are taken again */
	SSL_CTX *tls;
	http_page_fn *page;
	void *arg;
	TAILQ_HEAD(, connection) connections;
	uint32_t n;
	uint64_t second_ns; /* when the counted second began */
	uint32_t in_second;
};

static void
connection_free(struct connection *c)
{
	struct http_server *s = c->server;

	TAILQ_REMOVE(&s->connections, c, link);
	s->n--;
	if (c->deadline)
		event_free(c->deadline);
	if (c->bev)
		bufferevent_free(c->bev);
	free(c);
	if (s->listener && !event_pending(s->rest, EV_TIMEOUT, NULL))
		evconnlistener_enable(s->listener);
}

static const char *
reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 431:
		return "Request Header Fields Too Large";
	case 503:
		return "Service Unavailable";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return status < 500 ? "Bad Request" : "Internal Server Error";
	}
}

static void
send_answer(struct connection *c, const struct http_answer *a, bool with_body)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	c->answered = true;
	evbuffer_add_printf(out,
	    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
	    "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
	    a->status, reason(a->status), a->type, a->body.len,
	    a->status == 405 ? "Allow: GET, HEAD\r\n" : "");
	if (with_body)
		evbuffer_add(out, buf_str(&a->body), a->body.len);
}

static void
refuse(struct connection *c, int status)
{
	struct http_answer a = {.status = status, .type = "text/plain"};

	buf_init(&a.body, 256);
	buf_addf(&a.body, "%s\n", reason(status));
	send_answer(c, &a, true);
	buf_release(&a.body);
}

static void
serve(struct connection *c, const struct http_request *r)
{
	struct http_answer a = {.status = 200, .type = "text/plain"};

	buf_init(&a.body, LIMIT_WEB_ANSWER_BYTES);
	if (!c->server->page(r->path, &a, c->server->arg))
		refuse(c, 404);
	else if (a.body.failed)
		refuse(c, 500);
	else
		send_answer(c, &a, !r->is_head);
	buf_release(&a.body);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct connection *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t n = evbuffer_get_length(in);
	struct http_request r;
	int status;

	if (c->answered) {
		evbuffer_drain(in, n);
		return;
	}
	const char *text = (const char *)evbuffer_pullup(in, -1);
	switch (http_parse(text ? text : "", n, &r, &status)) {
	case HTTP_PARSE_OK:
		serve(c, &r);
		break;
	case HTTP_PARSE_BAD:
		refuse(c, status);
		break;
	case HTTP_PARSE_MORE:
		if (n < LIMIT_WEB_HEAD_BYTES)
			return;
		refuse(c, 431);
	}
	evbuffer_drain(in, n);
}

/* All is sent: the other side is told, and hangs up itself; the deadline sees to it. */
static void
on_written(struct bufferevent *bev, void *arg)
{
	struct connection *c = arg;
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	if (!c->answered)
		return;
	if (ssl)
		connection_free(c);
	else
		shutdown(bufferevent_getfd(bev), SHUT_WR);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT))
		connection_free(arg);
}

static void
on_deadline(int fd, short what, void *arg)
{
	connection_free(arg);
}

static struct bufferevent *
wrap(struct http_server *s, evutil_socket_t fd)
{
	SSL *ssl;

	if (!s->tls)
		return bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	ssl = SSL_new(s->tls);
	/* The bufferevent frees it. */
	return ssl ? bufferevent_openssl_socket_new(s->base, fd, ssl,
			 BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
		   : NULL;
}

/* No more connections for a moment when too many came within a second. */
static void
count_accept(struct http_server *s)
{
	const struct timeval pause = {1, 0};
	uint64_t now = clock_mono_ns();

	if (now - s->second_ns >= 1000000000) {
		s->second_ns = now;
		s->in_second = 0;
	}
	if (++s->in_second >= LIMIT_WEB_ACCEPTS_PER_S) {
		evconnlistener_disable(s->listener);
		event_add(s->rest, &pause);
	}
	if (s->n >= LIMIT_WEB_CONNECTIONS)
		evconnlistener_disable(s->listener);
}

static void
on_rested(int fd, short what, void *arg)
{
	struct http_server *s = arg;

	if (s->n < LIMIT_WEB_CONNECTIONS)
		evconnlistener_enable(s->listener);
}

static void
on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *addr, int len,
    void *arg)
{
	const struct timeval tv = {
	    HTTP_DEADLINE_MS / 1000, HTTP_DEADLINE_MS % 1000 * 1000};
	struct http_server *s = arg;
	struct connection *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return;
	}
	c->server = s;
	TAILQ_INSERT_TAIL(&s->connections, c, link);
	s->n++;
	count_accept(s);
	c->bev = wrap(s, fd);
	c->deadline = evtimer_new(s->base, on_deadline, c);
	if (!c->bev)
		close(fd);
	if (!c->bev || !c->deadline || evtimer_add(c->deadline, &tv) < 0) {
		connection_free(c);
		return;
	}
	bufferevent_setwatermark(c->bev, EV_READ, 0, LIMIT_WEB_HEAD_BYTES);
	bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static bool
tls_error(struct err *err, const char *pem)
{
	char why[256];

	ERR_error_string_n(ERR_get_error(), why, sizeof(why));
	ERR_clear_error();
	return err_set(err, ERR_USAGE, "webserver.ssl_certificate %s: %s", pem, why);
}

static bool
load_certificate(struct http_server *s, const char *pem, struct err *err)
{
	s->tls = SSL_CTX_new(TLS_server_method());
	if (!s->tls)
		return err_nomem(err);
	if (!SSL_CTX_set_min_proto_version(s->tls, TLS1_2_VERSION) ||
	    SSL_CTX_use_certificate_chain_file(s->tls, pem) != 1 ||
	    SSL_CTX_use_PrivateKey_file(s->tls, pem, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(s->tls) != 1)
		return tls_error(err, pem);
	SSL_CTX_set_options(s->tls, SSL_OP_NO_RENEGOTIATION);
	return true;
}

static bool
start_listening(
    struct http_server *s, const char *address, uint16_t port, struct err *err)
{
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr *sa;
	int len;

	if (inet_pton(AF_INET, address, &a4.sin_addr) == 1) {
		sa = (struct sockaddr *)&a4;
		len = sizeof(a4);
	} else if (inet_pton(AF_INET6, address, &a6.sin6_addr) == 1) {
		sa = (struct sockaddr *)&a6;
		len = sizeof(a6);
	} else {
		return err_set(err, ERR_USAGE, "%s is no address", address);
	}
	s->listener = evconnlistener_new_bind(s->base, on_accept, s,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
	    LIMIT_WEB_CONNECTIONS, sa, len);
	return s->listener || err_sys(err, "cannot listen on %s:%u", address, port);
}

struct http_server *
http_server_new(struct event_base *base, const char *address, uint16_t port,
    const char *pem, http_page_fn *page, void *arg, struct err *err)
{
	struct http_server *s = calloc(1, sizeof(*s));

	if (!s) {
		err_nomem(err);
		return NULL;
	}
	TAILQ_INIT(&s->connections);
	s->base = base;
	s->page = page;
	s->arg = arg;
	s->rest = evtimer_new(base, on_rested, s);
	if (!s->rest)
		err_nomem(err);
	else if ((!pem || load_certificate(s, pem, err)) &&
		 start_listening(s, address, port, err))
		return s;
	http_server_free(s);
	return NULL;
}

void
http_server_free(struct http_server *s)
{
	struct connection *c;

	if (!s)
		return;
	if (s->listener)
		evconnlistener_free(s->listener);
	s->listener = NULL;
	while ((c = TAILQ_FIRST(&s->connections)))
		connection_free(c);
	if (s->rest)
		event_free(s->rest);
	SSL_CTX_free(s->tls);
	free(s);
}
