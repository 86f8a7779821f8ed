/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/attest.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "worker/launch/child.h"
#include "worker/launch/proc_text.h"
#include "worker/launch/setup.h"

#define MOUNTINFO_BYTES                                                                  \
	(512u << 10) /* 250 mounts with two long paths each, and margin                  \
		      */

static bool
number_is(const char *status, const char *key, int base, uint64_t want, struct err *err)
{
	uint64_t v;

	if (!proc_number(status, key, base, &v))
		return err_set(err, ERR_SYS, "the kernel does not tell \"%s\"", key);
	if (v != want)
		return err_set(err, ERR_SYS, "%s %llu where %llu was meant", key,
		    (unsigned long long)v, (unsigned long long)want);
	return true;
}

/* "Uid:" and "Gid:": real, effective, saved, file system. */
static bool
ids_are(const char *status, const char *key, uint64_t want, struct err *err)
{
	const char *s = proc_line(status, key);

	for (int i = 0; i < 4 && s != NULL; i++) {
		char *end;
		if (strtoull(s, &end, 10) != want)
			return err_set(err, ERR_SYS, "%s is not %llu throughout", key,
			    (unsigned long long)want);
		s = end;
	}
	return s != NULL || err_set(err, ERR_SYS, "the kernel does not tell \"%s\"", key);
}

/* "NSpid:" lists the pid in each namespace, from ours inwards. */
static unsigned
pid_levels(const char *status, int32_t *ret_inner_pid)
{
	const char *s = proc_line(status, "NSpid:");
	unsigned n = 0;

	while (s != NULL) {
		char *end;
		long pid = strtol(s, &end, 10);
		if (end == s)
			break;
		*ret_inner_pid = (int32_t)pid;
		s = end;
		n++;
		s += strspn(s, " \t");
		if (*s == '\n')
			break;
	}
	return n;
}

/* Always, but in the mutation run. */
static bool
meant(const struct attest_subject *s, enum launch_layer layer)
{
	return (s->layers & (uint32_t)layer) != 0;
}

static bool
attest_status(const struct attest_subject *s, uint32_t *held, int32_t *ret_inner_pid,
    struct err *err)
{
	static const char *const caps[] = {
	    "CapInh:", "CapPrm:", "CapEff:", "CapAmb:", "CapBnd:"};
	/* Without the right to drop the bounding set it means nothing: no_new_privs. */
	bool bounded = (s->layers & LAYER_USER_NS) != 0 || s->host->is_root;
	char path[64], status[8192];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)s->worker_pid);
	if (!proc_read(path, status, sizeof(status), err) ||
	    !number_is(status, "PPid:", 10, (uint64_t)s->shim_pid, err) ||
	    !number_is(status, "Threads:", 10, 1, err) ||
	    (meant(s, LAYER_NO_NEW_PRIVS) &&
		!number_is(status, "NoNewPrivs:", 10, 1, err)) ||
	    !number_is(status, "Seccomp:", 10, 2, err) ||
	    !number_is(status, "Seccomp_filters:", 10, s->host->n_filters + 1, err) ||
	    !ids_are(status, "Uid:", s->host_uid, err) ||
	    !ids_are(status, "Gid:", s->host_gid, err))
		return false;
	for (size_t i = 0; meant(s, LAYER_NO_CAPS) &&
			   i < sizeof(caps) / sizeof(caps[0]) - (bounded ? 0 : 1);
	     i++)
		if (!number_is(status, caps[i], 16, 0, err))
			return false;
	if (s->host->is_root) {
		const char *groups = proc_line(status, "Groups:");
		if (groups == NULL || *groups != '\n')
			return err_set(err, ERR_SYS, "supplementary groups are left");
	}
	*held |= s->layers & (LAYER_NO_NEW_PRIVS | LAYER_SECCOMP | LAYER_NO_CAPS);
	unsigned levels = pid_levels(status, ret_inner_pid);
	if ((s->layers & LAYER_PID_NS) != 0 && levels < 2)
		return err_set(err, ERR_SYS, "the pid namespace is ours");
	return true;
}

