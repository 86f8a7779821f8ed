/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a request: what is let through is one GET for an allowed path, which is
 * let through again as it is. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tests/fuzz/fuzz.h"
#include "worker/egress/http.h"

const char *const fuzz_seeds[] = {
    "GET /events?filters=%7B%7D HTTP/1.1\r\nHost: docker\r\nUser-Agent: x\r\n\r\n",
    "GET /v1.41/containers/json HTTP/1.0\r\nAccept: */*\r\nContent-Length: 0\r\n\r\n",
    "POST /containers/create HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n",
    NULL,
};
const char *const fuzz_words[] = {"GET ", " HTTP/1.1", "\r\n", "\n", "\r\n\r\n", "..",
    "/", "//", "%2e", "/v1.1", "/events", "/containers/", "Host: a\r\n",
    "Upgrade: h2c\r\n", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n", " ",
    ":", "\t", "?", NULL};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const allowed[] = {"/events", "/containers/*"};
	struct http_request r;
	struct buf forward, again;

	buf_init(&forward, 4 * LIMIT_HTTP_HEAD_BYTES);
	buf_init(&again, 4 * LIMIT_HTTP_HEAD_BYTES);
	enum http_verdict v =
	    http_request_check((const char *)data, size, allowed, 2, &r, &forward);
	if (v == HTTP_REFUSED) {
		if (r.why == NULL || forward.len != 0 ||
		    (r.path != NULL && memchr(r.path, '\n', r.n_path) != NULL))
			abort();
		http_refusal(&r, &again);
	} else if (v == HTTP_ALLOWED) {
		const char *text = buf_str(&forward);
		const char *end = strstr(text, "\r\n\r\n");
		/* One head, no more; no way up, no other meaning. */
		if (strncmp(text, "GET /", 5) != 0 || strlen(text) != forward.len ||
		    end == NULL || end[4] != '\0' || strcasestr(text, "\nUpgrade:") ||
		    strcasestr(text, "\nTransfer-Encoding:"))
			abort();
		const char *path_end = text + 4 + strcspn(text + 4, " ?");
		const char *up = strstr(text, "/..");
		if (up != NULL && up < path_end && (up[3] == '/' || up + 3 == path_end))
			abort();
		/* Two headers of ours may make it one of too many. */
		v = http_request_check(text, forward.len, allowed, 2, &r, &again);
		if (v == HTTP_REFUSED ? r.status != 431
				      : again.len != forward.len ||
					    memcmp(again.data, text, again.len) != 0)
			abort();
	}
	buf_release(&forward);
	buf_release(&again);
	return 0;
}
