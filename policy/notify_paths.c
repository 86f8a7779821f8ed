/* SPDX-License-Identifier: Apache-2.0 */
/* Paths that loaders and runtimes look for, and how they are told from others. */
#include "policy/notify.h"

#include <string.h>

/* What loaders and runtimes ask for and do without. A "/" at the end: all below. */
static const char *const probes[] = {
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/mdns.allow",
    "/proc/self/auxv",
    "/proc/self/cgroup",
    "/proc/self/exe",
    "/proc/self/maps",
    "/proc/self/mountinfo",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/net/core/somaxconn",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/kernel/osrelease",
    "/sys/devices/system/cpu/",
    "/sys/fs/cgroup/",
    "/sys/kernel/mm/transparent_hugepage/",
    "/usr/lib/locale/",
    "/usr/lib/zoneinfo/",
    "/usr/share/locale/",
    "/usr/share/zoneinfo/",
};

/* Lexically: a path to talk about, not one to open. */
static void
normalise(const char *path, char *out, size_t size)
{
	size_t n = 0;

	for (const char *p = path; *p;) {
		size_t len = strcspn(p, "/");
		if (len == 2 && memcmp(p, "..", 2) == 0) {
			while (n > 0 && out[--n] != '/')
				;
		} else if (len > 0 && !(len == 1 && *p == '.') && n + len + 2 < size) {
			out[n++] = '/';
			memcpy(out + n, p, len);
			n += len;
		}
		p += len;
		p += strspn(p, "/");
	}
	if (n == 0)
		out[n++] = '/';
	out[n] = '\0';
}

/* Whether path is dir itself or below it. */
static bool
is_within(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	while (n > 0 && dir[n - 1] == '/')
		n--;
	return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Where the loader looks; groups of directories below them are for special processors. */
static const char *const library_dirs[] = {
    "/lib",
    "/lib64",
    "/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib",
    "/usr/lib64",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
};

/* Whether the n bytes of dir are the one in which the worker's own libraries stand. */
static bool
is_own_library_dir(const struct confinement *c, const char *dir, size_t n)
{
	for (uint32_t i = 0; i < c->n_mount; i++) {
		const char *t = c->mount[i].target, *name = base_name(t);
		if (strcmp(name, "libc.so.6") == 0)
			return (size_t)(name - t) == n + 1 && memcmp(t, dir, n) == 0;
	}
	return false;
}

/*
 * One of a loader's many tries to find a library: it looks for the same name in every
 * directory that there is, and for the directories. One try is enough to tell of, the
 * one in the directory where the others stand.
 */
static bool
is_search(const struct confinement *c, const char *p)
{
	static const char *const special[] = {
	    "/glibc-hwcaps", "/tls", "/x86_64", "/haswell", "/avx512_1", "/xeon_phi"};
	size_t n = (size_t)(base_name(p) - p) - 1;

	for (size_t i = 0; i < sizeof(library_dirs) / sizeof(*library_dirs); i++) {
		const char *dir = library_dirs[i];
		if (strcmp(p, dir) == 0)
			return true;
		if (strlen(dir) == n && memcmp(p, dir, n) == 0 &&
		    profile_path_is_library(p) && !is_own_library_dir(c, p, n))
			return true;
		if (!is_within(p, dir))
			continue;
		const char *rest = p + strlen(dir);
		for (size_t k = 0; k < sizeof(special) / sizeof(*special); k++)
			if (is_within(rest, special[k]))
				return true;
	}
	return false;
}

bool
notify_path_is_denied(const struct confinement *c, const char *path)
{
	char p[4096];

	normalise(path, p, sizeof(p));
	if (is_search(c, p))
		return false;
	for (size_t i = 0; i < sizeof(probes) / sizeof(*probes); i++)
		if (strcmp(p, probes[i]) == 0 ||
		    (base_name(probes[i])[0] == '\0' && is_within(p, probes[i])))
			return false;
	for (uint32_t i = 0; i < c->n_mount; i++) {
		const struct confinement_mount *m = &c->mount[i];
		if (is_within(m->target, p) || strcmp(m->target, p) == 0 ||
		    (m->directory && is_within(p, m->target)))
			return false;
		/* A loader looks for a library in several places. */
		if (m->exec && strcmp(base_name(m->target), base_name(p)) == 0)
			return false;
	}
	return true;
}
