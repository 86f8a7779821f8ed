/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/app/author.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "broker/app/actions.h"
#include "broker/app/single.h"

enum {
	STEPS_MAX = 16
};

bool
author_begin(struct author *a, enum own_command command, const char *usage, int argc,
    char **argv, int *ret_status)
{
	struct err err;

	memset(a, 0, sizeof(*a));
	a->app.options = &a->line.options;
	a->command = command;
	if (!command_line_take(&a->line, command, usage, argc, argv, ret_status))
		return false;
	if (options_check(&a->line.options, &err))
		return true;
	fprintf(stderr, "Error: %s\n", err.msg);
	command_line_release(&a->line);
	*ret_status = 1;
	return false;
}

int
author_misused(struct author *a, const char *command, const char *why)
{
	fprintf(stderr, "Error: %s\nSee: mews %s --help\n", why, command);
	command_line_release(&a->line);
	return 1;
}

bool
author_has_plugins(const struct author *a)
{
	return a->app.settings->n_file > 0 || a->line.own.plugin.n > 0;
}

static bool
read_settings(struct author *a, struct err *err)
{
	struct app *app = &a->app;
	bool done;

	if (a->line.own.plugin.n > 0 && a->line.options.config)
		return err_set(err, ERR_USAGE,
		    "--plugin and -c exclude each other: plugins of a configuration are "
		    "in it");
	if (a->line.own.plugin.n > LIMIT_PLUGINS)
		return err_set(err, ERR_USAGE, "more than %u plugins", LIMIT_PLUGINS);
	if (a->line.own.plugin.n > 0)
		done = single_settings(app, &a->line.own, a->line.own.plugin.value,
		    a->line.own.plugin.n, err);
	else if (a->command == OWN_TEST && !a->line.options.config)
		done = settings_default(&a->line.options, &app->settings, err);
	else
		done = settings_load(&a->line.options, &app->settings, err);
	if (!done)
		return false;
	/* Nothing is alerted and nobody is served; the terminal is for what was asked. */
	app->settings->log = (struct log_config){.to_stderr = true,
	    .max_level = a->line.options.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING};
	app->settings->stdout_enabled = app->settings->syslog_enabled = false;
	app->settings->program_enabled = false;
	app->settings->file_enabled = true;
	app->settings->file_name = "/dev/null";
	app->settings->http.enabled = app->settings->webserver.enabled = false;
	app->settings->metrics.enabled = app->settings->watch_config_files = false;
	log_configure(&app->settings->log);
	app->no_statistics = true;
	return true;
}

int
author_run(struct author *a, app_step_fn *const *step, size_t n)
{
	app_step_fn *all[STEPS_MAX] = {0};
	struct err err = {0};
	size_t n_all = 0;
	int status = 1;

	if (!read_settings(a, &err)) {
		fprintf(stderr, "Error: %s\n", err.msg);
		settings_free(a->app.settings);
	} else {
		if (a->app.settings->n_plugin > 0)
			all[n_all++] = step_start_workers;
		all[n_all++] = step_load_plugins;
		for (size_t i = 0; i < n && n_all < STEPS_MAX; i++)
			all[n_all++] = step[i];
		status = app_run_steps(&a->app, all, n_all);
	}
	command_line_release(&a->line);
	return status;
}

bool
author_files(const struct author *a, bool (*want)(const char *path),
    struct file_list *ret_files, struct err *err)
{
	const struct option_list *word = &a->line.options.word;
	struct file_list all = {0}, some;
	char **grown;

	for (size_t i = 0; i < word->n; i++) {
		if (!file_list_read(&some, word->value[i], want, err)) {
			file_list_release(&all);
			return err_wrap(err, "%s", word->value[i]);
		}
		grown = reallocarray(all.path, all.n + some.n + 1, sizeof(*grown));
		if (!grown) {
			file_list_release(&some);
			file_list_release(&all);
			return err_nomem(err);
		}
		all.path = grown;
		memcpy(all.path + all.n, some.path, some.n * sizeof(*grown));
		all.n += some.n;
		free(some.path);
	}
	*ret_files = all;
	return true;
}

bool
author_load_file(struct loader *l, const char *path,
    const struct load_result **ret_result, struct err *err)
{
	struct buf text;
	struct err why;
	bool ok;

	buf_init(&text, LIMIT_RULES_FILE_BYTES);
	ok = file_read(path, &text, &why) ||
	     err_set(err, why.code, "%s %s", path, why.msg);
	ok = ok && loader_file(l, path, buf_str(&text), text.len, ret_result, err);
	buf_release(&text);
	return ok;
}

/* False: err, or told already and err empty. */
static bool
load_or_tell(struct loader *l, const char *path, struct err *err)
{
	const struct load_result *r;
	uint32_t n_error, n_warning;
	struct buf lines;

	if (!author_load_file(l, path, &r, err))
		return false;
	if (load_result_ok(r))
		return true;
	buf_init(&lines, LIMIT_RULES_FILE_BYTES);
	load_result_lines(r, NULL, &lines, &n_error, &n_warning);
	fputs(buf_str(&lines), stderr);
	buf_release(&lines);
	err->msg[0] = '\0';
	return false;
}

enum step_rc
author_load_rules(struct author *a, const struct field_catalog *catalog,
    struct loader **ret_loader, struct err *err)
{
	const char *const *path;
	struct loader *l;
	struct buf log;
	uint32_t n;
	bool ok;

	if (!settings_rules_files(a->app.settings, &path, &n, err))
		return STEP_FAILED;
	if (n == 0) {
		err_set(err, ERR_USAGE,
		    "no rules: give files with -r, or a "
		    "configuration that has some with -c");
		return STEP_FAILED;
	}
	l = loader_new(catalog, &a->app.rules_config, err);
	ok = l != NULL;
	for (uint32_t i = 0; ok && i < n; i++)
		ok = load_or_tell(l, path[i], err);
	buf_init(&log, LIMIT_CONFIG_BYTES);
	ok = ok && loader_finish(l, &log, err);
	buf_release(&log);
	if (!ok) {
		loader_free(l);
		return STEP_FAILED;
	}
	*ret_loader = l;
	return STEP_NEXT;
}
