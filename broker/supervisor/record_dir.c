/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/supervisor/record_dir.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int
is_record(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 5 && strcmp(e->d_name + n - 5, ".json") == 0;
}

/* Names begin with the time, so that their order is that of age. */
static void
drop_oldest(int dir_fd, const char *path)
{
	struct dirent **list;
	int n = scandir(path, &list, is_record, alphasort);

	for (int i = 0; i < n; i++) {
		if (i < n - RECORD_FILES_MAX)
			unlinkat(dir_fd, list[i]->d_name, 0);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

static void
file_name(char *out, size_t size, const char *name)
{
	static unsigned counter;
	char clean[64];
	time_t now = time(NULL);
	struct tm tm;
	size_t n = 0;

	for (; name[n] && n + 1 < sizeof(clean); n++)
		clean[n] =
		    isalnum((unsigned char)name[n]) || name[n] == '-' ? name[n] : '_';
	clean[n] = '\0';
	gmtime_r(&now, &tm);
	snprintf(out, size, "%04d%02d%02dT%02d%02d%02dZ-%ld-%04u-%s.json",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, (long)getpid(), counter++ % 10000, clean);
}

static bool
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		p += done;
		n -= (size_t)done;
	}
	return true;
}

static bool
write_in(int dir_fd, const char *path, const char *name, const char *text, size_t len,
    char *ret_path, size_t size, struct err *err)
{
	const char *part = ".part";
	char final[160];
	int fd;
	bool done;

	file_name(final, sizeof(final), name);
	fd = openat(
	    dir_fd, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return err_sys(err, "%s", path);
	done = write_all(fd, text, len);
	done &= close(fd) == 0;
	if (!done || renameat(dir_fd, part, dir_fd, final) < 0) {
		err_sys(err, "%s/%s", path, final);
		unlinkat(dir_fd, part, 0);
		return false;
	}
	snprintf(ret_path, size, "%s/%s", path, final);
	drop_oldest(dir_fd, path);
	return true;
}

bool
record_write(const char *dir, const char *kind, const char *name, const char *text,
    size_t len, char *ret_path, size_t size, struct err *err)
{
	char path[4096];
	bool done;
	int fd;

	if (len > RECORD_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "a record of %zu bytes", len);
	snprintf(path, sizeof(path), "%s/%s", dir, kind);
	if (mkdir(path, 0750) < 0 && errno != EEXIST)
		return err_sys(err, "%s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(err, "%s", path);
	done = write_in(fd, path, name, text, len, ret_path, size, err);
	close(fd);
	return done;
}
