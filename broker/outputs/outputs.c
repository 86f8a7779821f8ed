/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/outputs/outputs.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/signals.h"
#include "broker/outputs/sink.h"

enum {
	MAX_SINKS = 5,
	LAST_WAIT_MS = 200 /* for threads that were told to give up */
};

struct outputs {
	struct sink sink[MAX_SINKS];
	uint32_t n;
	uint32_t timeout_ms;
	pthread_t watchdog;

	atomic_bool overflowed;
	atomic_uint_fast64_t queued;
	/* A call was begun since the watchdog looked; it sleeps until one is. */
	atomic_bool active, parked;

	pthread_mutex_t lock; /* of what follows and of the watchdog's sleep */
	pthread_cond_t changed;
	uint32_t n_running; /* sinks whose thread has not ended */
	bool watchdog_ends;
	bool orphaned; /* outputs_free is through: the last thread releases the rest */
};

static const struct {
	const char *name, *text;
} losses[OUTPUTS_LOSS_N] = {
#define LOSS(id, name, text) [id] = {name, text},
#include "broker/outputs/losses.h"
#undef LOSS
};

const char *
outputs_loss_name(enum outputs_loss why)
{
	return losses[why].name;
}

const char *
outputs_loss_text(enum outputs_loss why)
{
	return losses[why].text;
}

/* The watchdog: tells once of each call that takes longer than output_timeout. */

static void
on_busy(void *arg)
{
	struct outputs *o = arg;

	atomic_store(&o->active, true);
	if (!atomic_load(&o->parked))
		return;
	pthread_mutex_lock(&o->lock);
	atomic_store(&o->parked, false);
	pthread_cond_broadcast(&o->changed);
	pthread_mutex_unlock(&o->lock);
}

/* Is any call under way? One that is late and was not told yet, in *ret_late, or NULL. */
static bool
look(const struct outputs *o, uint64_t told[], const struct sink **ret_late)
{
	uint64_t now = clock_mono_ns(), limit = (uint64_t)o->timeout_ms * 1000000;
	bool busy = false;

	*ret_late = NULL;
	for (uint32_t i = 0; i < o->n && !*ret_late; i++) {
		uint64_t since = atomic_load(&o->sink[i].busy_since_ns);
		busy |= since != 0;
		if (since == 0 || since == told[i] || now < since + limit)
			continue;
		told[i] = since;
		*ret_late = &o->sink[i];
	}
	return busy;
}

/* Waits for a call to be begun. Locked. */
static void
park(struct outputs *o)
{
	atomic_store(&o->parked, true);
	while (atomic_load(&o->parked) && !atomic_load(&o->active) && !o->watchdog_ends)
		pthread_cond_wait(&o->changed, &o->lock);
	atomic_store(&o->parked, false);
}

