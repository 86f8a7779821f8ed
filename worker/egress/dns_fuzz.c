/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a query: an answer that fits, and that is itself no query. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "worker/egress/dns.h"

void
fuzz_make_seeds(void (*add)(const void *p, size_t n))
{
	static const char plain[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07"
				    "example\x03"
				    "com\x00\x00\x01\x00\x01";
	static const char edns[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\x01"
				   "a\x00\x00\x1c\x00\x01"
				   "\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x02"
				   "zz";

	add(plain, sizeof(plain) - 1);
	add(edns, sizeof(edns) - 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t ip4[4] = {127, 64, 0, 1};
	uint8_t out[DNS_ANSWER_BYTES];
	struct dns_query q, again;
	enum dns_rcode rcode;

	if (!dns_parse(data, size, &q, &rcode))
		return 0;
	size_t n_name = strnlen(q.name, sizeof(q.name));
	if (n_name == sizeof(q.name) || q.n_question > size)
		abort();
	/* Shown to people as it is. */
	if (rcode == DNS_NOERROR &&
	    q.name[strspn(q.name, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] != '\0')
		abort();
	size_t n =
	    dns_answer(data, &q, rcode, rcode == DNS_NOERROR ? ip4 : NULL, 60, out);
	if (n < DNS_HEADER_BYTES || n > sizeof(out) || dns_parse(out, n, &again, &rcode))
		abort();
	return 0;
}
