/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "policy/profile.h"
#include "worker/launch/proc_text.h"

enum {
	TEXT_BYTES = 64 << 10,
	PATH_BYTES = 1024,
	/* Rounds of moving processes out of a group: some fork meanwhile. */
	MOVES = 8,
	/* A group is busy for a moment after its last process was buried. */
	REMOVE_MS = 200,
	PERIOD_US = 100000, /* of cpu.max: the kernel's own default */
};

/* Beside what the policy counts (private memory): the rings, page tables, buffers of
 * sockets and pipes, pages of the libraries. */
#define EXTRA_MEMORY_BYTES (96ull << 20)
/* Names of ours in the delegated group. */
#define PREFIX "mews-"

static const struct {
	uint32_t controller;
	const char *name;
} controllers[] = {{CGROUP_MEMORY, "memory"}, {CGROUP_PIDS, "pids"}, {CGROUP_CPU, "cpu"}};
#define N_CONTROLLERS (sizeof(controllers) / sizeof(controllers[0]))

static bool
read_at(int dir, const char *name, char *out, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n >= 0;
}

static bool
write_at(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text);
}

/* Where version 2 is mounted; its first mount will do. */
static bool
find_mount(char *text, char out[PATH_BYTES])
{
	for (char *line = text, *next; *line; line = next) {
		char at[PATH_BYTES];
		next = strchrnul(line, '\n');
		if (*next)
			*next++ = '\0';
		if (strstr(line, " - cgroup2 ") &&
		    sscanf(line, "%*s %*s %*s / %1023s", at) == 1) {
			snprintf(out, PATH_BYTES, "%s", at);
			return true;
		}
	}
	return false;
}

/* This process's group as a directory; -1: there is none. */
static int
open_own(void)
{
	static char text[TEXT_BYTES];
	char mount[PATH_BYTES], path[2 * PATH_BYTES + 8], *own, *end;
	struct err ignored;

	if (!proc_read("/proc/self/mountinfo", text, sizeof(text), &ignored) ||
	    !find_mount(text, mount) ||
	    !proc_read("/proc/self/cgroup", text, sizeof(text), &ignored))
		return -1;
	own = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (!own)
		return -1;
	own = strchr(own, '/');
	end = own ? strchrnul(own, '\n') : NULL;
	if (!own || end - own >= PATH_BYTES || strstr(own, "/.."))
		return -1;
	*end = '\0';
	snprintf(path, sizeof(path), "%s%s", mount, own);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Somebody has said that it is ours to divide; that it could be written is not enough. */
static bool
is_delegated(int dir)
{
	static const char *const name[] = {"user.delegate", "trusted.delegate"};
	char value[2];

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		if (fgetxattr(dir, name[i], value, sizeof(value)) >= 1 && value[0] == '1')
			return true;
	return false;
}

static uint32_t
controllers_in(const char *text)
{
	uint32_t set = 0;
	size_t n;

	for (const char *at = text; *at; at += n + strspn(at + n, " \n")) {
		n = strcspn(at, " \n");
		for (size_t i = 0; i < N_CONTROLLERS; i++)
			if (strlen(controllers[i].name) == n &&
			    strncmp(at, controllers[i].name, n) == 0)
				set |= controllers[i].controller;
	}
	return set;
}

/* 0: why says why. */
static uint32_t
look(int dir, const char **ret_why)
{
	char text[256];
	uint32_t found = 0;

	if (dir < 0)
		*ret_why = "no cgroup of version 2 to be seen";
	else if (!is_delegated(dir))
		*ret_why = "the own cgroup is not delegated (systemd: Delegate=yes)";
	else if (faccessat(dir, "cgroup.subtree_control", W_OK, AT_EACCESS) < 0 ||
		 faccessat(dir, ".", W_OK, AT_EACCESS) < 0)
		*ret_why = "the own cgroup is delegated, but may not be written";
	else if (read_at(dir, "cgroup.controllers", text, sizeof(text)) &&
		 (found = controllers_in(text)) == 0)
		*ret_why = "the own cgroup is delegated, but without controllers";
	return found;
}

uint32_t
cgroups_look(char *ret_why, unsigned long size)
{
	const char *why = "";
	int dir = open_own();
	uint32_t found = look(dir, &why);

	if (dir >= 0)
		close(dir);
	snprintf(ret_why, size, "%s", why);
	return found;
}

/* All processes of one group to another. */
static bool
move_all(int from, int to)
{
	static char text[TEXT_BYTES];

	for (int i = 0; i < MOVES; i++) {
		if (!read_at(from, "cgroup.procs", text, sizeof(text)))
			return false;
		if (!*text)
			return true;
		for (char *at = text, *end; *at; at = end + (*end != '\0')) {
			end = strchrnul(at, '\n');
			char number[24];
			snprintf(number, sizeof(number), "%.*s", (int)(end - at), at);
			/* One that ended meanwhile is no loss. */
			write_at(to, "cgroup.procs", number);
		}
	}
	return false;
}

/* "+memory +pids +cpu", or with "-". */
static bool
switch_controllers(int dir, uint32_t set, char sign)
{
	char text[64] = "";
	size_t len = 0;

	for (size_t i = 0; i < N_CONTROLLERS; i++)
		if (set & controllers[i].controller)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%c%s ",
			    sign, controllers[i].name);
	return write_at(dir, "cgroup.subtree_control", text);
}

