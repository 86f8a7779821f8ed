/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/app/app.h"
#include "broker/app/confine_self.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "broker/app/version.h"
#include "broker/keeper/keeper.h"
#include "broker/run/run.h"
#include "broker/supervisor/supervisor.h"
#include "worker/launch/launcher.h"

enum {
	OPEN_FILES_MIN = 80 /* for one plugin; each more takes about ten */
};

/* Configuration. */

static void
log_files(const struct app *app)
{
	const struct settings *s = app->settings;
	struct buf args;

	log_info("Falco version: %s (x86_64)", MEWS_FALCO_VERSION);
	buf_init(&args, 1 << 20);
	for (int i = 0; i < app->options->argc; i++)
		buf_addf(&args, "%s%s", i ? " " : "", app->options->argv[i]);
	log_debug("CLI args: %s", buf_str(&args));
	buf_release(&args);
	log_info("Falco initialized with configuration files:");
	for (uint32_t i = 0; i < s->n_file; i++)
		log_info("   %s | schema validation: %s", s->file[i].path,
		    s->file[i].schema_status);
}

/* Where packages make a folder for the broker. */
#define DEFAULT_STATE_DIR "/var/lib/mews"

static enum step_rc
step_load_settings(struct app *app, struct err *err)
{
	if (!settings_load(app->options, &app->settings, err))
		return STEP_FAILED;
	log_configure(&app->settings->log);
	if (app->settings->n_file > 0)
		log_files(app);
	return STEP_NEXT;
}

static enum step_rc
step_require_settings(struct app *app, struct err *err)
{
	const struct settings *s = app->settings;

	if (s->n_file == 0) {
		err_set(err, ERR_USAGE,
		    "You must create a config file at /etc/falco/falco.yaml or by "
		    "passing -c");
		return STEP_FAILED;
	}
	for (uint32_t i = 0; i < s->n_notice; i++)
		log_notice("%s", s->notice[i]);
	return STEP_NEXT;
}

/* Processes. */

/* From here on this process is the broker, a child of the one that was started. */
enum step_rc
step_keep(struct app *app, struct err *err)
{
	/* The keeper's, which goes on with what there is now. */
	static struct keeper_config config;

	if (app->options->dry_run)
		return STEP_NEXT;
	config.program = app->settings->program;
	return keeper_start(&config, err) ? STEP_NEXT : STEP_FAILED;
}

/* In the folder that the configuration names, else where such programs are. */
static bool
find_program(
    const struct app *app, const char *name, char *ret_path, size_t size, struct err *err)
{
	const char *dir = conf_text(app->settings->sandbox, "worker_dir", "");

	if (!dir[0])
		return supervisor_program_path(name, ret_path, size, err);
	if (snprintf(ret_path, size, "%s/%s", dir, name) >= (int)size ||
	    access(ret_path, X_OK) != 0)
		return err_set(err, ERR_USAGE,
		    "sandbox.worker_dir: there is no program %s in %s", name, dir);
	return true;
}

/* Short of descriptors everything fails somewhere else, libevent without a word of ours.
 */
static bool
check_open_files(struct err *err)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur >= OPEN_FILES_MIN)
		return true;
	return err_set(err, ERR_LIMIT,
	    "the limit of open files (ulimit -n) is %lu, and at least %u are needed",
	    (unsigned long)files.rlim_cur, OPEN_FILES_MIN);
}

bool
app_start_workers(struct app *app, struct err *err)
{
	static char launcher_path[4096], worker_path[4096];

	if (app->supervisor)
		return true;
	if (!check_open_files(err))
		return false;
	if (!find_program(
		app, "mews-launcher", launcher_path, sizeof(launcher_path), err) ||
	    !find_program(app, "mews-worker", worker_path, sizeof(worker_path), err))
		return false;
	app->launcher = launcher_start(launcher_path, err);
	if (!app->launcher)
		return false;
	app->supervisor = supervisor_new(app->launcher, worker_path, err);
	if (!app->supervisor)
		return false;
	app->supervisor->min_tier =
	    (uint32_t)conf_uint(app->settings->sandbox, "min_tier", LAUNCH_TIER_FULL);
	if (app->supervisor->min_tier < 1 || app->supervisor->min_tier > LAUNCH_TIER_FULL)
		return err_set(err, ERR_USAGE, "sandbox.min_tier is 1, 2 or 3, not %u",
		    app->supervisor->min_tier);
	app->supervisor->egress_hosts =
	    conf_text(app->settings->sandbox, "egress_hosts", NULL);
	app->supervisor->state_dir =
	    conf_text(app->settings->sandbox, "state_dir", DEFAULT_STATE_DIR);
	app->supervisor->libs_log_enabled = app->settings->libs_logger_enabled;
	app->supervisor->libs_log_severity = app->settings->libs_logger_severity;
	return true;
}

