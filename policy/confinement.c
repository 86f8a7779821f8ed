/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/confinement.h"

#include <inttypes.h>
#include <limits.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "policy/compile.h"
#include "policy/preflight.h"

/* Where the worker stands inside: outside of every directory that policy may name. */
#define WORKER_TARGET "/mews-worker"
/* Where Debian keeps the certificates of authorities, and clients look first. */
#define AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"

static bool
is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* Where it may move directories about, it could move one to where the socket's should
 * be. */
static bool
check_listen_unix(const struct profile *p, struct err *err)
{
	for (uint32_t i = 0; i < p->n_listen_unix; i++)
		for (uint32_t k = 0; k < p->n_write; k++)
			if (is_below(p->listen_unix[i].path, p->write[k]) ||
			    is_below(p->write[k], p->listen_unix[i].path))
				return err_set(err, ERR_USAGE,
				    "profile %s: listen: unix:%s is in %s, which the "
				    "plugin "
				    "may write: name a directory that it may not",
				    p->name, p->listen_unix[i].path, p->write[k]);
	return true;
}

bool
confinement_check(const struct profile *p, struct err *err)
{
	if (p->base == PROFILE_UNCONFINED)
		return true;
	if (p->n_listen_unix > LIMIT_UNIX_LISTENERS)
		return err_set(err, ERR_USAGE,
		    "profile %s: listen: more than %u unix sockets", p->name,
		    LIMIT_UNIX_LISTENERS);
	return check_listen_unix(p, err);
}

struct maker {
	struct confinement *c;
	struct arena *arena;
	uint32_t cap;
	struct err *err;
};

/* target NULL: source's own path. */
static bool
add_mount(struct maker *m, const char *source, const char *target, bool exec)
{
	char real[PATH_MAX];
	struct stat st;

	if (!target)
		target = source;
	if (!realpath(source, real) || stat(real, &st) != 0)
		return err_sys(m->err, "%s", source);
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return err_set(m->err, ERR_USAGE,
		    "%s: is neither a file nor a directory; a plugin cannot be given it",
		    source);
	if (m->c->n_mount == m->cap)
		return err_set(m->err, ERR_LIMIT, "more than %u mounts", m->cap);
	struct confinement_mount *mount = &m->c->mount[m->c->n_mount];
	mount->source = arena_strdup(m->arena, real);
	mount->target = arena_strdup(m->arena, target);
	mount->directory = S_ISDIR(st.st_mode);
	mount->exec = exec;
	if (!mount->source || !mount->target)
		return err_nomem(m->err);
	m->c->n_mount++;
	return true;
}

static bool
add_library(struct maker *m, const char *dir, const struct preflight_library *lib)
{
	char target[PATH_MAX];

	if (lib->own)
		return add_mount(m, lib->path, NULL, true);
	if (snprintf(target, sizeof(target), "%s/%s", dir, lib->name) >=
	    (int)sizeof(target))
		return err_set(m->err, ERR_LIMIT, "%s: the path is too long", lib->path);
	return add_mount(m, lib->path, target, true);
}

static bool
add_libraries(
    struct maker *m, const struct preflight *worker, const struct preflight *plugin)
{
	struct preflight_library gcc = {.name = "libgcc_s.so.1"};
	const char *dir = "/lib", *libc = NULL;
	char text[PATH_MAX];

	/* Inside there is no cache of libraries: they go where libc was found, which the
	 * loader searches by itself. */
	for (uint32_t i = 0; i < worker->n_library; i++)
		if (strcmp(worker->library[i].name, "libc.so.6") == 0)
			libc = worker->library[i].path;
	if (libc) {
		snprintf(
		    text, sizeof(text), "%.*s", (int)(strrchr(libc, '/') - libc), libc);
		dir = text;
	}
	for (uint32_t i = 0; i < worker->n_library; i++)
		if (!add_library(m, dir, &worker->library[i]))
			return false;
	for (uint32_t i = 0; i < plugin->n_library; i++)
		if (!add_library(m, dir, &plugin->library[i]))
			return false;
	/* libc loads it by itself when a thread is cancelled or ends by pthread_exit. */
	gcc.path = preflight_find_library(m->arena, gcc.name);
	return !gcc.path || add_library(m, dir, &gcc);
}

/* Neither the path nor what it leads to may be one that is never given. key is the word
 * of the policy. */
static bool
add_given(struct maker *m, const char *key, const char *path, bool exec)
{
	const char *why = profile_path_refusal(path);

	if (!why) {
		if (!add_mount(m, path, NULL, exec))
			return err_wrap(
			    m->err, "%s: it must be there when the plugin starts", key);
		why = profile_path_refusal(m->c->mount[m->c->n_mount - 1].source);
	}
	return !why || err_set(m->err, ERR_USAGE, "%s: %s: %s", key, path, why);
}