/* Empty ones of a launcher that was killed; others are busy, and stay. */
static void
remove_leftovers(int base_fd)
{
	int fd = dup(base_fd);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (strncmp(e->d_name, PREFIX, sizeof(PREFIX) - 1) == 0)
			unlinkat(base_fd, e->d_name, AT_REMOVEDIR);
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

static void
own_name(char out[32])
{
	snprintf(out, 32, PREFIX "%d", (int)getpid());
}

void
cgroups_init(struct cgroups *g)
{
	const char *why;
	char name[32];
	int base = open_own(), leaf;

	*g = (struct cgroups){.base_fd = -1};
	uint32_t found = look(base, &why);
	if (!found) {
		if (base >= 0)
			close(base);
		return;
	}
	remove_leftovers(base);
	own_name(name);
	mkdirat(base, name, 0755);
	leaf = openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*g = (struct cgroups){.base_fd = base, .controllers = found};
	bool ok =
	    leaf >= 0 && move_all(base, leaf) && switch_controllers(base, found, '+');
	if (leaf >= 0)
		close(leaf);
	/* Whoever has forbidden this has forbidden it: then as if there was none. */
	if (!ok)
		cgroups_end(g);
}

void
cgroups_end(struct cgroups *g)
{
	char name[32];
	int leaf;

	if (g->base_fd < 0)
		return;
	own_name(name);
	switch_controllers(g->base_fd, g->controllers, '-');
	leaf = openat(g->base_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (leaf >= 0) {
		move_all(leaf, g->base_fd);
		close(leaf);
	}
	unlinkat(g->base_fd, name, AT_REMOVEDIR);
	close(g->base_fd);
	*g = (struct cgroups){.base_fd = -1};
}

static void
worker_name(uint32_t id, char out[48])
{
	snprintf(out, 48, PREFIX "%d.%u", (int)getpid(), id);
}

static bool
set_limits(const struct cgroups *g, int dir, const struct profile *p, struct err *err)
{
	const struct profile_limits *l = &p->limits;
	char text[64];

	snprintf(text, sizeof(text), "%llu",
	    (unsigned long long)(l->memory_bytes + EXTRA_MEMORY_BYTES));
	if ((g->controllers & CGROUP_MEMORY) && !write_at(dir, "memory.max", text))
		return err_sys(err, "memory.max");
	/* Where there is no swap there is no such file. */
	if ((g->controllers & CGROUP_MEMORY) && !write_at(dir, "memory.swap.max", "0") &&
	    errno != ENOENT)
		return err_sys(err, "memory.swap.max");
	snprintf(text, sizeof(text), "%u", profile_tasks(p));
	if ((g->controllers & CGROUP_PIDS) && !write_at(dir, "pids.max", text))
		return err_sys(err, "pids.max");
	snprintf(text, sizeof(text), "%llu %u",
	    (unsigned long long)l->cpu_percent * (PERIOD_US / 100), PERIOD_US);
	if ((g->controllers & CGROUP_CPU) && l->cpu_percent > 0 &&
	    !write_at(dir, "cpu.max", text))
		return err_sys(err, "cpu.max");
	return true;
}

bool
cgroup_make(const struct cgroups *g, uint32_t id, const struct profile *p, int *ret_fd,
    struct err *err)
{
	char name[48];

	*ret_fd = -1;
	if (g->base_fd < 0)
		return true;
	worker_name(id, name);
	int dir = mkdirat(g->base_fd, name, 0755) < 0 && errno != EEXIST
		      ? -1
		      : openat(g->base_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, "a cgroup for the worker");
	if (!set_limits(g, dir, p, err)) {
		close(dir);
		cgroup_remove(g, id);
		return err_wrap(err, "its cgroup");
	}
	*ret_fd = dir;
	return true;
}

void
cgroup_remove(const struct cgroups *g, uint32_t id)
{
	char name[48];

	if (g->base_fd < 0)
		return;
	worker_name(id, name);
	for (int ms = 0; ms < REMOVE_MS; ms++) {
		if (unlinkat(g->base_fd, name, AT_REMOVEDIR) == 0 || errno != EBUSY)
			return;
		poll(NULL, 0, 1);
	}
}
