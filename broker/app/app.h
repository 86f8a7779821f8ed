/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of the program in Falco's manner: its steps in their order,
 * each a row of a table in app.c. A step may end the run.
 */
#ifndef BROKER_APP_APP_H
#define BROKER_APP_APP_H

#include "base/buf.h"
#include "base/err.h"
#include "broker/app/rule_files.h"
#include "broker/options/options.h"
#include "broker/outputs/outputs.h"
#include "broker/settings/settings.h"
#include "broker/supervisor/plugins.h"
#include "rules/engine.h"

struct capture;
struct generation;
struct launcher;
struct operators;
struct pipeline;
struct run;
struct statistics;
struct supervisor;
struct table_registry;
struct worker;

/* One event source with the workers that serve it. */
struct app_source {
	const struct field_source *source;
	bool enabled;
	struct worker *origin; /* NULL: nothing feeds it */
	struct worker **helper;
	uint32_t n_helper;
	struct pipeline *pipeline;
	struct table_registry *tables; /* of all its workers */
	/* What its pipeline evaluates, while events are processed. */
	struct generation *generation;
	struct app *app;
};

struct app;

/* Each takes one match; the default makes an alert of it. */
typedef void app_match_fn(struct app *app, const struct rule *rule,
    const struct event_view *view, struct buf *ret_line, struct buf *scratch);

/* What the steps make, in this order; NULL or empty before. */
struct app {
	const struct options *options;
	struct settings *settings;
	struct launcher *launcher;
	struct supervisor *supervisor;
	struct plugin_set plugins;
	struct field_catalog catalog;
	bool has_plugins, has_catalog;
	struct rules_config rules_config;
	struct rule_files rule_files; /* until they are loaded */
	bool has_rule_files;
	struct loader *loader;
	struct app_source *source; /* by index of the catalog's sources */
	uint32_t n_source;
	struct table_registry *tables; /* of a plugin that is initialised for no source */
	struct outputs *outputs;
	struct statistics *statistics;
	struct run *run; /* signals and rendering while events are processed */
	struct operators *operators;
	const char *show_fields; /* of "mews run PLUGIN.so --fields" */
	/* NULL: alerts as the settings say. */
	app_match_fn *show_match;
	bool no_statistics;
	uint64_t max_events;     /* 0: no bound */
	const char *write_path;  /* of a capture file for all events, or NULL */
	struct capture *capture; /* while events are processed */
	int exit_status;         /* of a failure that is not 1 */
	bool starts_again;       /* by its keeper, when it has ended */
	/* Where a failure's long text goes; NULL: to standard error. */
	struct buf *failure;
};

enum step_rc {
	STEP_NEXT,
	STEP_END,    /* the run ends here, successfully */
	STEP_FAILED, /* err says why; exit status 1 */
};

/* A step prints to stdout and stderr itself; err is printed by app_run as "Error: …". */
typedef enum step_rc app_step_fn(struct app *app, struct err *err);

/* actions_info.c: what needs no rules */
app_step_fn step_help, step_config_schema, step_rule_schema, step_ignored_events,
    step_list_events, step_version, step_page_size, step_plugin_info, step_list_plugins,
    step_list_fields, step_support;
/* actions_rules.c */
app_step_fn step_validate_rules, step_load_rules, step_describe_rules;
/* The part of step_load_rules that needs no plugins, begun before these are started. */
app_step_fn step_begin_rules, step_await_rules;

/* The launcher and the supervisor, when the run needs plugins; once. */
bool app_start_workers(struct app *app, struct err *err);

/*
 * Runs steps until one ends the run and tears down in Falco's order; app holds what the
 * caller has prepared, and nothing afterwards. The exit status of the process.
 */
int app_run_steps(struct app *app, app_step_fn *const *step, size_t n);
/* The same with Falco's own steps. */
int app_run(struct app *app);

/* step_keep comes before step_start_workers, where events are processed: broker/keeper.
 */
app_step_fn step_keep, step_start_workers, step_load_plugins, step_outputs;

#endif
