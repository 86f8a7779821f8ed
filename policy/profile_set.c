/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf/load.h"
#include "base/limits.h"
#include "policy/profile.h"

static int
is_profile(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return d->d_name[0] != '.' && dot && strcmp(dot, ".yaml") == 0;
}

/* The text of a file, NUL-terminated. */
static bool
read_text(struct arena *arena, int fd, char **ret_text, size_t *ret_n, struct err *err)
{
	struct stat st;
	size_t n = 0;

	if (fstat(fd, &st) != 0)
		return err_sys(err, "cannot be read");
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > LIMIT_CONFIG_BYTES)
		return err_set(
		    err, ERR_LIMIT, "is no file of up to %u bytes", LIMIT_CONFIG_BYTES);
	char *text = arena_alloc(arena, (size_t)st.st_size + 1);
	if (!text)
		return err_nomem(err);
	while (n < (size_t)st.st_size) {
		ssize_t got = read(fd, text + n, (size_t)st.st_size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(err, "cannot be read");
		if (got == 0)
			break;
		n += (size_t)got;
	}
	*ret_text = text;
	*ret_n = n;
	return true;
}

static bool
load_one(struct profile_set *set, struct profile *p, struct arena *arena,
    const char *path, struct err *err)
{
	struct conf_node *root;
	char *text = NULL;
	size_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_sys(err, "%s", path);
	bool ok = read_text(arena, fd, &text, &n, err);
	close(fd);
	if (!ok)
		return err_wrap(err, "%s", path);
	if (!conf_load(arena, text, n, path, false, &root, err) ||
	    !profile_parse_file(p, arena, set, root, path, err))
		return false;
	for (uint32_t i = 0; i < set->n; i++)
		if (strcmp(set->profile[i].name, p->name) == 0)
			return err_set(err, ERR_SYNTAX,
			    "%s: there is a profile %s already: give one another name",
			    path, p->name);
	return true;
}

bool
profile_set_load(
    struct profile_set *set, struct arena *arena, const char *dir, struct err *err)
{
	struct profile_set made = {0};
	struct dirent **entry;
	bool ok = true;
	int n = scandir(dir, &entry, is_profile, alphasort);

	if (n < 0 && errno == ENOENT) {
		*set = made;
		return true;
	}
	if (n < 0)
		return err_sys(err, "%s", dir);
	struct profile *all = arena_array(arena, (size_t)n + 1, sizeof(*all));
	made.profile = all;
	if (!all || n > (int)LIMIT_POLICY_ITEMS)
		ok = err_set(err, ERR_LIMIT, "%s: has more than %u profiles", dir,
		    LIMIT_POLICY_ITEMS);
	for (int i = 0; i < n; i++) {
		size_t size = strlen(dir) + 1 + strlen(entry[i]->d_name) + 1;
		char *path = ok ? arena_alloc(arena, size) : NULL;
		if (ok && !path)
			ok = err_nomem(err);
		if (ok) {
			stpcpy(stpcpy(stpcpy(path, dir), "/"), entry[i]->d_name);
			ok = load_one(&made, &all[i], arena, path, err);
			made.n++;
		}
		free(entry[i]);
	}
	free(entry);
	if (ok)
		*set = made;
	return ok;
}
