/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP server in the broker's loop: GET and HEAD of a few pages, one request per
 * connection.
 *
 * Nobody who connects can hold the loop: heads, answers, connections at once and
 * connections per second are bounded (limits.h), a connection ends after
 * HTTP_DEADLINE_MS whatever it does, and nothing is read behind the head.
 */
#ifndef BROKER_HTTP_HTTP_H
#define BROKER_HTTP_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct event_base;

enum {
	HTTP_DEADLINE_MS = 5000
};

struct http_answer {
	int status;       /* 200 unless the page says otherwise */
	const char *type; /* Content-Type */
	struct buf body;
};

/* Fills the answer; false: there is no such page. path is checked text of the client's.
 */
typedef bool http_page_fn(const char *path, struct http_answer *answer, void *arg);

struct http_server;

/* address: an IPv4 or IPv6 address. pem: a file with certificate and key, NULL for plain
 * HTTP. */
struct http_server *http_server_new(struct event_base *base, const char *address,
    uint16_t port, const char *pem, http_page_fn *page, void *arg, struct err *err);
/* Connections are dropped. */
void http_server_free(struct http_server *s);

#endif
