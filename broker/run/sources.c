/* SPDX-License-Identifier: Apache-2.0 */
/* Sources and their workers: who serves which, and which are enabled. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "broker/run/run.h"
#include "broker/supervisor/supervisor.h"
#include "broker/tables/tables.h"

bool
run_is_replay(const struct app *app)
{
	return app->settings->engine == ENGINE_REPLAY;
}

static struct plugin *
origin_of(struct plugin_set *set, const char *source)
{
	struct plugin *first = NULL;

	for (uint32_t i = 0; i < set->n; i++) {
		struct plugin *p = &set->plugin[i];

		/* Without an id it makes events of system calls. */
		if (!(p->caps & PLUGIN_CAP_SOURCING) ||
		    strcmp(p->id ? p->source : "syscall", source) != 0)
			continue;
		if (!first)
			first = p;
		else
			log_warning("Enabled event source '%s' can be opened with "
				    "multiple loaded plugins, will use only '%s'",
			    source, first->name);
	}
	return first;
}

static bool
is_helper(const struct plugin *p, const char *source)
{
	return plugin_extracts_for(p, source) || plugin_parses_for(p, source) ||
	       plugin_injects_for(p, source);
}

/* In a replay no source is opened: whoever would be one is there to extract. */
static bool
is_replayed(const struct plugin *p, const char *source)
{
	return (p->caps & PLUGIN_CAP_SOURCING) && p->id != 0 &&
	       strcmp(p->source, source) == 0;
}

/* All workers of the source share its tables, in load order. */
static bool
join_tables(struct app *app, struct app_source *as, struct err *err)
{
	if (!as->origin && as->n_helper == 0)
		return true;
	as->tables = table_registry_new(app->supervisor, err);
	for (uint32_t i = 0; as->tables && i < app->plugins.n; i++) {
		struct worker *w =
		    as->origin && as->origin->plugin->index == i ? as->origin : NULL;
		for (uint32_t k = 0; !w && k < as->n_helper; k++) {
			if (as->helper[k]->plugin->index == i)
				w = as->helper[k];
		}
		if (w && !table_registry_join(as->tables, w, err))
			return false;
	}
	return as->tables != NULL;
}

/* The workers of one source: its origin, and every other plugin that reads its events or
 * adds to them. */
static bool
gather_workers(struct app *app, struct app_source *as, struct err *err)
{
	struct plugin_set *set = &app->plugins;
	struct plugin *origin =
	    run_is_replay(app) ? NULL : origin_of(set, as->source->name);

	as->helper = calloc(set->n, sizeof(*as->helper));
	if (!as->helper)
		return err_nomem(err);
	if (origin) {
		as->origin = plugin_set_worker(set, origin, err);
		if (!as->origin)
			return false;
		worker_assign(as->origin, as->source->name, NULL, NULL);
	}
	for (uint32_t i = 0; i < set->n; i++) {
		struct worker *w;

		if (&set->plugin[i] == origin ||
		    !(is_helper(&set->plugin[i], as->source->name) ||
			(run_is_replay(app) &&
			    is_replayed(&set->plugin[i], as->source->name))))
			continue;
		w = plugin_set_worker(set, &set->plugin[i], err);
		if (!w)
			return false;
		worker_assign(w, as->source->name, NULL, NULL);
		as->helper[as->n_helper++] = w;
	}
	return join_tables(app, as, err);
}

static bool
init_workers(struct app *app, struct err *err)
{
	struct supervisor *sup = app->supervisor;

	for (uint32_t i = 0; i < app->n_source; i++) {
		struct app_source *as = &app->source[i];
		if (as->origin)
			worker_pursue(as->origin, WORKER_INITIALIZED);
		for (uint32_t k = 0; k < as->n_helper; k++)
			worker_pursue(as->helper[k], WORKER_INITIALIZED);
	}
	/* They initialise side by side; what fails is told in Falco's order. */
	for (uint32_t i = 0; i < app->n_source; i++) {
		struct app_source *as = &app->source[i];
		if (as->origin && !supervisor_await(sup, as->origin, err))
			return false;
		for (uint32_t k = 0; k < as->n_helper; k++) {
			if (!supervisor_await(sup, as->helper[k], err))
				return false;
		}
	}
	return true;
}

enum step_rc
step_init_sources(struct app *app, struct err *err)
{
	app->source = calloc(app->catalog.n_source, sizeof(*app->source));
	if (!app->source) {
		err_nomem(err);
		return STEP_FAILED;
	}
	app->n_source = app->catalog.n_source;
	for (uint32_t i = 0; i < app->n_source; i++) {
		app->source[i].source = &app->catalog.source[i];
		app->source[i].app = app;
		app->source[i].enabled = true;
		if (!gather_workers(app, &app->source[i], err))
			return STEP_FAILED;
	}
	return init_workers(app, err) ? STEP_NEXT : STEP_FAILED;
}

static struct app_source *
find_source(struct app *app, const char *name)
{
	for (uint32_t i = 0; i < app->n_source; i++) {
		if (strcmp(app->source[i].source->name, name) == 0)
			return &app->source[i];
	}
	return NULL;
}

enum step_rc
step_select_sources(struct app *app, struct err *err)
{
	const struct option_list *on = &app->options->enable_source,
				 *off = &app->options->disable_source;
	const struct option_list *list = on->n ? on : off;
	uint32_t enabled = 0;

	if (run_is_replay(app)) /* the file has what it has */
		return STEP_NEXT;
	if (on->n && off->n) {
		err_set(err, ERR_USAGE,
		    "You can not mix --enable-source and --disable-source");
		return STEP_FAILED;
	}
	for (uint32_t i = 0; i < app->n_source; i++)
		app->source[i].enabled = on->n == 0;
	for (size_t i = 0; i < list->n; i++) {
		struct app_source *as = find_source(app, list->value[i]);

		if (!as) {
			err_set(err, ERR_USAGE,
			    "Attempted %s an unknown event source: %s",
			    on->n ? "enabling" : "disabling", list->value[i]);
			return STEP_FAILED;
		}
		as->enabled = on->n != 0;
	}
	for (uint32_t i = 0; i < app->n_source; i++)
		enabled += app->source[i].enabled;
	if (enabled == 0) {
		err_set(err, ERR_USAGE, "Must enable at least one event source");
		return STEP_FAILED;
	}
	return STEP_NEXT;
}

static int
name_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void
run_log_sources(const struct app *app)
{
	const char *name[LIMIT_PLUGINS + 1];
	struct buf text;
	uint32_t n = 0;

	buf_init(&text, 1 << 20);
	for (uint32_t i = 0; i < app->n_source; i++)
		buf_addf(&text, "%s%s", i ? ", " : "", app->source[i].source->name);
	log_info("Loaded event sources: %s", buf_str(&text));
	for (uint32_t i = 0; i < app->n_source; i++) {
		if (app->source[i].enabled)
			name[n++] = app->source[i].source->name;
	}
	qsort(name, n, sizeof(*name), name_order);
	buf_clear(&text);
	for (uint32_t i = 0; i < n; i++)
		buf_addf(&text, "%s%s", i ? ", " : "", name[i]);
	if (!run_is_replay(app))
		log_info("Enabled event sources: %s", buf_str(&text));
	buf_release(&text);
}