static bool
add_data(struct maker *m, const struct profile *p)
{
	/* Where libraries may be loaded late, those listed by name are meant. */
	for (uint32_t i = 0; i < p->n_read; i++)
		if (!add_given(m, "read", p->read[i],
			p->late_dlopen && profile_path_is_library(p->read[i])))
			return false;
	for (uint32_t i = 0; i < p->n_write; i++) {
		if (!add_given(m, "write", p->write[i], false))
			return false;
		struct confinement_mount *mount = &m->c->mount[m->c->n_mount - 1];
		if (!mount->directory)
			return err_set(m->err, ERR_USAGE,
			    "write: %s is a file: name the directory that it is in",
			    p->write[i]);
		mount->writable = true;
	}
	return true;
}

/* Whom to trust, as this host does; what knows it by another name is told by
 * SSL_CERT_FILE. */
static bool
add_authorities(struct maker *m)
{
	static const char *const places[] = {AUTHORITIES,
	    "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
	    "/etc/ssl/cert.pem"};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (access(places[i], R_OK) == 0)
			return add_mount(m, places[i], AUTHORITIES, false);
	return true;
}

static int
by_target(const void *a, const void *b)
{
	const struct confinement_mount *x = a, *y = b;

	return strcmp(x->target, y->target);
}

/* Each target once. Of two for one target, what may be executed is the library, and what
 * may be written may be read. */
static void
settle_mounts(struct confinement *c)
{
	uint32_t n = 0;

	qsort(c->mount, c->n_mount, sizeof(*c->mount), by_target);
	for (uint32_t i = 0; i < c->n_mount; i++) {
		if (n > 0 && strcmp(c->mount[n - 1].target, c->mount[i].target) == 0) {
			if (c->mount[i].exec || c->mount[i].writable)
				c->mount[n - 1] = c->mount[i];
			continue;
		}
		c->mount[n++] = c->mount[i];
	}
	c->n_mount = n;
}

static bool
make_mounts(struct confinement *c, struct arena *arena, const struct preflight *worker,
    const struct preflight *plugin, const char *plugin_path, const char *worker_path,
    struct err *err)
{
	const struct profile *p = c->profile;
	/* Loader, worker, plugin, libgcc_s, authorities. */
	uint32_t cap = 5 + worker->n_library + plugin->n_library + p->n_read + p->n_write;
	struct maker m = {c, arena, cap, err};

	c->mount = arena_array(arena, cap, sizeof(*c->mount));
	if (!c->mount)
		return err_nomem(err);
	if (worker->interp && !add_mount(&m, worker->interp, NULL, true))
		return false;
	if (!add_mount(&m, worker_path, WORKER_TARGET, true) ||
	    !add_libraries(&m, worker, plugin) || !add_data(&m, p) ||
	    (profile_connects(p) && !add_authorities(&m)) ||
	    !add_mount(&m, plugin_path, c->plugin_target, true))
		return false;
	settle_mounts(c);
	return true;
}

/* Whether a mount is there, or above it. */
static bool
is_mounted(const struct confinement *c, const char *target)
{
	for (uint32_t i = 0; i < c->n_mount; i++) {
		size_t n = strlen(c->mount[i].target);
		if (strncmp(c->mount[i].target, target, n) == 0 &&
		    (target[n] == '\0' || target[n] == '/'))
			return true;
	}
	return false;
}

