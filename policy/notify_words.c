/* SPDX-License-Identifier: Apache-2.0 */
/* Denials in words. */
#include "policy/notify.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "policy/notify_rows.h"

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
	int type = (int)args[1] & NOTIFY_SOCKET_TYPE;
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
	const char *slash = strrchr(path, '/');
	buf_addf(allow, "write: [%.*s]", slash > path ? (int)(slash - path) : 1, path);
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
explain(const struct notify_row *r, const uint64_t args[6], const char *path,
    struct buf *what, struct buf *allow)
{
	switch (r->kind) {
	case KIND_LOOK:
		buf_adds(what, "look for ");
		add_path(what, path);
		buf_addf(what, " (%s)", r->name);
		allow_read(allow, path);
		break;
	case KIND_OPEN: {
		uint64_t flags = notify_open_flags(r, args);
		bool writes =
		    notify_opens_to_write(flags) && !notify_opens_to_read_or_make(flags);
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
		if (r->nr == __NR_socket && notify_is_internet(args))
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
	const struct notify_row *r = notify_row_find(nr, args);
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
