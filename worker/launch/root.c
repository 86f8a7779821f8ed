/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/launch/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/sha256.h"
#include "worker/launch/userns.h"

#ifndef OPEN_TREE_CLOEXEC
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

bool
root_can_clone(void)
{
	/* Recursively, because in a container mounts cannot be had one without the other.
	 */
	int fd =
	    open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Sources were resolved when the confinement was made: a symbolic link now is a trick. */
static int
open_plain(int at_fd, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {
	    .flags = flags | O_CLOEXEC,
	    .resolve = RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | resolve,
	};

	return (int)syscall(SYS_openat2, at_fd, path, &how, sizeof(how));
}

static int64_t
ns_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static bool
digest_is_same(const struct confinement *c, const char *path, const struct stat *st)
{
	static char bytes[65536];
	struct sha256 sum;
	struct stat now;
	char hex[65];
	ssize_t n = -1;
	int fd = open_plain(AT_FDCWD, path, O_RDONLY, 0);

	if (fd >= 0 && fstat(fd, &now) == 0 && now.st_dev == st->st_dev &&
	    now.st_ino == st->st_ino) {
		sha256_init(&sum);
		while ((n = read(fd, bytes, sizeof(bytes))) > 0)
			sha256_add(&sum, bytes, (size_t)n);
		sha256_hex(&sum, hex);
	}
	if (fd >= 0)
		close(fd);
	return n == 0 && strcmp(hex, c->sha256) == 0;
}

/* The same inode, unchanged: nobody who may write it can set back its ctime. After a
 * chmod, or where the same file was installed anew, the digest decides. */
static bool
plugin_is_same(const struct confinement *c, const char *path, const struct stat *st)
{
	return (c->plugin_dev == st->st_dev && c->plugin_ino == st->st_ino &&
		   c->plugin_size == (uint64_t)st->st_size &&
		   c->plugin_mtime_ns == ns_of(&st->st_mtim) &&
		   c->plugin_ctime_ns == ns_of(&st->st_ctim)) ||
	       digest_is_same(c, path, st);
}

bool
root_open(const struct confinement *c, struct root_source *source, struct err *err)
{
	for (uint32_t i = 0; i < c->n_mount; i++)
		source[i].fd = source[i].tree_fd = -1;
	for (uint32_t i = 0; i < c->n_mount; i++) {
		const struct confinement_mount *m = &c->mount[i];
		struct root_source *s = &source[i];

		s->fd = open_plain(AT_FDCWD, m->source, O_PATH, 0);
		if (s->fd < 0 || fstat(s->fd, &s->st) < 0) {
			err_sys(err, "%s", m->source);
			goto fail;
		}
		if (m->directory ? !S_ISDIR(s->st.st_mode) : !S_ISREG(s->st.st_mode)) {
			err_set(err, ERR_USAGE, "%s is not a %s any more", m->source,
			    m->directory ? "directory" : "regular file");
			goto fail;
		}
		if (strcmp(m->target, c->plugin_target) == 0 &&
		    !plugin_is_same(c, m->source, &s->st)) {
			err_set(err, ERR_USAGE, "%s has changed since it was checked",
			    m->source);
			goto fail;
		}
	}
	return true;
fail:
	root_close(source, c->n_mount);
	return false;
}

void
root_close(struct root_source *source, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (source[i].fd >= 0)
			close(source[i].fd);
		if (source[i].tree_fd >= 0)
			close(source[i].tree_fd);
		source[i].fd = source[i].tree_fd = -1;
	}
}

static bool
clone_tree(const struct confinement_mount *m, int fd, int *ret_tree, struct err *err)
{
	/* What is mounted below a directory is part of what its name means. */
	unsigned deep = m->directory ? AT_RECURSIVE : 0;
	int tree =
	    open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | deep);

	if (tree < 0)
		return err_sys(err, "cloning the mount of %s", m->source);
	struct mount_attr attr = {
	    .attr_set = (m->writable ? 0 : MOUNT_ATTR_RDONLY) | MOUNT_ATTR_NOSUID |
			MOUNT_ATTR_NODEV | (m->exec ? 0 : MOUNT_ATTR_NOEXEC),
	    .propagation = MS_PRIVATE,
	};
	if (mount_setattr(tree, "", AT_EMPTY_PATH | deep, &attr, sizeof(attr)) < 0) {
		err_sys(err, "closing the mount of %s down", m->source);
		close(tree);
		return false;
	}
	*ret_tree = tree;
	return true;
}

