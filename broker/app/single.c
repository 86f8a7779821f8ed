/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/app/single.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf/load.h"
#include "base/log.h"

/* "libdummy.so" is the plugin "dummy" until it says its own name. */
static const char *
name_from_path(struct arena *a, const char *path)
{
	const char *base = strrchr(path, '/'), *dot;

	base = base ? base + 1 : path;
	if (strncmp(base, "lib", 3) == 0 && base[3])
		base += 3;
	dot = strstr(base, ".so");
	return arena_strndup(
	    a, base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
}

static bool
describe_plugin(struct settings *s, const struct own_options *own, const char *path,
    bool first, struct plugin_setting *ret, struct err *err)
{
	char *full = realpath(path, NULL); /* NULL: loading will say why */
	struct conf_node *sandbox = NULL;

	*ret = (struct plugin_setting){
	    .name = name_from_path(&s->arena, path),
	    .library_path = arena_strdup(&s->arena, full ? full : path),
	    .init_config = first && own->init_config ? own->init_config : "",
	    .open_params = first && own->open_params ? own->open_params : "",
	    .file = "--sandbox",
	};
	free(full);
	if (!ret->name || !ret->library_path)
		return err_nomem(err);
	if (first && own->sandbox &&
	    !conf_load(&s->arena, own->sandbox, strlen(own->sandbox), "--sandbox", false,
		&sandbox, err))
		return false;
	ret->sandbox = sandbox;
	return true;
}

bool
single_settings(struct app *app, const struct own_options *own, const char *const *path,
    size_t n, struct err *err)
{
	struct plugin_setting *plugin;
	struct settings *s;

	if (!settings_default(app->options, &app->settings, err))
		return false;
	s = app->settings;
	plugin = arena_array(&s->arena, n + 1, sizeof(*plugin));
	if (!plugin)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		if (!describe_plugin(s, own, path[i], i == 0, &plugin[i], err))
			return false;
	}
	s->plugin = plugin;
	s->n_plugin = (uint32_t)n;
	s->stdout_enabled = true;
	/* What the plugin was refused must be seen; what went as usual need not. */
	s->log.to_stderr = true;
	if (!conf_get(s->root, "log_level"))
		s->log.max_level = LOG_LEVEL_NOTICE;
	return true;
}

int
single_run(struct app *app, const struct own_options *own, const char *const *path,
    size_t n, app_step_fn *const *step, size_t n_step)
{
	struct err err;

	if (!single_settings(app, own, path, n, &err)) {
		fprintf(stderr, "Error: %s\n", err.msg);
		settings_free(app->settings);
		return 1;
	}
	log_configure(&app->settings->log);
	return app_run_steps(app, step, n_step);
}
