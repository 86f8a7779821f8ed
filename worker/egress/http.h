/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one kind of HTTP request that passes a filtered unix socket: GET, HTTP/1.0 or 1.1,
 * for a path that the policy names, without a body. What is let through is not what came
 * but a request written anew from it, so that two readings of one text cannot differ; it
 * says "Connection: close", so that one connection carries one request.
 *
 * Strict where others guess: lines end with CR LF, names touch their colon, no line
 * continues another, no length and no transfer coding, one Host, a path of plain
 * characters without "%", "//", "." and ".." components.
 */
#ifndef WORKER_EGRESS_HTTP_H
#define WORKER_EGRESS_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum http_verdict {
	HTTP_MORE, /* the head is not complete */
	HTTP_ALLOWED,
	HTTP_REFUSED,
};

struct http_request {
	unsigned status; /* REFUSED: what to answer */
	const char *why; /* REFUSED: in words */
	/* REFUSED for its method or path alone: those, for whoever wants to know what was
	 * tried. Point into the head. */
	const char *method, *path;
	size_t n_method, n_path;
};

/*
 * allowed: n of profile_unix's http_get: "/events" is that path, "/containers/ *" (no
 * blank) all below it. A first component that is a version, as in "/v1.41/events", is
 * Docker's way and does not count, unless the policy writes it. On ALLOWED the new
 * request is appended to forward, query included.
 */
enum http_verdict http_request_check(const char *head, size_t n,
    const char *const *allowed, uint32_t n_allowed, struct http_request *ret_request,
    struct buf *forward);

/* The whole answer to a request that is REFUSED. */
void http_refusal(const struct http_request *r, struct buf *out);

#endif
