/* SPDX-License-Identifier: Apache-2.0 */
/* A request's head: whatever it is, paths are short, printable text. */
#include <stdlib.h>
#include <string.h>

#include "broker/http/http_parse.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request r;
	int status = 0;
	enum http_parse_rc rc = http_parse((const char *)data, size, &r, &status);

	if (rc == HTTP_PARSE_BAD && (status < 400 || status > 505))
		abort();
	if (rc != HTTP_PARSE_OK)
		return 0;
	if (r.path[0] != '/' || strlen(r.path) >= sizeof(r.path))
		abort();
	for (const char *p = r.path; *p; p++) {
		if (*p <= ' ' || *p > '~')
			abort();
	}
	return 0;
}
