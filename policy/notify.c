/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verdicts first, then words for people. One file, though a long one, because both read
 * the same rows of groups.h and must agree on which row it was that notified.
 */
#include "policy/notify.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/utf8.h"

enum row_verdict {
	ROW_REFUSE,
	ROW_DENY,
	ROW_ATTACK,
	ROW_JUDGE,
	ROW_ALLOW,
};

enum row_kind {
	KIND_NONE,
	KIND_LOOK,
	KIND_OPEN,
	KIND_WRITE,
	KIND_FD,
	KIND_EXEC,
	KIND_PROCESS,
	KIND_SIGNAL,
	KIND_SOCKET,
	KIND_BIND,
	KIND_LISTEN,
	KIND_CONNECT,
	KIND_SEND,
	KIND_RECEIVE,
	KIND_OPTION,
	KIND_MEMORY,
	KIND_CODE,
	KIND_TERMINAL,
	KIND_SELF,
	KIND_HOST,
	KIND_ATTACK,
};

struct row {
	const char *name;
	uint64_t mask, value, mask2, value2;
	int16_t nr;
	uint8_t verdict, kind, arg, arg2;
	bool negated;
	int error;
};

/* clang-format off */
static const struct row rows[] = {
#define ALLOW(call)       {.name = #call, .nr = __NR_##call, .verdict = ROW_ALLOW},
#define FILES(call)       {.name = #call, .nr = __NR_##call, .verdict = ROW_ALLOW},
#define REFUSE(call, err) {.name = #call, .nr = __NR_##call, .verdict = ROW_REFUSE},
#define DENY(call, err, kind_) \
	{.name = #call, .nr = __NR_##call, .verdict = ROW_DENY, .kind = KIND_##kind_, .error = err},
#define ATTACK(call) \
	{.name = #call, .nr = __NR_##call, .verdict = ROW_ATTACK, .kind = KIND_ATTACK},
#define JUDGE(call, kind_) \
	{.name = #call, .nr = __NR_##call, .verdict = ROW_JUDGE, .kind = KIND_##kind_},
#define WHEN(verdict_, when, call, err, kind_, arg_, mask_, value_) \
	{.name = #call, .nr = __NR_##call, .verdict = ROW_##verdict_, .kind = KIND_##kind_, \
	    .error = err, .arg = arg_, .mask = mask_, .value = value_},
#define WHEN2(verdict_, when, call, err, kind_, a1, m1, v1, a2, m2, v2) \
	{.name = #call, .nr = __NR_##call, .verdict = ROW_##verdict_, .kind = KIND_##kind_, \
	    .error = err, .arg = a1, .mask = m1, .value = v1, \
	    .arg2 = a2, .mask2 = m2, .value2 = v2},
#define UNLESS(verdict_, when, call, err, kind_, arg_, value_) \
	{.name = #call, .nr = __NR_##call, .verdict = ROW_##verdict_, .kind = KIND_##kind_, \
	    .error = err, .arg = arg_, .mask = ~0ull, .value = value_, .negated = true},
#define UNLESS2(verdict_, when, call, err, kind_, a1, v1, a2, m2, v2) \
	{.name = #call, .nr = __NR_##call, .verdict = ROW_##verdict_, .kind = KIND_##kind_, \
	    .error = err, .arg = a1, .mask = ~0ull, .value = v1, .negated = true, \
	    .arg2 = a2, .mask2 = m2, .value2 = v2},
#include "policy/groups.h"
};
/* clang-format on */

#define N_ROWS (sizeof(rows) / sizeof(*rows))

/* The row that made this call notify. */
static const struct row *
find(int nr, const uint64_t args[6])
{
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct row *r = &rows[i];
		if (r->nr != nr || r->verdict == ROW_ALLOW || r->verdict == ROW_REFUSE)
			continue;
		if (((args[r->arg] & r->mask) == r->value) != r->negated &&
		    (args[r->arg2] & r->mask2) == r->value2)
			return r;
	}
	return NULL;
}

const char *
notify_name(int nr)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].nr == nr)
			return rows[i].name;
	return NULL;
}

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && memcmp(s + n - m, end, m) == 0;
}

