/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/settings/settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "broker/settings/config.h"
#include "broker/settings/files.h"

#define DEFAULT_FILE "/etc/falco/falco.yaml"

static bool
load(const struct options *o, const char *path, struct settings **ret, struct err *err)
{
	struct settings *s = calloc(1, sizeof(*s));
	const char *file = path ? path : "";

	if (!s)
		return err_nomem(err);
	arena_init(&s->arena, LIMIT_CONFIG_MEMORY);
	if (!config_load_tree(s, o, path, err) || !config_read_values(s, file, err) ||
	    !config_read_plugins(s, file, err) || !config_read_rules(s, o, file, err)) {
		settings_free(s);
		return false;
	}
	*ret = s;
	return true;
}

bool
settings_load(const struct options *o, struct settings **ret_settings, struct err *err)
{
	const char *path = o->config;

	if (!path && access(DEFAULT_FILE, F_OK) == 0)
		path = DEFAULT_FILE;
	if (path && access(path, F_OK) != 0)
		return err_set(
		    err, ERR_USAGE, "Could not find configuration file at %s", path);
	return load(o, path, ret_settings, err);
}

bool
settings_default(const struct options *o, struct settings **ret_settings, struct err *err)
{
	return load(o, NULL, ret_settings, err);
}

void
settings_free(struct settings *s)
{
	if (!s)
		return;
	arena_release(&s->arena);
	free(s);
}

static bool
has_rules_extension(const char *path)
{
	size_t n = strlen(path);

	return (n >= 4 && strcmp(path + n - 4, ".yml") == 0) ||
	       (n >= 5 && strcmp(path + n - 5, ".yaml") == 0);
}

bool
settings_rules_files(
    struct settings *s, const char *const **ret_path, uint32_t *ret_n, struct err *err)
{
	const char **path = NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->n_rules_file; i++) {
		struct file_list list;
		if (!file_list_read(&list, s->rules_file[i], has_rules_extension, err)) {
			bool absent = err->code == ERR_SYS && err->sys == ENOENT;
			if (absent && !has_rules_extension(s->rules_file[i]))
				continue;
			if (absent && s->rules_from_options)
				return err_set(err, ERR_USAGE,
				    "Could not open file %s for reading",
				    s->rules_file[i]);
			if (absent)
				continue;
			return false;
		}
		const char **grown =
		    arena_array(&s->arena, n + list.n + 1, sizeof(*grown));
		for (size_t k = 0; grown && k < list.n; k++)
			grown[n + k] = arena_strdup(&s->arena, list.path[k]);
		bool ok = grown && (list.n == 0 || grown[n + list.n - 1]);
		if (ok && n)
			memcpy(grown, path, n * sizeof(*path));
		path = grown;
		n += (uint32_t)list.n;
		file_list_release(&list);
		if (!ok)
			return err_nomem(err);
	}
	if (n == 0)
		return err_set(err, ERR_USAGE,
		    "You must specify at least one rules file/directory via -r or a "
		    "rules_file entry in falco.yaml");
	*ret_path = path;
	*ret_n = n;
	return true;
}

/* What the parts share. */

bool
config_error(struct err *err, const char *file, const char *fmt, ...)
{
	char text[sizeof(err->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(err, ERR_USAGE, "Error reading config file (%s): %s", file, text);
}

bool
config_notice(struct settings *s, struct err *err, const char *fmt, ...)
{
	const char **grown = arena_array(&s->arena, s->n_notice + 1, sizeof(*grown));
	struct buf line;
	va_list ap;

	buf_init(&line, LIMIT_TEXT_BYTES);
	va_start(ap, fmt);
	buf_vaddf(&line, fmt, ap);
	va_end(ap);
	const char *kept = arena_strdup(&s->arena, buf_str(&line));
	buf_release(&line);
	if (!grown || !kept)
		return err_nomem(err);
	if (s->n_notice)
		memcpy(grown, s->notice, s->n_notice * sizeof(*grown));
	grown[s->n_notice++] = kept;
	s->notice = grown;
	return true;
}

bool
config_texts(struct settings *s, const char *key, const struct conf_node *node,
    const char *file, const char ***ret_text, uint32_t *ret_n, struct err *err)
{
	bool list = node && node->kind == CONF_SEQ;
	size_t n = list ? node->n : node && node->kind == CONF_SCALAR ? 1 : 0;
	const char **text = arena_array(&s->arena, n + 1, sizeof(*text));
	uint32_t k = 0;

	if (!text)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const struct conf_node *item = list ? node->child[i] : node;
		if (item->kind == CONF_SCALAR)
			text[k++] = item->text;
		else if (item->kind != CONF_NULL)
			return config_error(err, file,
			    "%s: entry %zu is no text (line %u)", key, i + 1, item->line);
	}
	*ret_text = text;
	*ret_n = k;
	return true;
}
