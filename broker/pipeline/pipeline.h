/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pipeline: one event source, from the frames of its workers to alert lines.
 *
 * The origin is the worker that holds the sourcing plugin; helpers hold the plugins that
 * extract fields from its events or parse them. A chunk of events is worked on at a time,
 * in windows: conditions first (stage by stage, columns fetched as the evaluator asks),
 * then the fields that the outputs of matching rules print, then the alerts; after the
 * last chunk of a batch the batch is acknowledged, and only then does the origin call
 * next_batch again.
 *
 * A window is a whole chunk, or several small ones that wait behind one another and of
 * which nothing more can be asked, unless order matters more finely. A plugin that parses
 * events is asked for everything that it may be asked for just after it has parsed an
 * event and before it parses the next; that is done for a window at once, in its own
 * process. In lockstep, when what one plugin parses is seen by another, a window is one
 * event: parsed by all in load order, then extracted from.
 *
 * No globals: pipelines share nothing but the outputs and the loop they run in.
 */
#ifndef BROKER_PIPELINE_PIPELINE_H
#define BROKER_PIPELINE_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "broker/pipeline/async.h"
#include "broker/supervisor/plugins.h"
#include "broker/supervisor/supervisor.h"
#include "proto/chunk.h"
#include "rules/alert.h"
#include "rules/engine.h"

/* A frame copied out of a ring: from here on it is ours alone. */
struct frame {
	TAILQ_ENTRY(frame) link;
	uint8_t *bytes; /* LIMIT_FRAME_BYTES, 8-byte aligned */
	uint32_t type, len;
	uint32_t incarnation; /* worker.id of the sender */
};

TAILQ_HEAD(frame_list, frame);

enum pipeline_state {
	PIPELINE_IDLE,   /* waits for events */
	PIPELINE_PARSE,  /* in lockstep: one parser after the other */
	PIPELINE_MATCH,  /* conditions: waits for columns, or runs */
	PIPELINE_OUTPUT, /* waits for the columns of outputs */
	PIPELINE_ENDED,  /* end of the source, or as many events as wanted */
	PIPELINE_FAILED, /* err says why */
};

/* One extraction request to one worker; at most one is under way per worker. */
struct request {
	bool wanted; /* to be sent again once the worker is back */
	bool under_way;
	bool parse; /* and parse the events first */
	/* A worker has died of it: its events are tried one by one, to find which. */
	bool probing;
	uint32_t probe; /* the event that is tried */
	uint32_t number, n_slot;
	uint64_t sent_ns;
	uint32_t *slot;
	struct mask events;
};

/* A worker of the pipeline with what is asked of it. */
struct pipeline_worker {
	struct worker *worker;
	bool gone;   /* failed for good */
	bool parses; /* events of this source */
	/* What it is told once it is at work: the step that is under way, 0: none. */
	Control__Attach__Step attaching;
	/* What it answers depends on what it parsed before: all of its slots are asked
	 * for with every event. */
	bool stateful;
	struct request request;
	struct mask poison; /* events of the chunk that it does not survive */
	/* Slots that it answers for; plan is what it was told. */
	Control__Slot *slot;
	Control__Slot **plan;
	uint32_t n_slot;
};

struct pipeline;

/* An event as its plugin made it; NULL where it did not come along. */
struct raw_event {
	const uint8_t *bytes;
	uint32_t len;
};

/* An event that comes from elsewhere than a worker: out of a capture file. */
struct fed_event {
	struct event_meta meta;
	struct raw_event raw;
	bool is_state; /* for parsers alone: no rule sees it */
};

/* Are events wanted themselves, and not only what is extracted from them? */
enum pipeline_keep {
	PIPELINE_KEEPS_NONE,
	PIPELINE_KEEPS_FOR_RULES, /* when a rule wants a capture */
	PIPELINE_KEEPS_ALL,
};

