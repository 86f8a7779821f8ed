/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of one worker's policy and the addresses that stand for them in its network.
 * Names of a pattern get theirs when they are first asked for, and keep it as long as
 * they are used: an address that was given out must not come to mean another name while
 * somebody remembers it.
 */
#ifndef WORKER_EGRESS_NAMES_H
#define WORKER_EGRESS_NAMES_H

#include "worker/egress/dns.h"
#include "worker/egress/egress.h"

struct names {
	const struct profile *profile;
	const struct egress_plan *plan;
	struct pattern_name {
		char *name;
		uint64_t used_ns;
	} * pattern_name; /* LIMIT_EGRESS_NAMES, made when the first is needed */
	unsigned n_pattern_names;
};

/* How long a worker may remember an address, seconds. */
#define NAMES_TTL_S 60u

void names_release(struct names *n);

enum names_rc {
	NAMES_KNOWN,
	NAMES_UNKNOWN, /* not in the policy */
	NAMES_FULL,
};
/* The IPv4 address inside that stands for name (lower case). */
enum names_rc names_look_up(
    struct names *n, const char *name, uint64_t now_ns, uint8_t ret_ip4[4]);

/* What a connection to that address and port inside is meant for. */
struct names_target {
	bool is_address;  /* that the policy lists; else a name */
	bool is_internal; /* the name may stand for private addresses */
	struct address address;
	char name[DNS_NAME_BYTES];
};

/* False: the policy does not allow it; ret_target->name is what was meant, "" when that
 * is not known. */
bool names_target(struct names *n, const struct address *inside, uint16_t port,
    uint64_t now_ns, struct names_target *ret_target);

/* Whether the policy lists that very address and port. */
bool names_has_address(const struct names *n, const struct address *a, uint16_t port);

#endif
