/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/outputs/sink.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

enum {
	ERROR_PAUSE_S = 1, /* between two lines about one output's failures */
	/* For what a blocked output holds, a few times: outputs_free does not wait long.
	 */
	GIVEN_UP_WAIT_MS = 20,
};

static void
enter(struct sink *s)
{
	atomic_store(&s->busy_since_ns, clock_mono_ns());
	s->on_busy(s->arg);
}

static void
leave(struct sink *s)
{
	atomic_store(&s->busy_since_ns, 0);
}

static void
tell(struct sink *s, const struct err *err)
{
	uint64_t now = clock_mono_ns();

	if (s->last_error_ns &&
	    now - s->last_error_ns < (uint64_t)ERROR_PAUSE_S * 1000000000) {
		s->quiet++;
		return;
	}
	if (s->quiet)
		log_error("%s: %s (and %u failures before)", s->name, err->msg, s->quiet);
	else
		log_error("%s: %s", s->name, err->msg);
	s->last_error_ns = now;
	s->quiet = 0;
}

static void
deliver(struct sink *s, const struct out_batch *b)
{
	struct out_loss loss;
	struct err err;

	enter(s);
	if (s->out->write(s->out, b, &loss, &err)) {
		loss.n = 0;
	} else {
		atomic_fetch_add(&s->lost[loss.why], loss.n);
		tell(s, &err);
	}
	leave(s);
	atomic_fetch_add(&s->delivered, b->n - loss.n);
}

static void
deliver_chunk(struct sink *s, const struct queue_chunk *c)
{
	uint32_t step = s->line_by_line ? 1 : c->n;

	for (uint32_t i = 0; i < c->n; i += step) {
		const struct out_batch b = {c->text, &c->line[i], step};
		const struct queue_line *first = &c->line[i], *last = first + step - 1;
		if (!atomic_load(&s->give_up))
			deliver(s, &b);
		else
			atomic_fetch_add(&s->lost[OUTPUTS_GIVEN_UP], step);
		queue_done(&s->queue, step, last->offset + last->len + 1 - first->offset);
	}
}

static void
free_out(struct sink *s, uint32_t wait_ms)
{
	pthread_mutex_lock(&s->lock);
	struct out *out = s->out;
	s->out = NULL;
	pthread_mutex_unlock(&s->lock);
	if (out)
		out->free(out, wait_ms);
}

static void *
run(void *arg)
{
	struct sink *s = arg;

	for (;;) {
		struct queue_chunk *c = queue_take(&s->queue);
		if (atomic_load(&s->reopen)) {
			enter(s);
			if (s->out->reopen)
				s->out->reopen(s->out);
			leave(s);
			atomic_store(&s->reopen, false);
		}
		if (c) {
			deliver_chunk(s, c);
			queue_recycle(&s->queue, c);
		} else if (atomic_load(&s->stop)) {
			break;
		}
	}
	free_out(s, atomic_load(&s->give_up) ? GIVEN_UP_WAIT_MS : s->free_wait_ms);
	s->on_end(s, s->arg);
	return NULL;
}

bool
sink_init(struct sink *s, out_make_fn *make, const struct settings *settings,
    bool unbuffered, size_t limit_bytes, struct err *err)
{
	s->out = make(settings, &(struct out_env){&s->give_up, s->lost}, err);
	if (!s->out)
		return false;
	s->name = s->out->name;
	s->line_by_line = unbuffered || s->out->line_by_line;
	s->free_wait_ms = settings->output_timeout_ms / 4;
	queue_init(&s->queue, settings->queue_capacity, limit_bytes);
	pthread_mutex_init(&s->lock, NULL);
	return true;
}

bool
sink_start(struct sink *s, struct err *err)
{
	int rc = pthread_create(&s->thread, NULL, run, s);

	return rc == 0 || err_set(err, ERR_SYS, "thread of the output: %s", strerror(rc));
}

bool
sink_put(struct sink *s, enum priority priority, const char *line, size_t len)
{
	bool fits = len <= LIMIT_OUTPUT_LINE_BYTES;

	if (fits && queue_put(&s->queue, (uint32_t)priority, line, len))
		return true;
	atomic_fetch_add(&s->lost[fits ? OUTPUTS_QUEUE_FULL : OUTPUTS_TOO_LONG], 1);
	return false;
}

/* While the thread sleeps, so it is not about to open anything, or to end. */
static bool
deliver_now(const struct queue_chunk *c, void *arg)
{
	struct sink *s = arg;
	const struct out_batch b = {c->text, c->line, c->n};

	if ((s->line_by_line && c->n > 1) || atomic_load(&s->give_up) ||
	    !s->out->write_now(s->out, &b))
		return false;
	atomic_fetch_add(&s->delivered, c->n);
	return true;
}

void
sink_flush(struct sink *s)
{
	if (!s->out->write_now || !queue_offer(&s->queue, deliver_now, s))
		queue_flush(&s->queue);
}

bool
sink_is_idle(struct sink *s)
{
	uint32_t depth, depth_max;

	queue_depth(&s->queue, &depth, &depth_max);
	return depth == 0 && !atomic_load(&s->reopen);
}

void
sink_counts(struct sink *s, struct outputs_sink *ret_counts)
{
	ret_counts->name = s->name;
	ret_counts->delivered = atomic_load(&s->delivered);
	for (int i = 0; i < OUTPUTS_LOSS_N; i++)
		ret_counts->lost[i] = atomic_load(&s->lost[i]);
	queue_depth(&s->queue, &ret_counts->depth, &ret_counts->depth_max);
	pthread_mutex_lock(&s->lock);
	ret_counts->spooled_bytes =
	    s->out && s->out->spooled_bytes ? s->out->spooled_bytes(s->out) : 0;
	pthread_mutex_unlock(&s->lock);
}

void
sink_reopen(struct sink *s)
{
	atomic_store(&s->reopen, true);
	queue_wake(&s->queue);
}

void
sink_stop(struct sink *s)
{
	atomic_store(&s->stop, true);
	queue_wake(&s->queue);
}

void
sink_give_up(struct sink *s)
{
	atomic_store(&s->give_up, true);
	atomic_fetch_add(&s->lost[OUTPUTS_GIVEN_UP], queue_discard(&s->queue));
	pthread_mutex_lock(&s->lock);
	if (s->out && s->out->interrupt)
		s->out->interrupt(s->out);
	pthread_mutex_unlock(&s->lock);
	sink_stop(s);
}

void
sink_release(struct sink *s)
{
	free_out(s, 0);
	queue_release(&s->queue);
	pthread_mutex_destroy(&s->lock);
}
