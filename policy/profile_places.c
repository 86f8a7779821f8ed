/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of policy that name places to listen at, to connect to, and sockets. */
#include "policy/profile_keys.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

/* "…:PORT": the port, and how much stands before the colon. */
static bool
take_port(const char *text, size_t *ret_n_host, uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':'), *rest;
	uint64_t port;

	if (!take_number(colon ? colon + 1 : text, &port, &rest) || *rest != '\0' ||
	    port == 0 || port > 65535)
		return false;
	*ret_n_host = colon ? (size_t)(colon - text) : 0;
	*ret_port = (uint16_t)port;
	return true;
}

static bool
is_address(const char *text)
{
	unsigned char out[16];

	return inet_pton(AF_INET, text, out) == 1 || inet_pton(AF_INET6, text, out) == 1;
}

/* Copies n bytes of text in lower case and without the brackets of an IPv6 address. */
static char *
take_host(struct parser *ps, const char *text, size_t n)
{
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	char *host = arena_strndup(ps->arena, text, n);
	if (!host)
		ps->nomem = true;
	for (char *c = host; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return host;
}

static bool
parse_listen(struct parser *ps, const char *text, struct profile_listen *l)
{
	size_t n_host;

	*l = (struct profile_listen){.transport = PROFILE_TCP};
	if (strncmp(text, "udp:", 4) == 0)
		l->transport = PROFILE_UDP;
	if (l->transport == PROFILE_UDP || strncmp(text, "tcp:", 4) == 0)
		text += 4;
	if (!take_port(text, &n_host, &l->port))
		return false;
	if (n_host == 0)
		return text[0] != ':';
	char *host = take_host(ps, text, n_host);
	l->address = host;
	return host && is_address(host);
}

static bool
is_host_name(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 253 && s[0] != '.' && s[0] != '-' && !strstr(s, "..") &&
	       s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-._")] == '\0';
}

static bool
parse_connect(struct parser *ps, const char *text, struct profile_connect *c)
{
	size_t n_host;

	*c = (struct profile_connect){0};
	if (strncmp(text, "*.", 2) == 0) {
		c->subdomains = true;
		text += 2;
	}
	if (!take_port(text, &n_host, &c->port) || n_host == 0)
		return false;
	c->host = take_host(ps, text, n_host);
	return c->host &&
	       (is_host_name(c->host) || (!c->subdomains && is_address(c->host)));
}

void
profile_read_listen(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	struct conf_node *self = (struct conf_node *)(uintptr_t)node, *const * item;
	struct profile *p = &ps->p;
	uint32_t n;

	if (!node_items(ps, node, k->name, &item, &n, &self))
		return;
	struct profile_listen *all =
	    list_grow(ps, p->listen, p->n_listen, n, sizeof(*all));
	if (!all)
		return;
	p->listen = all;
	for (uint32_t i = 0; i < n; i++) {
		if (!node_is_text(ps, item[i], k->name))
			continue;
		if (parse_listen(ps, item[i]->text, &p->listen[p->n_listen]))
			p->n_listen++;
		else
			parser_mistake(ps, item[i], item[i]->text,
			    "is no place to listen: write tcp:PORT, udp:PORT, "
			    "ADDRESS:PORT or udp:ADDRESS:PORT");
	}
}

void
profile_read_connect(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	struct conf_node *self = (struct conf_node *)(uintptr_t)node, *const * item;
	struct profile *p = &ps->p;
	uint32_t n;

	if (!node_items(ps, node, k->name, &item, &n, &self))
		return;
	struct profile_connect *all =
	    list_grow(ps, p->connect, p->n_connect, n, sizeof(*all));
	if (!all)
		return;
	p->connect = all;
	for (uint32_t i = 0; i < n; i++) {
		if (!node_is_text(ps, item[i], k->name))
			continue;
		if (parse_connect(ps, item[i]->text, &p->connect[p->n_connect]))
			p->n_connect++;
		else
			parser_mistake(ps, item[i], item[i]->text,
			    "is no host: write HOST:PORT, *.HOST:PORT or ADDRESS:PORT");
	}
}

/* clang-format off */
static const struct key unix_keys[] = {
    {.name = "path", .read = profile_read_path, .offset = offsetof(struct profile_unix, path)},
    {.name = "http-get", .read = profile_read_requests, .offset = offsetof(struct profile_unix, http_get)},
    {0},
};
/* clang-format on */

void
profile_read_unix(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	struct conf_node *self = (struct conf_node *)(uintptr_t)node, *const * item;
	struct profile *p = &ps->p;
	uint32_t n;

	/* A map alone stands for a list of itself, as a path does. */
	if (node->kind == CONF_MAP) {
		item = &self;
		n = 1;
	} else if (!node_items(ps, node, k->name, &item, &n, &self)) {
		return;
	}
	struct profile_unix *all =
	    list_grow(ps, p->unix_socket, p->n_unix_socket, n, sizeof(*all));
	if (!all)
		return;
	p->unix_socket = all;
	for (uint32_t i = 0; i < n; i++) {
		struct profile_unix u = {0};
		if (item[i]->kind == CONF_MAP) {
			profile_read_map(ps, item[i], "unix", unix_keys, &u);
			u.filtered = conf_get(item[i], "http-get") != NULL;
			if (!conf_get(item[i], "path"))
				parser_mistake(ps, item[i], NULL,
				    "unix: an entry needs path: the socket's full path");
		} else {
			profile_read_path(ps, item[i], k, &u.path);
		}
		if (u.path)
			p->unix_socket[p->n_unix_socket++] = u;
	}
}
