/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/run/run.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "broker/operators/operators.h"
#include "broker/operators/own_alert.h"
#include "broker/operators/statistics.h"
#include "broker/pipeline/pipeline.h"
#include "broker/run/capture.h"
#include "broker/run/generation.h"
#include "broker/run/progress.h"
#include "broker/run/reload.h"
#include "broker/run/replay.h"
#include "broker/supervisor/supervisor.h"
#include "broker/tables/tables.h"

/* What processing needs besides the app: signals, and buffers that alerts are made in. */
struct run {
	struct app *app;
	struct event *on_int, *on_term, *on_usr1, *on_hup;
	struct event *on_alerts; /* some were made in this turn of the loop */
	struct buf line, scratch;
	struct alert_options alert;
	char hostname[256];
	uint32_t n_running;
	bool ended;
	struct err err;
	uint64_t started_ns;
	struct reload *reload;
	struct replay *replay; /* events come from a file; or NULL */
};

/* Alerts. */

/* Outputs are woken once for all alerts of a turn of the loop. */
static void
put_alert(struct run *r, enum priority priority, struct buf *line)
{
	outputs_put(r->app->outputs, priority, buf_str(line), line->len);
	if (!event_pending(r->on_alerts, EV_TIMEOUT, NULL))
		event_active(r->on_alerts, EV_TIMEOUT, 0);
}

static void
on_alerts(int fd, short what, void *arg)
{
	const struct run *r = arg;

	outputs_flush(r->app->outputs);
}

static void
on_match(
    struct pipeline *p, const struct rule *rule, const struct event_view *view, void *arg)
{
	struct app_source *as = arg;
	struct run *r = as->app->run;

	statistics_count(as->generation->index, rule);
	buf_clear(&r->line);
	if (r->app->show_match)
		r->app->show_match(r->app, rule, view, &r->line, &r->scratch);
	else if (r->app->settings->json_output)
		alert_json(rule, view, &r->alert, &r->scratch, &r->line);
	else
		alert_text(rule, view, &r->alert, &r->scratch, &r->line);
	put_alert(r, rule->priority, &r->line);
}

/* Does the failure of this pipeline end the run? Its source's does not when its policy
 * says "required: false"; a helper's got here only because that one is required. */
static bool
ends_the_run(const struct pipeline *p)
{
	bool is_needed = p->worker->worker->plugin->profile->required;

	for (uint32_t i = 1; i < p->n_worker; i++)
		is_needed |=
		    p->worker[i].gone && p->worker[i].worker->plugin->profile->required;
	return p->state == PIPELINE_FAILED && is_needed;
}

/* One source's end is the run's only when it was the last, or failed and is needed. */
static void
on_pipeline_ended(struct pipeline *p, void *arg)
{
	struct app_source *as = arg;
	struct run *r = as->app->run;

	r->n_running--;
	if (ends_the_run(p) && r->err.code == ERR_NONE) {
		r->err = p->err;
		if (r->n_running > 0)
			log_error("An error occurred in an event source, forcing "
				  "termination...");
	} else if (p->state == PIPELINE_FAILED && r->n_running > 0) {
		log_error("%s: the other sources go on, for its plugin is not required",
		    p->err.msg);
	}
	if (r->n_running == 0 || ends_the_run(p)) {
		r->ended = true;
		event_base_loopbreak(r->app->supervisor->base);
	} else if (r->replay) {
		replay_fed(r->replay);
	}
}

static void
on_pipeline_revived(struct pipeline *p, void *arg)
{
	struct app_source *as = arg;

	as->app->run->n_running++;
}

static void
on_fed(struct pipeline *p, void *arg)
{
	struct app_source *as = arg;

	replay_fed(as->app->run->replay);
}

static void
on_replay_ended(struct app *app, const struct err *err)
{
	struct run *r = app->run;

	if (err && r->err.code == ERR_NONE)
		r->err = *err;
	r->ended = true;
	event_base_loopbreak(app->supervisor->base);
}

/* Signals. */

static void
on_stop_signal(int fd, short what, void *arg)
{
	struct run *r = arg;

	log_info("%s received, exiting...", fd == SIGINT ? "SIGINT" : "SIGTERM");
	r->ended = true;
	event_base_loopbreak(r->app->supervisor->base);
}

/* Done between turns of the loop: it waits for trial workers, which needs the loop. */
static void
on_reload_signal(int fd, short what, void *arg)
{
	struct run *r = arg;

	reload_ask(r->reload);
}

static void
on_reopen_signal(int fd, short what, void *arg)
{
	struct run *r = arg;

	log_info("SIGUSR1 received, reopening outputs...");
	outputs_reopen(r->app->outputs);
}

