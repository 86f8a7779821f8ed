/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/settings/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool
file_read(const char *path, struct buf *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char piece[16 << 10];
	ssize_t n;

	if (fd < 0)
		return err_sys(err, "cannot be opened");
	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_sys(err, "cannot be read");
			close(fd);
			return false;
		}
		buf_add(out, piece, (size_t)n);
		if (out->failed) {
			close(fd);
			return err_set(
			    err, ERR_LIMIT, "has more than %zu bytes", out->limit_bytes);
		}
	}
	close(fd);
	return true;
}

/* Takes path. */
static bool
add(struct file_list *list, char *path)
{
	char **grown =
	    path ? reallocarray(list->path, list->n + 1, sizeof(*grown)) : NULL;

	if (!grown) {
		free(path);
		return false;
	}
	list->path = grown;
	list->path[list->n++] = path;
	return true;
}

static int
bytewise(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
add_entries(
    struct file_list *list, DIR *dir, const char *path, bool (*want)(const char *))
{
	const char *slash = path[0] && path[strlen(path) - 1] == '/' ? "" : "/";

	for (struct dirent *e; (e = readdir(dir));) {
		struct stat st;
		char *full;
		if (asprintf(&full, "%s%s%s", path, slash, e->d_name) < 0)
			return false;
		if (stat(full, &st) != 0 || !S_ISREG(st.st_mode) || (want && !want(full)))
			free(full);
		else if (!add(list, full))
			return false;
	}
	return true;
}

bool
file_list_read(struct file_list *list, const char *path, bool (*want)(const char *path),
    struct err *err)
{
	struct stat st;
	bool ok;

	*list = (struct file_list){0};
	if (stat(path, &st) != 0)
		return err_sys(err, "%s", path);
	if (!S_ISDIR(st.st_mode)) {
		ok = (want && !want(path)) || add(list, strdup(path));
	} else {
		DIR *dir = opendir(path);
		if (!dir)
			return err_sys(err, "%s", path);
		ok = add_entries(list, dir, path, want);
		closedir(dir);
		if (list->n)
			qsort(list->path, list->n, sizeof(*list->path), bytewise);
	}
	if (!ok) {
		file_list_release(list);
		return err_nomem(err);
	}
	return true;
}

void
file_list_release(struct file_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->path[i]);
	free(list->path);
	*list = (struct file_list){0};
}