static bool
attest_namespaces(const struct attest_subject *s, uint32_t *held, struct err *err)
{
	static const struct {
		uint32_t layer;
		const char *name;
	} ns[] = {
#define NAMESPACE(layer, flag, name) {layer, name},
	    LAUNCH_NAMESPACES(NAMESPACE)
#undef NAMESPACE
	};

	for (size_t i = 0; i < LAUNCH_N_NAMESPACES; i++) {
		char path[64];
		struct stat st;
		if ((s->layers & ns[i].layer) == 0)
			continue;
		snprintf(
		    path, sizeof(path), "/proc/%d/ns/%s", (int)s->worker_pid, ns[i].name);
		if (stat(path, &st) < 0)
			return err_sys(err, "%s", path);
		if (s->host->ns[i] == 0 || st.st_ino == s->host->ns[i])
			return err_set(
			    err, ERR_SYS, "the %s namespace is ours", ns[i].name);
		*held |= ns[i].layer;
	}
	return true;
}

static DIR *
open_fds(pid_t pid, struct err *err)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	if (dir == NULL)
		err_sys(err, "%s", path);
	return dir;
}

static bool
is_listener(DIR *dir, const char *fd_name)
{
	char link[64];
	ssize_t n = readlinkat(dirfd(dir), fd_name, link, sizeof(link) - 1);

	link[n > 0 ? n : 0] = '\0';
	return strcmp(link, "anon_inode:seccomp notify") == 0;
}

static bool
attest_fd(const struct attest_subject *s, DIR *dir, const char *name, struct err *err)
{
	const struct launch_request *r = s->request;
	const int given[SETUP_LAST_KEPT_FD + 1] = {
	    -1, /* the end of a pipe of its own */
	    r->output_fd,
	    r->output_fd,
	    r->control_fd,
	    r->up_fd,
	    r->down_fd,
	    r->wake_broker_fd,
	    r->wake_worker_fd,
	};
	struct stat theirs, ours;
	long fd = strtol(name, NULL, 10);

	if (fstatat(dirfd(dir), name, &theirs, 0) < 0)
		return err_sys(err, "descriptor %ld", fd);
	/* These two it closes when it has been taken over; the listener may stand where a
	 * ring stood. */
	if (is_listener(dir, name) ||
	    (fd == SETUP_SOCKET_FD && theirs.st_ino == s->setup_socket))
		return true;
	if (fd > SETUP_LAST_KEPT_FD)
		return err_set(err, ERR_SYS, "descriptor %ld is open in it", fd);
	if (given[fd] < 0)
		return S_ISFIFO(theirs.st_mode) ||
		       err_set(err, ERR_SYS, "descriptor %ld is no pipe", fd);
	if (fstat(given[fd], &ours) < 0 || theirs.st_dev != ours.st_dev ||
	    theirs.st_ino != ours.st_ino)
		return err_set(err, ERR_SYS, "descriptor %ld is not what was given", fd);
	return true;
}

/* None but those that were given; fewer are fine: rings are closed once mapped. */
static bool
attest_fds(const struct attest_subject *s, struct err *err)
{
	DIR *dir = open_fds(s->worker_pid, err);
	bool ok = true;

	if (dir == NULL)
		return false;
	for (struct dirent *e; ok && (e = readdir(dir)) != NULL;)
		ok = e->d_name[0] == '.' || attest_fd(s, dir, e->d_name, err);
	closedir(dir);
	return ok;
}

bool
attest_listener_is_gone(pid_t worker_pid, struct err *err)
{
	DIR *dir = open_fds(worker_pid, err);
	bool ok = true;

	if (dir == NULL)
		return false;
	for (struct dirent *e; ok && (e = readdir(dir)) != NULL;)
		if (is_listener(dir, e->d_name))
			ok = err_set(err, ERR_SYS, "it kept its filter's listener");
	closedir(dir);
	return ok;
}

static bool
has_option(const char *options, const char *name)
{
	size_t n = strlen(name);

	for (const char *s = options; s != NULL; s = strchr(s, ',')) {
		if (*s == ',')
			s++;
		if (strncmp(s, name, n) == 0 && (s[n] == ',' || s[n] == '\0'))
			return true;
	}
	return false;
}

/* /proc/PID/mountinfo writes space, tab, newline and backslash in octal. */
static void
unescape(char *s)
{
	char *out = s;

	for (; *s != '\0'; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] != '\0' &&
		    s[3] != '\0') {
			*out++ =
			    (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*out++ = *s;
		}
	}
	*out = '\0';
}

