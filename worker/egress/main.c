/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mews-egress UID GID [HOSTS]: names and outbound connections of workers. Started by the
 * launcher alone; ends with it. It has no files but those of the resolver.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/egress/server.h"

/* A relay's and a worker's memory is a few KiB; the bounds on both come first. */
#define DATA_BYTES ((rlim_t)512 << 20)

static bool
drop_identity(uid_t uid, gid_t gid, struct err *err)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};

	if (geteuid() == 0) {
		if (uid == 0 || gid == 0)
			return err_set(err, ERR_USAGE, "egress must not run as root");
		for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0;
		     cap++)
			if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
				return err_sys(err, "dropping capability %lu", cap);
		if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
		    setresuid(uid, uid, uid) < 0)
			return err_sys(err, "becoming uid %u", uid);
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &head, none) < 0)
		return err_sys(err, "dropping capabilities");
	return true;
}

static bool
drop_privileges(uid_t uid, gid_t gid, struct err *err)
{
	static const struct {
		int resource;
		rlim_t value;
	} limits[] = {
		{RLIMIT_CORE, 0},
		{RLIMIT_FSIZE, 0},
		{RLIMIT_MEMLOCK, 0},
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		/* Their shadow memory counts. */
		{RLIMIT_DATA, DATA_BYTES},
#endif
	};
	struct rlimit files;

	if (chdir("/") < 0)
		return err_sys(err, "chdir to /");
	umask(077);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit r = {limits[i].value, limits[i].value}, old;
		/* Lower already is fine, and cannot be raised. */
		if (getrlimit((unsigned)limits[i].resource, &old) == 0 &&
		    old.rlim_max < r.rlim_max)
			continue;
		if (setrlimit((unsigned)limits[i].resource, &r) < 0)
			return err_sys(err, "resource limit %d", limits[i].resource);
	}
	if (!drop_identity(uid, gid, err))
		return false;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, "PR_SET_NO_NEW_PRIVS");
	/* Nobody of the same uid looks into it. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(err, "PR_SET_DUMPABLE");
	/* Changing credentials forgets this, so it comes after. A parent that went before
	 * has closed the socket. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_sys(err, "PR_SET_PDEATHSIG");
	return true;
}

static bool
parse_id(const char *text, uint32_t *ret_id)
{
	char *end;

	errno = 0;
	unsigned long v = strtoul(text, &end, 10);
	*ret_id = (uint32_t)v;
	return errno == 0 && end != text && *end == '\0' && v < UINT32_MAX;
}

int
main(int argc, char **argv)
{
	static struct server server;
	static struct resolver *resolver;
	struct err err = {.code = ERR_NONE};
	uint32_t uid, gid;
	socklen_t len = sizeof(int);
	int type = 0;

	if (argc < 3 || argc > 4 || !parse_id(argv[1], &uid) ||
	    !parse_id(argv[2], &gid) ||
	    getsockopt(MESSAGE_FD, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    type != SOCK_SEQPACKET) {
		fprintf(stderr, "mews-egress is started by mews alone\n");
		return 2;
	}
	/* What the parent happened to have open is none of ours. */
	syscall(SYS_close_range, (unsigned)MESSAGE_FD + 1, ~0u, 0u);
	fcntl(MESSAGE_FD, F_SETFD, FD_CLOEXEC);
	sigaction(SIGPIPE, &(const struct sigaction){.sa_handler = SIG_IGN}, NULL);

	/* The hosts file may be the operator's alone: it is read first. */
	resolver = resolver_new(argc == 4 ? argv[3] : NULL, &err);
	bool ok = resolver != NULL && drop_privileges(uid, gid, &err) &&
		  server_init(&server, resolver, MESSAGE_FD, &err);
	struct message_head head = {.kind = ok ? MESSAGE_READY : MESSAGE_FAILED};
	if (message_send(MESSAGE_FD, &head, err.msg, ok ? 0 : strlen(err.msg), NULL, 0, 0,
		&err) != PACKET_OK ||
	    !ok)
		return 1;
	server_run(&server);
	return 0;
}
