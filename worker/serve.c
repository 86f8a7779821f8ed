/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/serve.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/spin.h"
#include "worker/requests.h"

enum {
	/* The channel is read when the broker's note says that there is something to
	 * read, and this often in any case. */
	UNTOLD_NS = 500000000,
	/* The clock is read for that once in so many looks, if nothing else reads it. */
	LOOKS_UNTIMED = 64,
	/* A batch that took longer may find another plan. */
	LONG_CALL_NS = 1000000,
	/* How long it is looked for what comes next: about what being woken costs. */
	SPIN_NS = 50000,
	/* A plugin that times out without waiting is given a pause after so many calls,
	 * if they took less than so long each. */
	IDLE_CALLS = 100,
	IDLE_CALL_NS = 20000,
	MIN_PAUSE_US = 50,
	MAX_PAUSE_US = 200,
};

bool
worker_init(struct worker *w, int control_fd, struct worker_rings *rings,
    int wake_broker_fd, int wake_worker_fd, unsigned n_cpus, struct err *err)
{
	*w = (struct worker){.wake_fd = wake_worker_fd, .look = true};
	channel_init(&w->channel, control_fd);
	uplink_init(&w->up, &w->channel);
	host_init(&w->host, &w->up);
	plan_init(&w->plan);
	plan_init(&w->next_plan);
	ring_reader_init(&w->in, &rings->up, &rings->down);
	side_init(&w->side, &rings->side_up, &rings->side_down, wake_broker_fd);
	w->publisher = (struct publisher){
	    .source = &w->source,
	    .plan = &w->plan,
	    .extractor = &w->extractor,
	    .parser = &w->parser,
	    .out = &w->out,
	    .call = &w->call,
	    .parallel = n_cpus > 1,
	};
	w->call.own = &rings->up;
	w->frame = malloc(LIMIT_FRAME_BYTES);
	if (!w->frame)
		return err_nomem(err);
	w->spin.is_possible = n_cpus > 1;
	if (!tables_init(&w->tables, &w->host, &w->side, wake_worker_fd, &w->spin, err))
		return false;
	return outbox_init(&w->out, &rings->up, &rings->down, wake_broker_fd, err);
}

bool
worker_ready(struct worker *w, struct err *err)
{
	Control__Ready ready = CONTROL__READY__INIT;
	Control__Message m = CONTROL__MESSAGE__INIT;

	ready.has_protocol = true;
	ready.protocol = 1;
	m.body_case = CONTROL__MESSAGE__BODY_READY;
	m.ready = &ready;
	return uplink_send(&w->up, &m, err);
}

/* Control channel. */

static bool
look_at_channel(struct worker *w, struct err *err)
{
	uint64_t told = ring_peer_note(w->in.peer);
	Control__Message *m;

	if (++w->looks % LOOKS_UNTIMED == 0)
		w->publisher.now_ns = clock_mono_ns();
	uint64_t now = w->publisher.now_ns;
	if (!w->look && told == w->told && now - w->looked_ns < UNTOLD_NS)
		return true;
	/* What the note tells of was written before it. */
	atomic_thread_fence(memory_order_acquire);
	w->told = told;
	w->looked_ns = now;
	w->look = false;
	while (w->phase != SERVE_DONE) {
		switch (channel_receive(&w->channel, &m, err)) {
		case CHANNEL_AGAIN:
			/* The rest of a message is told of by nobody. */
			w->look = w->channel.head_len > 0;
			return true;
		case CHANNEL_CLOSED:
			return err_set(err, ERR_GONE, "the broker is gone");
		case CHANNEL_ERROR:
			return false;
		case CHANNEL_OK:
			break;
		}
		bool ok = worker_request(w, m, err);
		channel_message_free(m);
		if (!ok)
			return false;
	}
	return true;
}

/* Frames. */

static bool
take_extract(struct worker *w, uint32_t len, struct err *err)
{
	struct extract_view v;

	if (w->phase < SERVE_INITIALIZED || w->phase > SERVE_RUNNING)
		return err_set(err, ERR_PEER, "extraction without a plugin");
	return extract_check(&v, w->frame, len, err) &&
	       publish_answer(&w->publisher, &v, err);
}

static bool
take_ack(struct worker *w, uint32_t len, struct err *err)
{
	struct ack_frame ack;

	if (len != sizeof(ack))
		return err_set(err, ERR_PEER, "an acknowledgement of %u bytes", len);
	memcpy(&ack, w->frame, sizeof(ack));
	/* One that was under way when the source was closed is for nothing. */
	if (w->source.state >= SOURCE_FETCHING &&
	    !source_acknowledge(&w->source, ack.batch, w->plan.run_ahead))
		return err_set(err, ERR_PEER,
		    "acknowledgement of batch %u, which is not there", ack.batch);
	return true;
}

