/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor tells a pipeline of its workers. */
#include "base/log.h"
#include "broker/pipeline/internal.h"

static struct pipeline_worker *
find_worker(struct pipeline *p, const struct worker *w)
{
	for (uint32_t i = 0; i < p->n_worker; i++) {
		if (p->worker[i].worker == w)
			return &p->worker[i];
	}
	return NULL;
}

static void
on_reached(struct worker *w, void *arg)
{
	struct pipeline *p = arg;
	struct pipeline_worker *pw = find_worker(p, w);

	if (!p->starting && w->counts.launches > 1 && p->state < PIPELINE_ENDED) {
		log_notice(
		    "plugin '%s' is back (source %s)", w->plugin->setting->name, p->name);
		pipeline_send_again(p, pw);
		pipeline_attach(p, pw);
	}
	pipeline_swap_reached(p, w);
	pipeline_pump(p);
}

static void
on_replanned(struct worker *w, void *arg)
{
	pipeline_swap_replanned(arg, w);
	pipeline_pump(arg);
}

static void
on_frames(struct worker *w, void *arg)
{
	pipeline_pump(arg);
}

static bool
on_async(struct worker *w, uint32_t type, const void *peer_event, uint32_t len, void *arg,
    struct err *err)
{
	struct pipeline *p = arg;

	return pipeline_inject(p, find_worker(p, w), type, peer_event, len, err);
}

static void
on_answered(struct worker *w, bool done, void *arg)
{
	struct pipeline *p = arg;

	pipeline_answered(p, find_worker(p, w), done);
}

static void
on_ended(struct worker *w, bool restarts, void *arg)
{
	struct pipeline *p = arg;
	struct pipeline_worker *pw = find_worker(p, w);

	if (pipeline_is_origin(p, pw)) {
		/* What it published before counts; not so what it said before it broke
		 * the rules. */
		if (w->doom.code != ERR_PEER)
			pipeline_salvage(p, pw);
		w->next_event = p->next_num;
	}
	pw->gone = !restarts;
	pipeline_request_orphaned(p, pw, restarts);
	if (pw->gone && pipeline_is_origin(p, pw) && p->state < PIPELINE_ENDED) {
		p->err = w->doom;
		p->fails = true;
	}
	pipeline_pump(p);
	w->next_event = p->next_num;
	if (pw->gone && !pipeline_is_origin(p, pw) && p->state < PIPELINE_ENDED &&
	    w->plugin->profile->required) {
		p->err = w->doom;
		pipeline_end(p, PIPELINE_FAILED);
	}
}

/* An operator wants it back: its failure, of any kind, is forgotten. */
static void
on_restarted(struct worker *w, void *arg)
{
	struct pipeline *p = arg;
	struct pipeline_worker *pw = find_worker(p, w);
	bool was_it = pw->gone || pipeline_is_origin(p, pw);

	pw->gone = false;
	if (pipeline_is_origin(p, pw))
		p->fails = false;
	if (p->state != PIPELINE_FAILED || !was_it)
		return;
	p->state = PIPELINE_IDLE;
	p->err.code = ERR_NONE;
	if (p->sink.revived)
		p->sink.revived(p, p->sink.arg);
}

const struct worker_owner pipeline_hooks = {
    .reached = on_reached,
    .frames = on_frames,
    .ended = on_ended,
    .plan = pipeline_plan_tell,
    .replanned = on_replanned,
    .restarted = on_restarted,
    .async = on_async,
    .answered = on_answered,
};