/*
 * The file's owner appears as the worker's uid, so that what only root (or whoever owns
 * it) can read is read as it is where plugins run as root.
 */
static int
map_owner(const struct confinement_mount *m, const struct root_source *s, int userns_fd,
    uid_t worker_uid)
{
	int fd = userns_fd;

	if (s->st.st_uid != 0 || s->st.st_gid != 0)
		fd = userns_new(s->st.st_uid, s->st.st_gid, worker_uid);
	if (fd < 0)
		return -1;
	struct mount_attr attr = {
	    .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned)fd};
	int rc = mount_setattr(s->tree_fd, "",
	    AT_EMPTY_PATH | (m->directory ? AT_RECURSIVE : 0), &attr, sizeof(attr));
	if (fd != userns_fd)
		close(fd);
	return rc;
}

static bool
all_may_read(const struct confinement_mount *m, const struct root_source *s)
{
	mode_t need =
	    (m->directory ? S_IROTH | S_IXOTH : S_IROTH) | (m->writable ? S_IWOTH : 0);

	return (s->st.st_mode & need) == need;
}

#define CANNOT_MAP "its file system (or this host) cannot map owners"

/* Owners were not mapped: a file that hides itself is an error, a directory whose files
 * may hide themselves is worth a word. */
static bool
judge_unmapped(const struct confinement_mount *m, const struct root_source *s,
    struct root_note *note, struct err *err)
{
	if (!all_may_read(m, s))
		return err_set(err, ERR_USAGE,
		    "%s can be %s by its owner alone, and " CANNOT_MAP
		    ": make it %s for others",
		    m->source, m->writable ? "written" : "read",
		    m->writable ? "writable" : "readable");
	if (m->directory && !m->exec && note->text[0] == '\0')
		snprintf(note->text, sizeof(note->text),
		    "%s: what its owner alone may read in there stays "
		    "unreadable: " CANNOT_MAP,
		    m->source);
	return true;
}

bool
root_clone(const struct confinement *c, struct root_source *source, int userns_fd,
    uid_t worker_uid, struct root_note *note, struct err *err)
{
	for (uint32_t i = 0; i < c->n_mount; i++) {
		const struct confinement_mount *m = &c->mount[i];
		struct root_source *s = &source[i];

		if (!clone_tree(m, s->fd, &s->tree_fd, err))
			return false;
		/* Libraries are for everybody. What is below a directory nobody knows. */
		if (all_may_read(m, s) && (m->exec || !m->directory))
			continue;
		if (userns_fd >= 0 && map_owner(m, s, userns_fd, worker_uid) == 0)
			continue;
		if (!judge_unmapped(m, s, note, err))
			return false;
	}
	return true;
}

bool
root_check_readable(const struct confinement *c, const struct root_source *source,
    struct root_note *note, struct err *err)
{
	for (uint32_t i = 0; i < c->n_mount; i++)
		if (!judge_unmapped(&c->mount[i], &source[i], note, err))
			return false;
	return true;
}

/* The fd of a directory below root, made where it is missing. */
static int
make_directories(int root_fd, const char *rel, size_t len)
{
	int at = fcntl(root_fd, F_DUPFD_CLOEXEC, 3);

	for (size_t i = 0; i < len && at >= 0;) {
		const char *end = memchr(rel + i, '/', len - i);
		size_t n = end != NULL ? (size_t)(end - rel) - i : len - i;
		char name[256];
		memcpy(name, rel + i, n);
		name[n] = '\0';
		if (mkdirat(at, name, 0755) < 0 && errno != EEXIST && errno != EROFS) {
			close(at);
			return -1;
		}
		int next = open_plain(at, name, O_PATH | O_DIRECTORY, RESOLVE_BENEATH);
		int saved = errno;
		close(at);
		errno = saved;
		at = next;
		i += n + 1;
	}
	return at;
}

int
root_parent(int root_fd, const char *path, const char **ret_name)
{
	const char *rel = path + 1, *slash = strrchr(rel, '/');

	*ret_name = slash != NULL ? slash + 1 : rel;
	return make_directories(root_fd, rel, slash != NULL ? (size_t)(slash - rel) : 0);
}

