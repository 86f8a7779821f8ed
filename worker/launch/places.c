/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/places.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/listen.h"
#include "worker/launch/root.h"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16 */
#endif

/* path with the symbolic links followed among those of its directories that there are.
 * malloc'ed; NULL: no memory. */
static char *
resolve(const char *path)
{
	char dir[PATH_MAX], real[PATH_MAX], *joined;
	size_t n = strlen(path);

	while (n > 0 && n < sizeof(dir)) {
		while (n > 0 && path[n] != '/')
			n--;
		memcpy(dir, path, n);
		dir[n] = '\0';
		if (n > 0 && realpath(dir, real)) {
			const char *head = strcmp(real, "/") == 0 ? "" : real;
			return asprintf(&joined, "%s%s", head, path + n) < 0 ? NULL
									     : joined;
		}
		n -= n > 0;
	}
	return strdup(path);
}

bool
places_init(struct places *ps, const struct profile *profile)
{
	char cwd[PATH_MAX];

	memset(ps, 0, sizeof(*ps));
	ps->profile = profile;
	/* The worker starts in the directory of the same name. */
	ps->cwd = strdup(getcwd(cwd, sizeof(cwd)) ? cwd : "/");
	for (; ps->cwd && ps->n < profile->n_listen_unix; ps->n++) {
		struct place *at = &ps->at[ps->n];
		at->listen = &profile->listen_unix[ps->n];
		at->dir_fd = at->file_fd = -1;
		at->path = resolve(at->listen->path);
		if (!at->path)
			break;
	}
	if (ps->cwd && ps->n == profile->n_listen_unix)
		return true;
	places_release(ps);
	return false;
}

static const char *
name_of(const struct place *at)
{
	return strrchr(at->path, '/') + 1;
}

/* Whether the name in the directory is still the file that was made. */
static bool
is_there(const struct place *at)
{
	struct stat ours, now;

	return at->dir_fd >= 0 && fstat(at->file_fd, &ours) == 0 &&
	       fstatat(at->dir_fd, name_of(at), &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == now.st_dev && ours.st_ino == now.st_ino;
}

static void
clear(struct place *at)
{
	if (at->dir_fd < 0)
		return;
	if (is_there(at))
		unlinkat(at->dir_fd, name_of(at), 0);
	close(at->dir_fd);
	if (at->file_fd >= 0)
		close(at->file_fd);
	at->dir_fd = at->file_fd = -1;
}

void
places_clear(struct places *ps)
{
	for (unsigned i = 0; i < ps->n; i++)
		clear(&ps->at[i]);
}

void
places_release(struct places *ps)
{
	places_clear(ps);
	for (unsigned i = 0; i < ps->n; i++)
		free(ps->at[i].path);
	free(ps->cwd);
	memset(ps, 0, sizeof(*ps));
}

struct place *
places_find(struct places *ps, const char *path)
{
	const struct profile_listen_unix *l =
	    listen_find_path(ps->profile, ps->cwd, path);

	return l ? &ps->at[l - ps->profile->listen_unix] : NULL;
}

bool
places_concern(struct places *ps, const char *path)
{
	return places_find(ps, path) || listen_is_above(ps->profile, ps->cwd, path);
}

/* Whether some socket has this file. One of another type than the one that asks says so,
 * and notices nothing of it. */
static bool
is_taken(int file_fd)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d", file_fd);
	bool taken = fd < 0 || connect(fd, (const void *)&sa, sizeof(sa)) == 0 ||
		     errno != ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return taken;
}

/* Removes a socket that nobody has; anything else is in the way. */
static int
make_way(int dir_fd, const char *name)
{
	struct stat st;
	int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), error = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode) || is_taken(fd))
		error = EADDRINUSE;
	else if (unlinkat(dir_fd, name, 0) < 0)
		error = errno;
	close(fd);
	return error;
}