enum step_rc
step_start_workers(struct app *app, struct err *err)
{
	return app_start_workers(app, err) ? STEP_NEXT : STEP_FAILED;
}

/* Less than everything is never silent. */
static void
warn_of_missing_layers(const struct app *app)
{
	for (uint32_t i = 0; i < app->plugins.n; i++) {
		const struct plugin *p = &app->plugins.plugin[i];
		uint32_t missing =
		    launch_tier_layers(LAUNCH_TIER_FULL) & ~p->worker->layers;
		char text[256];

		if (missing == 0 || p->profile->base == PROFILE_UNCONFINED)
			continue;
		launch_layers_text(missing, text, sizeof(text));
		log_warning("plugin '%s' runs without these layers of confinement: %s",
		    p->name, text);
	}
}

enum step_rc
step_load_plugins(struct app *app, struct err *err)
{
	app->has_plugins = true;
	if (!plugin_set_load(&app->plugins, app->settings, app->supervisor, NULL, err))
		return STEP_FAILED;
	for (uint32_t i = 0; i < app->plugins.n; i++) {
		const struct plugin *p = &app->plugins.plugin[i];
		log_info("Loaded plugin '%s@%s' from file %s", p->name, p->version,
		    p->setting->library_path);
		if (p->profile->base == PROFILE_UNCONFINED)
			log_warning(
			    "plugin '%s' runs UNCONFINED, as its configuration asks",
			    p->name);
	}
	warn_of_missing_layers(app);
	app->has_catalog = true;
	app->rules_config = app->settings->rules;
	return plugin_set_catalog(&app->plugins, app->settings, &app->catalog, err) &&
		       plugin_set_for_rules(&app->plugins, &app->rules_config, err)
		   ? STEP_NEXT
		   : STEP_FAILED;
}

enum step_rc
step_outputs(struct app *app, struct err *err)
{
	if (app->options->dry_run)
		return STEP_NEXT;
	app->outputs = outputs_new(app->settings, app->options->unbuffered, err);
	return app->outputs ? STEP_NEXT : STEP_FAILED;
}

static enum step_rc
step_pidfile(struct app *app, struct err *err)
{
	const char *path = app->options->pidfile;
	FILE *f;

	if (!path || app->options->dry_run)
		return STEP_NEXT;
	f = fopen(path, "we");
	if (!f || fprintf(f, "%ld", (long)keeper_pid()) < 0 || fclose(f) != 0) {
		log_error("Could not write pid to pidfile %s. Error: cannot open file "
			  "for writing",
		    path);
		app->exit_status = 255;
		err->msg[0] = '\0';
		return STEP_FAILED;
	}
	return STEP_NEXT;
}

/* The order is Falco's: what a later step would complain of is not seen when an earlier
 * one fails or ends the run. */
static app_step_fn *const steps[] = {
    step_help,
    step_config_schema,
    step_rule_schema,
    step_ignored_events,
    step_list_events,
    step_load_settings,
    step_version,
    step_page_size,
    step_require_settings,
    step_keep,
    step_begin_rules,
    step_start_workers,
    step_plugin_info,
    step_list_plugins,
    step_load_plugins,
    step_await_rules,
    step_confine_self,
    step_init_sources,
    step_list_fields,
    step_select_sources,
    step_validate_rules,
    step_load_rules,
    step_describe_rules,
    step_support,
    step_outputs,
    step_pidfile,
    step_process_events,
};

static void
tear_down(struct app *app)
{
	run_stop(app);
	if (app->outputs) {
		outputs_free(app->outputs);
		if (!app->no_statistics)
			run_print_statistics(app);
	}
	run_release(app);
	supervisor_free(app->supervisor);
	launcher_free(app->launcher);
	if (app->has_rule_files)
		rule_files_release(&app->rule_files);
	if (app->loader)
		loader_free(app->loader);
	if (app->has_catalog)
		field_catalog_release(&app->catalog);
	if (app->has_plugins)
		plugin_set_release(&app->plugins);
	settings_free(app->settings);
}

int
app_run_steps(struct app *app, app_step_fn *const *step, size_t n)
{
	struct err err = {0};
	enum step_rc rc = STEP_NEXT;

	for (size_t i = 0; rc == STEP_NEXT && i < n; i++)
		rc = step[i](app, &err);
	tear_down(app);
	if (rc != STEP_FAILED && app->starts_again)
		keeper_ask_restart();
	if (rc != STEP_FAILED)
		return 0;
	if (err.msg[0])
		fprintf(stderr, "Error: %s\n", err.msg);
	return app->exit_status ? app->exit_status : 1;
}

int
app_run(struct app *app)
{
	return app_run_steps(app, steps, sizeof(steps) / sizeof(*steps));
}
