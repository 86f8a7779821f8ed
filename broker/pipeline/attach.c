/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What plugins do on their own: they are told when they may begin, and
 * the events that they inject find their place in the stream.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "broker/pipeline/internal.h"
#include "proto/async.h"
#include "proto/chunk.h"

/* Has the plugin anything to do in this step? */
static bool
takes_part(const struct pipeline *p, const struct pipeline_worker *pw,
    Control__Attach__Step step)
{
	const struct plugin *plugin = pw->worker->plugin;

	if (step != CONTROL__ATTACH__STEP__ASYNC)
		return plugin->caps & PLUGIN_CAP_LISTENING;
	return !p->is_fed && plugin_injects_for(plugin, p->name);
}

static bool
ask(struct pipeline *p, struct pipeline_worker *pw, Control__Attach__Step step,
    struct err *err)
{
	Control__Message m = CONTROL__MESSAGE__INIT;
	Control__Attach attach = CONTROL__ATTACH__INIT;

	attach.has_step = attach.has_plugin_source = true;
	attach.step = step;
	attach.source = (char *)p->name;
	attach.plugin_source = strcmp(p->name, "syscall") != 0;
	m.body_case = CONTROL__MESSAGE__BODY_ATTACH;
	m.attach = &attach;
	return worker_ask(pw->worker, &m, CONTROL__MESSAGE__BODY_ATTACHED,
	    pw->worker->plugin->profile->limits.open_ms, err);
}

bool
pipeline_attach_all(struct pipeline *p, struct err *err)
{
	for (int step = CONTROL__ATTACH__STEP__ASYNC;
	     step <= CONTROL__ATTACH__STEP__LISTEN; step++) {
		for (uint32_t i = 0; i < p->n_worker; i++) {
			struct pipeline_worker *pw = &p->worker[p->in_order[i]];

			if (takes_part(p, pw, step) &&
			    (!ask(p, pw, step, err) ||
				!supervisor_await_answer(p->sup, pw->worker, err)))
				return false;
		}
	}
	return true;
}

/* The next step for one that has come back, from the loop. */
static void
attach_from(struct pipeline *p, struct pipeline_worker *pw, int step)
{
	struct err err;

	pw->attaching = 0;
	for (; step <= CONTROL__ATTACH__STEP__LISTEN; step++) {
		if (!takes_part(p, pw, step))
			continue;
		if (ask(p, pw, step, &err))
			pw->attaching = step;
		else
			worker_give_up(pw->worker, &err);
		return;
	}
}

void
pipeline_attach(struct pipeline *p, struct pipeline_worker *pw)
{
	attach_from(p, pw, CONTROL__ATTACH__STEP__ASYNC);
}

static void
state_was_told(struct pipeline *p)
{
	if (--p->n_dumping == 0 && p->sink.state_told)
		p->sink.state_told(p, p->sink.arg);
}

/* One that says no is started with its new configuration instead. */
static void
was_configured(const struct pipeline *p, struct worker *w, bool done)
{
	const char *name = w->plugin->setting->name;

	if (done) {
		log_notice("plugin '%s' goes on with its new configuration (source %s)",
		    name, p->name);
	} else if (w->alive) {
		log_notice("plugin '%s' is started again: %s", name, w->ask_error.msg);
		worker_restart(w);
	}
}

void
pipeline_answered(struct pipeline *p, struct pipeline_worker *pw, bool done)
{
	struct worker *w = pw->worker;

	if (w->ask_answer == CONTROL__MESSAGE__BODY_STATE_DUMPED) {
		if (!done)
			log_warning("%s", w->ask_error.msg);
		state_was_told(p);
	} else if (w->ask_answer == CONTROL__MESSAGE__BODY_CONFIG_SET) {
		was_configured(p, w, done);
	} else if (pw->attaching && done) {
		attach_from(p, pw, pw->attaching + 1);
	} else if (pw->attaching) {
		worker_give_up(w, &w->ask_error);
	}
}

bool
pipeline_dump_state(struct pipeline *p)
{
	Control__Message m = CONTROL__MESSAGE__INIT;
	Control__DumpState dump = CONTROL__DUMP_STATE__INIT;
	struct err err;

	m.body_case = CONTROL__MESSAGE__BODY_DUMP_STATE;
	m.dump_state = &dump;
	for (uint32_t i = 0; i < p->n_worker; i++) {
		struct pipeline_worker *pw = &p->worker[p->in_order[i]];

		/* A source may be waiting for its next event for any time. */
		if (!takes_part(p, pw, CONTROL__ATTACH__STEP__ASYNC))
			continue;
		if (worker_ask(
			pw->worker, &m, CONTROL__MESSAGE__BODY_STATE_DUMPED, 0, &err))
			p->n_dumping++;
		else
			log_warning("its state is not in the capture: %s", err.msg);
	}
	return p->n_dumping > 0;
}

/* Injected events. */

static uint32_t
source_id(const struct pipeline *p)
{
	return p->has_origin ? p->worker[0].worker->plugin->id : 0;
}

static bool
tell_state(struct pipeline *p, const void *peer_event, uint32_t len, struct err *err)
{
	const uint32_t id = source_id(p);
	struct async_view v;

	if (!async_check(&v, peer_event, len, err))
		return false;
	if (p->n_dumping == 0)
		return err_set(
		    err, ERR_PEER, "an event of a state that nobody asked for");
	if (!p->sink.state)
		return true;
	uint8_t *event = malloc(len);
	if (!event)
		return true;
	memcpy(event, peer_event, len);
	memcpy(event + ASYNC_ID_OFF, &id, sizeof(id));
	p->sink.state(p, event, len, p->sink.arg);
	free(event);
	return true;
}

bool
pipeline_inject(struct pipeline *p, struct pipeline_worker *pw, uint32_t type,
    const void *peer_event, uint32_t len, struct err *err)
{
	if (type == FRAME_STATE)
		return tell_state(p, peer_event, len, err);
	if (p->state >= PIPELINE_ENDED)
		return true;
	return async_queue_put(
	    &p->async, pw->worker->plugin, p->name, source_id(p), peer_event, len, err);
}

bool
pipeline_begin_injected(struct pipeline *p, uint64_t ts_ns)
{
	uint32_t most = p->lockstep ? 1 : LIMIT_CHUNK_EVENTS, n = 0, bytes = 0;

	while (n < most && bytes < LIMIT_CHUNK_BYTES &&
	       async_queue_is_due(&p->async, ts_ns) && p->next_num <= p->max_events) {
		struct async_event *e = async_queue_take(&p->async);

		bytes += e->len;
		if (e->ts_ns == UINT64_MAX)
			async_event_set_time(e, ts_ns);
		p->last_ts_ns = e->ts_ns;
		p->injected[n] = e;
		p->raw[n] = (struct raw_event){.bytes = e->bytes, .len = e->len};
		p->meta[n++] = (struct event_meta){
		    .num = p->next_num++,
		    .ts_ns = e->ts_ns,
		    /* An injected event is no beginning to count from. */
		    .first_ts_ns = p->has_first_ts ? p->first_ts_ns : e->ts_ns,
		    .type = PLUGIN_ASYNC_EVENT_TYPE,
		    .async_name = e->name,
		};
	}
	if (n == 0)
		return false;
	p->n_events = n;
	p->is_injected = true;
	p->counts.async_events += n;
	pipeline_begin_evaluation(p);
	pipeline_begin_asking(p);
	return true;
}

void
pipeline_end_injected(struct pipeline *p)
{
	for (uint32_t i = 0; i < p->n_events; i++)
		free(p->injected[i]);
	p->is_injected = false;
}
