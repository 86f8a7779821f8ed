/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/http/http_parse.h"

/* Parsed from memory of just that size, so that a sanitizer sees every byte too far. */
static enum http_parse_rc
parse(const char *text, struct http_request *r, int *status)
{
	size_t n = strlen(text);
	char *copy = malloc(n ? n : 1);

	memcpy(copy, text, n);
	*status = 0;
	enum http_parse_rc rc = http_parse(copy, n, r, status);
	free(copy);
	return rc;
}

static void
test_http_parse_takes_what_clients_send(void **state)
{
	struct http_request r;
	int status;

	assert_int_equal(parse("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", &r, &status),
	    HTTP_PARSE_OK);
	assert_string_equal(r.path, "/healthz");
	assert_false(r.is_head);
	assert_int_equal(
	    parse("HEAD /a?b=c HTTP/1.0\n\ntail", &r, &status), HTTP_PARSE_OK);
	assert_string_equal(r.path, "/a");
	assert_true(r.is_head);
}

static void
test_http_parse_waits_for_the_empty_line(void **state)
{
	const char *const part[] = {"", "GET", "GET / HTTP/1.1", "GET / HTTP/1.1\r\n",
	    "GET / HTTP/1.1\r\nA: b", "GET / HTTP/1.1\r\nA: b\r\n\r"};
	struct http_request r;
	int status;

	for (size_t i = 0; i < sizeof(part) / sizeof(*part); i++)
		assert_int_equal(parse(part[i], &r, &status), HTTP_PARSE_MORE);
}

static void
test_http_parse_names_what_is_wrong(void **state)
{
	const struct {
		const char *text;
		int status;
	} row[] = {
	    {"\r\n\r\n", 400},
	    {"GET\r\n\r\n", 400},
	    {" / HTTP/1.1\r\n\r\n", 400},
	    {"GET  HTTP/1.1\r\n\r\n", 400},
	    {"GET http://host/ HTTP/1.1\r\n\r\n", 400},
	    {"GET /\x01 HTTP/1.1\r\n\r\n", 400},
	    {"GET /\xc3\xa4 HTTP/1.1\r\n\r\n", 400},
	    {"GET / HTTP/1.1\r\nA: \x1b[2J\r\n\r\n", 400},
	    {"GET / HTTP/2.0\r\n\r\n", 505},
	    {"GET / HTTP/1.1 x\r\n\r\n", 505},
	    {"GET /\r\n\r\n", 400},
	    {"POST / HTTP/1.1\r\n\r\n", 405},
	    {"GETS / HTTP/1.1\r\n\r\n", 405},
	};
	struct http_request r;
	int status;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		assert_int_equal(parse(row[i].text, &r, &status), HTTP_PARSE_BAD);
		assert_int_equal(status, row[i].status);
	}
}

static void
test_http_parse_bounds_the_path(void **state)
{
	char text[600] = "GET /";
	struct http_request r;
	int status;

	memset(text + 5, 'a', 300);
	memcpy(text + 305, " HTTP/1.1\r\n\r\n", 14);
	assert_int_equal(parse(text, &r, &status), HTTP_PARSE_BAD);
	assert_int_equal(status, 404);
	memcpy(text + 258, " HTTP/1.1\r\n\r\n", 14);
	assert_int_equal(parse(text, &r, &status), HTTP_PARSE_OK);
	assert_int_equal(strlen(r.path), 254);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_http_parse_takes_what_clients_send),
	    cmocka_unit_test(test_http_parse_waits_for_the_empty_line),
	    cmocka_unit_test(test_http_parse_names_what_is_wrong),
	    cmocka_unit_test(test_http_parse_bounds_the_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
