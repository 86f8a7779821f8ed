/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf/conf.h"
#include "base/limits.h"
#include "base/log.h"
#include "broker/app/version.h"
#include "broker/keeper/keeper.h"
#include "broker/operators/ctl_internal.h"
#include "broker/operators/health.h"
#include "broker/operators/metrics_internal.h"
#include "broker/operators/statistics.h"
#include "broker/pipeline/pipeline.h"
#include "broker/run/reload.h"
#include "broker/run/run.h"
#include "broker/supervisor/supervisor.h"
#include "rules/time_text.h"

static void
add_text(struct json_writer *w, const char *key, const char *value)
{
	json_key(w, key);
	json_str(w, value);
}

static void
add_u64(struct json_writer *w, const char *key, uint64_t value)
{
	json_key(w, key);
	json_u64(w, value);
}

bool
ctl_help(
    struct ctl_client *c, const char *argument, struct json_writer *w, struct err *err)
{
	static const struct {
		const char *name, *argument, *text;
	} row[] = {
#define CTL_ROW(function, name, argument, text) {name, argument, text},
	    CTL_COMMANDS(CTL_ROW)
#undef CTL_ROW
	};

	json_key(w, "commands");
	json_begin_array(w);
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		json_begin_object(w);
		add_text(w, "name", row[i].name);
		add_text(w, "argument", row[i].argument);
		add_text(w, "text", row[i].text);
		json_end_object(w);
	}
	json_end_array(w);
	return true;
}

static void
add_sink(struct json_writer *w, const struct outputs_sink *sink)
{
	json_begin_object(w);
	add_text(w, "name", sink->name);
	add_u64(w, "delivered", sink->delivered);
	add_u64(w, "waiting", sink->depth);
	add_u64(w, "spooled_bytes", sink->spooled_bytes);
	json_key(w, "lost");
	json_begin_object(w);
	for (int why = 0; why < OUTPUTS_LOSS_N; why++) {
		if (sink->lost[why])
			add_u64(w, outputs_loss_name((enum outputs_loss)why),
			    sink->lost[why]);
	}
	json_end_object(w);
	json_end_object(w);
}

static void
add_outputs(const struct app *app, struct json_writer *w)
{
	struct outputs_counts c;
	struct outputs_sink sink;

	outputs_counts(app->outputs, &c);
	json_key(w, "outputs");
	json_begin_object(w);
	add_u64(w, "queued", c.queued);
	add_u64(w, "delivered", c.delivered);
	add_u64(w, "waiting", c.depth);
	add_u64(w, "dropped", c.dropped);
	add_u64(w, "failed", c.failed);
	json_key(w, "sinks");
	json_begin_array(w);
	for (uint32_t i = 0; outputs_sink(app->outputs, i, &sink); i++)
		add_sink(w, &sink);
	json_end_array(w);
	json_end_object(w);
}

static void
add_reload(const struct app *app, struct json_writer *w)
{
	struct reload_result r = reload_last(run_reload(app));
	char when[64];

	json_key(w, "reloads");
	json_begin_object(w);
	add_u64(w, "number", r.number);
	if (r.number > 0) {
		time_text_iso8601(when, sizeof(when), r.ended_wall_ns, "Z");
		add_text(w, "last", when);
		json_key(w, "last_succeeded");
		json_bool(w, r.failure[0] == '\0');
		add_text(w, "error", r.failure);
	}
	json_end_object(w);
}

static void
add_pipeline(const struct app_source *as, struct json_writer *w)
{
	const struct pipeline_counts *k = &as->pipeline->counts;

	json_begin_object(w);
	add_text(w, "source", as->source->name);
	json_key(w, "ready");
	json_bool(w, health_source_is_ready(as));
	add_u64(w, "events", k->events);
	add_u64(w, "matches", k->matches);
	add_u64(w, "rules", as->pipeline->rules->n_rule);
	json_key(w, "rules_pending");
	json_bool(w, as->pipeline->swap.next != NULL);
	/* Of a source that has an end and tells it. */
	if (as->pipeline->progress > 1)
		add_u64(w, "progress_percent", (as->pipeline->progress - 1) / 100);
	json_end_object(w);
}

