/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/dns.h"

#include <string.h>

#define FLAG_RESPONSE 0x80u /* first byte of the flags */
#define FLAG_OPCODE   0x78u
#define FLAG_RD       0x01u
#define FLAG_RA       0x80u /* second byte */
#define CLASS_IN      1u
#define LABEL_BYTES   63u
/* What an OPT record of ours says that we read. */
#define OUR_UDP_BYTES DNS_QUERY_BYTES

static uint16_t
get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static bool
is_label_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* A name at *at, without compression, which a first name has no use for. */
static enum dns_rcode
take_name(const uint8_t *p, size_t n, size_t *at, char name[DNS_NAME_BYTES])
{
	enum dns_rcode rcode = DNS_NOERROR;
	size_t len = 0;

	for (;;) {
		if (*at >= n)
			return DNS_FORMERR;
		unsigned label = p[(*at)++];
		if (label == 0)
			break;
		if (label > LABEL_BYTES || label > n - *at ||
		    len + label + 1 >= DNS_NAME_BYTES)
			return DNS_FORMERR;
		if (len > 0)
			name[len++] = '.';
		for (unsigned i = 0; i < label; i++) {
			uint8_t c = p[(*at)++];
			if (!is_label_byte(c))
				rcode = DNS_REFUSED;
			name[len++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
		}
	}
	name[len] = '\0';
	return rcode;
}

/* What may follow the question: one OPT record. */
static bool
take_edns(const uint8_t *p, size_t n, size_t *at)
{
	/* Root name, type, class, TTL, length. */
	if (n - *at < 11 || p[*at] != 0 || get_u16(p + *at + 1) != DNS_TYPE_OPT)
		return false;
	size_t n_data = get_u16(p + *at + 9);
	if (n_data > n - *at - 11)
		return false;
	*at += 11 + n_data;
	return true;
}

bool
dns_parse(
    const uint8_t *p, size_t n, struct dns_query *ret_query, enum dns_rcode *ret_rcode)
{
	struct dns_query q = {0};
	enum dns_rcode rcode = DNS_NOERROR;
	size_t at = DNS_HEADER_BYTES;

	if (n < DNS_HEADER_BYTES || (p[2] & FLAG_RESPONSE) != 0)
		return false;
	q.id = get_u16(p);
	q.flags_high = p[2] & (FLAG_OPCODE | FLAG_RD);
	if ((p[2] & FLAG_OPCODE) != 0) {
		rcode = DNS_NOTIMP;
		goto end;
	}
	unsigned n_more = get_u16(p + 10);
	if (n > DNS_QUERY_BYTES || get_u16(p + 4) != 1 || get_u16(p + 6) != 0 ||
	    get_u16(p + 8) != 0 || n_more > 1) {
		rcode = DNS_FORMERR;
		goto end;
	}
	rcode = take_name(p, n, &at, q.name);
	if (rcode == DNS_FORMERR || n - at < 4) {
		rcode = DNS_FORMERR;
		goto end;
	}
	q.type = get_u16(p + at);
	unsigned class = get_u16(p + at + 2);
	at += 4;
	size_t n_question = at - DNS_HEADER_BYTES;
	q.has_edns = n_more == 1 && take_edns(p, n, &at);
	if (at != n || (n_more == 1 && !q.has_edns)) {
		rcode = DNS_FORMERR;
		goto end;
	}
	q.n_question = n_question;
	if (class != CLASS_IN || q.type >= DNS_TYPE_IXFR || q.type == DNS_TYPE_OPT)
		rcode = DNS_REFUSED;
end:
	*ret_query = q;
	*ret_rcode = rcode;
	return true;
}

static uint8_t *
put_u16(uint8_t *at, unsigned v)
{
	*at++ = (uint8_t)(v >> 8);
	*at++ = (uint8_t)v;
	return at;
}

size_t
dns_answer(const uint8_t *query, const struct dns_query *q, enum dns_rcode rcode,
    const uint8_t *ip4, uint32_t ttl_s, uint8_t out[DNS_ANSWER_BYTES])
{
	uint8_t *at = out;

	_Static_assert(
	    DNS_HEADER_BYTES + (DNS_NAME_BYTES + 1) + 4 + 16 + 11 <= DNS_ANSWER_BYTES,
	    "the longest answer fits");
	at = put_u16(at, q->id);
	*at++ = FLAG_RESPONSE | q->flags_high;
	*at++ = (uint8_t)(FLAG_RA | rcode);
	at = put_u16(at, q->n_question > 0);
	at = put_u16(at, ip4 != NULL);
	at = put_u16(at, 0);
	at = put_u16(at, q->has_edns);
	/* As it was asked, with its capitals: some check that. */
	memcpy(at, query + DNS_HEADER_BYTES, q->n_question);
	at += q->n_question;
	if (ip4 != NULL) {
		at = put_u16(at, 0xc000u | DNS_HEADER_BYTES); /* the name: see there */
		at = put_u16(at, DNS_TYPE_A);
		at = put_u16(at, CLASS_IN);
		at = put_u16(at, ttl_s >> 16);
		at = put_u16(at, ttl_s & 0xffff);
		at = put_u16(at, 4);
		memcpy(at, ip4, 4);
		at += 4;
	}
	if (q->has_edns) {
		*at++ = 0;
		at = put_u16(at, DNS_TYPE_OPT);
		at = put_u16(at, OUR_UDP_BYTES);
		memset(at, 0, 6);
		at += 6;
	}
	return (size_t)(at - out);
}
