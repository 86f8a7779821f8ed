/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/run/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "broker/operators/operators.h"
#include "broker/operators/own_alert.h"
#include "broker/pipeline/pipeline.h"
#include "broker/run/generation.h"
#include "broker/run/reload_check.h"
#include "broker/run/run.h"
#include "broker/supervisor/supervisor.h"

enum {
	/* Settings that plugins point at stay until the end: so often, then the program
	 * starts again instead. */
	KEPT_SETTINGS = 64
};

struct reload {
	struct app *app;
	struct settings *first_settings;
	struct generation_list generations; /* the last is the newest */
	struct settings *kept[KEPT_SETTINGS];
	struct arena *kept_arena[KEPT_SETTINGS]; /* with plugins' confinements */
	uint32_t n_kept;
	bool is_asked, wants_restart;
	uint64_t number, ended_wall_ns;
	char failure[sizeof((struct err *)0)->msg];
};

struct reload *
reload_new(struct app *app, struct err *err)
{
	struct reload *r = calloc(1, sizeof(*r));
	struct generation *g;

	if (!r) {
		err_nomem(err);
		return NULL;
	}
	TAILQ_INIT(&r->generations);
	r->app = app;
	r->first_settings = app->settings;
	g = generation_first(app, err);
	if (!g) {
		free(r);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&r->generations, g, link);
	return r;
}

void
reload_free(struct reload *r)
{
	struct generation *g;

	if (!r)
		return;
	while ((g = TAILQ_FIRST(&r->generations))) {
		TAILQ_REMOVE(&r->generations, g, link);
		generation_free(g);
	}
	for (uint32_t i = 0; i < r->n_kept; i++) {
		settings_free(r->kept[i]);
		arena_release(r->kept_arena[i]);
		free(r->kept_arena[i]);
	}
	r->app->settings = r->first_settings;
	free(r);
}

static struct generation *
newest(const struct reload *r)
{
	return TAILQ_LAST(&r->generations, generation_list);
}

void
reload_adopt(struct reload *r, struct app_source *as)
{
	as->generation = newest(r);
	as->generation->users++;
}

static void
drop_unused(struct reload *r)
{
	struct generation *g = TAILQ_FIRST(&r->generations);

	while (g && g != newest(r)) {
		struct generation *next = TAILQ_NEXT(g, link);
		if (g->users == 0) {
			TAILQ_REMOVE(&r->generations, g, link);
			generation_free(g);
		}
		g = next;
	}
}

/* as goes on with rules of the generation that it uses last of all. */
void
reload_on_replaced(struct pipeline *p, const struct ruleset *before, void *arg)
{
	struct app_source *as = arg;
	struct generation *g;
	struct reload *r = run_reload(as->app);

	TAILQ_FOREACH (g, &r->generations, link) {
		uint32_t i = as->source->index;
		if (loader_ruleset(g->loader, i) == before)
			g->users--;
		if (loader_ruleset(g->loader, i) == p->rules)
			as->generation = g;
	}
	if (!p->swap.next && as->generation == newest(r))
		log_notice("source '%s' has its new rules", as->source->name);
}

void
reload_ask(struct reload *r)
{
	r->is_asked = true;
}

bool
reload_is_asked(const struct reload *r)
{
	return r->is_asked;
}

struct reload_result
reload_last(const struct reload *r)
{
	return (struct reload_result){r->number, r->ended_wall_ns, r->failure};
}

bool
reload_wants_restart(const struct reload *r)
{
	return r->wants_restart;
}

/* Everything that points at the catalog of before. */
static void
take_on_sources(struct app *app, const struct generation *g)
{
	for (uint32_t i = 0; i < app->n_source; i++) {
		struct app_source *as = &app->source[i];

		as->source = &g->catalog->source[i];
		if (as->pipeline)
			as->pipeline->name = as->source->name;
		if (as->origin)
			as->origin->source = as->source->name;
		for (uint32_t k = 0; k < as->n_helper; k++)
			as->helper[k]->source = as->source->name;
	}
}

