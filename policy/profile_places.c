/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of policy that name places to listen at, to connect to, and sockets. */
#include "policy/profile_keys.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

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

	*c = (struct profile_connect){.internal = c->internal};
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

#define LISTEN_UNIX_PREFIX "unix:"

/* Octal, as chmod takes it: 660 or 0660. */
static void
read_mode(struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	struct profile_listen_unix *l = out;
	const char *text = node->kind == CONF_SCALAR ? node->text : "";
	size_t n = strlen(text);

	if (n < 3 || n > 4 || text[strspn(text, "01234567")] != '\0' ||
	    (l->mode = (uint32_t)strtoul(text, NULL, 8)) > 0777)
		parser_mistake(ps, node, NULL,
		    "mode: write who may connect as chmod does, as in 0660");
	l->most_mode = l->mode;
}

/* A name, or a number. */
static void
read_owner(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	bool is_group = strcmp(k->name, "group") == 0;
	uint32_t *id = out;
	const char *rest;
	uint64_t number;

	if (!node_is_text(ps, node, k->name))
		return;
	const struct passwd *user = is_group ? NULL : getpwnam(node->text);
	const struct group *group = is_group ? getgrnam(node->text) : NULL;
	if (user)
		*id = user->pw_uid;
	else if (group)
		*id = group->gr_gid;
	else if (take_number(node->text, &number, &rest) && *rest == '\0' &&
		 number < PROFILE_NOBODY)
		*id = (uint32_t)number;
	else
		parser_mistake(ps, node, node->text, "is no %s of this host",
		    is_group ? "group" : "user");
}

#define L(member) offsetof(struct profile_listen_unix, member)
/* clang-format off */
static const struct key listen_unix_keys[] = {
    {.name = "unix", .read = profile_read_path, .offset = L(path)},
    {.name = "mode", .read = read_mode, .offset = 0},
    {.name = "owner", .read = read_owner, .offset = L(owner)},
    {.name = "group", .read = read_owner, .offset = L(group)},
    {.name = "descriptors", .read = profile_read_bool, .offset = L(descriptors)},
    {0},
};
/* clang-format on */
#undef L

/* Of one path the last entry counts: so a plugin's block may change what its profile
 * says. */
static void
put_listen_unix(struct profile *p, const struct profile_listen_unix *l)
{
	uint32_t i = 0;

	while (i < p->n_listen_unix && strcmp(p->listen_unix[i].path, l->path) != 0)
		i++;
	p->listen_unix[i] = *l;
	if (i == p->n_listen_unix)
		p->n_listen_unix++;
}

/* "unix:PATH", or a map with that path and more. */
static void
read_listen_unix(struct parser *ps, const struct conf_node *item, const struct key *k)
{
	struct profile_listen_unix l = {.mode = 0600,
	    .most_mode = 0777,
	    .owner = PROFILE_NOBODY,
	    .group = PROFILE_NOBODY};

	if (item->kind == CONF_MAP) {
		profile_read_map(ps, item, k->name, listen_unix_keys, &l);
		if (!conf_get(item, "unix"))
			parser_mistake(ps, item, NULL,
			    "listen: an entry that is a map needs unix: the socket's "
			    "full path");
	} else {
		struct conf_node path = *item;
		path.text = item->text + strlen(LISTEN_UNIX_PREFIX);
		profile_read_path(ps, &path, k, &l.path);
	}
	if (!l.path)
		return;
	if (strlen(strrchr(l.path, '/')) > sizeof(((struct sockaddr_un *)0)->sun_path))
		parser_mistake(ps, item, l.path, "is longer than a socket's name can be");
	else
		put_listen_unix(&ps->p, &l);
}

/* A map alone stands for a list of itself, as a word or a path does. */
static bool
take_items(struct parser *ps, const struct conf_node *node, const char *name,
    struct conf_node *const **ret_item, uint32_t *ret_n, struct conf_node **self)
{
	*self = (struct conf_node *)(uintptr_t)node;
	if (node->kind != CONF_MAP)
		return node_items(ps, node, name, ret_item, ret_n, self);
	*ret_item = self;
	*ret_n = 1;
	return true;
}

void
profile_read_listen(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	struct conf_node *self, *const *item;
	struct profile *p = &ps->p;
	uint32_t n;

	if (!take_items(ps, node, k->name, &item, &n, &self))
		return;
	struct profile_listen *all =
	    list_grow(ps, p->listen, p->n_listen, n, sizeof(*all));
	struct profile_listen_unix *all_unix =
	    list_grow(ps, p->listen_unix, p->n_listen_unix, n, sizeof(*all_unix));
	if (!all || !all_unix)
		return;
	p->listen = all;
	p->listen_unix = all_unix;
	for (uint32_t i = 0; i < n; i++) {
		if (item[i]->kind == CONF_MAP) {
			read_listen_unix(ps, item[i], k);
			continue;
		}
		if (!node_is_text(ps, item[i], k->name))
			continue;
		if (strncmp(item[i]->text, LISTEN_UNIX_PREFIX,
			strlen(LISTEN_UNIX_PREFIX)) == 0)
			read_listen_unix(ps, item[i], k);
		else if (parse_listen(ps, item[i]->text, &p->listen[p->n_listen]))
			p->n_listen++;
		else
			parser_mistake(ps, item[i], item[i]->text,
			    "is no place to listen: write tcp:PORT, udp:PORT, "
			    "ADDRESS:PORT, udp:ADDRESS:PORT or unix:PATH");
	}
}

static void
read_host(struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	if (!node_is_text(ps, node, k->name))
		return;
	if (!parse_connect(ps, node->text, out)) {
		parser_mistake(ps, node, node->text,
		    "is no host: write HOST:PORT, *.HOST:PORT or ADDRESS:PORT");
		((struct profile_connect *)out)->port = 0;
	}
}

/* clang-format off */
static const struct key connect_keys[] = {
    {.name = "host", .read = read_host, .offset = 0},
    {.name = "internal", .read = profile_read_bool, .offset = offsetof(struct profile_connect, internal)},
    {0},
};
/* clang-format on */

void
profile_read_connect(
    struct parser *ps, const struct conf_node *node, const struct key *k, void *out)
{
	struct conf_node *self, *const *item;
	struct profile *p = &ps->p;
	uint32_t n;

	if (!take_items(ps, node, k->name, &item, &n, &self))
		return;
	struct profile_connect *all =
	    list_grow(ps, p->connect, p->n_connect, n, sizeof(*all));
	if (!all)
		return;
	p->connect = all;
	for (uint32_t i = 0; i < n; i++) {
		struct profile_connect c = {0};
		if (item[i]->kind != CONF_MAP) {
			read_host(ps, item[i], k, &c);
		} else {
			profile_read_map(ps, item[i], k->name, connect_keys, &c);
			if (!conf_get(item[i], "host"))
				parser_mistake(ps, item[i], NULL,
				    "connect: an entry that is a map needs host: "
				    "HOST:PORT");
		}
		/* The one that is no mistake. */
		if (c.port != 0)
			p->connect[p->n_connect++] = c;
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
	struct conf_node *self, *const *item;
	struct profile *p = &ps->p;
	uint32_t n;

	if (!take_items(ps, node, k->name, &item, &n, &self))
		return;
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
