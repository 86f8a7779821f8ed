/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin's file once more, for a worker that puts breakpoints into it: loaded from
 * there, under the name that the plugin always has. Before each start it is made what the
 * plugin is.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/fuzz/fuzz.h"

static bool
take_original(struct fuzz_copy *c, const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(err, "%s", path);
		if (fd >= 0)
			close(fd);
		return false;
	}
	c->size = (size_t)st.st_size;
	c->original = mmap(NULL, c->size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (c->original != MAP_FAILED)
		return true;
	c->original = NULL;
	return err_sys(err, "%s", path);
}

/* The same walls, with another file behind the plugin's name; its digest is the same. */
static bool
exchange(struct fuzz_copy *c, const struct confinement *from, struct err *err)
{
	struct confinement_mount *mount = NULL;

	c->confinement = *from;
	c->mount = reallocarray(NULL, from->n_mount, sizeof(*c->mount));
	if (!c->mount)
		return err_nomem(err);
	memcpy(c->mount, from->mount, from->n_mount * sizeof(*c->mount));
	c->confinement.mount = c->mount;
	for (uint32_t i = 0; i < from->n_mount; i++)
		if (strcmp(c->mount[i].target, from->plugin_target) == 0)
			mount = &c->mount[i];
	if (!mount)
		return err_set(err, ERR_SYS, "the plugin is not mounted");
	mount->source = c->path;
	return true;
}

bool
fuzz_copy_init(
    struct fuzz_copy *c, const struct fuzz_subject *s, const char *out, struct err *err)
{
	char *dir = realpath(out, NULL);

	if (!dir)
		return err_sys(err, "%s", out);
	fuzz_path(c->path, "%s/plugin-%u", dir, (unsigned)getpid());
	free(dir);
	/* A file of ours alone, whatever stood there. */
	unlink(c->path);
	c->fd = open(c->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (c->fd < 0)
		return err_sys(err, "%s", c->path);
	return take_original(c, s->plugin->setting->library_path, err) &&
	       exchange(c, s->confinement, err);
}

static int64_t
time_ns(const struct timespec *t)
{
	return t->tv_sec * 1000000000ll + t->tv_nsec;
}

bool
fuzz_copy_renew(struct fuzz_copy *c, struct err *err)
{
	struct stat st;

	for (size_t at = 0; at < c->size;) {
		ssize_t n = pwrite(c->fd, c->original + at, c->size - at, (off_t)at);
		if (n <= 0)
			return err_sys(err, "%s", c->path);
		at += (size_t)n;
	}
	/* The launcher need not read it all again to know it. */
	if (fstat(c->fd, &st) < 0)
		return err_sys(err, "%s", c->path);
	c->confinement.plugin_dev = st.st_dev;
	c->confinement.plugin_ino = st.st_ino;
	c->confinement.plugin_size = (uint64_t)st.st_size;
	c->confinement.plugin_mtime_ns = time_ns(&st.st_mtim);
	c->confinement.plugin_ctime_ns = time_ns(&st.st_ctim);
	return true;
}

void
fuzz_copy_release(struct fuzz_copy *c)
{
	if (c->original)
		munmap((void *)(uintptr_t)c->original, c->size);
	if (c->fd >= 0)
		close(c->fd);
	if (c->path[0])
		unlink(c->path);
	free(c->mount);
	*c = (struct fuzz_copy){.fd = -1};
}