/* Prepared for all of them before it holds for one. */
static bool
prepare_pipelines(struct app *app, struct generation *g, struct err *err)
{
	const struct eval_config config = run_eval_config(app);

	for (uint32_t i = 0; i < app->n_source; i++) {
		struct pipeline *p = app->source[i].pipeline;

		if (p && p->state != PIPELINE_ENDED &&
		    !pipeline_prepare_rules(
			p, loader_ruleset(g->loader, i), &config, err)) {
			for (uint32_t k = 0; k < i; k++) {
				if (app->source[k].pipeline)
					pipeline_forget_rules(app->source[k].pipeline);
			}
			return false;
		}
	}
	return true;
}

static void
replace_rules(struct app *app, struct generation *g)
{
	for (uint32_t i = 0; i < app->n_source; i++) {
		struct pipeline *p = app->source[i].pipeline;

		/* One that has failed may be restarted. */
		if (!p || p->state == PIPELINE_ENDED)
			continue;
		g->users++;
		pipeline_replace_rules(p);
	}
}

/* From here on nothing fails. */
static void
take_on(struct reload *r, struct generation *g, struct reload_changes *changes)
{
	struct app *app = r->app;
	const struct settings *before = app->settings;

	TAILQ_INSERT_TAIL(&r->generations, g, link);
	app->settings = g->settings;
	log_configure(&app->settings->log);
	app->supervisor->libs_log_enabled = app->settings->libs_logger_enabled;
	app->supervisor->libs_log_severity = app->settings->libs_logger_severity;
	take_on_sources(app, g);
	run_read_settings(app);
	reload_take_on_outputs(app, before);
	replace_rules(app, g);
	if (changes->n_plugin > 0) {
		g->settings_stay = true;
		r->kept[r->n_kept] = g->settings;
		reload_take_on_plugins(app, changes, &r->kept_arena[r->n_kept++]);
	}
}

static bool
reload(struct reload *r, struct err *err)
{
	struct app *app = r->app;
	struct reload_changes changes;
	struct settings *settings;
	struct generation *g;

	if (!settings_load(app->options, &settings, err))
		return false;
	reload_compare(&app->plugins, app->settings, settings, &changes);
	if (changes.needs_start || (changes.n_plugin && r->n_kept == KEPT_SETTINGS)) {
		settings_free(settings);
		r->wants_restart = reload_dry_run(app, err);
		return r->wants_restart;
	}
	if (!reload_try_plugins(app, settings, &changes, err) ||
	    !(g = generation_load(app, settings, err))) {
		reload_changes_release(&changes);
		settings_free(settings);
		return false;
	}
	if (!prepare_pipelines(app, g, err)) {
		reload_changes_release(&changes);
		generation_free(g);
		return false;
	}
	take_on(r, g, &changes);
	reload_changes_release(&changes);
	return true;
}

bool
reload_run(struct reload *r)
{
	const struct settings *before;
	struct err err = {0};
	struct buf text;
	bool done;

	r->is_asked = false;
	log_info("SIGHUP received, restarting...");
	operators_reloading(r->app->operators);
	before = r->app->settings;
	done = reload(r, &err);
	r->number++;
	r->ended_wall_ns = clock_wall_ns();
	snprintf(r->failure, sizeof(r->failure), "%s", done ? "" : err.msg);
	operators_reloaded(r->app->operators, before);
	drop_unused(r);
	if (done) {
		log_notice(r->wants_restart
			       ? "what has changed needs a start: starting again"
			       : "the new configuration holds");
		return true;
	}
	log_error("the configuration stays as it was: %s", err.msg);
	buf_init(&text, LIMIT_OUTPUT_LINE_BYTES);
	buf_addf(&text, "%s: %s", OWN_ALERT_RESTART_FAILED, err.msg);
	run_own_alert(
	    r->app, OWN_ALERT_RESTART_FAILED, PRIORITY_CRITICAL, buf_str(&text), NULL);
	buf_release(&text);
	return false;
}
