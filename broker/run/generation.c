/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/run/generation.h"

#include <stdlib.h>

#include "base/limits.h"
#include "broker/operators/statistics.h"

static struct generation *
generation_new(struct err *err)
{
	struct generation *g = calloc(1, sizeof(*g));

	if (!g)
		err_nomem(err);
	return g;
}

struct generation *
generation_first(struct app *app, struct err *err)
{
	struct generation *g = generation_new(err);

	if (!g)
		return NULL;
	g->settings = app->settings;
	g->loader = app->loader;
	g->catalog = &app->catalog;
	g->is_first = true;
	loader_forget_trees(g->loader);
	g->index = statistics_index_new(app->statistics, g->loader, err);
	if (g->index)
		return g;
	generation_free(g);
	return NULL;
}

/* The words of a failure that are too many for err, cut. */
static bool
step_error(const struct app *parts, struct err *err)
{
	if (parts->failure->len)
		err_set(err, ERR_USAGE, "%s", buf_str(parts->failure));
	return false;
}

/* parts is an app of its own to the steps of loading; only what they look at is there. */
static bool
load(struct generation *g, struct app *app, struct err *err)
{
	struct app *parts = g->parts;
	struct buf failure;
	bool done;

	parts->options = app->options;
	parts->settings = g->settings;
	if (!plugin_set_catalog(&app->plugins, g->settings, &parts->catalog, err))
		return false;
	parts->has_catalog = true;
	parts->rules_config = g->settings->rules;
	parts->rules_config.plugin = app->rules_config.plugin;
	parts->rules_config.n_plugin = app->rules_config.n_plugin;
	buf_init(&failure, LIMIT_RULES_FILE_BYTES);
	parts->failure = &failure;
	done = step_load_rules(parts, err) == STEP_NEXT || step_error(parts, err);
	parts->failure = NULL;
	buf_release(&failure);
	if (!done)
		return false;
	g->loader = parts->loader;
	g->catalog = &parts->catalog;
	loader_forget_trees(g->loader);
	g->index = statistics_index_new(app->statistics, g->loader, err);
	return g->index != NULL;
}

struct generation *
generation_load(struct app *app, struct settings *settings, struct err *err)
{
	struct generation *g = generation_new(err);

	if (!g)
		return NULL;
	g->settings = settings;
	g->parts = calloc(1, sizeof(*g->parts));
	if (!g->parts)
		err_nomem(err);
	else if (load(g, app, err))
		return g;
	g->settings = NULL;
	generation_free(g);
	return NULL;
}

void
generation_free(struct generation *g)
{
	if (!g)
		return;
	statistics_index_free(g->index);
	if (g->parts) {
		if (g->parts->loader)
			loader_free(g->parts->loader);
		if (g->parts->has_catalog)
			field_catalog_release(&g->parts->catalog);
		free(g->parts);
	}
	if (!g->is_first && !g->settings_stay)
		settings_free(g->settings);
	free(g);
}
