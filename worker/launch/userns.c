/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool
write_map(pid_t pid, const char *file, const char *text, struct err *err)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "%s", path);
	ssize_t n = write(fd, text, strlen(text));
	bool ok = n == (ssize_t)strlen(text);
	if (!ok)
		err_sys(err, "writing \"%s\" to %s", text, path);
	close(fd);
	return ok;
}

bool
userns_map(pid_t pid, uid_t inner_uid, gid_t inner_gid, uid_t outer_uid, gid_t outer_gid,
    struct err *err)
{
	char uid_map[64], gid_map[64];

	snprintf(uid_map, sizeof(uid_map), "%u %u 1", inner_uid, outer_uid);
	snprintf(gid_map, sizeof(gid_map), "%u %u 1", inner_gid, outer_gid);
	return write_map(pid, "setgroups", "deny", err) &&
	       write_map(pid, "gid_map", gid_map, err) &&
	       write_map(pid, "uid_map", uid_map, err);
}

int
userns_new(uid_t inner_uid, gid_t inner_gid, uid_t outer)
{
	struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	struct err err;
	char path[64];
	int fd = -1;
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	if (pid < 0)
		return -1;
	if (userns_map(pid, inner_uid, inner_gid, outer, outer, &err)) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	int saved = errno;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	errno = saved;
	return fd;
}
