/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a reload: what has changed, whether it would work, and taking it on. */
#ifndef BROKER_RUN_RELOAD_CHECK_H
#define BROKER_RUN_RELOAD_CHECK_H

#include "base/limits.h"
#include "broker/app/app.h"

/* A plugin whose entry is another one; trial is the plugin with it, and a worker. */
struct reload_plugin {
	struct plugin *plugin, *trial;
	bool only_config; /* nothing but init_config differs */
};

struct reload_changes {
	/* What only a start takes on: plugins came, went, or have another file; or alerts
	 * go to another program, which the keeper does not know. */
	bool needs_start;
	struct reload_plugin plugin[LIMIT_PLUGINS];
	uint32_t n_plugin;
	struct arena *arena; /* of the trials; given away once they hold */
};

void reload_compare(const struct plugin_set *set, const struct settings *before,
    const struct settings *settings, struct reload_changes *ret_changes);
/* Starts and initialises every changed plugin in a worker of its own, with a turn of the
 * loop now and then. */
bool reload_try_plugins(struct app *app, const struct settings *settings,
    struct reload_changes *changes, struct err *err);
/*
 * The plugins get their new entries. One that can be configured as it runs, and may do
 * what it may do already, is given its new configuration (plugin_set_config) and goes on;
 * the workers of the others are started again, and those of one that says no.
 * *ret_arena is to be kept as long as the plugins.
 */
void reload_take_on_plugins(
    struct app *app, struct reload_changes *changes, struct arena **ret_arena);
/* Ends the trials. */
void reload_changes_release(struct reload_changes *changes);

/* Other outputs, when the settings of before had other ones. What waits in the old ones
 * is delivered beside. */
void reload_take_on_outputs(struct app *app, const struct settings *before);

/* Would the program start with what its files hold now? Runs it with --dry-run beside,
 * while everything goes on. */
bool reload_dry_run(struct app *app, struct err *err);

#endif
