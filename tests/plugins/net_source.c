/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listens on what its open parameters name ("tcp4 PORT", "tcp4local", "tcp6" for both
 * families, "tcp6only", "udp4"); each line that comes is an event, and is answered with
 * "ok".
 */
#define KIT_NAME "net"
#define KIT_ID   4312
#define KIT_OWN_open
#define KIT_OWN_next_batch
#define KIT_OWN_get_last_error
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/plugins/kit.h"

static char error[256];
static int listener = -1;
static bool datagrams;

const char *
plugin_get_last_error(plugin_state *s)
{
	(void)s;
	return error;
}

static bool
fails(const char *what)
{
	snprintf(error, sizeof(error), "cannot %s: %s", what, strerror(errno));
	return false;
}

static bool
listen_at(const char *kind, unsigned port)
{
	struct sockaddr_in in4 = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 in6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	bool six = strncmp(kind, "tcp6", 4) == 0;
	int one = 1, only = strcmp(kind, "tcp6only") == 0;

	if (strcmp(kind, "tcp4local") == 0)
		in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	datagrams = strcmp(kind, "udp4") == 0;
	listener = socket(six ? AF_INET6 : AF_INET,
	    (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener < 0)
		return fails("bind (socket)");
	if (!datagrams &&
	    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0)
		return fails("bind (SO_REUSEADDR)");
	if (six &&
	    setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) < 0)
		return fails("bind (IPV6_V6ONLY)");
	if ((six ? bind(listener, (void *)&in6, sizeof(in6))
		 : bind(listener, (void *)&in4, sizeof(in4))) < 0)
		return fails("bind");
	if (!datagrams && listen(listener, 4096) < 0)
		return fails("listen");
	return true;
}

plugin_instance *
plugin_open(plugin_state *s, const char *params, int32_t *rc)
{
	struct kit_instance *h = calloc(1, sizeof(*h));
	char kind[16] = "";
	unsigned port = 0;

	(void)s;
	*rc = PLUGIN_FAILURE;
	if (!h || !params || sscanf(params, "%15s %u", kind, &port) != 2) {
		snprintf(error, sizeof(error), "open parameters: KIND PORT");
		free(h);
		return NULL;
	}
	if (!listen_at(kind, port)) {
		free(h);
		return NULL;
	}
	*rc = PLUGIN_SUCCESS;
	return h;
}

int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	struct kit_instance *h = hv;
	struct pollfd pfd = {.fd = listener, .events = POLLIN};
	char line[KIT_PAYLOAD];
	ssize_t n;

	(void)s;
	*nevts = 0;
	*evts = h->event;
	if (poll(&pfd, 1, 200) <= 0)
		return PLUGIN_TIMEOUT;
	if (datagrams) {
		n = recv(listener, line, sizeof(line), 0);
	} else {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			return PLUGIN_TIMEOUT;
		n = read(fd, line, sizeof(line));
		(void)!write(fd, "ok\n", 3);
		close(fd);
	}
	if (n <= 0)
		return PLUGIN_TIMEOUT;
	n -= line[n - 1] == '\n';
	h->event[0] = kit_event(
	    h->memory[0], 1700000000000000000ull + h->next++, KIT_ID, line, (uint32_t)n);
	*nevts = 1;
	return PLUGIN_SUCCESS;
}
