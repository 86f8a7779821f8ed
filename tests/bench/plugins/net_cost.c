/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the network costs a plugin, measured by itself and told as events, "NAME VALUE":
 * microseconds per operation (median and 95th of a hundred), or MiB/s. Open parameters:
 * "PEER-PORT OWN-PORT UNIX-PATH NAME"; NAME "-" is not looked up. At PEER-PORT of
 * loopback is net_peer. Last it listens at OWN-PORT, and answers as net_peer does until
 * 500 have come.
 */
#define KIT_NAME "net"
#define KIT_ID   4314
#define KIT_OWN_open
#define KIT_OWN_next_batch
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/bench/plugins/net_figures.h"
#include "tests/plugins/kit.h"

enum {
	TIMES = 100,
	ACCEPTS = 500,
};

static unsigned peer_port, own_port;
static char unix_path[108], host[128];
static char told[16][KIT_PAYLOAD];
static unsigned n_told, next_told;
static bool is_done;
static int listener = -1;

static void
tell(const char *name, double value)
{
	char text[400];

	snprintf(text, sizeof(text), "%s %.1f", name, value);
	snprintf(told[n_told++], KIT_PAYLOAD, "%.60s", text);
}

/* once() does it, and says whether it could. */
static void
measure(const char *name, bool (*once)(void))
{
	static double took[TIMES];
	char text[32];

	/* What is asked of the launcher is bounded: it is to have enough for all. */
	sleep(1);
	for (int i = 0; i < TIMES; i++) {
		double from = now_us();
		if (!once()) {
			snprintf(
			    told[n_told++], KIT_PAYLOAD, "%s %s", name, strerror(errno));
			return;
		}
		took[i] = now_us() - from;
	}
	qsort(took, TIMES, sizeof(*took), by_value);
	tell(name, took[TIMES / 2]);
	snprintf(text, sizeof(text), "%s-p95", name);
	tell(text, took[TIMES * 95 / 100]);
}

static int
connected(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)peer_port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (void *)&in, sizeof(in)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool
connect_once(void)
{
	char byte = 'r';
	int fd = connected();

	if (fd < 0)
		return false;
	bool ok = write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1;
	close(fd);
	return ok;
}

static bool
look_up_once(void)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found;

	if (getaddrinfo(host, "1", &hints, &found) != 0)
		return false;
	freeaddrinfo(found);
	return true;
}

static bool
bind_once(void)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)own_port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	bool ok = bind(fd, (void *)&in, sizeof(in)) == 0 && listen(fd, 128) == 0;
	close(fd);
	return ok;
}

static bool
bind_path_once(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(un.sun_path, unix_path, sizeof(un.sun_path));
	unlink(unix_path);
	bool ok = bind(fd, (void *)&un, sizeof(un)) == 0 && listen(fd, 128) == 0;
	close(fd);
	return ok;
}

static void
bulk(void)
{
	static char room[256 << 10];
	char byte = 'b';
	size_t got = 0;
	int fd = connected();
	ssize_t n = -1;
	double from = now_us();

	if (fd >= 0 && write(fd, &byte, 1) == 1)
		while (got < (size_t)BULK_MIB << 20 &&
		       (n = read(fd, room, sizeof(room))) > 0)
			got += (size_t)n;
	close(fd);
	tell("bulk-mib/s", (double)got / 1048576 / ((now_us() - from) / 1e6));
}

/* Answers whoever measures from outside. */
static void
serve(void)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)own_port)};
	int one = 1;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (void *)&in, sizeof(in)) < 0 || listen(listener, 128) < 0)
		return;
	for (int i = 0; i < ACCEPTS; i++) {
		struct pollfd pfd = {.fd = listener, .events = POLLIN};
		char byte;
		if (poll(&pfd, 1, i == 0 ? 5000 : 500) <= 0)
			return;
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (read(fd, &byte, 1) == 1)
			(void)!write(fd, &byte, 1);
		close(fd);
	}
}

plugin_instance *
plugin_open(plugin_state *s, const char *params, int32_t *rc)
{
	(void)s;
	*rc = params && sscanf(params, "%u %u %107s %127s", &peer_port, &own_port,
			    unix_path, host) == 4
		  ? PLUGIN_SUCCESS
		  : PLUGIN_FAILURE;
	return calloc(1, sizeof(struct kit_instance));
}

int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	struct kit_instance *h = hv;

	(void)s;
	*nevts = 0;
	*evts = h->event;
	if (!is_done) {
		is_done = true;
		measure("connect", connect_once);
		bulk();
		if (strcmp(host, "-") != 0)
			measure("look-up", look_up_once);
		measure("bind", bind_once);
		measure("bind-path", bind_path_once);
		serve();
	}
	if (next_told == n_told)
		return PLUGIN_EOF;
	h->event[0] = kit_event(h->memory[0], 1700000000000000000ull, KIT_ID,
	    told[next_told], (uint32_t)strlen(told[next_told]));
	next_told++;
	*nevts = 1;
	return PLUGIN_SUCCESS;
}