bool
ctl_status(
    struct ctl_client *c, const char *argument, struct json_writer *w, struct err *err)
{
	const struct app *app = c->ctl->app;
	struct buf health;

	add_text(w, "version", MEWS_VERSION);
	add_text(w, "falco_version", MEWS_FALCO_VERSION);
	add_u64(w, "pid", (uint64_t)keeper_pid());
	add_u64(w, "uptime_s", (clock_mono_ns() - c->ctl->started_ns) / 1000000000);
	buf_init(&health, LIMIT_TEXT_BYTES * 4);
	health_json(app, &health);
	json_key(w, "health");
	json_raw(w, buf_str(&health), health.len);
	buf_release(&health);
	json_key(w, "pipelines");
	json_begin_array(w);
	for (uint32_t i = 0; i < app->n_source; i++) {
		if (app->source[i].pipeline)
			add_pipeline(&app->source[i], w);
	}
	json_end_array(w);
	add_u64(w, "alerts", statistics_total(app->statistics));
	add_outputs(app, w);
	add_reload(app, w);
	return true;
}

/* The bound of the bucket that holds the 99th of a hundred; 0: none was measured. */
static uint64_t
latency_p99_us(const struct worker_latency *l)
{
	uint64_t all = 0, sum = 0;

	for (uint32_t i = 0; i < WORKER_LATENCY_BUCKETS; i++)
		all += l->bucket[i];
	for (uint32_t i = 0; i < WORKER_LATENCY_BUCKETS && all > 0; i++) {
		sum += l->bucket[i];
		if (sum * 100 >= all * 99)
			return worker_latency_us[i] ? worker_latency_us[i]
						    : worker_latency_us[i - 1];
	}
	return 0;
}

static void
add_worker(const struct worker *w, struct json_writer *j)
{
	struct process_usage u = {0};

	if (w->alive)
		process_usage(w->pid, &u);
	json_begin_object(j);
	add_text(j, "plugin", w->plugin->setting->name);
	add_text(j, "source", w->source);
	add_text(j, "state", worker_state_name(w->state));
	add_u64(j, "pid", w->alive ? (uint64_t)w->pid : 0);
	add_u64(j, "launches", w->counts.launches);
	add_u64(j, "crashes", w->counts.crashes);
	add_u64(j, "breaches", w->counts.breaches);
	add_u64(j, "deadlines", w->counts.deadlines);
	add_u64(j, "cpu_ms", (uint64_t)(u.cpu_s * 1000));
	add_u64(j, "rss_bytes", u.rss_bytes);
	add_u64(j, "frames", w->counts.frames);
	add_u64(j, "extracts", w->counts.extracts);
	add_u64(j, "extract_p99_us", latency_p99_us(&w->counts.latency));
	add_u64(j, "denials", w->counts.denials);
	add_u64(j, "log_dropped", w->counts.log_dropped);
	if (w->doom.code != ERR_NONE)
		add_text(j, "last_end", w->doom.msg);
	json_end_object(j);
}

bool
ctl_plugins(
    struct ctl_client *c, const char *argument, struct json_writer *w, struct err *err)
{
	const struct worker *worker;

	json_key(w, "workers");
	json_begin_array(w);
	TAILQ_FOREACH (worker, &c->ctl->app->supervisor->workers, link) {
		if (worker->owner)
			add_worker(worker, w);
	}
	json_end_array(w);
	return true;
}

bool
ctl_restart(
    struct ctl_client *c, const char *argument, struct json_writer *w, struct err *err)
{
	struct worker *worker;
	uint64_t n = 0;

	TAILQ_FOREACH (worker, &c->ctl->app->supervisor->workers, link) {
		if (!worker->owner ||
		    strcmp(worker->plugin->setting->name, argument) != 0)
			continue;
		worker_restart(worker);
		n++;
	}
	add_u64(w, "workers", n);
	return n > 0 ||
	       err_set(err, ERR_USAGE, "no running plugin has the name '%s'", argument);
}

