/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/run/capture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "broker/keeper/keeper.h"
#include "broker/operators/own_alert.h"
#include "broker/pipeline/pipeline.h"
#include "broker/run/run.h"
#include "proto/plugin_api.h"

struct capture_source {
	struct capture_file *file; /* around a match; NULL: none */
	uint64_t deadline_ns, max_bytes;
	/* Which files wait for what the plugins of this source tell of their state. */
	bool file_wants_state, all_wants_state;
	/* The file has begun while they told it, and wants all of it: once more. */
	bool file_waits;
};

struct capture {
	struct app *app;
	struct capture_writer *writer;
	struct capture_file *all; /* of --write; NULL: none */
	uint32_t n_untold;        /* what "all" waits for: sources, and that all run */
	struct capture_source *source;
	uint8_t *scratch;     /* LIMIT_EVENT_BYTES: an event with a time */
	uint64_t unavailable; /* events that did not come along */
	uint64_t told_failed_ns;
};

static struct capture_source *
source_of(const struct app_source *as)
{
	return &as->app->capture->source[as->source->index];
}

/* Life. */

struct capture *
capture_new(struct app *app, struct err *err)
{
	struct capture *c = calloc(1, sizeof(*c));
	/* Then what was written before stays. */
	bool is_again = getenv(KEEPER_STARTED_AGAIN) != NULL;

	unsetenv(KEEPER_STARTED_AGAIN);
	if (!c) {
		err_nomem(err);
		return NULL;
	}
	c->app = app;
	c->n_untold = 1;
	c->source = calloc(app->n_source, sizeof(*c->source));
	c->scratch = malloc(LIMIT_EVENT_BYTES);
	if (!c->source || !c->scratch)
		err_nomem(err);
	else if ((c->writer = capture_writer_new(err)) && !app->write_path)
		return c;
	/* Here nothing happens yet that could be held up. */
	if (c->writer &&
	    (c->all = capture_file_open(c->writer, app->write_path, 0,
		 CAPTURE_AWAITS_STATE | (is_again ? CAPTURE_APPENDS : 0), err))) {
		if (capture_writer_drain(c->writer) &&
		    capture_file_state(c->all) == CAPTURE_OPEN)
			return c;
		err_set(
		    err, ERR_SYS, "Could not write the capture file %s", app->write_path);
	}
	capture_free(c);
	return NULL;
}

void
capture_free(struct capture *c)
{
	if (!c)
		return;
	capture_writer_free(c->writer);
	free(c->source);
	free(c->scratch);
	free(c);
}

void
capture_counts(struct capture *c, struct capture_counts *ret_counts)
{
	capture_writer_counts(c->writer, ret_counts);
	ret_counts->dropped_large += c->unavailable;
}

void
capture_prepare(struct capture *c, struct app_source *as)
{
	const struct settings *s = c->app->settings;

	as->pipeline->keep = c->all || (s->capture_enabled && s->capture_all_rules)
				 ? PIPELINE_KEEPS_ALL
			     : s->capture_enabled ? PIPELINE_KEEPS_FOR_RULES
						  : PIPELINE_KEEPS_NONE;
}

void
capture_started(struct capture *c, struct app_source *as)
{
	if (!c->all || !pipeline_dump_state(as->pipeline))
		return;
	source_of(as)->all_wants_state = true;
	c->n_untold++;
}

static void
all_was_told(struct capture *c)
{
	if (--c->n_untold == 0 && c->all)
		capture_file_state_told(c->all);
}

void
capture_all_started(struct capture *c)
{
	all_was_told(c);
}

/* One file. */

static void
alert_of_size(const struct capture *c, uint64_t max_bytes, uint64_t bytes)
{
	struct own_fields fields;

	own_fields_init(&fields);
	own_fields_u64(&fields, "max_file_size_mb", max_bytes >> 20);
	own_fields_u64(&fields, "written_bytes", bytes);
	run_own_alert(c->app, OWN_ALERT_CAPTURE_FULL, PRIORITY_INFORMATIONAL,
	    OWN_ALERT_CAPTURE_FULL, &fields);
	own_fields_release(&fields);
}

static void
end_file(struct capture *c, struct capture_source *cs)
{
	if (capture_file_state(cs->file) == CAPTURE_FULL)
		alert_of_size(c, cs->max_bytes, capture_file_bytes(cs->file));
	capture_file_close(cs->file);
	cs->file = NULL;
	cs->file_wants_state = cs->file_waits = false;
}

/* At most once a second: a full disk fails every match. */
static void
complain(struct capture *c, const struct err *err)
{
	uint64_t now = clock_mono_ns();

	if (c->told_failed_ns != 0 && now - c->told_failed_ns < 1000000000u)
		return;
	c->told_failed_ns = now;
	log_error("no capture: %s", err->msg);
}

static void
begin_file(struct capture *c, struct capture_source *cs, struct pipeline *p,
    const struct event_meta *meta)
{
	const struct settings *s = c->app->settings;
	char path[LIMIT_CAPTURE_PATH_BYTES];
	struct err err;
	int n;

	n = snprintf(path, sizeof(path), "%s_%020" PRIu64 "_%020" PRIu64 ".scap",
	    s->capture_path_prefix, meta->ts_ns, meta->num);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		err_set(&err, ERR_LIMIT, "capture.path_prefix is too long");
		complain(c, &err);
		return;
	}
	cs->max_bytes = s->capture_max_bytes;
	cs->file_waits = p->n_dumping > 0;
	cs->file_wants_state = !cs->file_waits && pipeline_dump_state(p);
	cs->file = capture_file_open(c->writer, path, cs->max_bytes,
	    cs->file_waits || cs->file_wants_state ? CAPTURE_AWAITS_STATE : 0, &err);
	if (!cs->file) {
		cs->file_wants_state = cs->file_waits = false;
		complain(c, &err);
		return;
	}
	cs->deadline_ns = 0;
	log_info("capture file %s begins", path);
}

