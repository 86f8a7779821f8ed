/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"

static const char *const allowed[] = {
    "/events", "/containers/*", "/v2.0/exact", "/_ping"};

static enum http_verdict
check(const char *head, size_t n, struct http_request *r, struct buf *forward)
{
	return http_request_check(head, n, allowed, 4, r, forward);
}

#define H "Host: d\r\n"

static void
test_http_lets_through_what_the_policy_names(void **state)
{
	static const char *const targets[] = {
	    "/events",
	    "/events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D",
	    "/v1.41/events",
	    "/v4.0.0/events?since=1",
	    "/containers/",
	    "/containers/json?all=1",
	    "/v1.24/containers/0a1b2c/json",
	    "/v2.0/exact",
	    "/_ping",
	};
	struct http_request r;
	struct buf head, forward;

	buf_init(&head, 4096);
	buf_init(&forward, 4096);
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		buf_clear(&head);
		buf_clear(&forward);
		buf_addf(&head,
		    "GET %s HTTP/1.1\r\nhost: docker\r\nUser-Agent:\tx \r\n"
		    "X-HTTP-Method-Override: POST\r\nConnection: keep-alive\r\n"
		    "Content-Length: 0\r\n\r\nPOST /next",
		    targets[i]);
		if (check(head.data, head.len, &r, &forward) != HTTP_ALLOWED)
			fail_msg("%s: %s", targets[i], r.why);
		buf_clear(&head);
		buf_addf(&head,
		    "GET %s HTTP/1.1\r\nHost: docker\r\nUser-Agent: x\r\n"
		    "Connection: close\r\n\r\n",
		    targets[i]);
		assert_string_equal(buf_str(&forward), buf_str(&head));
	}
	/* HTTP/1.0 may leave Host out. */
	buf_clear(&forward);
	const char *old = "GET /events HTTP/1.0\r\n\r\n";
	assert_int_equal(check(old, strlen(old), &r, &forward), HTTP_ALLOWED);
	assert_string_equal(buf_str(&forward),
	    "GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
	/* What has no body asks for no more than what has one. */
	buf_clear(&forward);
	const char *ping = "HEAD /events HTTP/1.1\r\n" H "\r\n";
	assert_int_equal(check(ping, strlen(ping), &r, &forward), HTTP_ALLOWED);
	assert_int_equal(strncmp(buf_str(&forward), "HEAD /events HTTP/1.1\r\n", 23), 0);
	buf_release(&head);
	buf_release(&forward);
}

