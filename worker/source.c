/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"

enum {
	HEAD_BYTES = sizeof(struct plugin_event),
	ID_OFF = HEAD_BYTES + 2 * sizeof(uint32_t),
	MAX_PARAMS = 64, /* what the broker takes */
	PROGRESS_NS = 100000000,
	/* Enough to hide a wake-up; of small batches so many that they hold as much as a
	 * chunk or two. */
	FEW_BATCHES = 16,
	AHEAD_EVENTS = 256,
};

void
source_init(struct source *s, struct plugin *plugin, uint64_t first_number)
{
	*s = (struct source){
	    .plugin = plugin, .next_number = first_number, .end_number = {first_number}};
}

void
source_release(struct source *s)
{
	source_close(s);
	free(s->event);
	s->event = NULL;
	s->cap = 0;
}

bool
source_open(struct source *s, const char *params, struct err *err)
{
	int32_t rc = PLUGIN_FAILURE;

	s->instance = s->plugin->sym.open(s->plugin->state, params, &rc);
	if (rc != PLUGIN_SUCCESS)
		return err_set(err, ERR_PLUGIN, "%s", plugin_last_error(s->plugin));
	s->state = SOURCE_OPEN;
	s->n_got = 0;
	s->got = NULL;
	return true;
}

void
source_start(struct source *s)
{
	s->state = SOURCE_FETCHING;
}

void
source_close(struct source *s)
{
	if (s->state != SOURCE_CLOSED)
		s->plugin->sym.close(s->plugin->state, s->instance);
	s->instance = NULL;
	s->state = SOURCE_CLOSED;
	s->n = s->published = 0;
}

/* Checks. */

static uint32_t
load_u32(const struct plugin_event *e, size_t off)
{
	uint32_t v;

	memcpy(&v, (const char *)e + off, sizeof(v));
	return v;
}

/* A plugin event is whole: an id of four bytes, and a payload that lies inside. */
static bool
is_plugin_event(const struct plugin_event *e)
{
	return e->type == PLUGIN_EVENT_TYPE && e->nparams == 2 &&
	       e->len >= PLUGIN_EVENT_PAYLOAD_OFF &&
	       load_u32(e, HEAD_BYTES) == sizeof(uint32_t) &&
	       load_u32(e, HEAD_BYTES + 4) <= e->len - PLUGIN_EVENT_PAYLOAD_OFF;
}

static bool
fail(struct source *s, const char *fmt, const char *name)
{
	snprintf(s->failure, sizeof(s->failure), "%s: '%s'", fmt, name);
	s->rc = PLUGIN_FAILURE;
	return false;
}

/* The id of a plugin event, filled in where the plugin left it to us. */
static bool
check_id(struct source *s, struct plugin_event *e)
{
	const Control__Loaded *info = &s->plugin->info;
	uint32_t id = load_u32(e, ID_OFF);

	if (id == 0 && info->id == 0)
		return fail(
		    s, "malformed plugin event produced by plugin (no ID)", info->name);
	if (id == 0)
		memcpy((char *)e + ID_OFF, &info->id, sizeof(info->id));
	else if (info->id != 0 && id != info->id) {
		snprintf(s->failure, sizeof(s->failure),
		    "unexpected plugin ID in plugin event: plugin='%s', expected_id=%u, "
		    "actual_id=%u",
		    info->name, info->id, id);
		s->rc = PLUGIN_FAILURE;
		return false;
	}
	/* Written only where it differs: the event may lie in constant memory. */
	if (e->tid != UINT64_MAX)
		e->tid = UINT64_MAX;
	return true;
}

/* Completes and keeps an event; false when it ends the source. The time of the batch is
 * looked at for the first event that lacks one. */
static bool
take_event(struct source *s, struct plugin_event *e, uint64_t *now_ns)
{
	const Control__Loaded *info = &s->plugin->info;
	static const char malformed[] = "malformed plugin event produced by plugin";

	if (!e || e->len < HEAD_BYTES || e->nparams > MAX_PARAMS ||
	    (e->len - HEAD_BYTES) / sizeof(uint32_t) < e->nparams)
		return fail(s, malformed, info->name);
	if (info->id != 0 || e->type == PLUGIN_EVENT_TYPE) {
		if (!is_plugin_event(e))
			return fail(s, malformed, info->name);
		if (!check_id(s, e))
			return false;
	}
	if (e->ts == UINT64_MAX)
		e->ts = *now_ns ? *now_ns : (*now_ns = clock_wall_ns());
	if (e->len > LIMIT_EVENT_BYTES)
		s->dropped++;
	else
		s->event[s->n++] = e;
	return true;
}

/* Batches. */

static bool
reserve(struct source *s, uint32_t n, struct err *err)
{
	if (n > LIMIT_BATCH_EVENTS)
		return err_set(err, ERR_LIMIT, "next_batch returned %u events", n);
	if (n <= s->cap)
		return true;
	const struct plugin_event **event = reallocarray(s->event, n, sizeof(*event));
	if (!event)
		return err_nomem(err);
	s->event = event;
	s->cap = n;
	return true;
}

