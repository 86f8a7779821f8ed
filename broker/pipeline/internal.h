/* SPDX-License-Identifier: Apache-2.0 */
/* Between pipeline.c (states), window.c (what is evaluated), fetch.c (columns,
 * requests), plan.c (who answers for which slot) and the others. Nobody else includes
 * this. */
#ifndef BROKER_PIPELINE_INTERNAL_H
#define BROKER_PIPELINE_INTERNAL_H

#include "broker/pipeline/pipeline.h"

/* pipeline.c */
bool pipeline_is_origin(const struct pipeline *p, const struct pipeline_worker *pw);
/* Goes on as far as it can. */
void pipeline_pump(struct pipeline *p);
void pipeline_end(struct pipeline *p, enum pipeline_state state);

static inline struct worker *
pipeline_origin(const struct pipeline *p)
{
	return p->worker[0].worker;
}

/* window.c */
/* The next chunk, if there is one, unless other rules are taken on before it: false. */
bool pipeline_next_chunk(struct pipeline *p);
bool pipeline_begin_chunk(struct pipeline *p, struct frame *f, struct err *err);
/* The next window of the chunk; its n_events is 0 when the run ends before it. */
bool pipeline_begin_window(struct pipeline *p, struct err *err);
/* Evaluation of the window's events, which are numbered. */
void pipeline_begin_evaluation(struct pipeline *p);
/* Of a checked chunk: are its events such as the origin may have, and does it follow what
 * came before? When it does, the next one is to follow it. False: a breach. */
bool pipeline_check_events(
    const struct pipeline *p, const struct chunk_view *v, struct err *err);
bool pipeline_is_next_chunk(
    struct pipeline *p, const struct chunk_head *h, struct err *err);
/* And what else it says. */
void pipeline_note_chunk(struct pipeline *p, const struct chunk_head *h);
/* What is asked for before the evaluator asks. */
void pipeline_begin_asking(struct pipeline *p);

/* merge.c */
/* Adds chunks that wait behind the one that has begun to it, if it and they are small
 * and only to be evaluated. */
void pipeline_merge_chunks(struct pipeline *p);
bool pipeline_merge_init(struct pipeline *p, struct err *err);
void pipeline_merge_release(struct pipeline *p);

/* told.c: p is the argument. */
extern const struct worker_owner pipeline_hooks;

/* attach.c: what plugins are told once they are at work, and what they inject */
bool pipeline_attach_all(struct pipeline *p, struct err *err);
/* One that has come back. */
void pipeline_attach(struct pipeline *p, struct pipeline_worker *pw);
void pipeline_answered(struct pipeline *p, struct pipeline_worker *pw, bool done);
bool pipeline_inject(struct pipeline *p, struct pipeline_worker *pw, uint32_t type,
    const void *peer_event, uint32_t len, struct err *err);
/* The next injected events as a window, when one is due at ts_ns. */
bool pipeline_begin_injected(struct pipeline *p, uint64_t ts_ns);
void pipeline_end_injected(struct pipeline *p);

/* feed.c */
/* The next fed events as a window; there must be some. */
void pipeline_begin_fed(struct pipeline *p);
/* It is over. */
void pipeline_end_fed(struct pipeline *p);

/* swap.c: the same rules, but these slots fetched with every event. False: not now. */
bool pipeline_refetch(struct pipeline *p, const bool *early);

/* tune.c */
void pipeline_tune_init(struct pipeline *p);
/* Other slots come with every event from now on. */
void pipeline_tune_begin(struct pipeline *p);
/* These are about to be asked for. */
void pipeline_tune_asked(struct pipeline *p, const struct eval_need *need, uint32_t n);
/* The window's n events are over, of which so many matched. Between chunks only. */
void pipeline_tune_count(struct pipeline *p, uint32_t n, uint32_t matched);

/* linger.c */
/* Looks for what is on its way before the loop sleeps, while that is likely; true when
 * there is something to do. The turn's end is asked for when it has taken long. */
bool pipeline_linger(struct pipeline *p);
/* What the worker said beside its frames, up to the one just taken: what it lets go of is
 * let go of before the next is asked for anything. */
void pipeline_take_side(struct pipeline *p, struct worker *w);
/* The pump stops for another reason. */
void pipeline_linger_no_more(struct pipeline *p);

/* plan.c */
/* Who parses and who has to be asked in lockstep; then the slots. early, by slot: to be
 * fetched with every event; NULL: all of conditions, none of outputs alone. */
bool pipeline_plan_make(struct pipeline *p, const bool *early, struct err *err);
void pipeline_plan_release(struct pipeline *p);
bool pipeline_plan_tell(struct worker *w, Control__Plan *m, void *arg);

/* frames.c */
enum take_rc {
	TAKE_OK,
	TAKE_EMPTY,
	TAKE_BROKEN, /* the worker has been told off: worker_breach was called */
};
/* The next frame of the worker's ring, copied. */
enum take_rc pipeline_take(
    struct pipeline *p, struct pipeline_worker *pw, struct frame **ret_frame);
/* One to copy into; NULL: there can be none, and the worker has been told off. */
struct frame *pipeline_frame_new(struct pipeline *p, struct worker *w);
void pipeline_frame_drop(struct pipeline *p, struct frame *f);
/* All that is in the ring of a worker that is ending, moved to the backlog. */
void pipeline_salvage(struct pipeline *p, struct pipeline_worker *pw);

/* fetch.c */
/* Columns of a checked frame, from its event "at" on, as what the evaluator borrows.
 * False: a breach, in err. */
bool pipeline_supply(struct pipeline *p, struct pipeline_worker *pw,
    const struct chunk_view *v, uint32_t at, const struct mask *events, bool first_stage,
    struct err *err);
/* No value of slot on any event. */
void pipeline_supply_missing(struct pipeline *p, uint32_t slot);

/* Asks for what the evaluator needs; slots that nobody can give are supplied as missing.
 */
void pipeline_ask(struct pipeline *p, const struct eval_need *need, uint32_t n);
/* Columns that every event will need and that did not come with the chunk, asked for at
 * once; in the same requests what is to be parsed, unless that was done in lockstep. */
void pipeline_ask_ahead(struct pipeline *p);
/* Asks a worker to parse the window's events; false when it parses none of them. */
bool pipeline_ask_to_parse(struct pipeline *p, struct pipeline_worker *pw);
/* Takes answers. True when none is outstanding any more. */
bool pipeline_answers(struct pipeline *p);
void pipeline_send_again(struct pipeline *p, struct pipeline_worker *pw);
/* The worker is gone: what was asked of it is missing, or waits for its return. */
void pipeline_request_orphaned(
    struct pipeline *p, struct pipeline_worker *pw, bool restarts);

/* rate.c */
/* The batch and those before it are evaluated: told to the worker at once, or, while the
 * pump is at work, when that is worth a word, and as late as events_per_s of its profile
 * asks. */
void pipeline_acknowledge(struct pipeline *p, uint32_t batch);
/* What waits to be told. */
void pipeline_acknowledge_all(struct pipeline *p);
void pipeline_rate_release(struct pipeline *p);

/* swap.c */
/* Between chunks, with f the next frame or NULL: must the pipeline wait? Rules may have
 * changed when this returns. */
bool pipeline_swap_between(struct pipeline *p, struct frame *f);
/* The origin runs (again). */
void pipeline_swap_reached(struct pipeline *p, struct worker *w);
void pipeline_swap_replanned(struct pipeline *p, struct worker *w);
void pipeline_swap_release(struct pipeline *p);

#endif
