/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS messages, as far as a resolver needs them that knows all its names by itself: one
 * question in, at most one A record out. Pure functions over bytes from a worker.
 */
#ifndef WORKER_EGRESS_DNS_H
#define WORKER_EGRESS_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_HEADER_BYTES 12u
#define DNS_QUERY_BYTES  512u /* the longest that is read; real ones have under 300 */
#define DNS_ANSWER_BYTES 512u
#define DNS_NAME_BYTES   254u /* as text, with NUL */

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_IXFR = 251, /* this and all above ask for more than a record */
};

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
};

struct dns_query {
	uint16_t id;
	uint8_t flags_high;        /* opcode and RD, to be sent back */
	char name[DNS_NAME_BYTES]; /* lower case, without the last dot; "" is the root */
	uint16_t type;
	size_t n_question; /* bytes of the question, which follows the header; 0: none */
	bool has_edns;
};

/*
 * False: no answer is due (too short for a header, or itself an answer). Otherwise
 * *ret_rcode is DNS_NOERROR when *ret_query can be looked up, or what to answer. Refused:
 * classes other than IN, types that stand for many, labels of other than letters, digits,
 * "-" and "_".
 */
bool dns_parse(const uint8_t *query, size_t n, struct dns_query *ret_query,
    enum dns_rcode *ret_rcode);

/* The answer to what dns_parse read, with an A record when ip4 is not NULL. Its size. */
size_t dns_answer(const uint8_t *query, const struct dns_query *q, enum dns_rcode rcode,
    const uint8_t *ip4, uint32_t ttl_s, uint8_t out[DNS_ANSWER_BYTES]);

#endif