/* Names are asked of egress, at an address of the worker's own network. */
static bool
make_files(struct confinement *c, struct arena *arena, struct err *err)
{
#define FILE_OF(target, text)                                                            \
	{                                                                                \
		target, text, sizeof(text) - 1                                           \
	}
	static const struct confinement_file files[] = {
	    FILE_OF("/etc/resolv.conf",
		"nameserver 127.0.0.1\noptions timeout:5 attempts:2\n"),
	    FILE_OF("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
	    FILE_OF("/etc/nsswitch.conf",
		"passwd: files\ngroup: files\nhosts: files dns\n"
		"services: files\nprotocols: files\n"),
	    FILE_OF("/etc/passwd", "root:x:0:0:plugin:/:/sbin/nologin\n"),
	    FILE_OF("/etc/group", "root:x:0:\n"),
	    FILE_OF("/etc/services",
		"domain 53/udp\ndomain 53/tcp\nhttp 80/tcp\nhttps 443/tcp\n"),
	    /* A constructor in Podman's client library ends the process without it. */
	    FILE_OF("/proc/self/cmdline", "mews-worker\0"),
	};
	/* libc asks for both kinds of addresses by one sendmmsg, unless told not to. */
	static const struct confinement_file one_by_one = FILE_OF("/etc/resolv.conf",
	    "nameserver 127.0.0.1\noptions timeout:5 attempts:2 single-request\n");
#undef FILE_OF
	const uint32_t n = sizeof(files) / sizeof(*files);

	if (!profile_connects(c->profile))
		return true;
	c->file = arena_array(arena, n, sizeof(*c->file));
	if (!c->file)
		return err_nomem(err);
	for (uint32_t i = 0; i < n; i++)
		if (!is_mounted(c, files[i].target))
			c->file[c->n_file++] =
			    i == 0 && profile_sends_unaddressed(c->profile) ? one_by_one
									    : files[i];
	return true;
}

static const char *
copy_env(struct arena *arena, const char *entry)
{
	const char *value;

	if (strchr(entry, '='))
		return entry;
	/* A name alone is passed on as it is here. */
	if (!(value = getenv(entry)))
		return NULL;
	size_t n = strlen(entry) + 1 + strlen(value) + 1;
	char *text = arena_alloc(arena, n);
	if (text)
		snprintf(text, n, "%s=%s", entry, value);
	return text;
}

/* Later entries replace earlier ones of the same name. */
static void
put_env(struct confinement *c, const char *entry)
{
	size_t n = strcspn(entry, "=") + 1;

	for (uint32_t i = 0; i < c->n_env; i++)
		if (strncmp(c->env[i], entry, n) == 0) {
			c->env[i] = entry;
			return;
		}
	c->env[c->n_env++] = entry;
}

/*
 * What Go's runtime is told. Asynchronous extraction spins when it has two processors.
 * The collector's own choice is to let the heap grow to 4 MB, or to twice what is in use:
 * a plugin that takes events to pieces collects every few hundred events for a few
 * hundred KB. Growing to five times, from 16 MB on, it spends a quarter of that; near the
 * plugin's limit, where going on would end it, memory is what counts.
 */
static bool
put_go_env(struct confinement *c, struct arena *arena)
{
	const struct profile_limits *l = &c->profile->limits;
	/* With processes each has its part. */
	const uint64_t part = l->memory_bytes / (l->processes + 1);
	char text[64];

	snprintf(text, sizeof(text), "GOMEMLIMIT=%" PRIu64, part / 4 * 3);
	const char *limit = arena_strdup(arena, text);
	if (!limit)
		return false;
	put_env(c, "GOMAXPROCS=1");
	put_env(c, "GOTRACEBACK=single");
	put_env(c, "GOGC=400");
	put_env(c, limit);
	return true;
}

static bool
make_env(struct confinement *c, struct arena *arena, struct err *err)
{
	const struct profile *p = c->profile;

	c->env = arena_array(arena, 7 + p->n_env, sizeof(*c->env));
	if (!c->env)
		return err_nomem(err);
	put_env(c, "LANG=C");
	put_env(c, "TZ=UTC");
	if (profile_connects(p) && is_mounted(c, AUTHORITIES))
		put_env(c, "SSL_CERT_FILE=" AUTHORITIES);
	if (c->go_runtime && !put_go_env(c, arena))
		return err_nomem(err);
	for (uint32_t i = 0; i < p->n_env; i++) {
		const char *entry = copy_env(arena, p->env[i]);
		if (entry)
			put_env(c, entry);
		else if (getenv(p->env[i]))
			return err_nomem(err);
	}
	return true;
}

static bool
make_filters(struct confinement *c, struct arena *arena, struct err *err)
{
	struct filter load, run;

	if (!filter_compile_load(&load, arena, c->profile, FILTER_TREE, err) ||
	    !filter_compile_run(&run, arena, c->profile, FILTER_TREE, err))
		return false;
	c->filter_load = load.insn;
	c->filter_load_len = load.n * (uint32_t)sizeof(struct sock_filter);
	c->filter_run = run.insn;
	c->filter_run_len = run.n * (uint32_t)sizeof(struct sock_filter);
	return true;
}

static bool
name_plugin(struct confinement *c, struct arena *arena, const char *path, struct err *err)
{
	char real[PATH_MAX];

	/* Its path as configured is what its messages should show; a relative one has no
	 * meaning inside. */
	if (path[0] != '/' || profile_path_refusal(path)) {
		if (!realpath(path, real))
			return err_sys(err, "%s", path);
		path = real;
	}
	c->plugin_target = arena_strdup(arena, path);
	return c->plugin_target || err_nomem(err);
}

bool
confinement_make(struct confinement *c, struct arena *arena,
    const struct profile *profile, const char *plugin_path, const char *worker_path,
    struct err *err)
{
	struct confinement made = {.profile = profile, .worker_target = WORKER_TARGET};
	struct preflight plugin, worker;

	if (!confinement_check(profile, err) ||
	    !preflight_plugin(
		&plugin, arena, plugin_path, profile->read, profile->n_read, err) ||
	    !preflight_program(&worker, arena, worker_path, err))
		return false;
	if (profile->sha256 && strcmp(profile->sha256, plugin.sha256) != 0)
		return err_set(err, ERR_USAGE,
		    "%s: its sha256 is %s, but the policy wants %s", plugin_path,
		    plugin.sha256, profile->sha256);
	made.go_runtime = plugin.go_runtime;
	memcpy(made.sha256, plugin.sha256, sizeof(made.sha256));
	memcpy(made.build_id, plugin.build_id, sizeof(made.build_id));
	made.plugin_dev = plugin.dev;
	made.plugin_ino = plugin.ino;
	made.plugin_size = plugin.size;
	made.plugin_mtime_ns = plugin.mtime_ns;
	made.plugin_ctime_ns = plugin.ctime_ns;
	if (!name_plugin(&made, arena, plugin_path, err) ||
	    !make_mounts(&made, arena, &worker, &plugin, plugin_path, worker_path, err) ||
	    !make_files(&made, arena, err) || !make_env(&made, arena, err) ||
	    !make_filters(&made, arena, err))
		return false;
	*c = made;
	return true;
}
