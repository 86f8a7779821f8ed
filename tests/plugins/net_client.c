/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does in next_batch what its open parameters list, a word and a place each, separated
 * by ";", and tells of each in an event: "name HOST" looks it up, "get HOST PORT"
 * connects and reads a line, "unix PATH TEXT" sends text and reads a line, "write PATH",
 * "pair" has a socket pair, "wait SECONDS" does so.
 *
 * In Falco it may connect to whatever Falco may.
 */
#define KIT_NAME "net"
#define KIT_ID   4313
#define KIT_OWN_open
#define KIT_OWN_next_batch
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/plugins/kit.h"

static char deeds[1024], *next_deed;

plugin_instance *
plugin_open(plugin_state *s, const char *params, int32_t *rc)
{
	(void)s;
	snprintf(deeds, sizeof(deeds), "%s", params ? params : "");
	next_deed = deeds;
	*rc = PLUGIN_SUCCESS;
	return calloc(1, sizeof(struct kit_instance));
}

static const char *
read_line(int fd, const char *text, char *line, size_t size)
{
	ssize_t n = -1;

	if (text[0] == '\0' || write(fd, text, strlen(text)) > 0)
		n = read(fd, line, size - 1);
	int saved = errno;
	close(fd);
	if (n < 0)
		return strerror(saved);
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	return n == 0 ? "closed" : line;
}

static const char *
look_up(const char *host, const char *port, struct addrinfo **ret)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	int rc = getaddrinfo(host, port, &hints, ret);

	return rc == 0 ? NULL : gai_strerror(rc);
}

static const char *
do_name(const char *host)
{
	static char text[INET6_ADDRSTRLEN];
	struct addrinfo *found;
	const char *failed = look_up(host, NULL, &found);

	if (failed)
		return failed;
	getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), NULL, 0,
	    NI_NUMERICHOST);
	freeaddrinfo(found);
	return text;
}

static const char *
do_get(const char *host, const char *port, char *line, size_t size)
{
	struct addrinfo *found;
	const char *failed = look_up(host, port, &found);

	if (failed)
		return failed;
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = fd < 0 ? -1 : connect(fd, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return rc < 0 ? strerror(errno) : read_line(fd, "", line, size);
}

static const char *
do_unix(const char *path, const char *request, char *line, size_t size)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char text[256];

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%.107s", path);
	snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: x\r\n\r\n", request);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (void *)&sa, sizeof(sa)) < 0)
		return strerror(errno);
	return read_line(fd, text, line, size);
}

static const char *
do_pair(char *line, size_t size)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return strerror(errno);
	ssize_t n = write(pair[0], "woken", 5);
	close(pair[0]);
	return n < 0 ? strerror(errno) : read_line(pair[1], "", line, size);
}

static const char *
do_write(const char *path, unsigned mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	if (fd < 0)
		return strerror(errno);
	ssize_t n = write(fd, "text\n", 5);
	close(fd);
	return n == 5 ? "done" : strerror(errno);
}

static const char *
do_it(char *deed, char *line, size_t size)
{
	char word[16] = "", a[200] = "", b[200] = "";

	sscanf(deed, "%15s %199s %199[^\n]", word, a, b);
	if (strcmp(word, "name") == 0)
		return do_name(a);
	if (strcmp(word, "get") == 0)
		return do_get(a, b, line, size);
	if (strcmp(word, "unix") == 0)
		return do_unix(a, b, line, size);
	if (strcmp(word, "write") == 0)
		return do_write(a, b[0] ? (unsigned)strtoul(b, NULL, 8) : 0644);
	if (strcmp(word, "mkdir") == 0)
		return mkdir(a, 0755) < 0 ? strerror(errno) : "done";
	if (strcmp(word, "pair") == 0)
		return do_pair(line, size);
	if (strcmp(word, "wait") == 0)
		return sleep((unsigned)strtoul(a, NULL, 10)) == 0 ? "done" : "?";
	if (strcmp(word, "link") == 0)
		return symlink("/etc/shadow", a) < 0 ? strerror(errno) : "done";
	return "what?";
}

int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	struct kit_instance *h = hv;
	char line[200], text[KIT_PAYLOAD + 1];

	(void)s;
	*nevts = 0;
	*evts = h->event;
	if (!next_deed || !*next_deed)
		return PLUGIN_EOF;
	char *deed = next_deed, *end = strchrnul(deed, ';');
	next_deed = *end ? end + 1 : end;
	*end = '\0';
	int n = snprintf(
	    text, sizeof(text), "%.30s: %.30s", deed, do_it(deed, line, sizeof(line)));
	h->event[0] =
	    kit_event(h->memory[0], 1700000000000000000ull, KIT_ID, text, (uint32_t)n);
	*nevts = 1;
	return PLUGIN_SUCCESS;
}