static void
test_http_refuses_everything_else(void **state)
{
	static const struct {
		const char *head;
		unsigned status;
	} cases[] = {
	    {"POST /events HTTP/1.1\r\n" H "\r\n", 403},
	    {"HEAD /images/json HTTP/1.1\r\n" H "\r\n", 403},
	    {"head /events HTTP/1.1\r\n" H "\r\n", 403},
	    {"get /events HTTP/1.1\r\n" H "\r\n", 403},
	    {"DELETE /containers/x HTTP/1.1\r\n" H "\r\n", 403},
	    {"GET /images/json HTTP/1.1\r\n" H "\r\n", 403},
	    {"GET /events/ HTTP/1.1\r\n" H "\r\n", 403},
	    {"GET /eventsx HTTP/1.1\r\n" H "\r\n", 403},
	    {"GET /containers HTTP/1.1\r\n" H "\r\n", 403},
	    {"GET /vx.1/events HTTP/1.1\r\n" H "\r\n", 403},
	    {"GET /v1/events HTTP/1.1\r\n" H "\r\n", 403},
	    {"GET /v1.1/v1.1/events HTTP/1.1\r\n" H "\r\n", 403},
	    {"GET /v2.1/exact HTTP/1.1\r\n" H "\r\n", 403},
	    {"GET / HTTP/1.1\r\n" H "\r\n", 403},
	    /* forms of the target */
	    {"GET http://d/events HTTP/1.1\r\n" H "\r\n", 400},
	    {"GET * HTTP/1.1\r\n" H "\r\n", 400},
	    {"GET events HTTP/1.1\r\n" H "\r\n", 400},
	    {"CONNECT d:80 HTTP/1.1\r\n" H "\r\n", 400},
	    {"GET /containers/../images HTTP/1.1\r\n" H "\r\n", 400},
	    {"GET /containers/.. HTTP/1.1\r\n" H "\r\n", 400},
	    {"GET /containers/./x HTTP/1.1\r\n" H "\r\n", 400},
	    {"GET /containers//x HTTP/1.1\r\n" H "\r\n", 400},
	    {"GET //events HTTP/1.1\r\n" H "\r\n", 400},
	    {"GET /containers/%2e%2e/images HTTP/1.1\r\n" H "\r\n", 400},
	    {"GET /containers/..%2fimages HTTP/1.1\r\n" H "\r\n", 400},
	    {"GET /containers/x%00 HTTP/1.1\r\n" H "\r\n", 400},
	    {"GET /containers/..;/images HTTP/1.1\r\n" H "\r\n", 400},
	    {"GET /containers/..\\images HTTP/1.1\r\n" H "\r\n", 400},
	    {"GET /events#x HTTP/1.1\r\n" H "\r\n", 400},
	    {"GET /events?a=%4 HTTP/1.1\r\n" H "\r\n", 400},
	    {"GET /events?a=\x80 HTTP/1.1\r\n" H "\r\n", 400},
	    /* the first line */
	    {"GET  /events HTTP/1.1\r\n" H "\r\n", 505},
	    {"GET /events  HTTP/1.1\r\n" H "\r\n", 505},
	    {"GET /events HTTP/1.1 \r\n" H "\r\n", 505},
	    {"GET /events HTTP/2.0\r\n" H "\r\n", 505},
	    {"GET /events http/1.1\r\n" H "\r\n", 505},
	    {"GET /events\r\n" H "\r\n", 400},
	    {"\r\nGET /events HTTP/1.1\r\n" H "\r\n", 400},
	    {" GET /events HTTP/1.1\r\n" H "\r\n", 400},
	    {"GET\t/events HTTP/1.1\r\n" H "\r\n", 400},
	    /* bodies, lengths, upgrades */
	    {"GET /events HTTP/1.1\r\n" H
	     "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		403},
	    {"GET /events HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 403},
	    {"GET /events HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n", 400},
	    {"GET /events HTTP/1.1\r\n" H "tRANSFER-eNCODING: identity\r\n\r\n", 403},
	    {"GET /events HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\n", 403},
	    {"GET /events HTTP/1.1\r\n" H "Content-Length: 00\r\n\r\n", 403},
	    {"GET /events HTTP/1.1\r\n" H "Content-Length: +0\r\n\r\n", 403},
	    {"GET /events HTTP/1.1\r\n" H "Content-Length: 0, 9\r\n\r\n", 403},
	    {"GET /events HTTP/1.1\r\n" H
	     "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
		403},
	    {"GET /events HTTP/1.1\r\n" H "Upgrade: tcp\r\n\r\n", 403},
	    {"GET /events HTTP/1.1\r\n" H "Expect: 100-continue\r\n\r\n", 403},
	    {"GET /events HTTP/1.1\r\n" H "HTTP2-Settings: x\r\n\r\n", 403},
	    /* headers */
	    {"GET /events HTTP/1.1\r\n\r\n", 400},
	    {"GET /events HTTP/1.1\r\n" H H "\r\n", 400},
	    {"GET /events HTTP/1.1\r\n" H "Accept: a\r\n b\r\n\r\n", 400},
	    {"GET /events HTTP/1.1\r\n" H "X\r\n\r\n", 400},
	    {"GET /events HTTP/1.1\r\n" H ": x\r\n\r\n", 400},
	    {"GET /events HTTP/1.1\r\n" H "A b: x\r\n\r\n", 400},
	    {"GET /events HTTP/1.1\r\n" H "Accept: \x01\r\n\r\n", 400},
	    /* line ends */
	    {"GET /events HTTP/1.1\n" H "\r\n", 400},
	    {"GET /events HTTP/1.1\n\n", 400},
	    {"GET /events HTTP/1.1\r\nHost: d\nUpgrade: x\r\n\r\n", 400},
	    {"GET /events HTTP/1.1\r\nHost: d\rUpgrade: x\r\n\r\n", 400},
	    {"GET /events HTTP/1.1\r\n" H "\n", 400},
	};
	struct http_request r;
	struct buf forward;

	buf_init(&forward, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *head = cases[i].head;
		if (check(head, strlen(head), &r, &forward) != HTTP_REFUSED ||
		    r.status != cases[i].status)
			fail_msg("%s: %u %s", head, r.status, r.why ? r.why : "");
		assert_int_equal(forward.len, 0);
	}
	static const char nul[] = "GET /events HTTP/1.1\r\nHost: d\0\r\n\r\n";
	assert_int_equal(check(nul, sizeof(nul) - 1, &r, &forward), HTTP_REFUSED);
	buf_release(&forward);
}

static void
test_http_waits_for_a_head_within_bounds(void **state)
{
	static const char head[] = "GET /events HTTP/1.1\r\nHost: d\r\n\r\n";
	struct http_request r;
	struct buf forward, many;

	buf_init(&forward, 2 * LIMIT_HTTP_HEAD_BYTES);
	buf_init(&many, 4 * LIMIT_HTTP_HEAD_BYTES);
	for (size_t n = 0; n < sizeof(head) - 1; n++)
		assert_int_equal(check(head, n, &r, &forward), HTTP_MORE);
	assert_int_equal(check(head, sizeof(head) - 1, &r, &forward), HTTP_ALLOWED);

	buf_adds(&many, "GET /events HTTP/1.1\r\nHost: d\r\n");
	for (unsigned i = 1; i < LIMIT_HTTP_HEADERS; i++)
		buf_adds(&many, "Accept: x\r\n");
	size_t n = many.len;
	buf_adds(&many, "\r\n");
	assert_int_equal(check(many.data, many.len, &r, &forward), HTTP_ALLOWED);
	many.len = n;
	buf_adds(&many, "Accept: x\r\n\r\n");
	assert_int_equal(check(many.data, many.len, &r, &forward), HTTP_REFUSED);
	assert_int_equal(r.status, 431);

	buf_clear(&many);
	while (many.len < LIMIT_HTTP_HEAD_BYTES)
		buf_addc(&many, 'x');
	assert_int_equal(check(many.data, many.len - 1, &r, &forward), HTTP_MORE);
	assert_int_equal(check(many.data, many.len, &r, &forward), HTTP_REFUSED);
	buf_release(&many);
	buf_release(&forward);
}

static void
test_http_refusal_says_what_was_tried(void **state)
{
	static const char head[] = "POST /containers/create HTTP/1.1\r\n" H "\r\n";
	struct http_request r;
	struct buf out;

	buf_init(&out, 1024);
	assert_int_equal(check(head, sizeof(head) - 1, &r, &out), HTTP_REFUSED);
	assert_memory_equal(r.method, "POST", r.n_method);
	assert_memory_equal(r.path, "/containers/create", r.n_path);
	http_refusal(&r, &out);
	const char *body = strstr(buf_str(&out), "\r\n\r\n");
	const char *length = strstr(buf_str(&out), "Content-Length: ");
	assert_non_null(body);
	assert_non_null(length);
	assert_int_equal(strtoul(length + 16, NULL, 10), strlen(body + 4));
	assert_int_equal(strncmp(buf_str(&out), "HTTP/1.1 403 Forbidden\r\n", 24), 0);
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_http_lets_through_what_the_policy_names),
	    cmocka_unit_test(test_http_refuses_everything_else),
	    cmocka_unit_test(test_http_waits_for_a_head_within_bounds),
	    cmocka_unit_test(test_http_refusal_says_what_was_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
