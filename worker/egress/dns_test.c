/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define HEAD(flags, qd, an, ar)                                                          \
	"\x12\x34" flags "\x00"                                                          \
	"\x00" qd "\x00" an "\x00\x00"                                                   \
	"\x00" ar
#define PLAIN HEAD("\x01", "\x01", "\x00", "\x00")
#define A_IN  "\x00\x01\x00\x01"
#define EXAMPLE                                                                          \
	"\x07"                                                                           \
	"eXamPle\x03"                                                                    \
	"com\x00"
#define LABEL_63                                                                         \
	"\x3f"                                                                           \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LABEL_61                                                                         \
	"\x3d"                                                                           \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct text {
	const char *bytes;
	size_t n;
};
#define TEXT(s)                                                                          \
	{                                                                                \
		s, sizeof(s) - 1                                                         \
	}

static void
test_dns_parse_takes_or_refuses(void **state)
{
	static const struct {
		struct text query;
		enum dns_rcode rcode;
	} cases[] = {
	    {TEXT(PLAIN EXAMPLE A_IN), DNS_NOERROR},
	    {TEXT(PLAIN EXAMPLE "\x00\x1c\x00\x01"), DNS_NOERROR},
	    {TEXT(PLAIN "\x00" A_IN), DNS_NOERROR},
	    {TEXT(PLAIN LABEL_63 LABEL_63 LABEL_63 LABEL_61 "\x00" A_IN), DNS_NOERROR},
	    /* 254 characters as text */
	    {TEXT(PLAIN LABEL_63 LABEL_63 LABEL_63 "\x3e"
						   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
						   "aaaaaaaaaaaaaaaaaaaaaaaaa\x00" A_IN),
		DNS_FORMERR},
	    /* EDNS, also with an option; then cut, doubled, or of another type */
	    {TEXT(HEAD("\x01", "\x01", "\x00", "\x01") EXAMPLE A_IN
		 "\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00"),
		DNS_NOERROR},
	    {TEXT(HEAD("\x01", "\x01", "\x00", "\x01") EXAMPLE A_IN
		 "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x02zz"),
		DNS_NOERROR},
	    {TEXT(HEAD("\x01", "\x01", "\x00", "\x01") EXAMPLE A_IN
		 "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x03zz"),
		DNS_FORMERR},
	    {TEXT(HEAD("\x01", "\x01", "\x00", "\x02") EXAMPLE A_IN
		 "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"
		 "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"),
		DNS_FORMERR},
	    {TEXT(HEAD("\x01", "\x01", "\x00", "\x01") EXAMPLE A_IN
		 "\x00\x00\x01\x04\xd0\x00\x00\x00\x00\x00\x00"),
		DNS_FORMERR},
	    {TEXT(PLAIN EXAMPLE A_IN "x"), DNS_FORMERR},
	    {TEXT(PLAIN EXAMPLE "\x00\x01\x00"), DNS_FORMERR},
	    {TEXT(PLAIN "\x07"
			"exam"),
		DNS_FORMERR},
	    {TEXT(PLAIN "\x40"
			"aaaa"),
		DNS_FORMERR},
	    {TEXT(PLAIN "\xc0\x0c" A_IN), DNS_FORMERR},
	    {TEXT(PLAIN), DNS_FORMERR},
	    {TEXT(HEAD("\x01", "\x00", "\x00", "\x00")), DNS_FORMERR},
	    {TEXT(HEAD("\x01", "\x02", "\x00", "\x00") EXAMPLE A_IN EXAMPLE A_IN),
		DNS_FORMERR},
	    {TEXT(HEAD("\x01", "\x01", "\x01", "\x00") EXAMPLE A_IN), DNS_FORMERR},
	    /* odd labels, classes, types for many, other operations */
	    {TEXT(PLAIN "\x03"
			"a.b\x00" A_IN),
		DNS_REFUSED},
	    {TEXT(PLAIN "\x03"
			"a\x00"
			"b\x00" A_IN),
		DNS_REFUSED},
	    {TEXT(PLAIN "\x03"
			"a\x1b[\x00" A_IN),
		DNS_REFUSED},
	    {TEXT(PLAIN EXAMPLE "\x00\x01\x00\x03"), DNS_REFUSED},
	    {TEXT(PLAIN EXAMPLE "\x00\xff\x00\x01"), DNS_REFUSED},
	    {TEXT(PLAIN EXAMPLE "\x00\xfc\x00\x01"), DNS_REFUSED},
	    {TEXT(HEAD("\x11", "\x01", "\x00", "\x00") EXAMPLE A_IN), DNS_NOTIMP},
	    {TEXT(HEAD("\x28", "\x01", "\x00", "\x00") EXAMPLE A_IN), DNS_NOTIMP},
	};
	struct dns_query q;
	enum dns_rcode rcode;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(dns_parse(
		    (const uint8_t *)cases[i].query.bytes, cases[i].query.n, &q, &rcode));
		if (rcode != cases[i].rcode)
			fail_msg("case %zu: %d", i, rcode);
	}
	/* Answers and less than a header are not for us. */
	assert_false(
	    dns_parse((const uint8_t *)HEAD("\x81", "\x01", "\x00", "\x00") EXAMPLE A_IN,
		30, &q, &rcode));
	assert_false(dns_parse((const uint8_t *)PLAIN, 11, &q, &rcode));
}

static void
test_dns_answer_echoes_the_question(void **state)
{
	static const struct text ask = TEXT(HEAD("\x01", "\x01", "\x00", "\x01")
		EXAMPLE A_IN "\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00");
	static const struct text expected =
	    TEXT("\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x01" EXAMPLE A_IN
		 "\xc0\x0c" A_IN "\x00\x00\x00\x3c\x00\x04\x7f\x40\x00\x01"
		 "\x00\x00\x29\x02\x00\x00\x00\x00\x00\x00\x00");
	static const uint8_t ip4[4] = {127, 64, 0, 1};
	uint8_t out[DNS_ANSWER_BYTES];
	struct dns_query q;
	enum dns_rcode rcode;

	assert_true(dns_parse((const uint8_t *)ask.bytes, ask.n, &q, &rcode));
	assert_string_equal(q.name, "example.com");
	size_t n = dns_answer((const uint8_t *)ask.bytes, &q, rcode, ip4, 60, out);
	assert_int_equal(n, expected.n);
	assert_memory_equal(out, expected.bytes, n);

	/* A malformed one gets its header back. */
	assert_true(dns_parse((const uint8_t *)PLAIN, 12, &q, &rcode));
	n = dns_answer((const uint8_t *)PLAIN, &q, rcode, NULL, 0, out);
	assert_int_equal(n, 12);
	assert_memory_equal(out, "\x12\x34\x81\x81\0\0\0\0\0\0\0\0", 12);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dns_parse_takes_or_refuses),
	    cmocka_unit_test(test_dns_answer_echoes_the_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
