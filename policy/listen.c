/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/listen.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>

/* An address as text compares and prints it: IPv4 in IPv6 form is IPv4. */
struct end {
	bool is_internet;
	int family;
	uint16_t port;
	uint8_t address[16];
};

static struct end
end_of(const struct sockaddr_storage *at)
{
	struct end e = {0};

	if (at->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)at;
		e.is_internet = true;
		e.family = AF_INET;
		e.port = ntohs(in->sin_port);
		memcpy(e.address, &in->sin_addr, 4);
	} else if (at->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const void *)at;
		bool mapped = IN6_IS_ADDR_V4MAPPED(&in->sin6_addr);
		e.is_internet = true;
		e.family = mapped ? AF_INET : AF_INET6;
		e.port = ntohs(in->sin6_port);
		memcpy(e.address, in->sin6_addr.s6_addr + (mapped ? 12 : 0),
		    mapped ? 4 : 16);
	}
	return e;
}

/* What path is from the root, without "./" and slashes at the end; NULL: too long. "..",
 * and other ways to say the same, are left as they are and so mean nothing. */
static const char *
absolute(const char *cwd, const char *path, char out[PATH_MAX])
{
	struct buf b;

	buf_init(&b, PATH_MAX);
	while (strncmp(path, "./", 2) == 0)
		path += 2 + strspn(path + 2, "/");
	size_t n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	if (path[0] != '/')
		buf_addf(&b, "%s%s", cwd, strcmp(cwd, "/") == 0 ? "" : "/");
	buf_add(&b, path, n);
	bool fits = !b.failed && b.len < PATH_MAX && n > 0;
	if (fits)
		memcpy(out, buf_str(&b), b.len + 1);
	buf_release(&b);
	return fits ? out : NULL;
}

const struct profile_listen_unix *
listen_find_path(const struct profile *p, const char *cwd, const char *path)
{
	char text[PATH_MAX];
	const char *full = absolute(cwd, path, text);
	size_t n = strlen(path);

	if (!full || (n > 0 && path[n - 1] == '/'))
		return NULL;
	for (uint32_t i = 0; i < p->n_listen_unix; i++)
		if (strcmp(p->listen_unix[i].path, full) == 0)
			return &p->listen_unix[i];
	return NULL;
}

bool
listen_is_above(const struct profile *p, const char *cwd, const char *dir)
{
	char text[PATH_MAX];
	const char *full = absolute(cwd, dir, text);
	size_t n = full ? strlen(full) : 0;

	for (uint32_t i = 0; full && i < p->n_listen_unix; i++)
		if (strncmp(p->listen_unix[i].path, full, n) == 0 &&
		    (p->listen_unix[i].path[n] == '/' || n == 1))
			return true;
	return false;
}

void
listen_path_allow_with(const char *cwd, const char *path, struct buf *out)
{
	char text[PATH_MAX];
	const char *full = absolute(cwd, path, text);

	if (full && !profile_path_refusal(full) && profile_path_is_plain(full))
		buf_addf(out, "listen: [unix:%s]", full);
}

static bool
is_address(const char *text, const struct end *e)
{
	uint8_t bytes[16];
	size_t n = e->family == AF_INET ? 4 : 16;

	return inet_pton(e->family, text, bytes) == 1 &&
	       memcmp(bytes, e->address, n) == 0;
}

bool
listen_is_allowed(const struct profile *p, enum profile_transport transport,
    const struct sockaddr_storage *at)
{
	struct end e = end_of(at);

	if (!e.is_internet || e.port == 0)
		return false;
	for (uint32_t i = 0; i < p->n_listen; i++) {
		const struct profile_listen *l = &p->listen[i];
		if (l->transport == transport && l->port == e.port &&
		    (!l->address || is_address(l->address, &e)))
			return true;
	}
	return false;
}

bool
listen_is_probe(const struct sockaddr_storage *at)
{
	struct end e = end_of(at);

	return e.is_internet && e.port == 0 &&
	       (is_address("127.0.0.1", &e) || is_address("::1", &e) ||
		   is_address("0.0.0.0", &e) || is_address("::", &e));
}

static void
add_address(const struct end *e, struct buf *out)
{
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(e->family, e->address, text, sizeof(text));
	buf_addf(out, e->family == AF_INET ? "%s:%u" : "[%s]:%u", text, e->port);
}

static const char *
name_of(enum profile_transport transport)
{
	return transport == PROFILE_TCP ? "tcp" : "udp";
}

void
listen_text(
    enum profile_transport transport, const struct sockaddr_storage *at, struct buf *out)
{
	struct end e = end_of(at);

	if (!e.is_internet) {
		buf_addf(out, "an address of family %u", at->ss_family);
		return;
	}
	buf_addf(out, "%s ", name_of(transport));
	add_address(&e, out);
}

void
listen_allow_with(
    enum profile_transport transport, const struct sockaddr_storage *at, struct buf *out)
{
	struct end e = end_of(at);

	if (!e.is_internet || e.port == 0)
		return;
	buf_addf(out, "listen: [%s:", name_of(transport));
	if (e.family == AF_INET && !is_address("0.0.0.0", &e))
		add_address(&e, out);
	else
		buf_addf(out, "%u", e.port);
	buf_addc(out, ']');
}