/* Puts one mount in place; target is absolute and plain. */
static bool
place_mount(int root_fd, const struct confinement_mount *m, int tree_fd, struct err *err)
{
	const char *name;
	int dir = root_parent(root_fd, m->target, &name);

	if (dir < 0)
		return err_sys(err, "making room for %s", m->target);
	int rc;
	if (m->directory) {
		rc = mkdirat(dir, name, 0755);
	} else {
		rc = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
		if (rc >= 0)
			close(rc);
	}
	/* Inside a data directory it may exist already; a link there must not lead out.
	 */
	int at = -1;
	if (rc >= 0 || errno == EEXIST || errno == EROFS)
		at = open_plain(dir, name, O_PATH, RESOLVE_BENEATH);
	bool ok = at >= 0 && move_mount(tree_fd, "", at, "",
				 MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0;
	if (!ok)
		err_sys(err, "mounting %s at %s", m->source, m->target);
	if (at >= 0)
		close(at);
	close(dir);
	return ok;
}

static bool
place_file(int root_fd, const struct confinement_file *f, struct err *err)
{
	const char *name;
	int dir = root_parent(root_fd, f->target, &name), fd = -1;

	if (dir >= 0)
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	bool ok = fd >= 0 && write(fd, f->text, f->n) == (ssize_t)f->n;
	if (!ok)
		err_sys(err, "making %s", f->target);
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	return ok;
}

/* An ordinary user's way: by path in this mount namespace, if it is the same inode. */
static bool
open_again(const struct confinement_mount *m, struct root_source *s, struct err *err)
{
	struct stat st;
	int fd = open_plain(AT_FDCWD, m->source, O_PATH, 0);

	if (fd < 0)
		return err_sys(err, "%s", m->source);
	bool ok =
	    fstat(fd, &st) == 0 && st.st_dev == s->st.st_dev && st.st_ino == s->st.st_ino;
	if (ok)
		ok = clone_tree(m, fd, &s->tree_fd, err);
	else
		err_set(err, ERR_USAGE, "%s was replaced just now", m->source);
	close(fd);
	return ok;
}

static int
mount_empty(uint32_t n_mounts)
{
	char inodes[16];
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), fd = -1;

	/* A path component each; names take no pages, so the smallest size is plenty. */
	snprintf(inodes, sizeof(inodes), "%u", 64 + 32 * n_mounts);
	if (fs >= 0 && fsconfig(fs, FSCONFIG_SET_STRING, "size", "64k", 0) == 0 &&
	    fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", inodes, 0) == 0 &&
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) == 0 &&
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = fsmount(fs, FSMOUNT_CLOEXEC,
		    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	int saved = errno;
	if (fs >= 0)
		close(fs);
	/* Attached on top of the old root, whence pivot_root takes it. */
	if (fd >= 0 && move_mount(fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0) {
		saved = errno;
		close(fd);
		fd = -1;
	}
	errno = saved;
	return fd;
}

bool
root_enter(const struct confinement *c, struct root_source *source,
    bool (*fill)(int root_fd, void *arg, struct err *err), void *arg, struct err *err)
{
	/* First, so that nothing below is seen outside. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(err, "making mounts private");
	for (uint32_t i = 0; i < c->n_mount; i++)
		if (source[i].tree_fd < 0 && !open_again(&c->mount[i], &source[i], err))
			return false;
	int root_fd = mount_empty(c->n_mount + c->n_file + c->profile->n_unix_socket +
				  c->profile->n_listen_unix);
	if (root_fd < 0)
		return err_sys(err, "mounting an empty root");
	for (uint32_t i = 0; i < c->n_mount; i++)
		if (!place_mount(root_fd, &c->mount[i], source[i].tree_fd, err))
			return false;
	for (uint32_t i = 0; i < c->n_file; i++)
		if (!place_file(root_fd, &c->file[i], err))
			return false;
	if (fill != NULL && !fill(root_fd, arg, err))
		return false;

	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	if (mount_setattr(root_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(err, "making the root read-only");
	if (fchdir(root_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(err, "pivot_root");
	/* The old root is on top of the new one now; with it goes the whole host. */
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(err, "leaving the old root");
	close(root_fd);
	return true;
}