static int
path_arg(const struct row *r)
{
	if (r->kind != KIND_LOOK && r->kind != KIND_OPEN && r->kind != KIND_WRITE &&
	    r->kind != KIND_EXEC)
		return -1;
	/* The new name is what would change. */
	if (strcmp(r->name, "symlinkat") == 0)
		return 2;
	if (strcmp(r->name, "linkat") == 0)
		return 3;
	if (strcmp(r->name, "link") == 0 || strcmp(r->name, "symlink") == 0)
		return 1;
	return ends_with(r->name, "at") || ends_with(r->name, "at2");
}

/* Only where path_arg is no surprise: the path, and before it at most a directory. */
static enum notify_change
change_of(const struct row *r, const uint64_t args[6], uint32_t *ret_mode)
{
	static const struct {
		const char *name;
		enum notify_change change;
		int arg; /* of the mode, or of flags; -1: none */
	} changes[] = {
	    {"unlink", NOTIFY_UNLINK, -1},
	    {"unlinkat", NOTIFY_UNLINK, 2},
	    {"rmdir", NOTIFY_RMDIR, -1},
	    {"mkdir", NOTIFY_MKDIR, -1},
	    {"mkdirat", NOTIFY_MKDIR, -1},
	    {"chmod", NOTIFY_CHMOD, 1},
	    {"fchmodat", NOTIFY_CHMOD, 2},
	};

	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		int arg = changes[i].arg;
		if (strcmp(changes[i].name, r->name) != 0)
			continue;
		if (changes[i].change == NOTIFY_CHMOD)
			*ret_mode = (uint32_t)args[arg];
		else if (arg >= 0 && (args[arg] & AT_REMOVEDIR) != 0)
			return NOTIFY_RMDIR;
		return changes[i].change;
	}
	return NOTIFY_NO_CHANGE;
}

static uint64_t
open_flags(const struct row *r, const uint64_t args[6])
{
	return args[r->nr == __NR_openat ? 2 : 1];
}

#define MAKES_A_FILE (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))

static bool
opens_to_write(uint64_t flags)
{
	return (flags & (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))) !=
	       O_RDONLY;
}

#define SOCKET_TYPE 0xf /* SOCK_TYPE_MASK */

#define NEW_NAMESPACE                                                                    \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |   \
	    CLONE_NEWPID | CLONE_NEWNET)

static bool
is_internet(const uint64_t args[6])
{
	return (int)args[0] == AF_INET || (int)args[0] == AF_INET6;
}

/* What runtimes try first and do without: TCP over several paths, asking the kernel which
 * addresses there are, and libc's cache of names. */
static bool
is_probe(const uint64_t args[6])
{
	int type = (int)args[1] & SOCKET_TYPE;

	return (is_internet(args) && type == SOCK_STREAM && (int)args[2] == 262) ||
	       ((int)args[0] == AF_NETLINK && (int)args[2] == 0) ||
	       ((int)args[0] == AF_UNIX &&
		   (int)args[1] == (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK));
}

/* Its arguments are registers: what was looked at is what the kernel does. */
static void
judge_socket(const struct profile *p, const uint64_t args[6], struct notify_verdict *v)
{
	int type = (int)args[1] & SOCKET_TYPE, protocol = (int)args[2];
	bool is_plain =
	    ((int)args[1] & ~(SOCKET_TYPE | SOCK_NONBLOCK | SOCK_CLOEXEC)) == 0;
	bool internet =
	    is_internet(args) &&
	    ((type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP)) ||
		(type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP)));
	bool local =
	    (int)args[0] == AF_UNIX && protocol == 0 &&
	    ((type == SOCK_STREAM && p->n_unix_socket > 0) ||
		((type == SOCK_STREAM || type == SOCK_DGRAM || type == SOCK_SEQPACKET) &&
		    p->n_listen_unix > 0));

	v->error = EACCES;
	if (!profile_has_sockets(p))
		return;
	if (is_plain && (internet || local)) {
		v->answer = NOTIFY_CONTINUE;
		v->is_denial = false;
	} else if (p->observe && is_plain && (int)args[0] == AF_UNIX) {
		/* It leads nowhere; where it would have led is what is asked. */
		v->answer = NOTIFY_CONTINUE;
		v->is_denial = false;
	} else if (is_probe(args)) {
		v->error = EPROTONOSUPPORT;
		v->is_denial = false;
	}
}