/* What a pipeline does with its results; arg is its user's. */
struct pipeline_sink {
	/* A window is over: p->meta and p->raw of its n_events, and all their matches, in
	 * order. Before the hooks below. May be NULL. */
	void (*window)(struct pipeline *p, const struct eval_match *match,
	    uint32_t n_match, void *arg);
	/* A rule matched. Called once per match, in order. */
	void (*match)(struct pipeline *p, const struct rule *rule,
	    const struct event_view *view, void *arg);
	/* An event is over, matched or not. May be NULL. */
	void (*event)(struct pipeline *p, const struct event_view *view, void *arg);
	/* An event that belongs at the head of a capture file (pipeline_dump_state); its
	 * id is the source's. May be NULL. */
	void (*state)(struct pipeline *p, const void *event, uint32_t len, void *arg);
	/* All of them were told. May be NULL. */
	void (*state_told)(struct pipeline *p, void *arg);
	/* All events of pipeline_feed are over. May be NULL. */
	void (*fed)(struct pipeline *p, void *arg);
	/* The state became ENDED or FAILED. */
	void (*ended)(struct pipeline *p, void *arg);
	/* The state was FAILED, and is no more. May be NULL. */
	void (*revived)(struct pipeline *p, void *arg);
	/* Rules of pipeline_replace_rules hold, or were themselves replaced before they
	 * ever did: "before" are those that the pipeline lets go. May be NULL. */
	void (*replaced)(struct pipeline *p, const struct ruleset *before, void *arg);
	void *arg;
};

/* Which fields are fetched with every event, and which for some alone: tune.c. */
enum tune_phase {
	TUNE_ALL,    /* all that conditions need come with every event */
	TUNE_TRYING, /* as few as can be: who asks for the others? */
	TUNE_CHOSEN, /* those that many events need */
};

struct pipeline_tune {
	enum tune_phase phase;
	/* Since the last look: events; those that matched; for how many the origin was
	 * asked again; what it took for them before. */
	uint32_t events, matched, asked;
	uint64_t extract_us;
	uint64_t batches; /* of the pipeline, at the last look */
	uint32_t window;  /* events until the next look */
	uint32_t rest;    /* events until the next trial */
};

struct pipeline_counts {
	uint64_t events, async_events, chunks, windows, batches, matches, dropped_large,
	    missing_columns, poison_events;
};

/*
 * Rules on their way in. Each set is a struct pipeline of which only what hangs on rules
 * is there. next has been or will be told to the origin, which answers when all events of
 * the plan before are through; then it becomes the pipeline's, and the helpers are told.
 */
struct pipeline_swap {
	struct pipeline *prepared; /* not to be used yet */
	struct pipeline *next;
	struct pipeline *then; /* after next */
	struct pipeline *telling;
	bool is_told, is_due;
	bool waits; /* for helpers to have the plan */
};

/* The batch up to which acknowledging waits for events_per_s. */
struct pipeline_rate {
	struct event *on_due;
	uint64_t due_ns, events; /* evaluated at the last acknowledgement */
	bool is_holding;
	uint32_t held, incarnation;
};

/* Small chunks on their way to be one (merge.c). */
struct pipeline_merge {
	uint8_t *bytes; /* their frames, each at a multiple of 8 */
	uint32_t used;
	struct chunk_event *event; /* LIMIT_CHUNK_EVENTS */
	struct merged_column *column;
	uint32_t n_column;
};

struct pipeline {
	struct supervisor *sup;
	const char *name; /* of the source */
	const struct ruleset *rules;
	struct evaluator *ev;
	struct pipeline_sink sink;

	struct pipeline_worker
	    *worker; /* the origin, if any, then helpers in load order */
	uint32_t n_worker;
	bool has_origin; /* worker[0] is it */
	/* Set between _new and _start. Events come by pipeline_feed alone: plugins are
	 * not asked to inject any. */
	bool is_fed;
	enum pipeline_keep
	    keep; /* what is set while it runs counts from the next plan on */
	bool lockstep;
	bool deferred; /* the origin is asked for everything, as others are */
	/* Positions in worker: of all in load order, and of those that parse. */
	uint32_t *in_order, *parser;
	uint32_t n_parser, next_parser;
	bool starting;
	bool fails; /* its source is gone for good: once all that it gave is through */
	uint32_t n_dumping; /* workers that tell their state */
	uint32_t *owner;    /* by slot: position in worker; UINT32_MAX: nobody */
	bool *first_stage;  /* by slot: the origin sends it with every chunk */
	bool *early;        /* by slot: so it should be, as tune.c sees it */
	uint32_t *wanted;   /* by slot: so often since its last look */

	enum pipeline_state state;
	struct err err;
	struct frame_list backlog, spare,
	    held; /* held: borrowed by the chunk under way */
	uint32_t n_backlog, n_frames;
	struct event *on_turn, *on_deadline;
	uint32_t deadline_number;

