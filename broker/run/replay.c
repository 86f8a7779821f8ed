/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/run/replay.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "broker/capture/scap.h"
#include "broker/pipeline/pipeline.h"
#include "broker/supervisor/supervisor.h"
#include "proto/plugin_api.h"

struct replay {
	struct app *app;
	replay_ended_fn *ended;
	struct scap_reader *reader;
	struct event *on_turn, *on_rested;

	/* What was read and not yet given to a pipeline. */
	struct scap_event next;
	struct app_source *next_source;
	const char *next_plugin;
	bool has_next;
	bool is_over; /* nothing more is read; err says why if it failed */
	struct err err;

	/* What a pipeline has, or will get next. */
	struct app_source *source;
	struct fed_event fed[LIMIT_CHUNK_EVENTS];
	uint32_t n_fed, used;
	bool is_feeding, is_stopped;
	_Alignas(8) uint8_t bytes[LIMIT_CHUNK_BYTES + LIMIT_EVENT_BYTES];

	uint64_t num;         /* of the event that was read last */
	uint64_t start_ns;    /* time of the first event for rules */
	uint64_t first_ts_ns; /* and of the first that is not async */
	bool has_start, has_first_ts;
	uint64_t n_judged, n_useless, n_failed;
};

/* Where an event belongs. */

static const struct plugin *
plugin_of_id(const struct app *app, uint32_t id)
{
	for (uint32_t i = 0; id != 0 && i < app->plugins.n; i++) {
		const struct plugin *p = &app->plugins.plugin[i];
		if ((p->caps & PLUGIN_CAP_SOURCING) && p->id == id)
			return p;
	}
	return NULL;
}

static struct app_source *
source_named(const struct app *app, const char *name)
{
	for (uint32_t i = 0; i < app->n_source; i++) {
		if (strcmp(app->source[i].source->name, name) == 0)
			return &app->source[i];
	}
	return NULL;
}

/* Does a plugin parse events of this type? Does one extract from them, and says so of
 * this very type? That of all types is said by many that know of no system call. */
static bool
is_parsed(const struct app_source *as, uint16_t type)
{
	for (uint32_t i = 0; i < as->n_helper; i++) {
		const struct worker *w = as->helper[i];
		if (plugin_parses_for(w->plugin, as->source->name) &&
		    worker_types_have(&w->parse_types, type))
			return true;
	}
	return false;
}

static bool
is_extracted_from(const struct app_source *as, uint16_t type)
{
	for (uint32_t i = 0; i < as->n_helper; i++) {
		const struct worker *w = as->helper[i];
		if (plugin_extracts_for(w->plugin, as->source->name) &&
		    !w->extract_types.all && worker_types_have(&w->extract_types, type))
			return true;
	}
	return false;
}

/* Events of the system: rules see those that a plugin gives fields of. Of the others no
 * field of a rule has a value, and many rules would match for that. */
static void
find_use(struct replay *r)
{
	struct app_source *syscall = &r->app->source[0];
	bool is_judged = is_extracted_from(syscall, r->next.type);

	if (is_judged || is_parsed(syscall, r->next.type))
		r->next_source = syscall;
	r->next.is_state |= r->next_source && !is_judged;
}

/* Sets next_source: NULL when nobody has a use for the event. False: it is one that must
 * not be there. */
static bool
find_source(struct replay *r)
{
	const struct scap_event *e = &r->next;
	const struct plugin *p;

	r->next_source = NULL;
	r->next_plugin = NULL;
	if (e->type != PLUGIN_EVENT_TYPE && e->type != PLUGIN_ASYNC_EVENT_TYPE) {
		find_use(r);
		return true;
	}
	if (e->type == PLUGIN_ASYNC_EVENT_TYPE && e->plugin_id == 0) {
		r->next_source = &r->app->source[0];
		return true;
	}
	p = plugin_of_id(r->app, e->plugin_id);
	if (p)
		r->next_source = source_named(r->app, p->source);
	if (p && e->type == PLUGIN_EVENT_TYPE)
		r->next_plugin = p->name;
	return r->next_source || e->is_state ||
	       err_set(&r->err, ERR_USAGE,
		   "Unknown event source for inspector's event (plugin ID: %u)",
		   e->plugin_id);
}

/* Is the run over before this event? State does not count. */
static bool
is_past_end(struct replay *r)
{
	const struct app *app = r->app;
	const uint64_t ts = r->next.ts_ns;

	if (r->next.is_state)
		return false;
	if (!r->has_start)
		r->start_ns = ts;
	r->has_start = true;
	if (app->max_events > 0 && r->n_judged >= app->max_events)
		return true;
	return app->options->max_time_s > 0 && ts >= r->start_ns &&
	       (ts - r->start_ns) / 1000000000u >= (uint64_t)app->options->max_time_s;
}

/* Reading. */

/* Falco reads the state that a file begins with when it opens the file. */
static bool
fail_to_open(struct replay *r)
{
	return err_wrap(&r->err, "Could not open trace filename %s for reading",
	    r->app->settings->capture_file);
}