static void
take_match(struct capture *c, struct capture_source *cs, struct pipeline *p,
    const struct rule *rule, const struct event_meta *meta)
{
	const struct settings *s = c->app->settings;
	uint64_t ms = rule->capture_duration_ms ? rule->capture_duration_ms
						: s->capture_default_duration_ms;
	uint64_t deadline;

	if (!s->capture_enabled)
		return;
	if (!cs->file && (s->capture_all_rules || rule->capture))
		begin_file(c, cs, p, meta);
	if (__builtin_add_overflow(meta->ts_ns, ms * 1000000u, &deadline))
		deadline = UINT64_MAX;
	if (cs->file && deadline > cs->deadline_ns)
		cs->deadline_ns = deadline;
}

/* Events. */

/* The event with this time, when it has none of its own. */
static const void *
with_time(struct capture *c, const void *event, uint32_t len, uint64_t now_ns)
{
	uint64_t ts;

	memcpy(&ts, event, sizeof(ts));
	if (ts != UINT64_MAX)
		return event;
	memcpy(c->scratch, event, len);
	memcpy(c->scratch, &now_ns, sizeof(now_ns));
	return c->scratch;
}

/* NULL when it did not come along. */
static const void *
event_bytes(struct capture *c, const struct raw_event *raw, const struct event_meta *meta)
{
	if (!raw->bytes || raw->len < sizeof(struct plugin_event) ||
	    raw->len > LIMIT_EVENT_BYTES) {
		c->unavailable++;
		return NULL;
	}
	return with_time(c, raw->bytes, raw->len, meta->ts_ns);
}

static void
take_event(
    struct capture *c, struct capture_source *cs, const struct pipeline *p, uint32_t i)
{
	const struct event_meta *meta = &p->meta[i];
	const void *event;

	if (!c->all && !cs->file)
		return;
	event = event_bytes(c, &p->raw[i], meta);
	if (event && c->all)
		capture_file_put(c->all, event, p->raw[i].len, true);
	if (!cs->file)
		return;
	if (event)
		capture_file_put(cs->file, event, p->raw[i].len, false);
	if (meta->ts_ns >= cs->deadline_ns ||
	    capture_file_state(cs->file) != CAPTURE_OPEN)
		end_file(c, cs);
}

void
capture_on_window(
    struct pipeline *p, const struct eval_match *match, uint32_t n_match, void *arg)
{
	struct app_source *as = arg;
	struct capture *c = as->app->capture;
	struct capture_source *cs = source_of(as);
	uint32_t at = 0;

	if (!c->all && !cs->file && (n_match == 0 || !c->app->settings->capture_enabled))
		return;
	for (uint32_t i = 0; i < p->n_events; i++) {
		for (; at < n_match && match[at].event == i; at++)
			take_match(c, cs, p, p->rules->rule[match[at].rule], &p->meta[i]);
		take_event(c, cs, p, i);
	}
}

/* The state of plugins. */

void
capture_on_state(struct pipeline *p, const void *event, uint32_t len, void *arg)
{
	struct app_source *as = arg;
	struct capture *c = as->app->capture;
	struct capture_source *cs = source_of(as);

	event = with_time(c, event, len, p->last_ts_ns);
	if (cs->file && cs->file_wants_state)
		capture_file_put_state(cs->file, event, len);
	if (cs->all_wants_state && c->all)
		capture_file_put_state(c->all, event, len);
}

void
capture_on_state_told(struct pipeline *p, void *arg)
{
	struct app_source *as = arg;
	struct capture *c = as->app->capture;
	struct capture_source *cs = source_of(as);

	if (cs->file && cs->file_wants_state)
		capture_file_state_told(cs->file);
	cs->file_wants_state = false;
	if (cs->all_wants_state)
		all_was_told(c);
	cs->all_wants_state = false;
	if (!cs->file_waits)
		return;
	cs->file_waits = false;
	cs->file_wants_state = pipeline_dump_state(p);
	if (!cs->file_wants_state)
		capture_file_state_told(cs->file);
}

/* The end. */

void
capture_stop(struct capture *c)
{
	struct capture_counts n;
	/* What is full by now is to be told, too. */
	bool in_time = capture_writer_drain(c->writer);

	for (uint32_t i = 0; i < c->app->n_source; i++) {
		if (c->source[i].file)
			end_file(c, &c->source[i]);
	}
	if (c->all)
		capture_file_close(c->all);
	c->all = NULL;
	if (!in_time || !capture_writer_drain(c->writer))
		log_error("capture files are not complete: the disk is too slow");
	capture_counts(c, &n);
	if (n.dropped_full + n.dropped_large > 0)
		log_warning("events missing in capture files: %" PRIu64
			    " for the disk was too slow, %" PRIu64
			    " that could not be had or were too large",
		    n.dropped_full, n.dropped_large);
}