static bool
watch_signals(struct run *r, struct err *err)
{
	struct event_base *base = r->app->supervisor->base;

	r->on_int = evsignal_new(base, SIGINT, on_stop_signal, r);
	r->on_term = evsignal_new(base, SIGTERM, on_stop_signal, r);
	r->on_usr1 = evsignal_new(base, SIGUSR1, on_reopen_signal, r);
	r->on_hup = evsignal_new(base, SIGHUP, on_reload_signal, r);
	r->on_alerts = evtimer_new(base, on_alerts, r);
	if (!r->on_alerts || !r->on_int || !r->on_term || !r->on_usr1 || !r->on_hup ||
	    event_add(r->on_int, NULL) < 0 || event_add(r->on_term, NULL) < 0 ||
	    event_add(r->on_usr1, NULL) < 0 || event_add(r->on_hup, NULL) < 0)
		return err_nomem(err);
	return true;
}

/* How alerts look, as the settings are now. */
void
run_read_settings(struct app *app)
{
	const struct settings *s = app->settings;
	struct run *r = app->run;

	r->alert = (struct alert_options){
	    .json_include_output = s->json_include_output,
	    .json_include_tags = s->json_include_tags,
	    .json_include_output_fields = s->json_include_output_fields,
	    .json_include_message = s->json_include_message,
	    .time_iso8601 = s->time_iso8601,
	    .hostname = r->hostname,
	    .utc_offset_s = clock_utc_offset_s,
	};
	for (uint32_t i = 0; i < app->n_source; i++) {
		if (app->source[i].pipeline)
			capture_prepare(app->capture, &app->source[i]);
	}
}

void
run_hostname(const struct app *app, char *out, size_t size)
{
	snprintf(out, size, "%s", app->run->hostname);
}

void
run_own_alert(struct app *app, const char *rule, enum priority priority, const char *msg,
    struct own_fields *fields)
{
	const struct own_alert alert = {
	    .rule = rule,
	    .msg = msg,
	    .priority = priority,
	    .ts_ns = clock_wall_ns(),
	    .hostname = app->run->hostname,
	    .utc_offset_s = clock_utc_offset_s(),
	};
	struct buf line;

	buf_init(&line, LIMIT_OUTPUT_LINE_BYTES);
	own_alert_line(&alert, fields, app->settings->json_output, &line);
	if (!line.failed)
		put_alert(app->run, priority, &line);
	buf_release(&line);
}

static struct run *
run_new(struct app *app, struct err *err)
{
	struct run *r = calloc(1, sizeof(*r));
	const char *given = getenv("FALCO_HOSTNAME");

	if (!r) {
		err_nomem(err);
		return NULL;
	}
	app->run = r;
	r->app = app;
	buf_init(&r->line, LIMIT_OUTPUT_LINE_BYTES);
	buf_init(&r->scratch, LIMIT_OUTPUT_LINE_BYTES);
	if (given)
		snprintf(r->hostname, sizeof(r->hostname), "%s", given);
	else
		gethostname(r->hostname, sizeof(r->hostname) - 1);
	if (given)
		log_info(
		    "Hostname value has been overridden via environment variable to: %s",
		    given);
	run_read_settings(app);
	app->statistics = statistics_new(err);
	if (app->statistics)
		r->reload = reload_new(app, err);
	return r->reload && watch_signals(r, err) ? r : NULL;
}

struct reload *
run_reload(const struct app *app)
{
	return app->run->reload;
}

struct eval_config
run_eval_config(const struct app *app)
{
	return (struct eval_config){
	    .utc_offset_s = clock_utc_offset_s,
	    .hostname = app->run->hostname,
	    .plain = app->settings->plain_evaluator,
	};
}

static bool
start_pipeline(struct run *r, struct app_source *as, struct err *err)
{
	struct app *app = r->app;
	const struct eval_config config = run_eval_config(app);
	const struct pipeline_sink sink = {.match = on_match,
	    .window = capture_on_window,
	    .state = capture_on_state,
	    .state_told = capture_on_state_told,
	    .fed = on_fed,
	    .replaced = reload_on_replaced,
	    .ended = on_pipeline_ended,
	    .revived = on_pipeline_revived,
	    .arg = as};

	as->pipeline =
	    pipeline_new(app->supervisor, loader_ruleset(app->loader, as->source->index),
		&config, as->origin, as->helper, as->n_helper, &sink, err);
	if (!as->pipeline)
		return false;
	as->pipeline->is_fed = run_is_replay(app);
	if (!run_is_replay(app) && app->options->max_time_s > 0)
		as->pipeline->max_time_ns =
		    (uint64_t)app->options->max_time_s * 1000000000u;
	if (!run_is_replay(app) && app->max_events > 0)
		as->pipeline->max_events = app->max_events;
	capture_prepare(app->capture, as);
	r->n_running++;
	if (!pipeline_start(as->pipeline, err))
		return false;
	capture_started(app->capture, as);
	return true;
}

static bool
open_source(struct run *r, struct app_source *as, struct err *err)
{
	const struct settings *s = r->app->settings;

	reload_adopt(r->reload, as);
	if (run_is_replay(r->app))
		return start_pipeline(r, as, err);
	if (as->origin)
		log_info("Opening '%s' source with plugin '%s'", as->source->name,
		    as->origin->plugin->name);
	else
		log_info("Opening 'syscall' source with no driver");
	if (!as->origin && as->n_helper == 0) {
		/* Nothing feeds system calls here; the source stays open. */
		r->n_running++;
		return true;
	}
	if (s->libs_logger_enabled && s->libs_logger_severity >= 6)
		log_info("[libs]: Trying to open the right engine!");
	return start_pipeline(r, as, err);
}