	/* The chunk under way. */
	struct frame *chunk;        /* NULL: none */
	struct chunk_view view;     /* of it, raw events included */
	struct chunk_view answer;   /* of a COLUMNS frame, while it is checked */
	uint32_t incarnation;       /* whose batches are counted */
	uint32_t batch, next_first; /* expected next */
	uint32_t n_ending, ending;  /* so many batches end in it, the last of them this */
	int32_t chunk_rc;           /* of the last of them */
	struct pipeline_merge merge;
	/* Batches up to ack_batch are evaluated and are to be acknowledged. */
	bool ack_is_due;
	uint32_t ack_batch;
	uint64_t acked_events; /* evaluated at the last acknowledgement */

	/* Events that plugins injected, merged into the stream by their times. */
	struct async_queue async;
	uint64_t last_ts_ns; /* of the event delivered last; 0: none was */
	/* How much of the source is read, in hundredths of a percent, plus 1; 0: unknown.
	 */
	uint32_t progress;

	/* Events of pipeline_feed, of which those before fed_at are over or under way. */
	const struct fed_event *fed;
	uint32_t n_fed, fed_at;

	/* The window under way: n_events from event "at" of the chunk on, or
	 * (is_injected) so many injected ones, or (in a pipeline that is fed) the last
	 * ones before fed_at. */
	bool is_injected;
	bool is_state;                 /* to be parsed, and no more */
	struct async_event **injected; /* LIMIT_CHUNK_EVENTS */
	uint32_t at, n_events;
	struct event_meta *meta; /* LIMIT_CHUNK_EVENTS */
	struct raw_event *raw;   /* LIMIT_CHUNK_EVENTS */
	struct column *column;   /* by slot */
	struct mask *have;       /* by slot */
	struct mask all;         /* the window's events */

	uint64_t next_num; /* number of the next event */
	uint64_t first_ts_ns;
	bool has_first_ts;
	uint64_t max_time_ns; /* of -M; UINT64_MAX: none */
	uint64_t max_events;  /* UINT64_MAX: none */
	uint32_t next_request;
	struct pipeline_counts counts;
	struct pipeline_swap swap;
	struct pipeline_rate rate;
	bool is_pumping;
	/* linger.c: side rings are looked at; until when; table operations that there had
	 * been when there were no more. */
	bool is_lingering;
	uint64_t turn_end_ns, table_frames;
	uint32_t chances, doubt; /* of a next chunk that is about to come */
	struct pipeline_tune tune;
	struct eval_config config; /* hostname is the caller's */
};

/*
 * origin (NULL: events come from plugins that inject them alone) and helpers stay their
 * owner's, must be INITIALIZED and are assigned to the pipeline here. rules and what they
 * point at outlive the pipeline.
 */
struct pipeline *pipeline_new(struct supervisor *sup, const struct ruleset *rules,
    const struct eval_config *config, struct worker *origin, struct worker *const *helper,
    uint32_t n_helper, const struct pipeline_sink *sink, struct err *err);
void pipeline_free(struct pipeline *p);

/* Plans, opens and starts; returns when the origin runs. */
bool pipeline_start(struct pipeline *p, struct err *err);

/*
 * Other rules for a running pipeline, in two steps, so that several pipelines can take
 * them together or not at all: everything that can fail is in the first. No event is lost
 * or seen by both sets, no worker is stopped. Events that are with the broker already are
 * still evaluated by the old ones.
 */
bool pipeline_prepare_rules(struct pipeline *p, const struct ruleset *rules,
    const struct eval_config *config, struct err *err);
void pipeline_forget_rules(struct pipeline *p);
void pipeline_replace_rules(struct pipeline *p);

/*
 * Gives events to a pipeline that is_fed and that has none any more; numbers and times
 * are the caller's. They stay the caller's, too, and unchanged until sink.fed. Together
 * they are at most LIMIT_CHUNK_EVENTS and, if more than one, LIMIT_CHUNK_BYTES.
 */
void pipeline_feed(struct pipeline *p, const struct fed_event *event, uint32_t n);

/* Has every plugin that injects events put its state into events: sink.state, and at the
 * end sink.state_told, from the loop. False: none is to come. Not while n_dumping > 0:
 * what is being told is half told already. */
bool pipeline_dump_state(struct pipeline *p);

#endif