/* There is no bindat: it goes by the working directory, which all of this process has. */
static int
bind_in(int dir_fd, const char *name, uint32_t mode, int socket_fd)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), error = 0;

	if (home < 0)
		return errno;
	memcpy(sa.sun_path, name, strnlen(name, sizeof(sa.sun_path)));
	/* With the right mode from the first moment on. */
	mode_t mask = umask(~mode & 0777);
	if (fchdir(dir_fd) < 0 || bind(socket_fd, (const void *)&sa, sizeof(sa)) < 0)
		error = errno;
	umask(mask);
	if (fchdir(home) < 0 && error == 0)
		error = errno;
	close(home);
	return error;
}

/* Takes hold of the file that was made, and gives it to whom the policy says. */
static int
settle(struct place *at)
{
	const struct profile_listen_unix *l = at->listen;
	struct stat st;

	at->file_fd = openat(at->dir_fd, name_of(at), O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (at->file_fd < 0 || fstat(at->file_fd, &st) < 0)
		return errno;
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		return EADDRINUSE; /* whoever may write there was faster */
	if ((l->owner != PROFILE_NOBODY || l->group != PROFILE_NOBODY) &&
	    fchownat(at->file_fd, "", l->owner, l->group, AT_EMPTY_PATH) < 0)
		return errno;
	return 0;
}

static bool
is_bound(int socket_fd)
{
	struct sockaddr_un sa;
	socklen_t len = sizeof(sa);

	return getsockname(socket_fd, (void *)&sa, &len) < 0 ||
	       len > sizeof(sa.sun_family);
}

int
places_bind(struct place *at, int socket_fd)
{
	const char *name;
	int root_fd, off = 0, error;

	if (is_bound(socket_fd))
		return EINVAL;
	root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return errno;
	struct place made = *at;
	made.file_fd = -1;
	mode_t mask = umask(022);
	made.dir_fd = root_parent(root_fd, at->path, &name);
	error = made.dir_fd < 0 ? errno : 0;
	umask(mask);
	close(root_fd);
	if (error != 0)
		return error;
	error = make_way(made.dir_fd, name);
	if (error == 0)
		error = bind_in(made.dir_fd, name, at->listen->mode, socket_fd);
	if (error == 0)
		error = settle(&made);
	if (error != 0) {
		clear(&made);
		return error;
	}
	/* Newer kernels keep what callers hand over out by themselves too; accepted
	 * sockets have it from this one. */
	if (!at->listen->descriptors)
		setsockopt(socket_fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof(off));
	clear(at); /* of a socket that is closed by now */
	*at = made;
	return 0;
}

static int
change_mode(const struct place *at, uint32_t mode)
{
	char path[32];

	if (!is_there(at))
		return ENOENT;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", at->file_fd);
	return chmod(path, mode & at->listen->most_mode) < 0 ? errno : 0;
}

/* What getsockname() says of a bound one. */
static struct place *
find_by_name(struct places *ps, const char *path)
{
	for (unsigned i = 0; i < ps->n; i++)
		if (ps->at[i].dir_fd >= 0 && strcmp(name_of(&ps->at[i]), path) == 0)
			return &ps->at[i];
	return NULL;
}

bool
places_change(struct places *ps, enum notify_change change, const char *path,
    uint32_t mode, int *ret_error)
{
	struct place *at = places_find(ps, path);

	if (!at && strchr(path, '/') == NULL)
		at = find_by_name(ps, path);
	if (!at) {
		if (change != NOTIFY_MKDIR ||
		    !listen_is_above(ps->profile, ps->cwd, path))
			return false;
		*ret_error =
		    EEXIST; /* inside it is there; on the host, with the socket */
		return true;
	}
	switch (change) {
	case NOTIFY_UNLINK:
		*ret_error = is_there(at) ? 0 : ENOENT;
		clear(at);
		return true;
	case NOTIFY_CHMOD:
		*ret_error = change_mode(at, mode);
		return true;
	case NOTIFY_RMDIR:
		*ret_error = is_there(at) ? ENOTDIR : ENOENT;
		return true;
	default:
		return false;
	}
}
