/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/operators.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "broker/metrics.h"
#include "broker/web.h"

struct operators {
	struct app *app;
	struct metrics *metrics;
	struct web *web;
};

struct operators *
operators_new(struct app *app, struct err *err)
{
	struct operators *o = calloc(1, sizeof(*o));

	if (!o) {
		err_nomem(err);
		return NULL;
	}
	o->app = app;
	o->metrics = metrics_new(app, err);
	if (o->metrics && (!app->settings->webserver.enabled ||
			      (o->web = web_new(app, o->metrics, err))))
		return o;
	operators_free(o);
	return NULL;
}

void
operators_free(struct operators *o)
{
	if (!o)
		return;
	web_free(o->web);
	metrics_free(o->metrics);
	free(o);
}

void
operators_ready(struct operators *o)
{
}

void
operators_reloading(struct operators *o)
{
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
	if (before == o->app->settings)
		return;
	metrics_reload(o->metrics);
	renew_web(o, before);
}

void
operators_stopping(struct operators *o)
{
}
