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
#include "broker/outputs/out.h"
#include "broker/outputs/queue.h"

enum {
	MAX_OUTS = 5,
	ERROR_PAUSE_S = 1, /* between two lines about one output's failures */
	LAST_WAIT_MS = 200 /* for a thread that was told to give up */
};

struct out_slot {
	struct out *out;
	uint64_t last_error_ns;
	uint32_t quiet;              /* failures since then that were not logged */
	atomic_uint_fast64_t failed; /* lines */
};

struct outputs {
	struct queue queue;
	struct out_slot slot[MAX_OUTS];
	uint32_t n;
	bool line_by_line;
	uint32_t timeout_ms;
	pthread_t thread, watchdog;

	atomic_bool stop;    /* deliver what is there, then end */
	atomic_bool give_up; /* deliver nothing more */
	atomic_bool reopen, overflowed;
	atomic_uint_fast64_t queued, delivered, dropped_full, discarded, failed;

	/* The call in progress: since when (0: none) and in which slot. */
	atomic_uint_fast64_t busy_since_ns;
	atomic_uint busy_slot;
	/* The watchdog sleeps until something is busy. */
	atomic_bool parked;

	pthread_mutex_t lock; /* of what follows and of the watchdog's sleep */
	pthread_cond_t changed;
	bool ended, watchdog_ends;
	bool orphaned; /* outputs_free is through: the thread releases what is left */
};

static void
deadline_in(struct timespec *ret, uint32_t ms)
{
	clock_gettime(CLOCK_MONOTONIC, ret);
	ret->tv_sec += ms / 1000;
	ret->tv_nsec += (long)(ms % 1000) * 1000000;
	if (ret->tv_nsec >= 1000000000) {
		ret->tv_nsec -= 1000000000;
		ret->tv_sec++;
	}
}

static void
enter(struct outputs *o, uint32_t slot)
{
	atomic_store(&o->busy_slot, slot);
	atomic_store(&o->busy_since_ns, clock_mono_ns());
	if (!atomic_load(&o->parked))
		return;
	pthread_mutex_lock(&o->lock);
	atomic_store(&o->parked, false);
	pthread_cond_broadcast(&o->changed);
	pthread_mutex_unlock(&o->lock);
}

static void
leave(struct outputs *o)
{
	atomic_store(&o->busy_since_ns, 0);
}

