/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listens on what its open parameters, or already its configuration, name ("tcp4 PORT",
 * "tcp4local", "tcp6" for both families, "tcp6only", "udp4"; "unix PATH [MODE]",
 * "unixgram", "unixpacket", as servers do it: the old socket removed, the directory
 * made, and with MODE a chmod; "unixfds", a stream whose callers may hand over a file).
 * Each line that comes is an event, with the first line of a file that came with it, and
 * is answered with "ok"; "again" makes it listen anew.
 *
 * In Falco it may listen wherever Falco may.
 */
#define KIT_NAME "net"
#define KIT_ID   4312
#define KIT_OWN_init
#define KIT_OWN_open
#define KIT_OWN_next_batch
#define KIT_OWN_get_last_error
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/plugins/kit.h"

static char error[256], where[200];
static int listener = -1;
static bool datagrams, takes_files;

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
listen_at_path(const char *kind, const char *path, unsigned mode)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	char dir[200];

	snprintf(un.sun_path, sizeof(un.sun_path), "%.107s", path);
	snprintf(dir, sizeof(dir), "%.*s",
	    (int)(strrchr(path, '/') ? strrchr(path, '/') - path : 0), path);
	datagrams = strcmp(kind, "unixgram") == 0;
	takes_files = strcmp(kind, "unixfds") == 0;
	struct stat st;
	if (stat(path, &st) == 0 || (dir[0] && stat(dir, &st) < 0))
		return fails("bind (stat)");
	(void)unlink(path);
	if (dir[0] && mkdir(dir, 0755) < 0 && errno != EEXIST)
		return fails("bind (mkdir)");
	listener = socket(AF_UNIX,
	    (datagrams                            ? SOCK_DGRAM
		: strcmp(kind, "unixpacket") == 0 ? SOCK_SEQPACKET
						  : SOCK_STREAM) |
		SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (listener < 0)
		return fails("bind (socket)");
	if (bind(listener, (void *)&un, sizeof(un)) < 0)
		return fails("bind");
	if (mode && chmod(path, mode) < 0)
		return fails("bind (chmod)");
	if (!datagrams && listen(listener, 4096) < 0)
		return fails("listen");
	return true;
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

static bool
listen_as_told(const char *told)
{
	char kind[16] = "", place[128] = "", mode[8] = "0";

	snprintf(where, sizeof(where), "%s", told);
	if (sscanf(told, "%15s %127s %7s", kind, place, mode) < 2) {
		snprintf(error, sizeof(error), "parameters: KIND PORT-OR-PATH");
		return false;
	}
	if (strncmp(kind, "unix", 4) == 0)
		return listen_at_path(kind, place, (unsigned)strtoul(mode, NULL, 8));
	return listen_at(kind, (unsigned)strtoul(place, NULL, 10));
}

plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	const char *config = in->config ? in->config : "";

	*rc =
	    config[0] == '\0' || listen_as_told(config) ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
	return calloc(1, sizeof(struct kit_state));
}

plugin_instance *
plugin_open(plugin_state *s, const char *params, int32_t *rc)
{
	(void)s;
	*rc = listener >= 0 || listen_as_told(params ? params : "") ? PLUGIN_SUCCESS
								    : PLUGIN_FAILURE;
	return *rc == PLUGIN_SUCCESS ? calloc(1, sizeof(struct kit_instance)) : NULL;
}

/* "TEXT, file LINE"; "TEXT, no file"; or why not. */
static ssize_t
receive_file(int fd, char *line, size_t size)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {line, size / 2};
	struct msghdr m = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&m);
	char text[64] = "";
	int file;

	if (n < 0)
		return snprintf(line, size, "recvmsg: %s", strerror(errno));
	if (c == NULL || c->cmsg_type != SCM_RIGHTS)
		return n + snprintf(line + n, size - (size_t)n, ", no file");
	memcpy(&file, CMSG_DATA(c), sizeof(file));
	if (read(file, text, sizeof(text) - 1) < 0)
		snprintf(text, sizeof(text), "%s", strerror(errno));
	close(file);
	text[strcspn(text, "\n")] = '\0';
	return n + snprintf(line + n, size - (size_t)n, ", file %s", text);
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
		n = takes_files ? receive_file(fd, line, sizeof(line))
				: read(fd, line, sizeof(line));
		(void)!write(fd, "ok\n", 3);
		close(fd);
	}
	if (n >= 5 && memcmp(line, "again", 5) == 0) {
		char told[sizeof(where)];
		memcpy(told, where, sizeof(told));
		close(listener);
		return listen_as_told(told) ? PLUGIN_TIMEOUT : PLUGIN_FAILURE;
	}
	if (n <= 0)
		return PLUGIN_TIMEOUT;
	n -= line[n - 1] == '\n';
	h->event[0] = kit_event(
	    h->memory[0], 1700000000000000000ull + h->next++, KIT_ID, line, (uint32_t)n);
	*nevts = 1;
	return PLUGIN_SUCCESS;
}