static void *
watch(void *arg)
{
	struct outputs *o = arg;
	uint64_t told[MAX_SINKS] = {0};
	const struct sink *late;
	struct timespec next;

	pthread_mutex_lock(&o->lock);
	while (!o->watchdog_ends) {
		/* One wake-up for many short calls: it looks again in a while. */
		bool active = atomic_exchange(&o->active, false);
		bool busy = look(o, told, &late);
		if (late) {
			/* The log may be as blocked as the output. */
			pthread_mutex_unlock(&o->lock);
			log_critical(
			    "\"%s\" output timeout, its alerts wait", late->name);
			pthread_mutex_lock(&o->lock);
		} else if (busy || active) {
			clock_mono_in(&next, o->timeout_ms / 4 + 1);
			pthread_cond_timedwait(&o->changed, &o->lock, &next);
		} else {
			park(o);
		}
	}
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

static void
stop_watchdog(struct outputs *o)
{
	pthread_mutex_lock(&o->lock);
	o->watchdog_ends = true;
	pthread_cond_broadcast(&o->changed);
	pthread_mutex_unlock(&o->lock);
	pthread_join(o->watchdog, NULL);
}

/* Life. */

static void
release(struct outputs *o)
{
	for (uint32_t i = 0; i < o->n; i++)
		sink_release(&o->sink[i]);
	pthread_cond_destroy(&o->changed);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

static void
on_end(struct sink *s, void *arg)
{
	struct outputs *o = arg;

	pthread_mutex_lock(&o->lock);
	s->has_ended = true;
	bool is_mine = --o->n_running == 0 && o->orphaned;
	pthread_cond_broadcast(&o->changed);
	pthread_mutex_unlock(&o->lock);
	if (is_mine)
		release(o);
}

static void
add_sinks(struct outputs *o, const struct settings *s, bool unbuffered)
{
	const struct {
		bool enabled;
		out_make_fn *make;
	} rows[MAX_SINKS] = {
	    {s->file_enabled, out_file_new},
	    {s->stdout_enabled, out_stdout_new},
	    {s->syslog_enabled, out_syslog_new},
	    {s->program_enabled, out_program_new},
	    {s->http.enabled, out_http_new},
	};
	uint32_t n = 0;
	struct err err;

	for (size_t i = 0; i < MAX_SINKS; i++)
		n += rows[i].enabled;
	for (size_t i = 0; i < MAX_SINKS; i++) {
		struct sink *sink = &o->sink[o->n];
		if (!rows[i].enabled)
			continue;
		sink->on_busy = on_busy;
		sink->on_end = on_end;
		sink->arg = o;
		if (sink_init(sink, rows[i].make, s, unbuffered,
			LIMIT_OUTPUT_QUEUE_BYTES / n, &err))
			o->n++;
		else
			log_error("Failed to init output: %s", err.msg);
	}
}

/* Waits until no thread runs, at most ms. */
static bool
wait_ended(struct outputs *o, uint32_t ms)
{
	struct timespec deadline;
	int rc = 0;

	clock_mono_in(&deadline, ms);
	pthread_mutex_lock(&o->lock);
	while (o->n_running > 0 && rc == 0)
		rc = pthread_cond_timedwait(&o->changed, &o->lock, &deadline);
	bool ended = o->n_running == 0;
	pthread_mutex_unlock(&o->lock);
	return ended;
}

/* Leaves threads that a call holds for good what they use. */
static void
leave_threads(struct outputs *o)
{
	bool has_ended[MAX_SINKS], all = true;
	pthread_t thread[MAX_SINKS];
	uint32_t n = o->n;

	pthread_mutex_lock(&o->lock);
	for (uint32_t i = 0; i < n; i++) {
		has_ended[i] = o->sink[i].has_ended;
		thread[i] = o->sink[i].thread;
		all &= has_ended[i];
	}
	o->orphaned = !all;
	pthread_mutex_unlock(&o->lock);
	for (uint32_t i = 0; i < n; i++) {
		if (has_ended[i])
			pthread_join(thread[i], NULL);
		else
			pthread_detach(thread[i]);
	}
	if (all)
		release(o);
}

static bool
start_watchdog(struct outputs *o, struct err *err)
{
	int rc = pthread_create(&o->watchdog, NULL, watch, o);

	return rc == 0 || err_set(err, ERR_SYS, "watchdog thread: %s", strerror(rc));
}

/* Those without a thread are released when one cannot be started. */
static bool
start_sinks(struct outputs *o, struct err *err)
{
	uint32_t n = 0;

	while (n < o->n && sink_start(&o->sink[n], err))
		n++;
	bool all = n == o->n;
	pthread_mutex_lock(&o->lock);
	o->n_running = n;
	for (; o->n > n; o->n--)
		sink_release(&o->sink[o->n - 1]);
	pthread_mutex_unlock(&o->lock);
	return all;
}

/* Threads of ours take no signals: those are for the main thread. */
static struct outputs *
start_threads(struct outputs *o, struct err *err)
{
	sigset_t old;

	signals_block(&old);
	if (!start_watchdog(o, err)) {
		release(o);
		o = NULL;
	} else if (!start_sinks(o, err)) {
		outputs_free(o);
		o = NULL;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return o;
}

struct outputs *
outputs_new(const struct settings *s, bool unbuffered, struct err *err)
{
	struct outputs *o = calloc(1, sizeof(*o));
	pthread_condattr_t attr;

	if (!o) {
		err_nomem(err);
		return NULL;
	}
	o->timeout_ms = s->output_timeout_ms;
	pthread_mutex_init(&o->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&o->changed, &attr);
	pthread_condattr_destroy(&attr);
	add_sinks(o, s, unbuffered);
	if (o->n == 0)
		err_set(err, ERR_USAGE,
		    "No output configured, please make sure at least one output is "
		    "configured and enabled.");
	else
		return start_threads(o, err);
	release(o);
	return NULL;
}

bool
outputs_put(struct outputs *o, enum priority priority, const char *line, size_t len)
{
	bool all = true;

	for (uint32_t i = 0; i < o->n; i++)
		all &= sink_put(&o->sink[i], priority, line, len);
	atomic_fetch_add_explicit(&o->queued, 1, memory_order_relaxed);
	if (!all && !atomic_exchange(&o->overflowed, true))
		log_error("Outputs queue out of memory. Drop event and continue on ...");
	return all;
}

void
outputs_flush(struct outputs *o)
{
	for (uint32_t i = 0; i < o->n; i++)
		sink_flush(&o->sink[i]);
}

void
outputs_reopen(struct outputs *o)
{
	for (uint32_t i = 0; i < o->n; i++)
		sink_reopen(&o->sink[i]);
}

bool
outputs_idle(struct outputs *o)
{
	bool idle = true;

	for (uint32_t i = 0; i < o->n; i++)
		idle &= sink_is_idle(&o->sink[i]);
	return idle;
}

bool
outputs_sink(struct outputs *o, uint32_t i, struct outputs_sink *ret_sink)
{
	if (i >= o->n)
		return false;
	sink_counts(&o->sink[i], ret_sink);
	return true;
}

void
outputs_counts(struct outputs *o, struct outputs_counts *ret_counts)
{
	struct outputs_counts c = {.queued = atomic_load(&o->queued)};
	struct outputs_sink sink;

	for (uint32_t i = 0; outputs_sink(o, i, &sink); i++) {
		c.delivered += sink.delivered;
		c.depth += sink.depth;
		for (int why = 0; why < OUTPUTS_LOSS_N; why++) {
			bool is_ours = why == OUTPUTS_QUEUE_FULL ||
				       why == OUTPUTS_TOO_LONG || why == OUTPUTS_GIVEN_UP;
			*(is_ours ? &c.dropped : &c.failed) += sink.lost[why];
		}
	}
	*ret_counts = c;
}

void
outputs_free(struct outputs *o)
{
	if (!o)
		return;
	for (uint32_t i = 0; i < o->n; i++)
		sink_stop(&o->sink[i]);
	if (!wait_ended(o, o->timeout_ms)) {
		log_notice("output channels still blocked, discarding all remaining "
			   "notifications");
		for (uint32_t i = 0; i < o->n; i++)
			sink_give_up(&o->sink[i]);
		wait_ended(o, LAST_WAIT_MS);
	}
	stop_watchdog(o);
	leave_threads(o);
}
