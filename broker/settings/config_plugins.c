/* SPDX-License-Identifier: Apache-2.0 */
/* Which plugins, and what each is given. */
#include <string.h>

#include "base/limits.h"
#include "broker/settings/config.h"

#define PLUGINS_DIR "/usr/share/falco/plugins/"

/* "/a/./b/../c" is "/a/c", by text alone. In place. */
static void
normalise(char *path)
{
	size_t n = 0;

	for (char *p = path; *p;) {
		size_t len = strcspn(p, "/");
		if (len == 0) {
			p++;
			continue;
		}
		if (len == 2 && memcmp(p, "..", 2) == 0) {
			while (n > 0 && path[--n] != '/') {
			}
		} else if (!(len == 1 && *p == '.')) {
			path[n++] = '/';
			memmove(path + n, p, len);
			n += len;
		}
		p += len;
	}
	path[n] = '\0';
}

static const char *
resolve_library(struct settings *s, const char *path, struct err *err)
{
	char *full;

	if (*path == '/')
		return path;
	full = arena_alloc(&s->arena, sizeof(PLUGINS_DIR) + strlen(path));
	if (!full) {
		err_nomem(err);
		return NULL;
	}
	memcpy(full, PLUGINS_DIR, sizeof(PLUGINS_DIR) - 1);
	memcpy(full + sizeof(PLUGINS_DIR) - 1, path, strlen(path) + 1);
	normalise(full);
	if (strncmp(full, PLUGINS_DIR, sizeof(PLUGINS_DIR) - 1) != 0) {
		err_set(err, ERR_USAGE,
		    "plugin library_path '%s' resolves outside the plugins directory "
		    "(" PLUGINS_DIR ")",
		    path);
		return NULL;
	}
	return full;
}

static const char *
trimmed(struct settings *s, const char *text)
{
	static const char blanks[] = " \t\n\v\f\r";
	size_t n;

	text += strspn(text, blanks);
	n = strlen(text);
	while (n > 0 && strchr(blanks, text[n - 1]))
		n--;
	return arena_strndup(&s->arena, text, n);
}

static const char *
init_config_text(struct settings *s, const struct conf_node *node, struct err *err)
{
	struct buf json;

	if (!node || node->kind == CONF_NULL)
		return "";
	if (node->kind == CONF_SCALAR)
		return node->text;
	if (node->kind != CONF_MAP) {
		err_set(err, ERR_USAGE, "init_config is neither a map nor text (line %u)",
		    node->line);
		return NULL;
	}
	buf_init(&json, LIMIT_CONFIG_BYTES);
	conf_json(node, &json);
	const char *text = json.failed ? NULL : arena_strdup(&s->arena, buf_str(&json));
	buf_release(&json);
	if (!text)
		err_nomem(err);
	return text;
}

static bool
read_entry(struct settings *s, const struct conf_node *node, struct plugin_setting *p,
    struct err *err)
{
	const char *name = conf_text(node, "name", NULL);
	const char *path = conf_text(node, "library_path", NULL);
	const struct conf_node *params = conf_get(node, "open_params");

	if (node->kind != CONF_MAP)
		return err_set(
		    err, ERR_USAGE, "an entry is no map (line %u)", node->line);
	if (!name || !path)
		return err_set(err, ERR_USAGE, "an entry has no %s (line %u)",
		    name ? "library_path" : "name", node->line);
	if (params && params->kind != CONF_SCALAR && params->kind != CONF_NULL)
		return err_set(
		    err, ERR_USAGE, "open_params is no text (line %u)", params->line);
	p->name = name;
	p->library_path = resolve_library(s, path, err);
	if (!p->library_path)
		return false;
	p->init_config = init_config_text(s, conf_get(node, "init_config"), err);
	if (!p->init_config)
		return false;
	p->open_params = trimmed(s, conf_text(node, "open_params", ""));
	if (!p->open_params)
		return err_nomem(err);
	p->sandbox = conf_get(node, "sandbox");
	p->file = node->file;
	return true;
}

static const struct plugin_setting *
find(const struct plugin_setting *entry, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(entry[i].name, name) == 0)
			return &entry[i];
	}
	return NULL;
}

bool
config_read_plugins(struct settings *s, const char *file, struct err *err)
{
	const struct conf_node *list = conf_get(s->root, "plugins");
	const struct conf_node *load = conf_get(s->root, "load_plugins");
	/* A single map stands for a list of one. */
	size_t n = !list                    ? 0
		   : list->kind == CONF_SEQ ? list->n
		   : list->kind == CONF_MAP ? 1
					    : 0;
	struct plugin_setting *entry = arena_array(&s->arena, n + 1, sizeof(*entry));
	const char **name;
	uint32_t n_name;

	if (!entry)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const struct conf_node *node =
		    list->kind == CONF_SEQ ? list->child[i] : list;
		if (!read_entry(s, node, &entry[i], err)) {
			/* Falco has no blank here. */
			return err_wrap(err,
			    "Error reading config file(%s): could not load plugins "
			    "config",
			    file);
		}
	}
	if (!config_texts(s, "load_plugins", load, file, &name, &n_name, err))
		return false;
	s->plugin = entry;
	s->n_plugin = (uint32_t)n;
	if (load) {
		s->n_plugin = n_name;
		s->plugin = arena_array(&s->arena, n_name + 1, sizeof(*s->plugin));
		if (!s->plugin)
			return err_nomem(err);
	}
	for (uint32_t i = 0; load && i < n_name; i++) {
		const struct plugin_setting *p = find(entry, n, name[i]);
		if (!p)
			return err_set(err, ERR_USAGE,
			    "Cannot load plugin '%s': plugin config not found for given "
			    "name",
			    name[i]);
		s->plugin[i] = *p;
	}
	if (s->n_plugin > LIMIT_PLUGINS)
		return config_error(err, file, "more than %u plugins", LIMIT_PLUGINS);
	return true;
}
