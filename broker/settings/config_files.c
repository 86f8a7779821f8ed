/* SPDX-License-Identifier: Apache-2.0 */
/* From files and options to one tree. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/conf/load.h"
#include "base/limits.h"
#include "broker/settings/config.h"
#include "broker/settings/files.h"

#define INCLUDE_ERROR "Config error: 'config_files' directive "

static bool
remember_file(struct settings *s, const char *path, const char *status, struct err *err)
{
	struct settings_file *grown =
	    arena_array(&s->arena, s->n_file + 1, sizeof(*grown));

	if (!grown || !(status = arena_strdup(&s->arena, status)))
		return err_nomem(err);
	if (s->n_file)
		memcpy(grown, s->file, s->n_file * sizeof(*grown));
	grown[s->n_file++] = (struct settings_file){path, status};
	s->file = grown;
	return true;
}

/* One file as a map, checked against the schema. */
static bool
load_file(struct settings *s, const char *path, struct conf_node **ret_root,
    const char **ret_path, struct err *err)
{
	struct conf_node *root = NULL;
	struct buf text, status;

	if (!(path = arena_strdup(&s->arena, path)))
		return err_nomem(err);
	buf_init(&text, LIMIT_CONFIG_BYTES);
	buf_init(&status, LIMIT_TEXT_BYTES);
	bool ok = file_read(path, &text, err) &&
		  conf_load(&s->arena, buf_str(&text), text.len, path, true, &root, err);
	if (ok && root->kind == CONF_NULL)
		root->kind = CONF_MAP;
	if (ok && root->kind != CONF_MAP)
		ok = err_set(err, ERR_SYNTAX, "the configuration is not a map");
	if (!ok)
		err_wrap(err, "Cannot read config file (%s)", path);
	if (ok) {
		struct buf misfit;
		buf_init(&misfit, LIMIT_TEXT_BYTES);
		if (config_schema_check(root, &misfit))
			buf_adds(&status, "ok");
		else
			buf_addf(&status, "failed for %s", buf_str(&misfit));
		buf_release(&misfit);
		ok = remember_file(s, path, buf_str(&status), err);
	}
	buf_release(&text);
	buf_release(&status);
	if (ok) {
		*ret_root = root;
		*ret_path = path;
	}
	return ok;
}

static bool
same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	if (strcmp(a, b) == 0)
		return true;
	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

static bool
include(struct settings *s, const char *main_path, const char *path,
    enum conf_merge strategy, struct err *err)
{
	struct conf_node *root;

	if (main_path && same_file(path, main_path))
		return err_set(err, ERR_USAGE,
		    INCLUDE_ERROR "tried to recursively include main config file: %s.",
		    path);
	if (!load_file(s, path, &root, &path, err))
		return false;
	if (conf_get(root, "config_files"))
		return err_set(
		    err, ERR_USAGE, INCLUDE_ERROR "in included config file %s.", path);
	return conf_merge(&s->arena, s->root, root, strategy) || err_nomem(err);
}

static bool
is_regular(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool
include_entry(struct settings *s, const char *main_path, const struct conf_node *entry,
    struct err *err)
{
	const char *path =
	    entry->kind == CONF_SCALAR ? entry->text : conf_text(entry, "path", "");
	const char *word = conf_text(entry, "strategy", "append");
	enum conf_merge strategy = strcmp(word, "override") == 0   ? CONF_MERGE_OVERRIDE
				   : strcmp(word, "add-only") == 0 ? CONF_MERGE_ADD_ONLY
								   : CONF_MERGE_APPEND;
	struct file_list list;

	if (!*path)
		return true;
	if (!file_list_read(&list, path, is_regular, err))
		return err->code == ERR_SYS && err->sys == ENOENT;
	bool ok = true;
	for (size_t i = 0; ok && i < list.n; i++)
		ok = include(s, main_path, list.path[i], strategy, err);
	file_list_release(&list);
	return ok;
}

static bool
include_all(struct settings *s, const char *main_path, struct err *err)
{
	const struct conf_node *list = conf_get(s->root, "config_files");

	if (!list)
		return true;
	if (list->kind != CONF_SEQ)
		return include_entry(s, main_path, list, err);
	/* Merging may replace the node, never the list that is walked here. */
	for (size_t i = 0; i < list->n; i++) {
		if (!include_entry(s, main_path, list->child[i], err))
			return false;
	}
	return true;
}

static bool
assign_all(
    struct settings *s, const struct options *o, const char *prefix, struct err *err)
{
	for (size_t i = 0; i < o->option.n; i++) {
		const char *option = o->option.value[i];
		if (strncmp(option, prefix, strlen(prefix)) == 0 &&
		    !conf_assign(&s->arena, s->root, option, conf_load_flow, err))
			return false;
	}
	return true;
}

bool
config_load_tree(
    struct settings *s, const struct options *o, const char *path, struct err *err)
{
	if (path && !load_file(s, path, &s->root, &path, err))
		return false;
	if (!s->root && !(s->root = conf_new(&s->arena, CONF_MAP)))
		return err_nomem(err);
	return assign_all(s, o, "config_files", err) && include_all(s, path, err) &&
	       assign_all(s, o, "", err);
}