bool
ctl_reload(
    struct ctl_client *c, const char *argument, struct json_writer *w, struct err *err)
{
	c->waits_reload = true;
	reload_ask(run_reload(c->ctl->app));
	return true;
}

static void
add_drop(struct json_writer *w, const char *what, const char *where, const char *why,
    uint64_t n)
{
	json_begin_object(w);
	add_text(w, "what", what);
	add_text(w, "where", where);
	add_text(w, "why", why);
	add_u64(w, "count", n);
	json_end_object(w);
}

bool
ctl_drops(
    struct ctl_client *c, const char *argument, struct json_writer *w, struct err *err)
{
	const struct app *app = c->ctl->app;
	const struct worker *worker;
	struct outputs_sink sink;

	json_key(w, "drops");
	json_begin_array(w);
	for (uint32_t i = 0; outputs_sink(app->outputs, i, &sink); i++) {
		for (int why = 0; why < OUTPUTS_LOSS_N; why++)
			add_drop(w, "alert", sink.name,
			    outputs_loss_text((enum outputs_loss)why), sink.lost[why]);
	}
	for (uint32_t i = 0; i < app->n_source; i++) {
		const struct app_source *as = &app->source[i];
		const struct pipeline_counts *k;
		if (!as->pipeline)
			continue;
		k = &as->pipeline->counts;
		add_drop(w, "event", as->source->name, "too large", k->dropped_large);
		add_drop(w, "field", as->source->name,
		    "nobody could give it (of a whole chunk)", k->missing_columns);
		add_drop(w, "field", as->source->name,
		    "the event ended an extractor twice", k->poison_events);
	}
	TAILQ_FOREACH (worker, &app->supervisor->workers, link) {
		if (worker->owner)
			add_drop(w, "log line", worker->plugin->setting->name,
			    "more than log_lines_per_s", worker->counts.log_dropped);
	}
	add_drop(w, "log line", "syslog", "it is not there, or full", log_syslog_lost());
	add_drop(w, "log line", "standard error", "nobody reads it", log_stderr_lost());
	json_end_array(w);
	return true;
}

/* What came of its connections, where anything was refused. */
static void
add_refused(struct json_writer *w, const struct worker *worker)
{
	for (int i = 0; i < EGRESS_N_REASONS; i++) {
		if (worker->egress.refused[i] == 0)
			continue;
		json_begin_object(w);
		add_text(w, "plugin", worker->plugin->setting->name);
		add_text(w, "source", worker->source);
		add_text(w, "reason", egress_reason_label((enum egress_reason)i));
		add_text(w, "what", egress_reason_text((enum egress_reason)i));
		add_u64(w, "count", worker->egress.refused[i]);
		json_end_object(w);
	}
}

bool
ctl_denials(
    struct ctl_client *c, const char *argument, struct json_writer *w, struct err *err)
{
	const struct worker *worker;

	json_key(w, "denials");
	json_begin_array(w);
	TAILQ_FOREACH (worker, &c->ctl->app->supervisor->workers, link) {
		for (uint32_t i = 0; i < worker->n_denial; i++) {
			const struct worker_denial *d = &worker->denial[i];
			json_begin_object(w);
			add_text(w, "plugin", worker->plugin->setting->name);
			add_text(w, "source", worker->source);
			add_text(w, "what", d->what);
			add_text(w, "allow_with", d->allow_with);
			add_u64(w, "count", d->count);
			json_end_object(w);
		}
	}
	json_end_array(w);
	json_key(w, "egress");
	json_begin_array(w);
	TAILQ_FOREACH (worker, &c->ctl->app->supervisor->workers, link)
		add_refused(w, worker);
	json_end_array(w);
	return true;
}

bool
ctl_dump_config(
    struct ctl_client *c, const char *argument, struct json_writer *w, struct err *err)
{
	struct buf text;

	buf_init(&text, LIMIT_WEB_ANSWER_BYTES / 2);
	conf_json(c->ctl->app->settings->root, &text);
	json_key(w, "config");
	json_raw(w, buf_str(&text), text.len);
	buf_release(&text);
	return true;
}
