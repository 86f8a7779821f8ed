/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an HTTP/1 request, as far as a server of a few fixed pages must know it. */
#ifndef BROKER_HTTP_HTTP_PARSE_H
#define BROKER_HTTP_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>

enum http_parse_rc {
	HTTP_PARSE_OK,
	HTTP_PARSE_MORE, /* not complete yet */
	HTTP_PARSE_BAD,  /* status says what to answer */
};

struct http_request {
	char path[256]; /* as sent, without the query; printable ASCII */
	bool is_head;   /* HEAD: the answer has no body */
};

/*
 * text[0 .. len) is what has arrived so far. Only the request line is understood; header
 * lines are checked for control characters and skipped: nothing that they could say
 * changes an answer. *ret_status is set with HTTP_PARSE_BAD.
 */
enum http_parse_rc http_parse(
    const char *text, size_t len, struct http_request *ret_request, int *ret_status);

#endif