/* What the return code means for the source, once the events are delivered. */
static void
judge(struct source *s)
{
	switch (s->rc) {
	case PLUGIN_SUCCESS:
		if (s->n_got == 0) {
			snprintf(s->failure, sizeof(s->failure),
			    "unexpected 0 size event returned by plugin %s",
			    s->plugin->info.name);
			s->rc = PLUGIN_FAILURE;
		} else if (s->n == 0) {
			/* All of them were dropped: nothing to see, nothing wrong. */
			s->rc = PLUGIN_TIMEOUT;
		}
		break;
	case PLUGIN_TIMEOUT:
	case PLUGIN_EOF:
		break;
	default:
		if (!*s->failure)
			snprintf(s->failure, sizeof(s->failure), "%s",
			    plugin_last_error(s->plugin));
	}
}

/* A few times a second, after a batch. */
static void
look_at_progress(struct source *s)
{
	const struct plugin_symbols *sym = &s->plugin->sym;
	uint64_t now;
	uint32_t pct = 0;

	if (!sym->get_progress || (now = clock_mono_ns()) < s->progress_at_ns)
		return;
	s->progress_at_ns = now + PROGRESS_NS;
	sym->get_progress(s->plugin->state, s->instance, &pct);
	s->progress = (pct < CHUNK_PROGRESS_MAX - 1 ? pct : CHUNK_PROGRESS_MAX - 1) + 1;
}

bool
source_fetch(struct source *s, struct err *err)
{
	const struct plugin_symbols *sym = &s->plugin->sym;
	bool fine = true;

	s->n = s->published = s->dropped = 0;
	s->failure[0] = '\0';
	s->rc = sym->next_batch(s->plugin->state, s->instance, &s->n_got, &s->got);
	uint32_t n = s->got ? s->n_got : 0;
	look_at_progress(s);
	if (!reserve(s, n, err))
		return false;
	s->first_number = s->next_number;
	uint64_t now_ns = 0;
	for (uint32_t i = 0; fine && i < n; i++)
		fine = take_event(s, s->got[i], &now_ns);
	judge(s);
	if (s->rc == PLUGIN_TIMEOUT && s->n == 0 && s->dropped == 0)
		return true;
	s->next_number += s->n;
	s->end_number[++s->batch % SOURCE_AHEAD_BATCHES] = s->next_number;
	s->state = SOURCE_PUBLISHING;
	return true;
}

/* May the next batch be fetched while so many are under way? */
static bool
may_fetch(const struct source *s, uint32_t run_ahead)
{
	uint32_t n = s->batch - s->acknowledged;

	if (n >= run_ahead || n >= SOURCE_AHEAD_BATCHES)
		return false;
	return n < FEW_BATCHES ||
	       s->next_number - s->end_number[s->acknowledged % SOURCE_AHEAD_BATCHES] <
		   AHEAD_EVENTS;
}

void
source_published(struct source *s, uint32_t n, uint32_t run_ahead)
{
	s->published += n;
	if (s->published < s->n)
		return;
	if (s->rc != PLUGIN_SUCCESS && s->rc != PLUGIN_TIMEOUT)
		s->state = SOURCE_ENDED;
	else
		s->state = may_fetch(s, run_ahead) ? SOURCE_FETCHING : SOURCE_WAITING;
}

bool
source_acknowledge(struct source *s, uint32_t batch, uint32_t run_ahead)
{
	uint32_t whole = s->batch - (s->state == SOURCE_PUBLISHING);

	/* None twice, and none that is not whole yet. */
	if (batch == s->acknowledged || batch - s->acknowledged > whole - s->acknowledged)
		return false;
	s->acknowledged = batch;
	if (s->state == SOURCE_WAITING && may_fetch(s, run_ahead))
		s->state = SOURCE_FETCHING;
	return true;
}

bool
source_is_between(const struct source *s)
{
	if (s->state < SOURCE_FETCHING)
		return true;
	if (s->state == SOURCE_PUBLISHING)
		return s->published == 0 && s->acknowledged + 1 == s->batch;
	return s->acknowledged == s->batch;
}

void
source_describe(const struct source *s, uint32_t i, struct chunk_event *ret_event)
{
	const struct plugin_event *e = s->event[i];

	*ret_event = (struct chunk_event){
	    .ts_ns = e->ts, .tid = e->tid, .len = e->len, .type = e->type};
	if (e->type != PLUGIN_EVENT_TYPE)
		return;
	ret_event->plugin_id = load_u32(e, ID_OFF);
	ret_event->payload_len = load_u32(e, HEAD_BYTES + sizeof(uint32_t));
}

bool
source_holds(const struct source *s, uint32_t batch, uint32_t first, uint32_t n)
{
	return s->state >= SOURCE_FETCHING && batch == s->batch && first <= s->n &&
	       n <= s->n - first;
}
