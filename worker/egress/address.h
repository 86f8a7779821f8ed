/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an IP address leads. Only ADDRESS_PUBLIC may be reached by a name alone, and
 * ADDRESS_PRIVATE by one that the policy marks; all else could be this host, its
 * neighbours, or the cloud's keys. Forms of IPv6 that carry an IPv4 address (mapped,
 * compatible, NAT64, 6to4, Teredo) are never public, so that none of them is a way
 * around.
 */
#ifndef WORKER_EGRESS_ADDRESS_H
#define WORKER_EGRESS_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"

struct address {
	bool is_ip6;
	uint8_t bytes[16]; /* network order; IPv4 in the first four, the rest zero */
};

/* CLASS(id, what it is, in words) */
/* clang-format off */
#define ADDRESS_CLASSES(CLASS) \
	CLASS(PUBLIC,     "a public address") \
	CLASS(LOOPBACK,   "a loopback address of this host") \
	CLASS(PRIVATE,    "a private address") \
	CLASS(LINK_LOCAL, "a link-local address") \
	CLASS(METADATA,   "where clouds keep metadata and keys") \
	CLASS(MULTICAST,  "a multicast or broadcast address") \
	CLASS(MAPPED,     "an IPv4 address in IPv6 form") \
	CLASS(NOWHERE,    "a reserved address")
/* clang-format on */

enum address_class {
#define CLASS(id, text) ADDRESS_##id,
	ADDRESS_CLASSES(CLASS)
#undef CLASS
};

enum address_class address_class(const struct address *a);
const char *address_class_text(enum address_class class);

/* False when text is no IP address. */
bool address_parse(const char *text, struct address *ret_address);
/* False when it is no IP socket address. ret_port may be NULL. */
bool address_of_sockaddr(
    const struct sockaddr *sa, struct address *ret_address, uint16_t *ret_port);
socklen_t address_to_sockaddr(
    const struct address *a, uint16_t port, struct sockaddr_storage *ret_sa);
/* IPv4 in IPv6 form becomes IPv4. */
void address_unmap(struct address *a);
bool address_equal(const struct address *a, const struct address *b);
/* "10.0.0.5:443", "[::1]:443" */
void address_text(const struct address *a, uint16_t port, struct buf *out);

/* The one name that stands for loopback. */
bool address_is_localhost(const char *name);

#endif
