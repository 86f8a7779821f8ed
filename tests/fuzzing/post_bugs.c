/* SPDX-License-Identifier: Apache-2.0 */
/* A webhook: listens on the port of its open parameters, "http://127.0.0.1:PORT/PATH";
 * one request at a time, and a crash behind four bytes of its body. */
#define KIT_OWN_open
#define KIT_OWN_close
#define KIT_OWN_next_batch
#include "tests/fuzzing/bugs.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static int listener = -1;

static void
bug_extract(const unsigned char *p, uint32_t n, struct plugin_extract_field *f)
{
	bug_answer(p, n, f);
}

plugin_instance *
plugin_open(plugin_state *s, const char *params, int32_t *rc)
{
	struct kit_instance *h = calloc(1, sizeof(*h));
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	unsigned port = 0;
	int one = 1;

	(void)s;
	*rc = PLUGIN_FAILURE;
	if (sscanf(params, "http://127.0.0.1:%u/", &port) != 1)
		return h;
	at.sin_port = htons((uint16_t)port);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 ||
	    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(listener, (void *)&at, sizeof(at)) < 0 || listen(listener, 4) < 0)
		return h;
	*rc = PLUGIN_SUCCESS;
	return h;
}

void
plugin_close(plugin_state *s, plugin_instance *h)
{
	(void)s;
	if (listener >= 0)
		close(listener);
	listener = -1;
	free(h);
}

/* The request up to its end, which its Content-Length tells. */
static uint32_t
take_request(int fd, char *to, uint32_t cap, const char **ret_body)
{
	static const char length[] = "Content-Length: ";
	uint32_t n = 0;

	*ret_body = NULL;
	while (n < cap - 1) {
		ssize_t k = read(fd, to + n, cap - 1 - n);
		if (k <= 0)
			return 0;
		n += (uint32_t)k;
		to[n] = '\0';
		const char *end = strstr(to, "\r\n\r\n"), *len = strstr(to, length);
		if (!end || !len)
			continue;
		uint32_t body = (uint32_t)strtoul(len + sizeof(length) - 1, NULL, 10);
		*ret_body = end + 4;
		if (n - (uint32_t)(*ret_body - to) >= body)
			return body;
	}
	return 0;
}

int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *hv, uint32_t *nevts, struct plugin_event ***evts)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	static char request[8192];
	struct pollfd p = {.fd = listener, .events = POLLIN};
	struct kit_instance *h = hv;
	const char *body;

	(void)s;
	*nevts = 0;
	*evts = h->event;
	if (poll(&p, 1, 10) <= 0)
		return PLUGIN_TIMEOUT;
	int fd = accept(listener, NULL, NULL);
	if (fd < 0)
		return PLUGIN_TIMEOUT;
	uint32_t n = take_request(fd, request, sizeof(request), &body);
	if (n >= 4 && memcmp(body, "hook", 4) == 0)
		bug_crash();
	(void)!write(fd, answer, sizeof(answer) - 1);
	close(fd);
	h->event[0] = kit_event(h->memory[0], UINT64_MAX, KIT_ID, body ? body : "",
	    n < KIT_PAYLOAD ? n : KIT_PAYLOAD);
	*nevts = 1;
	return PLUGIN_SUCCESS;
}