/* The next event that has a place to go to; false when there is none. */
static bool
read_next(struct replay *r)
{
	enum scap_rc rc;

	while (!r->is_over) {
		rc = scap_reader_next(r->reader, &r->next, &r->err);
		if (rc == SCAP_FAILED && scap_reader_is_opening(r->reader))
			fail_to_open(r);
		if (rc == SCAP_FAILED || rc == SCAP_END) {
			r->is_over = true;
			break;
		}
		r->num++;
		if (rc == SCAP_SKIPPED)
			continue;
		if (!find_source(r) || is_past_end(r)) {
			r->is_over = true;
			break;
		}
		if (r->next_source)
			return true;
		r->n_useless += !r->next.is_state;
	}
	return false;
}

/* The event that was read, into the window. */
static void
place(struct replay *r)
{
	const struct scap_event *e = &r->next;
	struct fed_event *f = &r->fed[r->n_fed++];
	uint8_t *to = r->bytes + r->used;

	memcpy(to, e->bytes, e->len);
	r->used += (e->len + 7) & ~7u;
	if (!r->has_first_ts && !e->is_state && e->type != PLUGIN_ASYNC_EVENT_TYPE) {
		r->first_ts_ns = e->ts_ns;
		r->has_first_ts = true;
	}
	*f = (struct fed_event){
	    .meta =
		{
		    .num = r->num,
		    .ts_ns = e->ts_ns,
		    .first_ts_ns = r->has_first_ts ? r->first_ts_ns : e->ts_ns,
		    .type = e->type,
		    .plugin_name = r->next_plugin,
		    .async_name =
			e->async_name
			    ? (const char *)to + (e->async_name - (const char *)e->bytes)
			    : NULL,
		},
	    .raw = {to, e->len},
	    .is_state = e->is_state,
	};
	r->n_judged += !e->is_state;
}

/* Events that follow each other and have the same source, as many as a window takes. */
static void
gather(struct replay *r)
{
	r->n_fed = r->used = 0;
	while (r->n_fed < LIMIT_CHUNK_EVENTS && r->used < LIMIT_CHUNK_BYTES) {
		if (!r->has_next && !read_next(r))
			return;
		r->has_next = true;
		if (r->n_fed > 0 && (r->next_source != r->source ||
					r->used + r->next.len > LIMIT_CHUNK_BYTES))
			return;
		r->source = r->next_source;
		r->has_next = false;
		place(r);
	}
}

/* The end. */

static void
tell_counts(const struct replay *r)
{
	const struct scap_counts *c = scap_reader_counts(r->reader);

	if (r->n_useless + c->legacy + c->large + c->unknown + r->n_failed > 0)
		log_notice("events of the capture file that no rule has seen: %llu of "
			   "kinds that no plugin asks for, %llu too large, %llu of an "
			   "old format, %llu of unknown types, %llu of sources that "
			   "failed",
		    (unsigned long long)r->n_useless, (unsigned long long)c->large,
		    (unsigned long long)c->legacy, (unsigned long long)c->unknown,
		    (unsigned long long)r->n_failed);
}

static void
on_rested(int fd, short what, void *arg)
{
	struct replay *r = arg;

	r->ended(r->app, NULL);
}

static void
finish(struct replay *r)
{
	const struct timeval rest = {.tv_sec = r->app->options->max_time_s};

	tell_counts(r);
	if (r->err.code != ERR_NONE)
		r->ended(r->app, &r->err);
	/* As Falco: the time of -M is waited for, although the events are over. */
	else if (rest.tv_sec <= 0 || event_add(r->on_rested, &rest) < 0)
		r->ended(r->app, NULL);
}

static void
on_turn(int fd, short what, void *arg)
{
	struct replay *r = arg;

	if (r->is_feeding || r->is_stopped)
		return;
	gather(r);
	if (r->n_fed == 0) {
		finish(r);
		return;
	}
	if (r->source->pipeline->state >= PIPELINE_ENDED) {
		r->n_failed += r->n_fed;
		event_active(r->on_turn, EV_TIMEOUT, 0);
		return;
	}
	r->is_feeding = true;
	pipeline_feed(r->source->pipeline, r->fed, r->n_fed);
}

void
replay_fed(struct replay *r)
{
	r->is_feeding = false;
	event_active(r->on_turn, EV_TIMEOUT, 0);
}

void
replay_start(struct replay *r)
{
	replay_fed(r);
}

void
replay_stop(struct replay *r)
{
	r->is_stopped = true;
}

uint64_t
replay_events(const struct replay *r)
{
	return r->n_judged;
}

struct replay *
replay_open(struct app *app, replay_ended_fn *ended, struct err *err)
{
	struct replay *r = calloc(1, sizeof(*r));

	if (!r) {
		err_nomem(err);
		return NULL;
	}
	r->app = app;
	r->ended = ended;
	r->on_turn = event_new(app->supervisor->base, -1, 0, on_turn, r);
	r->on_rested = evtimer_new(app->supervisor->base, on_rested, r);
	if (!r->on_turn || !r->on_rested) {
		err_nomem(err);
		replay_free(r);
		return NULL;
	}
	log_info(
	    "Replaying events from the capture file: %s", app->settings->capture_file);
	r->reader = scap_reader_open(app->settings->capture_file, &r->err);
	if (r->reader)
		return r;
	fail_to_open(r);
	*err = r->err;
	replay_free(r);
	return NULL;
}

void
replay_free(struct replay *r)
{
	if (!r)
		return;
	if (r->on_turn)
		event_free(r->on_turn);
	if (r->on_rested)
		event_free(r->on_rested);
	scap_reader_free(r->reader);
	free(r);
}
