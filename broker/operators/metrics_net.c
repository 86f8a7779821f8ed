/* SPDX-License-Identifier: Apache-2.0 */
/* The host's addresses, as Falco tells them: by interface and family, "lo" left out. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "broker/operators/metrics_internal.h"
#include "broker/operators/own_alert.h"

enum {
	MAX_ADDRESSES = 4096 /* more are not told */
};

static int
by_interface(const void *a, const void *b)
{
	const struct ifaddrs *x = *(struct ifaddrs *const *)a,
			     *y = *(struct ifaddrs *const *)b;
	int order = strcmp(x->ifa_name, y->ifa_name);

	return order ? order : x->ifa_addr->sa_family - y->ifa_addr->sa_family;
}

static void
add_address(const struct ifaddrs *a, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];
	const void *bytes =
	    a->ifa_addr->sa_family == AF_INET
		? (const void *)&((const struct sockaddr_in *)(const void *)a->ifa_addr)
		      ->sin_addr
		: &((const struct sockaddr_in6 *)(const void *)a->ifa_addr)->sin6_addr;

	if (!inet_ntop(a->ifa_addr->sa_family, bytes, text, sizeof(text)))
		return;
	if (out->len)
		buf_addc(out, ',');
	buf_adds(out, text);
}

/* Sorted by interface and family: those that are equal in both become one field. */
static void
add_fields(struct ifaddrs *const *address, uint32_t n, struct own_fields *f)
{
	struct buf key, text;

	buf_init(&key, LIMIT_TEXT_BYTES);
	buf_init(&text, LIMIT_TEXT_BYTES);
	for (uint32_t i = 0; i < n; i++) {
		add_address(address[i], &text);
		if (i + 1 < n && by_interface(&address[i], &address[i + 1]) == 0)
			continue;
		buf_addf(&key, "falco.host_netinfo.interfaces.%s.protocols.%s.addresses",
		    address[i]->ifa_name,
		    address[i]->ifa_addr->sa_family == AF_INET ? "ipv4" : "ipv6");
		own_fields_text(f, buf_str(&key), buf_str(&text));
		buf_clear(&key);
		buf_clear(&text);
	}
	buf_release(&key);
	buf_release(&text);
}

void
metrics_net_fields(struct own_fields *f)
{
	struct ifaddrs *list, **address = calloc(MAX_ADDRESSES, sizeof(struct ifaddrs *));
	uint32_t n = 0;

	/* Where they cannot be had, there are none to tell. */
	if (!address || getifaddrs(&list) != 0) {
		free(address);
		return;
	}
	for (struct ifaddrs *a = list; a && n < MAX_ADDRESSES; a = a->ifa_next) {
		int family = a->ifa_addr ? a->ifa_addr->sa_family : AF_UNSPEC;
		if ((family == AF_INET || family == AF_INET6) &&
		    strcmp(a->ifa_name, "lo") != 0)
			address[n++] = a;
	}
	qsort(address, n, sizeof(struct ifaddrs *), by_interface);
	add_fields(address, n, f);
	freeifaddrs(list);
	free(address);
}
