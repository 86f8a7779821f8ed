/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/single.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf/load.h"

/* The value of --name=VALUE or --name VALUE at argv[*i]; NULL when it is another option.
 */
static const char *
value_of(const char *name, int argc, char **argv, int *i)
{
	size_t n = strlen(name);

	if (strncmp(argv[*i], name, n) != 0)
		return NULL;
	if (name[1] == '-' && argv[*i][n] == '=')
		return argv[*i] + n + 1;
	if (name[1] != '-' && argv[*i][n] != '\0')
		return argv[*i] + n;
	if (argv[*i][n] != '\0' || *i + 1 >= argc)
		return NULL;
	return argv[++*i];
}

static bool
parse_count(const char *text, uint64_t *ret_n, struct err *err)
{
	char *end;

	errno = 0;
	*ret_n = strtoull(text, &end, 10);
	if (errno || end == text || *end || *ret_n == 0)
		return err_set(
		    err, ERR_USAGE, "-n takes a number of events from 1, not '%s'", text);
	return true;
}

bool
single_options_take(struct single_options *so, int *argc, char **argv, struct err *err)
{
	int kept = 1;

	*so = (struct single_options){0};
	for (int i = 1; i < *argc; i++) {
		const char *v;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			so->help = true;
		else if ((v = value_of("--init-config", *argc, argv, &i)))
			so->init_config = v;
		else if ((v = value_of("--open-params", *argc, argv, &i)))
			so->open_params = v;
		else if ((v = value_of("--fields", *argc, argv, &i)))
			so->fields = v;
		else if ((v = value_of("--sandbox", *argc, argv, &i)))
			so->sandbox = v;
		else if ((v = value_of("-n", *argc, argv, &i))) {
			if (!parse_count(v, &so->max_events, err))
				return false;
		} else
			argv[kept++] = argv[i];
	}
	*argc = kept;
	argv[kept] = NULL;
	return true;
}

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

bool
single_settings(
    struct app *app, const struct single_options *so, const char *path, struct err *err)
{
	struct settings *s;
	struct plugin_setting *ps;
	struct conf_node *sandbox = NULL;
	char *full = realpath(path, NULL); /* NULL: loading will say why */

	if (!settings_default(app->options, &app->settings, err)) {
		free(full);
		return false;
	}
	s = app->settings;
	ps = arena_alloc(&s->arena, sizeof(*ps));
	if (!ps || (so->sandbox && !conf_load(&s->arena, so->sandbox, strlen(so->sandbox),
				       "--sandbox", false, &sandbox, err))) {
		free(full);
		return ps ? false : err_nomem(err);
	}
	*ps = (struct plugin_setting){
	    .name = name_from_path(&s->arena, path),
	    .library_path = arena_strdup(&s->arena, full ? full : path),
	    .init_config = so->init_config ? so->init_config : "",
	    .open_params = so->open_params ? so->open_params : "",
	    .sandbox = sandbox,
	    .file = "--sandbox",
	};
	free(full);
	if (!ps->name || !ps->library_path)
		return err_nomem(err);
	s->plugin = ps;
	s->n_plugin = 1;
	s->stdout_enabled = true;
	/* What the plugin was refused must be seen; what went as usual need not. */
	s->log.to_stderr = true;
	if (!conf_get(s->root, "log_level"))
		s->log.max_level = LOG_LEVEL_NOTICE;
	return true;
}