/* All of them; events of a replay begin when all are there. */
static bool
open_sources(struct run *r, struct err *err)
{
	struct app *app = r->app;

	if (run_is_replay(app) && !(r->replay = replay_open(app, on_replay_ended, err)))
		return false;
	/* A source may end while the next one is being opened: that is not yet the end.
	 */
	r->n_running = 1;
	for (uint32_t i = 0; i < app->n_source; i++) {
		bool is_open = app->source[i].enabled || run_is_replay(app);
		if (is_open && !open_source(r, &app->source[i], err))
			return false;
	}
	capture_all_started(app->capture);
	if (r->replay)
		replay_start(r->replay);
	else if (--r->n_running == 0)
		r->ended = true;
	return true;
}

static void
print_elapsed(const struct run *r)
{
	double seconds = (double)(clock_mono_ns() - r->started_ns) / 1e9;

	if (r->replay) {
		uint64_t n = replay_events(r->replay);
		fprintf(stderr, "Elapsed time: %.3f, Captured Events: %llu, %.2f eps\n",
		    seconds, (unsigned long long)n,
		    seconds > 0 ? (double)n / seconds : 0.0);
		return;
	}
	for (uint32_t i = 0; i < r->app->n_source; i++) {
		const struct pipeline *p = r->app->source[i].pipeline;
		if (p)
			fprintf(stderr,
			    "(%s) Elapsed time: %.3f, Captured Events: %llu, %.2f eps\n",
			    p->name, seconds, (unsigned long long)p->counts.events,
			    seconds > 0 ? (double)p->counts.events / seconds : 0.0);
	}
}

enum step_rc
step_process_events(struct app *app, struct err *err)
{
	struct progress *progress;
	struct run *r;

	if (app->options->dry_run)
		return STEP_END;
	r = run_new(app, err);
	if (!r)
		return STEP_FAILED;
	app->capture = capture_new(app, err);
	if (!app->capture)
		return STEP_FAILED;
	app->operators = operators_new(app, err);
	if (!app->operators)
		return STEP_FAILED;
	run_log_sources(app);
	r->started_ns = clock_mono_ns();
	if (!open_sources(r, err))
		return STEP_FAILED;
	operators_ready(app->operators);
	progress = progress_new(app);
	while (!r->ended && app->supervisor->fatal.code == ERR_NONE) {
		if (event_base_loop(app->supervisor->base, EVLOOP_ONCE) < 0)
			break;
		if (reload_is_asked(r->reload) && !r->ended)
			reload_run(r->reload);
		if (reload_wants_restart(r->reload))
			r->ended = app->starts_again = true;
	}
	progress_free(progress);
	if (app->options->verbose)
		print_elapsed(r);
	if (r->err.code == ERR_NONE && app->supervisor->fatal.code != ERR_NONE)
		r->err = app->supervisor->fatal;
	*err = r->err;
	return r->err.code == ERR_NONE ? STEP_END : STEP_FAILED;
}

/* How long stopping may take before workers are killed: the longest of their deadlines.
 */
static uint32_t
stop_deadline_ms(const struct app *app)
{
	uint32_t ms = 1000;

	for (uint32_t i = 0; i < app->plugins.n; i++) {
		uint32_t close_ms = app->plugins.plugin[i].profile->limits.close_ms;
		if (close_ms > ms)
			ms = close_ms;
	}
	return ms < 10000 ? ms : 10000;
}

void
run_stop(struct app *app)
{
	operators_stopping(app->operators);
	if (app->run && app->run->replay)
		replay_stop(app->run->replay);
	if (app->supervisor)
		supervisor_stop(app->supervisor, stop_deadline_ms(app));
	/* Events that were on their way are in the file, too. */
	if (app->capture)
		capture_stop(app->capture);
}

void
run_print_statistics(struct app *app)
{
	if (app->statistics)
		statistics_print(app->statistics);
}

void
run_release(struct app *app)
{
	struct run *r = app->run;

	operators_free(app->operators);
	for (uint32_t i = 0; i < app->n_source; i++) {
		pipeline_free(app->source[i].pipeline);
		table_registry_free(app->source[i].tables);
		free(app->source[i].helper);
	}
	table_registry_free(app->tables);
	capture_free(app->capture);
	free(app->source);
	if (r)
		reload_free(r->reload);
	statistics_free(app->statistics);
	if (!r)
		return;
	replay_free(r->replay);
	if (r->on_hup)
		event_free(r->on_hup);
	if (r->on_int)
		event_free(r->on_int);
	if (r->on_alerts)
		event_free(r->on_alerts);
	if (r->on_term)
		event_free(r->on_term);
	if (r->on_usr1)
		event_free(r->on_usr1);
	buf_release(&r->line);
	buf_release(&r->scratch);
	free(r);
}
