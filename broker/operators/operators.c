/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/operators/operators.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "broker/operators/ctl.h"
#include "broker/operators/health.h"
#include "broker/operators/metrics.h"
#include "broker/operators/notify.h"
#include "broker/operators/statistics.h"
#include "broker/operators/watch.h"
#include "broker/operators/web.h"
#include "broker/pipeline/pipeline.h"
#include "broker/run/reload.h"
#include "broker/run/run.h"
#include "broker/supervisor/supervisor.h"

struct operators {
	struct app *app;
	struct metrics *metrics;
	struct web *web;
	struct ctl *ctl;       /* NULL: no socket */
	struct watch *watch;   /* NULL: no files are watched */
	struct notify *notify; /* NULL: nobody wants to be told */
};

/* The line of "systemctl status". */
static void
status(char *out, unsigned long size, void *arg)
{
	const struct operators *o = arg;
	const struct app *app = o->app;
	uint32_t n = 0, ready = 0;
	uint64_t events = 0;

	for (uint32_t i = 0; i < app->n_source; i++) {
		const struct app_source *as = &app->source[i];
		n += as->enabled;
		ready += as->enabled && health_source_is_ready(as);
		events += as->pipeline ? as->pipeline->counts.events : 0;
	}
	snprintf(out, size, "%u of %u sources ready, %llu events, %llu alerts", ready, n,
	    (unsigned long long)events,
	    (unsigned long long)statistics_total(app->statistics));
}

static void
on_changed(void *arg)
{
	const struct operators *o = arg;

	reload_ask(run_reload(o->app));
}

/* Watches are by inode: they are made anew for the files that there are now. */
static void
watch_files(struct operators *o)
{
	const struct settings *s = o->app->settings;
	struct err err;

	watch_free(o->watch);
	o->watch = NULL;
	if (!s->watch_config_files || s->n_file == 0)
		return;
	o->watch = watch_new(o->app->supervisor->base, s, on_changed, o, &err);
	if (!o->watch)
		log_warning("changes of files are not noticed: %s", err.msg);
}

/* Without a configuration there is nothing to control: one plugin, run by hand. */
static void
open_ctl(struct operators *o)
{
	char path[4096];
	struct err err;

	if (o->app->settings->n_file == 0 ||
	    !ctl_path(o->app->settings, path, sizeof(path)))
		return;
	o->ctl = ctl_new(o->app, path, &err);
	if (o->ctl)
		return;
	/* Two of us may run with the default path; who asks for one wants it. */
	if (conf_get(o->app->settings->sandbox, "ctl_socket"))
		log_notice("no control socket: %s", err.msg);
	else
		log_debug("no control socket: %s (sandbox.ctl_socket names it)", err.msg);
}

struct ctl *
operators_ctl(struct operators *o)
{
	return o->ctl;
}

struct operators *
operators_new(struct app *app, struct err *err)
{
	struct operators *o = calloc(1, sizeof(*o));
	struct err why;

	if (!o) {
		err_nomem(err);
		return NULL;
	}
	o->app = app;
	o->metrics = metrics_new(app, err);
	if (!o->metrics || (app->settings->webserver.enabled &&
			       !(o->web = web_new(app, o->metrics, err)))) {
		operators_free(o);
		return NULL;
	}
	open_ctl(o);
	o->notify = notify_new(app->supervisor->base, status, o, &why);
	if (!o->notify && why.code != ERR_NONE)
		log_warning("systemd is not told anything: %s", why.msg);
	return o;
}

void
operators_free(struct operators *o)
{
	if (!o)
		return;
	notify_free(o->notify);
	watch_free(o->watch);
	ctl_free(o->ctl);
	web_free(o->web);
	metrics_free(o->metrics);
	free(o);
}

void
operators_ready(struct operators *o)
{
	watch_files(o);
	notify_ready(o->notify);
}

void
operators_reloading(struct operators *o)
{
	notify_reloading(o->notify);
}

static bool
same_web(const struct webserver_settings *a, const struct webserver_settings *b)
{
	return a->enabled == b->enabled && a->ssl_enabled == b->ssl_enabled &&
	       a->listen_port == b->listen_port &&
	       strcmp(a->listen_address, b->listen_address) == 0 &&
	       strcmp(a->k8s_healthz_endpoint, b->k8s_healthz_endpoint) == 0 &&
	       strcmp(a->ssl_certificate, b->ssl_certificate) == 0;
}

/* A certificate may have been renewed under its name: then the listener is new too. */
static void
renew_web(struct operators *o, const struct settings *before)
{
	const struct webserver_settings *now = &o->app->settings->webserver;
	struct err err;

	if (same_web(&before->webserver, now) && !now->ssl_enabled)
		return;
	web_free(o->web);
	o->web = NULL;
	if (now->enabled && !(o->web = web_new(o->app, o->metrics, &err)))
		log_error("%s", err.msg);
}

void
operators_reloaded(struct operators *o, const struct settings *before)
{
	if (before != o->app->settings) {
		metrics_reload(o->metrics);
		renew_web(o, before);
	}
	watch_files(o);
	ctl_reloaded(o->ctl);
	notify_ready(o->notify);
}

void
operators_stopping(struct operators *o)
{
	/* One that starts again goes on reloading. */
	if (o && !o->app->starts_again)
		notify_stopping(o->notify);
}