/* Whatever is there, as long as answers find room. */
static bool
take_frames(struct worker *w, bool *ret_busy, struct err *err)
{
	uint32_t type, len;

	while (outbox_is_free(&w->out)) {
		switch (ring_take(&w->in, w->frame, LIMIT_FRAME_BYTES, &type, &len)) {
		case RING_EMPTY:
			return true;
		case RING_OK:
			break;
		default:
			return err_set(err, ERR_PEER, "the broker's ring is broken");
		}
		*ret_busy = true;
		/* What others let go of before this was asked: a plugin may lock what it
		 * gives out. */
		tables_serve(&w->tables);
		bool ok = type == FRAME_EXTRACT ? take_extract(w, len, err)
			  : type == FRAME_ACK
			      ? take_ack(w, len, err)
			      : err_set(err, ERR_PEER, "frame of type %u", type);
		if (!ok)
			return false;
	}
	return true;
}

/* Source. */

/* A plugin is to wait by itself; one that does not must not take a CPU. */
static void
count_idle(struct worker *w, bool idle, uint64_t took_ns)
{
	if (!idle || took_ns >= IDLE_CALL_NS) {
		w->n_idle = w->pause_us = 0;
		return;
	}
	if (w->n_idle < IDLE_CALLS) {
		w->n_idle++;
		return;
	}
	w->pause_us = w->pause_us ? w->pause_us * 2 : MIN_PAUSE_US;
	if (w->pause_us > MAX_PAUSE_US)
		w->pause_us = MAX_PAUSE_US;
}

static bool
drive_source(struct worker *w, bool *ret_busy, struct err *err)
{
	struct source *s = &w->source;

	if (w->phase != SERVE_RUNNING || !outbox_is_free(&w->out))
		return true;
	/* A plan waits for what is under way: nothing more until then. */
	if (s->state == SOURCE_FETCHING && w->has_next_plan)
		return true;
	if (s->state == SOURCE_FETCHING) {
		uint64_t before = clock_mono_ns();
		call_enter(&w->call, CALL_NEXT_BATCH);
		if (!source_fetch(s, err))
			return false;
		call_leave(&w->call);
		/* next_batch may have taken its time. */
		w->publisher.now_ns = clock_mono_ns();
		uint64_t took_ns = w->publisher.now_ns - before;
		count_idle(w, s->state == SOURCE_FETCHING, took_ns);
		*ret_busy = w->pause_us == 0;
		/* A plan that came in the meantime counts for these events already. */
		if (s->state == SOURCE_PUBLISHING && took_ns > LONG_CALL_NS) {
			*ret_busy = true;
			return true;
		}
	}
	if (s->state != SOURCE_PUBLISHING)
		return true;
	*ret_busy = true;
	return publish_chunk(&w->publisher, err);
}

/* Waiting. */

/* The broker is at work on our batch, or asks for one event after the other: what comes
 * next is worth a look before a sleep. */
static bool
spin(struct worker *w, bool *ret_busy, struct err *err)
{
	spin_begin(&w->spin, SPIN_NS);
	do {
		if (!take_frames(w, ret_busy, err))
			return false;
		*ret_busy |= tables_serve(&w->tables);
	} while (!*ret_busy && spin_on(&w->spin));
	return true;
}

/* Announces the sleep; false when there is something to do after all. */
static bool
announce(struct worker *w)
{
	if (!tables_sleep(&w->tables))
		return false;
	if (outbox_is_free(&w->out) ? ring_reader_sleep(&w->in) : outbox_sleep(&w->out))
		return true;
	tables_awake(&w->tables);
	return false;
}

static bool
wait_for_work(struct worker *w, struct err *err)
{
	struct pollfd p[] = {
	    {.fd = w->channel.fd, .events = POLLIN},
	    {.fd = w->wake_fd, .events = POLLIN},
	};
	bool pausing = w->pause_us > 0 && w->phase == SERVE_RUNNING &&
		       w->source.state == SOURCE_FETCHING && outbox_is_free(&w->out);
	const struct timespec pause = {.tv_nsec = w->pause_us * 1000l};
	uint64_t rings;
	bool busy = false;

	if (w->spin.is_possible &&
	    (w->source.state == SOURCE_WAITING || w->plan.deferred) &&
	    !spin(w, &busy, err))
		return false;
	if (busy || !announce(w))
		return true;
	if (ppoll(p, 2, pausing ? &pause : NULL, NULL) < 0 && errno != EINTR)
		return err_sys(err, "poll");
	ring_reader_awake(&w->in);
	outbox_awake(&w->out);
	tables_awake(&w->tables);
	if (p[1].revents && read(w->wake_fd, &rings, sizeof(rings)) < 0 &&
	    errno != EAGAIN && errno != EINTR)
		return err_sys(err, "reading the wake-up descriptor");
	w->look = p[0].revents != 0;
	w->publisher.now_ns = clock_mono_ns();
	return true;
}

bool
worker_serve(struct worker *w, struct err *err)
{
	while (w->phase != SERVE_DONE) {
		bool busy = !outbox_is_free(&w->out);

		if (!outbox_retry(&w->out, err))
			return false;
		busy = busy && outbox_is_free(&w->out);
		busy |= tables_serve(&w->tables);
		if (!look_at_channel(w, err) || !take_frames(w, &busy, err) ||
		    !worker_take_plan(w, err) || !drive_source(w, &busy, err))
			return false;
		if (!busy && w->phase != SERVE_DONE && !wait_for_work(w, err))
			return false;
	}
	return true;
}
