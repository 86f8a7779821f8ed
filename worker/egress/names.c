/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/names.h"

#include <stdlib.h>
#include <string.h>

/* As long as that after it was last given out or connected to, an address keeps its
 * name. */
#define KEEP_NS (10ull * NAMES_TTL_S * 1000000000ull)

void
names_release(struct names *n)
{
	for (unsigned i = 0; i < n->n_pattern_names; i++)
		free(n->pattern_name[i].name);
	free(n->pattern_name);
	n->pattern_name = NULL;
	n->n_pattern_names = 0;
}

/* "*.example.com" has "a.example.com" and "b.a.example.com". */
static bool
pattern_has(const struct profile_connect *c, const char *name)
{
	size_t n = strlen(name), n_host = strlen(c->host);

	return c->subdomains && n > n_host + 1 && name[n - n_host - 1] == '.' &&
	       strcmp(name + n - n_host, c->host) == 0;
}

static bool
set_pattern_name(struct pattern_name *p, const char *name, uint64_t now_ns)
{
	char *copy = strdup(name);

	if (copy == NULL)
		return false;
	free(p->name);
	p->name = copy;
	p->used_ns = now_ns;
	return true;
}

/* The name's place, old or new; the longest unused one when all are taken. */
static bool
place_pattern_name(
    struct names *n, const char *name, uint64_t now_ns, unsigned *ret_index)
{
	unsigned oldest = 0;

	if (n->pattern_name == NULL)
		n->pattern_name = calloc(LIMIT_EGRESS_NAMES, sizeof(*n->pattern_name));
	if (n->pattern_name == NULL)
		return false;
	for (unsigned i = 0; i < n->n_pattern_names; i++) {
		if (strcmp(n->pattern_name[i].name, name) == 0) {
			n->pattern_name[i].used_ns = now_ns;
			*ret_index = i;
			return true;
		}
		if (n->pattern_name[i].used_ns < n->pattern_name[oldest].used_ns)
			oldest = i;
	}
	if (n->n_pattern_names < LIMIT_EGRESS_NAMES) {
		*ret_index = n->n_pattern_names;
		if (!set_pattern_name(&n->pattern_name[*ret_index], name, now_ns))
			return false;
		n->n_pattern_names++;
		return true;
	}
	*ret_index = oldest;
	return now_ns - n->pattern_name[oldest].used_ns >= KEEP_NS &&
	       set_pattern_name(&n->pattern_name[oldest], name, now_ns);
}

enum names_rc
names_look_up(struct names *n, const char *name, uint64_t now_ns, uint8_t ret_ip4[4])
{
	const struct profile *p = n->profile;
	bool has_pattern = false;

	for (uint32_t i = 0; i < p->n_connect; i++) {
		const struct profile_connect *c = &p->connect[i];
		has_pattern |= pattern_has(c, name);
		if (c->subdomains || strcmp(c->host, name) != 0)
			continue;
		/* An address that is asked for as a name is none. */
		if (address_is_localhost(name))
			memcpy(ret_ip4, (const uint8_t[]){127, 0, 0, 1}, 4);
		else if (n->plan->host_number[i] != 0)
			memcpy(ret_ip4,
			    (const uint8_t[]){127, 64, 0, n->plan->host_number[i]}, 4);
		else
			continue;
		return NAMES_KNOWN;
	}
	unsigned at;
	if (!has_pattern)
		return NAMES_UNKNOWN;
	if (!place_pattern_name(n, name, now_ns, &at))
		return NAMES_FULL;
	memcpy(ret_ip4,
	    (const uint8_t[]){127, 64, (uint8_t)(1 + at / 256), (uint8_t)(at % 256)}, 4);
	return NAMES_KNOWN;
}

/* The name that 127.64.x.y stands for; NULL: none. */
static const char *
name_of(struct names *n, const struct address *inside, uint64_t now_ns)
{
	const uint8_t *b = inside->bytes;

	if (!egress_stands_for_name(inside))
		return NULL;
	if (b[2] == 0)
		return egress_plan_name(n->plan, n->profile, inside);
	unsigned at = (b[2] - 1u) * 256u + b[3];
	if (at >= n->n_pattern_names)
		return NULL;
	n->pattern_name[at].used_ns = now_ns;
	return n->pattern_name[at].name;
}

static bool
policy_has_name(
    const struct names *n, const char *name, uint16_t port, bool *ret_is_internal)
{
	bool has = false;

	*ret_is_internal = false;
	for (uint32_t i = 0; i < n->profile->n_connect; i++) {
		const struct profile_connect *c = &n->profile->connect[i];
		if (c->port != port ||
		    !(c->subdomains ? pattern_has(c, name) : strcmp(c->host, name) == 0))
			continue;
		has = true;
		*ret_is_internal |= c->internal;
	}
	return has;
}

bool
names_has_address(const struct names *n, const struct address *a, uint16_t port)
{
	struct address listed;

	for (uint32_t i = 0; i < n->profile->n_connect; i++) {
		const struct profile_connect *c = &n->profile->connect[i];
		if (c->port == port && !c->subdomains &&
		    address_parse(c->host, &listed) && address_equal(&listed, a))
			return true;
	}
	return false;
}

bool
names_target(struct names *n, const struct address *inside, uint16_t port,
    uint64_t now_ns, struct names_target *ret_target)
{
	const char *name = name_of(n, inside, now_ns);

	memset(ret_target, 0, sizeof(*ret_target));
	if (names_has_address(n, inside, port)) {
		ret_target->is_address = true;
		ret_target->address = *inside;
		return true;
	}
	if (name == NULL && !inside->is_ip6 &&
	    memcmp(inside->bytes, (const uint8_t[]){127, 0, 0, 1}, 4) == 0)
		name = "localhost";
	if (name == NULL)
		return false;
	/* Names of the policy and of queries are shorter than this. */
	memcpy(ret_target->name, name, strnlen(name, DNS_NAME_BYTES - 1));
	return policy_has_name(n, name, port, &ret_target->is_internal);
}
