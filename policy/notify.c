/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts. */
#include "policy/notify.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "policy/notify_rows.h"

#define MAKES_A_FILE (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))

#define NEW_NAMESPACE                                                                    \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |   \
	    CLONE_NEWPID | CLONE_NEWNET)

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && memcmp(s + n - m, end, m) == 0;
}

static int
path_arg(const struct notify_row *r)
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
change_of(const struct notify_row *r, const uint64_t args[6], uint32_t *ret_mode)
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

/* What runtimes try first and do without: TCP over several paths, asking the kernel which
 * addresses there are, and libc's cache of names. */
static bool
is_probe(const uint64_t args[6])
{
	int type = (int)args[1] & NOTIFY_SOCKET_TYPE;

	return (notify_is_internet(args) && type == SOCK_STREAM && (int)args[2] == 262) ||
	       ((int)args[0] == AF_NETLINK && (int)args[2] == 0) ||
	       ((int)args[0] == AF_UNIX &&
		   (int)args[1] == (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK));
}

/* Its arguments are registers: what was looked at is what the kernel does. */
static void
judge_socket(const struct profile *p, const uint64_t args[6], struct notify_verdict *v)
{
	int type = (int)args[1] & NOTIFY_SOCKET_TYPE, protocol = (int)args[2];
	bool is_plain =
	    ((int)args[1] & ~(NOTIFY_SOCKET_TYPE | SOCK_NONBLOCK | SOCK_CLOEXEC)) == 0;
	bool internet =
	    notify_is_internet(args) &&
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

static void
judge_open(const struct profile *p, const struct notify_row *r, bool is_sealed,
    const uint64_t args[6], struct notify_verdict *v)
{
	uint64_t flags = notify_open_flags(r, args);
	uint64_t mode = args[r->nr == __NR_openat ? 3 : 2];

	if (!notify_opens_to_write(flags)) {
		/* Sealed: nothing is opened any more, and the root would say the same. */
		v->answer = is_sealed && !p->observe ? NOTIFY_ERRNO : NOTIFY_CONTINUE;
		v->error = ENOENT;
	} else if (p->n_write > 0 &&
		   (!(flags & MAKES_A_FILE) || !(mode & (S_ISUID | S_ISGID | S_ISVTX)))) {
		/* Without a file to make, the mode is whatever stood in the register. */
		v->answer = NOTIFY_CONTINUE;
		v->is_denial = p->observe;
	} else if (p->n_read > 0 && p->n_write == 0 &&
		   notify_opens_to_read_or_make(flags)) {
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
judge(const struct profile *p, const struct notify_row *r, bool is_sealed,
    int32_t own_pid, const uint64_t args[6], struct notify_verdict *v)
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
	const struct notify_row *r = notify_row_find(nr, args);

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