/* Tells once of each call that takes longer than output_timeout. */
static void *
watch(void *arg)
{
	struct outputs *o = arg;
	uint64_t told = 0;
	struct timespec next;

	pthread_mutex_lock(&o->lock);
	while (!o->watchdog_ends) {
		uint64_t since = atomic_load(&o->busy_since_ns);
		if (since == 0) {
			atomic_store(&o->parked, true);
			/* It may have become busy between the two lines above. */
			since = atomic_load(&o->busy_since_ns);
			if (since == 0)
				pthread_cond_wait(&o->changed, &o->lock);
			atomic_store(&o->parked, false);
			continue;
		}
		uint64_t now = clock_mono_ns();
		if (since != told && now > since &&
		    now - since > (uint64_t)o->timeout_ms * 1000000) {
			const char *name = o->slot[atomic_load(&o->busy_slot)].out->name;
			told = since;
			/* The log may be as blocked as the output. */
			pthread_mutex_unlock(&o->lock);
			log_critical(
			    "\"%s\" output timeout, all output channels are blocked",
			    name);
			pthread_mutex_lock(&o->lock);
			continue;
		}
		deadline_in(&next, o->timeout_ms / 4 + 1);
		pthread_cond_timedwait(&o->changed, &o->lock, &next);
	}
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

static void
tell(struct out_slot *slot, const struct err *err)
{
	uint64_t now = clock_mono_ns();

	if (slot->last_error_ns &&
	    now - slot->last_error_ns < (uint64_t)ERROR_PAUSE_S * 1000000000) {
		slot->quiet++;
		return;
	}
	if (slot->quiet)
		log_error("%s: %s (and %u failures before)", slot->out->name, err->msg,
		    slot->quiet);
	else
		log_error("%s: %s", slot->out->name, err->msg);
	slot->last_error_ns = now;
	slot->quiet = 0;
}

static void
deliver(struct outputs *o, const struct out_batch *b)
{
	for (uint32_t i = 0; i < o->n && !atomic_load(&o->give_up); i++) {
		struct out_slot *slot = &o->slot[i];
		uint32_t failed = 0;
		struct err err;
		enter(o, i);
		if (!slot->out->write(slot->out, b, &failed, &err)) {
			atomic_fetch_add(&o->failed, failed);
			atomic_fetch_add(&slot->failed, failed);
			tell(slot, &err);
		}
		leave(o);
	}
	atomic_fetch_add(&o->delivered, b->n);
}

static void
deliver_chunk(struct outputs *o, const struct queue_chunk *c)
{
	uint32_t step = o->line_by_line ? 1 : c->n;

	for (uint32_t i = 0; i < c->n; i += step) {
		const struct out_batch b = {c->text, &c->line[i], step};
		const struct queue_line *first = &c->line[i], *last = first + step - 1;
		if (!atomic_load(&o->give_up))
			deliver(o, &b);
		else
			atomic_fetch_add(&o->discarded, step);
		queue_done(&o->queue, step, last->offset + last->len + 1 - first->offset);
	}
}

static void
release(struct outputs *o)
{
	queue_release(&o->queue);
	pthread_cond_destroy(&o->changed);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

static void *
run(void *arg)
{
	struct outputs *o = arg;

	for (;;) {
		struct queue_chunk *c = queue_take(&o->queue);
		if (atomic_exchange(&o->reopen, false)) {
			for (uint32_t i = 0; i < o->n; i++) {
				enter(o, i);
				if (o->slot[i].out->reopen)
					o->slot[i].out->reopen(o->slot[i].out);
				leave(o);
			}
		}
		if (c) {
			deliver_chunk(o, c);
			queue_recycle(&o->queue, c);
		} else if (atomic_load(&o->stop)) {
			break;
		}
	}
	for (uint32_t i = 0; i < o->n; i++)
		o->slot[i].out->free(o->slot[i].out, o->timeout_ms / 4);
	pthread_mutex_lock(&o->lock);
	bool orphaned = o->orphaned;
	o->ended = true;
	pthread_cond_broadcast(&o->changed);
	pthread_mutex_unlock(&o->lock);
	if (orphaned)
		release(o);
	return NULL;
}

static void
add_outs(struct outputs *o, const struct settings *s)
{
	const struct {
		bool enabled;
		struct out *(*make)(
		    const struct settings *, const atomic_bool *, struct err *);
	} rows[MAX_OUTS] = {
	    {s->file_enabled, out_file_new},
	    {s->stdout_enabled, out_stdout_new},
	    {s->syslog_enabled, out_syslog_new},
	    {s->program_enabled, out_program_new},
	    {s->http.enabled, out_http_new},
	};
	struct err err;

	for (size_t i = 0; i < MAX_OUTS; i++) {
		if (!rows[i].enabled)
			continue;
		struct out *out = rows[i].make(s, &o->give_up, &err);
		if (!out) {
			log_error("Failed to init output: %s", err.msg);
			continue;
		}
		o->line_by_line |= out->line_by_line;
		o->slot[o->n++].out = out;
	}
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

/* Threads of ours take no signals: those are for the main thread. */
static bool
start_threads(struct outputs *o, struct err *err)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int rc = pthread_create(&o->watchdog, NULL, watch, o);
	if (rc == 0) {
		rc = pthread_create(&o->thread, NULL, run, o);
		if (rc != 0)
			stop_watchdog(o);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc == 0 || err_set(err, ERR_SYS, "output thread: %s", strerror(rc));
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
	o->line_by_line = unbuffered;
	queue_init(&o->queue, s->queue_capacity, LIMIT_OUTPUT_QUEUE_BYTES);
	pthread_mutex_init(&o->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&o->changed, &attr);
	pthread_condattr_destroy(&attr);
	add_outs(o, s);
	if (o->n == 0)
		err_set(err, ERR_USAGE,
		    "No output configured, please make sure at least one output is "
		    "configured and enabled.");
	else if (start_threads(o, err))
		return o;
	for (uint32_t i = 0; i < o->n; i++)
		o->slot[i].out->free(o->slot[i].out, 0);
	release(o);
	return NULL;
}

bool
outputs_put(struct outputs *o, enum priority priority, const char *line, size_t len)
{
	if (len <= LIMIT_OUTPUT_LINE_BYTES &&
	    queue_put(&o->queue, (uint32_t)priority, line, len)) {
		atomic_fetch_add_explicit(&o->queued, 1, memory_order_relaxed);
		return true;
	}
	atomic_fetch_add(&o->dropped_full, 1);
	if (!atomic_exchange(&o->overflowed, true))
		log_error("Outputs queue out of memory. Drop event and continue on ...");
	return false;
}

void
outputs_reopen(struct outputs *o)
{
	atomic_store(&o->reopen, true);
	queue_wake(&o->queue);
}

bool
outputs_idle(struct outputs *o)
{
	uint32_t depth, depth_max;

	queue_depth(&o->queue, &depth, &depth_max);
	return depth == 0 && !atomic_load(&o->reopen);
}

void
outputs_counts(struct outputs *o, struct outputs_counts *ret_counts)
{
	struct outputs_counts c = {
	    .queued = atomic_load(&o->queued),
	    .delivered = atomic_load(&o->delivered),
	    .dropped_full = atomic_load(&o->dropped_full),
	    .discarded = atomic_load(&o->discarded),
	    .failed = atomic_load(&o->failed),
	};

	queue_depth(&o->queue, &c.depth, &c.depth_max);
	*ret_counts = c;
}

bool
outputs_sink(struct outputs *o, uint32_t i, struct outputs_sink *ret_sink)
{
	if (i >= o->n)
		return false;
	*ret_sink = (struct outputs_sink){
	    .name = o->slot[i].out->name, .failed = atomic_load(&o->slot[i].failed)};
	if (o->slot[i].out->given_up)
		ret_sink->failed += o->slot[i].out->given_up(o->slot[i].out);
	return true;
}

static bool
wait_ended(struct outputs *o, uint32_t ms)
{
	struct timespec deadline;

	deadline_in(&deadline, ms);
	pthread_mutex_lock(&o->lock);
	while (
	    !o->ended && pthread_cond_timedwait(&o->changed, &o->lock, &deadline) == 0) {
	}
	bool ended = o->ended;
	pthread_mutex_unlock(&o->lock);
	return ended;
}

void
outputs_free(struct outputs *o)
{
	if (!o)
		return;
	atomic_store(&o->stop, true);
	queue_wake(&o->queue);
	bool ended = wait_ended(o, o->timeout_ms);

	if (!ended) {
		log_notice("output channels still blocked, discarding all remaining "
			   "notifications");
		atomic_store(&o->give_up, true);
		atomic_fetch_add(&o->discarded, queue_discard(&o->queue));
		wait_ended(o, LAST_WAIT_MS);
	}
	stop_watchdog(o);
	pthread_mutex_lock(&o->lock);
	ended = o->ended;
	/* A write that does not return holds the thread and what it uses. */
	o->orphaned = !ended;
	pthread_t thread = o->thread;
	pthread_mutex_unlock(&o->lock);
	if (ended) {
		pthread_join(thread, NULL);
		release(o);
	} else {
		pthread_detach(thread);
	}
}