/* How some open a log to follow it. A file that is there opens as ever; that none is made
 * is up to the mount, which is read-only, and to Landlock. */
static bool
opens_to_read_or_make(uint64_t flags)
{
	return (flags & (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC |
			    (O_TMPFILE & ~O_DIRECTORY))) == O_CREAT;
}

static void
judge_open(const struct profile *p, const struct row *r, bool is_sealed,
    const uint64_t args[6], struct notify_verdict *v)
{
	uint64_t flags = open_flags(r, args);
	uint64_t mode = args[r->nr == __NR_openat ? 3 : 2];

	if (!opens_to_write(flags)) {
		/* Sealed: nothing is opened any more, and the root would say the same. */
		v->answer = is_sealed && !p->observe ? NOTIFY_ERRNO : NOTIFY_CONTINUE;
		v->error = ENOENT;
	} else if (p->n_write > 0 &&
		   (!(flags & MAKES_A_FILE) || !(mode & (S_ISUID | S_ISGID | S_ISVTX)))) {
		/* Without a file to make, the mode is whatever stood in the register. */
		v->answer = NOTIFY_CONTINUE;
		v->is_denial = p->observe;
	} else if (p->n_read > 0 && p->n_write == 0 && opens_to_read_or_make(flags)) {
		v->answer = NOTIFY_CONTINUE;
	}
}

/* As fork() of libc asks for it: a copy, which shares nothing that a thread would. Flags
 * are in a register, so what was looked at is what is done. */
static bool
is_plain_process(int nr, uint64_t flags)
{
	const uint64_t harmless =
	    CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;

	return nr == __NR_clone && (flags & ~harmless) == SIGCHLD;
}

static void
judge(const struct profile *p, const struct row *r, bool is_sealed, int32_t own_pid,
    const uint64_t args[6], struct notify_verdict *v)
{
	switch (r->kind) {
	case KIND_SOCKET:
		judge_socket(p, args, v);
		return;
	case KIND_BIND:
	case KIND_LISTEN:
	case KIND_CONNECT:
		v->answer = r->kind == KIND_BIND     ? NOTIFY_BIND
			    : r->kind == KIND_LISTEN ? NOTIFY_LISTEN
						     : NOTIFY_CONNECT;
		v->is_denial = false;
		return;
	case KIND_LOOK:
		v->answer = NOTIFY_CONTINUE;
		return;
	case KIND_OPEN:
		judge_open(p, r, is_sealed, args, v);
		return;
	case KIND_PROCESS:
		if (args[0] & NEW_NAMESPACE) {
			v->answer = NOTIFY_KILL;
		} else if (p->limits.processes > 0 && is_plain_process(r->nr, args[0])) {
			v->answer = NOTIFY_CONTINUE;
			v->is_denial = false;
		}
		break;
	case KIND_SIGNAL:
		v->error = EPERM;
		if ((int32_t)args[0] == own_pid) {
			v->answer = NOTIFY_CONTINUE;
			v->is_denial = false;
		}
		break;
	case KIND_SELF: /* seccomp */
		v->error = EPERM;
		if (!is_sealed && args[0] == SECCOMP_SET_MODE_FILTER &&
		    args[1] == SECCOMP_FILTER_FLAG_TSYNC) {
			v->answer = NOTIFY_SEAL;
			v->is_denial = false;
		}
		break;
	}
}

