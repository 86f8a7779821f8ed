/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/egress.h"

#include <string.h>

#define LOOPBACK                                                                         \
	{                                                                                \
		.bytes = { 127, 0, 0, 1 }                                                \
	}

static bool
add_socket(struct egress_plan *plan, const struct egress_socket *s, struct err *err)
{
	for (unsigned i = 0; i < plan->n; i++)
		if (s->kind == EGRESS_TCP && plan->socket[i].kind == EGRESS_TCP &&
		    plan->socket[i].port == s->port &&
		    address_equal(&plan->socket[i].address, &s->address))
			return true;
	if (plan->n == LIMIT_EGRESS_SOCKETS)
		return err_set(err, ERR_LIMIT,
		    "connect and unix together name more than %u places",
		    LIMIT_EGRESS_SOCKETS);
	plan->socket[plan->n++] = *s;
	return true;
}

static void
add_address(struct egress_plan *plan, const struct address *a)
{
	for (unsigned i = 0; i < plan->n_address; i++)
		if (address_equal(&plan->address[i], a))
			return;
	plan->address[plan->n_address++] = *a;
}

/* A pattern's listener has this port on every IPv4 address. */
static bool
pattern_has_port(const struct profile *p, uint16_t port)
{
	for (uint32_t i = 0; i < p->n_connect; i++)
		if (p->connect[i].subdomains && p->connect[i].port == port)
			return true;
	return false;
}

static bool
resolver_has_it(const struct profile_connect *c, struct err *err)
{
	return err_set(err, ERR_USAGE,
	    "connect: %s%s:53 cannot be given: port 53 of loopback is where plugins find "
	    "their resolver",
	    c->subdomains ? "*." : "", c->host);
}

static bool
plan_address(struct egress_plan *plan, const struct profile *p,
    const struct profile_connect *c, const struct address *a, struct err *err)
{
	struct egress_socket s = {.kind = EGRESS_TCP, .address = *a, .port = c->port};
	enum address_class class = address_class(a);

	if (class == ADDRESS_NOWHERE || class == ADDRESS_MULTICAST ||
	    class == ADDRESS_MAPPED)
		return err_set(err, ERR_USAGE, "connect: %s:%u cannot be given: it is %s",
		    c->host, c->port, address_class_text(class));
	if (egress_stands_for_name(a))
		return err_set(err, ERR_USAGE,
		    "connect: %s:%u cannot be given: 127.64.0.0/16 stands for names",
		    c->host, c->port);
	if (address_equal(a, &(struct address)LOOPBACK) && c->port == 53)
		return resolver_has_it(c, err);
	if (class != ADDRESS_LOOPBACK)
		add_address(plan, a);
	if (!a->is_ip6 && pattern_has_port(p, c->port))
		return true;
	return add_socket(plan, &s, err);
}

static bool
plan_name(struct egress_plan *plan, const struct profile *p, uint32_t i, struct err *err)
{
	const struct profile_connect *c = &p->connect[i];
	struct egress_socket s = {
	    .kind = EGRESS_TCP, .port = c->port, .address = {.bytes = {127, 64}}};
	unsigned highest = 0;

	for (uint32_t k = 0; k < i; k++) {
		if (plan->host_number[k] > highest)
			highest = plan->host_number[k];
		if (plan->host_number[k] != 0 && strcmp(p->connect[k].host, c->host) == 0)
			plan->host_number[i] = plan->host_number[k];
	}
	if (plan->host_number[i] == 0) {
		if (highest == 254)
			return err_set(
			    err, ERR_LIMIT, "connect names more than 254 hosts");
		plan->host_number[i] = (uint8_t)(highest + 1);
	}
	if (pattern_has_port(p, c->port))
		return true;
	s.address.bytes[3] = plan->host_number[i];
	return add_socket(plan, &s, err);
}

static bool
plan_connect(
    struct egress_plan *plan, const struct profile *p, uint32_t i, struct err *err)
{
	const struct profile_connect *c = &p->connect[i];
	struct address a = LOOPBACK;

	if (c->subdomains) {
		struct egress_socket s = {.kind = EGRESS_TCP, .port = c->port};
		return c->port == 53 ? resolver_has_it(c, err)
				     : add_socket(plan, &s, err);
	}
	if (!address_is_localhost(c->host) && !address_parse(c->host, &a))
		return plan_name(plan, p, i, err);
	return plan_address(plan, p, c, &a, err);
}

bool
egress_plan_make(struct egress_plan *plan, const struct profile *p, struct err *err)
{
	static const struct egress_socket dns[] = {
	    {.kind = EGRESS_DNS_UDP, .port = 53, .address = LOOPBACK},
	    {.kind = EGRESS_DNS_TCP, .port = 53, .address = LOOPBACK},
	};

	memset(plan, 0, sizeof(*plan));
	if (p->n_connect > LIMIT_POLICY_ITEMS)
		return err_set(err, ERR_LIMIT, "connect has more than %u entries",
		    LIMIT_POLICY_ITEMS);
	/* A client that may go nowhere yet asks for names: that is how one learns which.
	 */
	if (p->n_connect > 0 || p->base == PROFILE_CLIENT) {
		plan->socket[0] = dns[0];
		plan->socket[1] = dns[1];
		plan->n = 2;
	}
	for (uint32_t i = 0; i < p->n_connect; i++)
		if (!plan_connect(plan, p, i, err))
			return false;
	plan->n_inet = plan->n;
	for (uint32_t i = 0; i < p->n_unix_socket; i++) {
		struct egress_socket s = {.kind = EGRESS_UNIX, .unix_index = i};
		if (!add_socket(plan, &s, err))
			return false;
	}
	return true;
}

bool
egress_stands_for_name(const struct address *inside)
{
	return !inside->is_ip6 && inside->bytes[0] == 127 && inside->bytes[1] == 64;
}

const char *
egress_plan_name(
    const struct egress_plan *plan, const struct profile *p, const struct address *inside)
{
	const uint8_t *b = inside->bytes;

	if (!egress_stands_for_name(inside) || b[2] != 0 || b[3] == 0)
		return NULL;
	for (uint32_t i = 0; i < p->n_connect; i++)
		if (plan->host_number[i] == b[3])
			return p->connect[i].host;
	return NULL;
}
