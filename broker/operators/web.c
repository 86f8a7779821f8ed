/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/operators/web.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/log.h"
#include "broker/app/actions.h"
#include "broker/http/http.h"
#include "broker/operators/health.h"
#include "broker/operators/metrics.h"
#include "broker/supervisor/supervisor.h"

struct web {
	struct app *app;
	const struct metrics *metrics;
	char *healthz; /* its path */
	struct http_server *server;
};

static bool
serve_metrics(struct web *w, struct http_answer *a)
{
	const struct settings *s = w->app->settings;

	if (!s->metrics.enabled || !s->webserver.prometheus_metrics_enabled)
		return false;
	a->type = "text/plain; version=0.0.4";
	metrics_prometheus(w->metrics, &a->body);
	return true;
}

static bool
page(const char *path, struct http_answer *a, void *arg)
{
	struct web *w = arg;
	struct json_writer j;

	if (strcmp(path, "/metrics") == 0)
		return serve_metrics(w, a);
	a->type = "application/json";
	if (strcmp(path, w->healthz) == 0) {
		buf_adds(&a->body, "{\"status\": \"ok\"}");
	} else if (strcmp(path, "/readyz") == 0) {
		a->status = health_json(w->app, &a->body) ? 200 : 503;
		buf_addc(&a->body, '\n');
	} else if (strcmp(path, "/versions") == 0) {
		json_init(&j, &a->body);
		action_versions_json(&j, &w->app->plugins);
	} else {
		return false;
	}
	return true;
}

struct web *
web_new(struct app *app, const struct metrics *metrics, struct err *err)
{
	const struct webserver_settings *s = &app->settings->webserver;
	struct web *w = calloc(1, sizeof(*w));
	struct err why;

	if (!w || !(w->healthz = strdup(s->k8s_healthz_endpoint))) {
		free(w);
		err_nomem(err);
		return NULL;
	}
	w->app = app;
	w->metrics = metrics;
	log_info("Starting health webserver with threadiness %ld, listening on %s:%u%s",
	    s->threadiness ? (long)s->threadiness : sysconf(_SC_NPROCESSORS_ONLN),
	    s->listen_address, s->listen_port, s->ssl_enabled ? " (SSL)" : "");
	w->server = http_server_new(app->supervisor->base, s->listen_address,
	    s->listen_port, s->ssl_enabled ? s->ssl_certificate : NULL, page, w, &why);
	if (w->server)
		return w;
	err_set(err, why.code, "an error occurred while starting webserver: %s", why.msg);
	web_free(w);
	return NULL;
}

void
web_free(struct web *w)
{
	if (!w)
		return;
	http_server_free(w->server);
	free(w->healthz);
	free(w);
}