void
notify_judge(const struct profile *profile, bool is_sealed, int32_t own_pid, int nr,
    const uint64_t args[6], struct notify_verdict *ret_verdict)
{
	struct notify_verdict *v = ret_verdict;
	const struct row *r = find(nr, args);

	*v = (struct notify_verdict){
	    .answer = NOTIFY_ERRNO, .error = ENOSYS, .path_arg = -1};
	if (!r)
		return;
	v->error = r->error;
	v->path_arg = path_arg(r);
	if (profile->n_listen_unix > 0)
		v->change = change_of(r, args, &v->mode);
	v->is_denial = true;
	if (r->verdict == ROW_ATTACK)
		v->answer = NOTIFY_KILL;
	else if (r->verdict == ROW_JUDGE)
		judge(profile, r, is_sealed, own_pid, args, v);
}

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
		    (ends_with(probes[i], "/") && is_within(p, probes[i])))
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

static void
add_path(struct buf *b, const char *path)
{
	buf_addc(b, '"');
	if (path)
		utf8_escape(b, path, strlen(path), 256);
	else
		buf_addc(b, '?');
	buf_addc(b, '"');
}

static void
add_open(struct buf *b, uint64_t flags)
{
	static const char *const mode[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "3"};

	buf_adds(b, mode[flags & O_ACCMODE]);
	if (flags & O_CREAT)
		buf_adds(b, "|O_CREAT");
	if (flags & O_TRUNC)
		buf_adds(b, "|O_TRUNC");
	if (flags & O_TMPFILE & ~O_DIRECTORY)
		buf_adds(b, "|O_TMPFILE");
}