/* The mount of the confinement that accounts for this one; -1: none does. */
static int
find_mount(const struct confinement *c, const char *at)
{
	for (uint32_t i = 0; i < c->n_mount; i++)
		if (strcmp(c->mount[i].target, at) == 0)
			return (int)i;
	for (uint32_t i = 0; i < c->n_mount; i++) {
		size_t n = strlen(c->mount[i].target);
		if (c->mount[i].directory && strncmp(c->mount[i].target, at, n) == 0 &&
		    at[n] == '/')
			return (int)i;
	}
	return -1;
}

static bool
attest_mount_line(
    const struct confinement *c, char *line, bool *seen, bool *ret_root, struct err *err)
{
	char *field[6], *save = NULL;

	for (int i = 0; i < 6; i++) {
		field[i] = strtok_r(i == 0 ? line : NULL, " ", &save);
		if (field[i] == NULL)
			return err_set(err, ERR_SYS, "mountinfo is not understood");
	}
	char *at = field[4], *options = field[5];
	unescape(at);
	bool is_root = strcmp(at, "/") == 0;
	int i = is_root ? -1 : find_mount(c, at);
	if (!is_root && i < 0)
		return err_set(err, ERR_SYS, "%s is mounted in it", at);
	bool noexec = is_root || !c->mount[i].exec;
	bool readonly = is_root || !c->mount[i].writable;
	if ((readonly && !has_option(options, "ro")) || !has_option(options, "nosuid") ||
	    !has_option(options, "nodev") || (noexec && !has_option(options, "noexec")))
		return err_set(
		    err, ERR_SYS, "the mount at %s is too open: %s", at, options);
	if (is_root)
		*ret_root = true;
	else if (strcmp(c->mount[i].target, at) == 0)
		seen[i] = true;
	return true;
}

static bool
attest_root(const struct attest_subject *s, struct err *err)
{
	const struct confinement *c = s->request->confinement;
	bool seen[LIMIT_WORKER_MOUNTS] = {false};
	bool has_root = false;
	char path[64];

	char *text = malloc(MOUNTINFO_BYTES);
	if (text == NULL)
		return err_nomem(err);
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)s->worker_pid);
	bool ok = proc_read(path, text, MOUNTINFO_BYTES, err);
	for (char *line = text, *next; ok && *line != '\0'; line = next) {
		next = strchrnul(line, '\n');
		if (*next != '\0')
			*next++ = '\0';
		ok = attest_mount_line(c, line, seen, &has_root, err);
	}
	free(text);
	if (ok && !has_root)
		ok = err_set(err, ERR_SYS, "it has no root of its own");
	for (uint32_t i = 0; ok && i < c->n_mount; i++)
		if (!seen[i])
			ok = err_set(
			    err, ERR_SYS, "%s is not mounted in it", c->mount[i].target);
	return ok;
}

static bool
attest_rlimits(const struct attest_subject *s, struct err *err)
{
	struct child_rlimit limit[CHILD_MAX_RLIMITS];
	unsigned n =
	    child_rlimits(s->host, s->request->confinement->profile, s->layers, limit);

	for (unsigned i = 0; i < n; i++) {
		struct rlimit r;
		if (prlimit(s->worker_pid, (enum __rlimit_resource)limit[i].resource,
			NULL, &r) < 0)
			return err_sys(err, "prlimit");
		if (r.rlim_cur > limit[i].value || r.rlim_max > limit[i].value)
			return err_set(err, ERR_SYS, "resource limit %d is too high",
			    limit[i].resource);
	}
	return true;
}

bool
attest_worker(const struct attest_subject *s, uint32_t *ret_layers,
    int32_t *ret_inner_pid, struct err *err)
{
	uint32_t held = s->by_proof & (LAYER_LANDLOCK | LAYER_MDWE);
	int32_t inner_pid = s->worker_pid;

	if (!attest_status(s, &held, &inner_pid, err) ||
	    !attest_namespaces(s, &held, err) || !attest_fds(s, err))
		return false;
	if ((s->layers & LAYER_ROOT) != 0) {
		if (!attest_root(s, err))
			return false;
		held |= LAYER_ROOT;
	}
	if (meant(s, LAYER_RLIMITS)) {
		if (!attest_rlimits(s, err))
			return false;
		held |= LAYER_RLIMITS;
	}
	uint32_t lost = s->layers & ~held & ~(uint32_t)LAYER_MDWE;
	if (lost != 0) {
		char names[160];
		launch_layers_text(lost, names, sizeof(names));
		return err_set(err, ERR_SYS, "these do not hold: %s", names);
	}
	*ret_layers = held;
	*ret_inner_pid = inner_pid;
	return true;
}
