/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/unix_open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

char *
unix_resolve(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = strndup(path, slash != NULL ? (size_t)(slash - path) + 1 : 0);
	char *real = dir != NULL ? realpath(dir, NULL) : NULL, *joined;

	free(dir);
	if (real == NULL)
		return strdup(path);
	if (asprintf(&joined, "%s%s", strcmp(real, "/") == 0 ? "" : real, slash) < 0)
		joined = NULL;
	free(real);
	return joined;
}

bool
unix_open(const char *path, int *ret_fd, struct err *err)
{
	struct open_how how = {
	    .flags = O_PATH | O_CLOEXEC,
	    .resolve = RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	};
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct stat st;
	bool ok = false;
	int inode = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)), fd = -1;

	if (inode < 0)
		return err_sys(err, "%s", path);
	if (fstat(inode, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		errno = ENOTSOCK;
		err_sys(err, "%s", path);
		goto end;
	}
	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d", inode);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		err_sys(err, "%s", path);
		goto end;
	}
	*ret_fd = fd;
	ok = true;
end:
	close(inode);
	if (!ok && fd >= 0)
		close(fd);
	return ok;
}