static void
add_socket(struct buf *b, const uint64_t args[6])
{
	static const struct {
		int family;
		const char *name;
	} families[] = {
	    {AF_UNIX, "AF_UNIX"},
	    {AF_INET, "AF_INET"},
	    {AF_INET6, "AF_INET6"},
	    {AF_NETLINK, "AF_NETLINK"},
	    {AF_PACKET, "AF_PACKET"},
	    {AF_VSOCK, "AF_VSOCK"},
	    {AF_ALG, "AF_ALG"},
	    {AF_BLUETOOTH, "AF_BLUETOOTH"},
	};
	static const char *const types[] = {
	    "0", "SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "SOCK_RDM", "SOCK_SEQPACKET"};
	int type = (int)args[1] & SOCKET_TYPE;
	const char *family = NULL;

	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
		if (families[i].family == (int)args[0])
			family = families[i].name;
	if (family)
		buf_adds(b, family);
	else
		buf_addf(b, "family %d", (int)args[0]);
	if (type < 6)
		buf_addf(b, ", %s", types[type]);
	else
		buf_addf(b, ", type %d", type);
	buf_addf(b, ", protocol %d", (int)args[2]);
}

static bool
is_plain_path(const char *path)
{
	return path && profile_path_is_plain(path);
}

/* The directory in which something would change. */
static void
allow_write(struct buf *allow, const char *path)
{
	if (!is_plain_path(path))
		return;
	size_t n = (size_t)(base_name(path) - path);
	buf_addf(allow, "write: [%.*s]", n > 1 ? (int)n - 1 : 1, path);
}

static void
allow_read(struct buf *allow, const char *path)
{
	if (!is_plain_path(path))
		return;
	/* What is only read cannot be loaded. */
	if (profile_path_is_library(path))
		buf_addf(allow, "read: [%s] and late_dlopen: true", path);
	else
		buf_addf(allow, "read: [%s]", path);
}

static void
explain(const struct row *r, const uint64_t args[6], const char *path, struct buf *what,
    struct buf *allow)
{
	switch (r->kind) {
	case KIND_LOOK:
		buf_adds(what, "look for ");
		add_path(what, path);
		buf_addf(what, " (%s)", r->name);
		allow_read(allow, path);
		break;
	case KIND_OPEN: {
		uint64_t flags = open_flags(r, args);
		bool writes = opens_to_write(flags) && !opens_to_read_or_make(flags);
		buf_adds(what, writes ? "write " : "read ");
		add_path(what, path);
		buf_addf(what, " (%s, ", r->name);
		add_open(what, flags);
		buf_addc(what, ')');
		if (writes)
			allow_write(allow, path);
		else
			allow_read(allow, path);
		break;
	}
	case KIND_WRITE:
		buf_adds(what, "change ");
		add_path(what, path);
		buf_addf(what, " (%s)", r->name);
		allow_write(allow, path);
		break;
	case KIND_FD:
		buf_addf(what, "change an open file (%s, fd %d)", r->name, (int)args[0]);
		break;
	case KIND_EXEC:
		buf_adds(what, "start the program ");
		add_path(what, path);
		buf_addf(what, " (%s)", r->name);
		break;
	case KIND_PROCESS:
		if (r->nr == __NR_clone)
			buf_addf(what, "start a process (clone, flags 0x%llx)",
			    (unsigned long long)args[0]);
		else
			buf_addf(what, "start a process (%s)", r->name);
		break;
	case KIND_SIGNAL:
		buf_addf(what, "signal process %d (%s", (int)args[0], r->name);
		if (r->nr == __NR_kill || r->nr == __NR_tkill)
			buf_addf(what, ", signal %d", (int)args[1]);
		else if (r->nr == __NR_tgkill)
			buf_addf(what, ", signal %d", (int)args[2]);
		buf_addc(what, ')');
		break;
	case KIND_SOCKET:
		buf_addf(what, "open a socket (%s, ", r->name);
		add_socket(what, args);
		buf_addc(what, ')');
		if (r->nr == __NR_socket && is_internet(args))
			buf_adds(allow,
			    "profile: client with connect: [HOST:PORT], or profile: "
			    "listener with listen: [tcp:PORT]");
		else if (r->nr == __NR_socket && (int)args[0] == AF_UNIX)
			buf_adds(allow,
			    "unix: [PATH] to connect, listen: unix:PATH to listen");
		break;
	case KIND_BIND:
	case KIND_LISTEN:
	case KIND_CONNECT:
		buf_addf(what, "use a socket (%s, fd %d)", r->name, (int)args[0]);
		break;
	case KIND_SEND:
		buf_addf(what, "send to an address on a socket (%s, fd %d)", r->name,
		    (int)args[0]);
		break;
	case KIND_RECEIVE:
		buf_addf(what, "receive what may have descriptors in it (%s, fd %d)",
		    r->name, (int)args[0]);
		buf_adds(allow, "descriptors: true, where listen: has that socket");
		break;
	case KIND_OPTION:
		buf_addf(what, "change a socket (%s, fd %d, level %d, option %d)",
		    r->name, (int)args[0], (int)args[1], (int)args[2]);
		break;
	case KIND_MEMORY:
		buf_addf(what, "make shared memory that it can write (%s)", r->name);
		break;
	case KIND_CODE:
		buf_addf(what, "make memory executable (%s)", r->name);
		buf_adds(allow, "jit: true");
		break;
	case KIND_TERMINAL:
		buf_adds(what, "type into a terminal (ioctl)");
		break;
	case KIND_SELF:
		buf_addf(
		    what, "change its own confinement (%s, %d)", r->name, (int)args[0]);
		break;
	case KIND_HOST:
		buf_addf(what, "change the machine (%s)", r->name);
		break;
	case KIND_ATTACK:
		buf_addf(what, "call %s, which no plugin may", r->name);
		break;
	}
}

void
notify_explain(int nr, const uint64_t args[6], const char *path, char *what,
    size_t what_size, char *allow_with, size_t allow_size)
{
	const struct row *r = find(nr, args);
	struct buf w, a;

	buf_init(&w, 4096);
	buf_init(&a, 4096);
	if (r)
		explain(r, args, path, &w, &a);
	else
		buf_addf(&w, "call number %d", nr);
	snprintf(what, what_size, "%s", buf_str(&w));
	/* A policy line that was cut would say something else. */
	snprintf(allow_with, allow_size, "%s", a.len < allow_size ? buf_str(&a) : "");
	buf_release(&w);
	buf_release(&a);
}

void
notify_raw(int nr, const uint64_t args[6], char *out, size_t size)
{
	const char *name = notify_name(nr);
	char number[24];

	snprintf(number, sizeof(number), "syscall %d", nr);
	snprintf(out, size, "%s(0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx)",
	    name ? name : number, (unsigned long long)args[0],
	    (unsigned long long)args[1], (unsigned long long)args[2],
	    (unsigned long long)args[3], (unsigned long long)args[4],
	    (unsigned long long)args[5]);
}
