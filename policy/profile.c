/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/profile.h"

#include <string.h>

#include "base/utf8.h"

static const struct {
	const char *name, *doc;
} bases[] = {
#define BASE(id, name, doc) [PROFILE_##id] = {name, doc},
    PROFILE_BASES(BASE)
#undef BASE
};

#define DEFAULT_FILE_SIZE (64ull << 20)

static const struct profile defaults = {
    .limits =
	{
	    .memory_bytes = 512ull << 20,
	    .log_lines_per_s = 100,
	    .threads = 64,
	    .open_files = 256,
	    .init_ms = 30000,
	    .open_ms = 30000,
	    .extract_ms = 5000,
	    .parse_ms = 5000,
	    .close_ms = 5000,
	},
    .restart_max = 5,
    .restart_window_s = 600,
    .backoff_min_ms = 100,
    .backoff_max_ms = 30000,
    .required = true,
};

bool
profile_builtin(struct profile *p, const char *name)
{
	for (size_t i = 0; i < sizeof(bases) / sizeof(*bases); i++)
		if (strcmp(bases[i].name, name) == 0) {
			*p = defaults;
			p->name = bases[i].name;
			p->base = (enum profile_base)i;
			return true;
		}
	return false;
}

const char *
profile_builtin_names(void)
{
	/* The first separator is skipped. */
#define BASE(id, name, doc) ", " name
	return PROFILE_BASES(BASE) + 2;
#undef BASE
}

const char *
profile_base_name(enum profile_base base)
{
	return bases[base].name;
}

const char *
profile_base_doc(enum profile_base base)
{
	return bases[base].doc;
}

const char *
profile_path_refusal(const char *path)
{
	static const struct {
		const char *top, *why;
	} refused[] = {
	    {"/proc", "it shows every process of the host"},
	    {"/dev", "devices reach past every other wall"},
	};

	if (path[0] != '/')
		return "it is not absolute";
	if (path[1] == '\0')
		return "it is everything";
	for (const char *p = path; *p; p += strcspn(p, "/")) {
		p += strspn(p, "/");
		size_t n = strcspn(p, "/");
		if ((n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return "it has . or .. in it";
		if (p[-1] == '/' && p - path > 1 && p[-2] == '/')
			return "it has // in it";
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		size_t n = strlen(refused[i].top);
		if (strncmp(path, refused[i].top, n) == 0 &&
		    (path[n] == '/' || path[n] == '\0'))
			return refused[i].why;
	}
	return NULL;
}

bool
profile_path_is_plain(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._-+@~=";

	return path[0] == '/' && path[strspn(path, plain)] == '\0';
}

bool
profile_path_is_library(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *so = strstr(slash ? slash : path, ".so");

	return so && (so[3] == '\0' || so[3] == '.');
}

static void
add_host(struct buf *out, const char *host, uint16_t port)
{
	bool v6 = strchr(host, ':') != NULL;

	buf_addf(out, "%s%s%s:%u", v6 ? "[" : "", host, v6 ? "]" : "", (unsigned)port);
}

void
profile_listen_text(const struct profile_listen *l, struct buf *out)
{
	buf_adds(out, l->transport == PROFILE_UDP ? "udp:" : "tcp:");
	if (l->address)
		add_host(out, l->address, l->port);
	else
		buf_addf(out, "%u", (unsigned)l->port);
}

void
profile_listen_unix_text(const struct profile_listen_unix *l, struct buf *out)
{
	buf_adds(out, "unix:");
	utf8_escape(out, l->path, strlen(l->path), 1024);
}

void
profile_connect_text(const struct profile_connect *c, struct buf *out)
{
	if (c->subdomains)
		buf_adds(out, "*.");
	add_host(out, c->host, c->port);
	if (c->internal)
		buf_adds(out, " (internal)");
}

bool
profile_listens(const struct profile *p)
{
	return p->base == PROFILE_LISTENER || p->n_listen > 0 || p->n_listen_unix > 0;
}

bool
profile_sends_unaddressed(const struct profile *p)
{
	for (uint32_t i = 0; i < p->n_listen; i++)
		if (p->listen[i].transport == PROFILE_UDP)
			return true;
	return p->n_listen_unix > 0;
}

bool
profile_takes_descriptors(const struct profile *p)
{
	for (uint32_t i = 0; i < p->n_listen_unix; i++)
		if (p->listen_unix[i].descriptors)
			return true;
	return false;
}

bool
profile_has_sockets(const struct profile *p)
{
	return profile_listens(p) || profile_connects(p) || p->n_unix_socket > 0;
}

bool
profile_connects(const struct profile *p)
{
	return p->base == PROFILE_CLIENT || p->n_connect > 0;
}

uint32_t
profile_tasks(const struct profile *p)
{
	return 1 + p->limits.threads + p->limits.processes;
}

uint64_t
profile_file_size(const struct profile *p)
{
	if (p->limits.file_size_bytes > 0)
		return p->limits.file_size_bytes;
	return p->n_write > 0 ? DEFAULT_FILE_SIZE : 0;
}
