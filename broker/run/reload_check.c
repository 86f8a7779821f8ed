/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/run/reload_check.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/signals.h"
#include "broker/supervisor/supervisor.h"
#include "policy/explain.h"

/* Plugins. */

static bool
same_text(const struct conf_node *a, const struct conf_node *b)
{
	struct buf x, y;
	bool same;

	if (!a || !b)
		return a == b;
	buf_init(&x, LIMIT_CONFIG_BYTES);
	buf_init(&y, LIMIT_CONFIG_BYTES);
	conf_flow(a, &x);
	conf_flow(b, &y);
	same = !x.failed && !y.failed && strcmp(buf_str(&x), buf_str(&y)) == 0;
	buf_release(&x);
	buf_release(&y);
	return same;
}

static bool
same_but_for_config(const struct plugin_setting *a, const struct plugin_setting *b)
{
	return strcmp(a->open_params, b->open_params) == 0 &&
	       same_text(a->sandbox, b->sandbox);
}

/* The file is the same, and may do the same: some of that may come from init_config. */
static bool
same_confinement(const struct confinement *a, const struct confinement *b)
{
	struct buf x, y;
	bool same;

	buf_init(&x, LIMIT_CONFIG_BYTES);
	buf_init(&y, LIMIT_CONFIG_BYTES);
	explain_confinement(a, &x);
	explain_confinement(b, &y);
	same = !x.failed && !y.failed && strcmp(buf_str(&x), buf_str(&y)) == 0 &&
	       strcmp(a->sha256, b->sha256) == 0;
	buf_release(&x);
	buf_release(&y);
	return same;
}

void
reload_compare(const struct plugin_set *set, const struct settings *before,
    const struct settings *settings, struct reload_changes *ret_changes)
{
	struct reload_changes *c = ret_changes;

	*c = (struct reload_changes){
	    .needs_start = set->n != settings->n_plugin ||
			   strcmp(before->program, settings->program) != 0};
	for (uint32_t i = 0; !c->needs_start && i < set->n; i++) {
		const struct plugin_setting *old = set->plugin[i].setting,
					    *now = &settings->plugin[i];

		c->needs_start = strcmp(old->name, now->name) != 0 ||
				 strcmp(old->library_path, now->library_path) != 0;
		bool only_config = same_but_for_config(old, now);
		if (!only_config || strcmp(old->init_config, now->init_config) != 0)
			c->plugin[c->n_plugin++] = (struct reload_plugin){
			    .plugin = &set->plugin[i], .only_config = only_config};
	}
}

static bool
start_trial(struct plugin_set *set, struct reload_changes *c, struct reload_plugin *rp,
    const struct plugin_setting *setting, struct err *err)
{
	rp->trial = malloc(sizeof(*rp->trial));
	if (!rp->trial)
		return err_nomem(err);
	/* Its description stays the one that is known: another is refused. */
	*rp->trial = *rp->plugin;
	rp->trial->setting = setting;
	rp->trial->worker = NULL;
	if (!plugin_set_prepare(set, rp->trial, c->arena, err))
		return false;
	worker_pursue(rp->trial->worker, WORKER_INITIALIZED);
	return true;
}

bool
reload_try_plugins(struct app *app, const struct settings *settings,
    struct reload_changes *changes, struct err *err)
{
	if (changes->n_plugin == 0)
		return true;
	changes->arena = malloc(sizeof(*changes->arena));
	if (!changes->arena)
		return err_nomem(err);
	arena_init(changes->arena, LIMIT_CONFIG_MEMORY);
	for (uint32_t i = 0; i < changes->n_plugin; i++) {
		struct reload_plugin *rp = &changes->plugin[i];

		if (!start_trial(&app->plugins, changes, rp,
			&settings->plugin[rp->plugin->index], err))
			return false;
	}
	for (uint32_t i = 0; i < changes->n_plugin; i++) {
		struct worker *w = changes->plugin[i].trial->worker;

		if (!supervisor_await(app->supervisor, w, err))
			return err_wrap(err, "plugin '%s' with its new entry",
			    w->plugin->setting->name);
	}
	return true;
}

static void
take_on_worker(struct worker *w, bool configures)
{
	struct err err;

	if (configures && worker_ask_set_config(w, w->plugin->setting->init_config, &err))
		return;
	if (configures)
		log_notice("plugin '%s' is started again: %s", w->plugin->setting->name,
		    err.msg);
	worker_restart(w);
}

void
reload_take_on_plugins(
    struct app *app, struct reload_changes *changes, struct arena **ret_arena)
{
	for (uint32_t i = 0; i < changes->n_plugin; i++) {
		struct reload_plugin *rp = &changes->plugin[i];
		bool configures =
		    rp->only_config && rp->plugin->has_set_config &&
		    same_confinement(rp->plugin->confinement, rp->trial->confinement);
		struct worker *w;

		rp->plugin->setting = rp->trial->setting;
		rp->plugin->profile = rp->trial->profile;
		rp->plugin->confinement = rp->trial->confinement;
		log_notice(configures
			       ? "plugin '%s' is given its new configuration"
			       : "plugin '%s' is started again: its entry has changed",
		    rp->plugin->setting->name);
		TAILQ_FOREACH (w, &app->supervisor->workers, link) {
			if (w->plugin == rp->plugin && w->owner)
				take_on_worker(w, configures);
		}
	}
	*ret_arena = changes->arena;
	changes->arena = NULL;
}

void
reload_changes_release(struct reload_changes *changes)
{
	for (uint32_t i = 0; i < changes->n_plugin; i++) {
		struct plugin *trial = changes->plugin[i].trial;

		if (trial)
			worker_free(trial->worker);
		free(trial);
	}
	if (changes->arena)
		arena_release(changes->arena);
	free(changes->arena);
	*changes = (struct reload_changes){.n_plugin = 0};
}

/* Outputs. */

static void *
finish_outputs(void *arg)
{
	outputs_free(arg);
	return NULL;
}

/* They may wait for a blocked sink: not in the loop's thread. */
static void
retire(struct outputs *o)
{
	sigset_t old;
	pthread_t thread;

	signals_block(&old);
	if (pthread_create(&thread, NULL, finish_outputs, o) == 0)
		pthread_detach(thread);
	else
		outputs_free(o);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void
reload_take_on_outputs(struct app *app, const struct settings *before)
{
	static const char *const key[] = {"stdout_output", "file_output", "syslog_output",
	    "program_output", "http_output", "outputs_queue", "output_timeout",
	    "json_output", "buffered_outputs"};
	const struct conf_node *old = before->root, *now = app->settings->root;
	struct outputs *o;
	bool same = true;
	struct err err;

	for (size_t i = 0; i < sizeof(key) / sizeof(*key); i++)
		same &= same_text(conf_get(old, key[i]), conf_get(now, key[i]));
	if (same)
		return;
	o = outputs_new(app->settings, app->options->unbuffered, &err);
	if (!o) {
		log_error("the outputs stay as they were: %s", err.msg);
		return;
	}
	retire(app->outputs);
	app->outputs = o;
}
