/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One worker as the broker keeps it: the process of one (pipeline, plugin), through all
 * of its incarnations. What may happen in which state, and what then follows, is one
 * table in worker_moves.c.
 *
 * Everything that comes from the process is checked here or handed on as unchecked:
 * control messages by proto/permits.h, texts by limits and escaping, frames by whoever
 * takes them (pipeline.c). A breach ends the incarnation, never the broker.
 */
#ifndef BROKER_SUPERVISOR_WORKER_H
#define BROKER_SUPERVISOR_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/err.h"
#include "broker/supervisor/plugins.h"
#include "proto/channel.h"
#include "proto/permits.h"
#include "proto/plugin_api.h"
#include "proto/ring.h"
#include "worker/egress/counters.h"

/* Kept of what it said, for crash records. */
enum {
	WORKER_RECENT_LINES = 20,
	WORKER_RECENT_BYTES = 240,
};

/* STATE(id, phase of the permit table, which deadline of the profile runs, shown name) */
/* clang-format off */
#define WORKER_STATES(S) \
	S(DOWN,         CONFINED,     NONE,  "down") \
	S(STARTING,     CONFINED,     INIT,  "starting") \
	S(LOADING,      LOADING,      INIT,  "loading") \
	S(LOADED,       LOADED,       NONE,  "loaded") \
	S(INITIALIZING, INITIALIZING, INIT,  "initialising") \
	S(INITIALIZED,  INITIALIZED,  NONE,  "initialised") \
	S(PLANNING,     INITIALIZED,  INIT,  "planning") \
	S(PLANNED,      INITIALIZED,  NONE,  "ready") \
	S(OPENING,      OPENING,      OPEN,  "opening") \
	S(OPEN,         OPEN,         NONE,  "open") \
	S(RUNNING,      RUNNING,      NONE,  "running") \
	S(STOPPING,     STOPPING,     CLOSE, "closing") \
	S(QUITTING,     QUITTING,     CLOSE, "quitting") \
	S(BACKOFF,      CONFINED,     NONE,  "waiting to restart") \
	S(FAILED,       CONFINED,     NONE,  "failed")

#define WORKER_EVENTS(E) \
	E(START,       "start")           /* asked for, or the back-off is over */ \
	E(READY,       "ready")           /* messages, permitted ones */ \
	E(LOADED,      "loaded") \
	E(INITIALIZED, "initialized") \
	E(PLANNED,     "planned") \
	E(OPENED,      "opened") \
	E(STEP_FAILED, "step failed") \
	E(STOPPED,     "stopped") \
	E(BYE,         "bye") \
	E(STOP,        "stop")            /* asked for */ \
	E(DEADLINE,    "deadline") \
	E(BREACH,      "breach")          /* of the protocol; doom says which */ \
	E(DIED,        "died")
/* clang-format on */

enum worker_state {
#define WORKER_STATE_ENUM(id, phase, deadline, name) WORKER_##id,
	WORKER_STATES(WORKER_STATE_ENUM)
#undef WORKER_STATE_ENUM
	WORKER_STATE_N,
};

enum worker_event {
#define WORKER_EVENT_ENUM(id, name) WORKER_ON_##id,
	WORKER_EVENTS(WORKER_EVENT_ENUM)
#undef WORKER_EVENT_ENUM
	WORKER_EVENT_N,
};

const char *worker_state_name(enum worker_state s);

struct worker;
struct launch_event;

/* Whoever a worker works for is told; owner is the argument given to worker_assign. */
struct worker_owner {
	/* The goal is reached, for the first time or after a restart. */
	void (*reached)(struct worker *w, void *arg);
	/* The wake-up descriptor fired: look at the ring. */
	void (*frames)(struct worker *w, void *arg);
	/* The incarnation is over; what it has published is still in the ring. restarts:
	 * another one will come. */
	void (*ended)(struct worker *w, bool restarts, void *arg);
	/* The extraction plan for this worker: fills m, whose memory stays the owner's
	 * until the call returns to the event loop. NULL: the worker needs none. */
	bool (*plan)(struct worker *w, Control__Plan *m, void *arg);
	/* The plan of worker_replan holds; for a source: all that it published with the
	 * one before is acknowledged. */
	void (*replanned)(struct worker *w, void *arg);
	/* An event out of turn: a frame of the side ring, unchecked. False: a breach. */
	bool (*async)(struct worker *w, uint32_t type, const void *peer_event,
	    uint32_t len, void *arg, struct err *err);
	/* worker_restart was asked for, whatever became of it before. */
	void (*restarted)(struct worker *w, void *arg);
	/* What worker_ask asked for is answered; done is false when it failed (ask_error
	 * says why). */
	void (*answered)(struct worker *w, bool done, void *arg);
};

/* Event types that a capability wants: all of them, or those whose bits are set. */
struct worker_types {
	bool all;
	uint64_t bits[(PLUGIN_EVENT_TYPES_N + 63) / 64];
};

bool worker_types_have(const struct worker_types *t, uint16_t type);

/* How long answers to extraction requests took. The bound of each bucket in
 * microseconds, 0 for the last, which has none. */
enum {
	WORKER_LATENCY_BUCKETS = 14
};
extern const uint32_t worker_latency_us[WORKER_LATENCY_BUCKETS];

struct worker_latency {
	uint64_t bucket[WORKER_LATENCY_BUCKETS], sum_ns;
};

/* Counters by worker, for logs and metrics. */
struct worker_counts {
	uint64_t launches, crashes, breaches, deadlines, denials, log_lines, log_dropped,
	    frames, side_frames, table_frames, extracts;
	uint64_t asked; /* restarts that an operator or a reload asked for */
	struct worker_latency latency;
};

/* KIND(id, name): what a denial was of: the key of a sandbox block that would allow it.
 */
/* clang-format off */
#define WORKER_DENIAL_KINDS(KIND) \
	KIND(READ,    "read") \
	KIND(WRITE,   "write") \
	KIND(LISTEN,  "listen") \
	KIND(CONNECT, "connect") \
	KIND(UNIX,    "unix") \
	KIND(OTHER,   "other")      /* of another key, or none at all */
/* clang-format on */

enum worker_denial_kind {
#define WORKER_DENIAL_ENUM(id, name) WORKER_DENIAL_##id,
	WORKER_DENIAL_KINDS(WORKER_DENIAL_ENUM)
#undef WORKER_DENIAL_ENUM
	WORKER_DENIAL_KIND_N,
};

const char *worker_denial_kind_name(enum worker_denial_kind kind);

/* One of the last things that it was refused, escaped. */
struct worker_denial {
	char what[512], allow_with[256];
	uint64_t count;
};

enum {
	WORKER_DENIALS_KEPT = 16
};

/* Whoever carries table operations (tables.h). */
struct worker_port {
	/* A frame of the side ring, unchecked, which may be changed. False: a breach. */
	bool (*take)(
	    struct worker *w, void *peer_frame, uint32_t len, void *arg, struct err *err);
	/* Its state is another, or its process is gone. */
	void (*moved)(struct worker *w, void *arg);
};

/* A metric of the plugin's own, as get_metrics gave it last. */
struct worker_metric {
	char name[128]; /* escaped */
	bool monotonic;
	enum {
		METRIC_UNSIGNED,
		METRIC_SIGNED,
		METRIC_REAL,
	} kind;
	union {
		uint64_t u;
		int64_t s;
		double d;
	} value;
};

/* Something asked of a worker beside the steps of its life. */
enum worker_ask {
	WORKER_ASK_NONE,
	WORKER_ASK_PENDING,
	WORKER_ASK_DONE,
	WORKER_ASK_FAILED, /* ask_error says why, or the worker is gone */
};

struct supervisor;
struct event;

struct worker {
	TAILQ_ENTRY(worker) link;
	struct supervisor *sup;
	struct plugin *plugin;
	const char *source; /* event source of its pipeline; "" before it has one */
	const struct worker_owner *owner;
	void *owner_arg;
	const struct worker_port *port;
	void *port_arg;

	enum worker_state state, goal;
	bool restartable;    /* once everything has started; before, a failure is final */
	bool doomed;         /* killed by us; the death is expected */
	bool restarting;     /* its end was asked for, and a new start is */
	struct err doom;     /* why it ended or cannot go on; for people */
	uint64_t next_event; /* what Init tells the next incarnation */

	/* This incarnation. */
	uint32_t id;
	pid_t pid;
	uint32_t layers; /* enum launch_layer, as attested */
	struct channel channel;
	uint64_t messages_sent; /* the note that it looks at */
	struct permit_state permits;
	struct ring_map up, down, side_up, side_down;
	struct ring_reader reader, side_reader;
	struct ring_writer writer, side_writer;
	int wake_broker_fd, wake_worker_fd, output_fd;
	bool alive; /* from launch until DIED */
	struct event *on_control, *on_wake, *on_output, *on_backoff;
	uint32_t plan_generation;                       /* as told last */
	uint32_t planned_generation;                    /* as answered last */
	struct worker_types extract_types, parse_types; /* as init told */

	/* Kept over incarnations until there are newer ones. */
	struct worker_metric *metric;
	uint32_t n_metric;
	uint64_t metrics_at_ns; /* monotonic; 0: never */
	bool metrics_asked;

	enum worker_ask ask;
	Control__Message__BodyCase ask_answer; /* the message that answers it */
	struct err ask_error;

	/* When what is due is late (0: nothing is due), as the supervisor's seen_ns
	 * counts; the call that it was in when looked at last, and since when. */
	uint64_t late_at_ns;
	uint64_t call_note, call_since_ns;

	/* Lines of stdout and stderr that are not complete yet. */
	char line[1024];
	uint32_t line_len;
	/* The last lines it logged or printed, escaped; a ring, recent_at is the oldest.
	 */
	char recent[WORKER_RECENT_LINES][WORKER_RECENT_BYTES];
	uint32_t recent_at;
	uint64_t launched_ns;
	/* Token bucket of log lines. */
	uint64_t log_tokens_at_ns;
	double log_tokens;
	uint64_t log_muted;

	/* Restarts within the window of the profile. */
	uint64_t restart_at_ns[16];
	uint32_t n_restart, backoff_ms;

	/* The answer to ListOpenParams, until it is taken. */
	Control__Message *open_params;
	char failure[1200]; /* the plugin's words when next_batch failed, else "" */

	struct worker_counts counts;
	uint64_t denied[WORKER_DENIAL_KIND_N];
	/* Of all incarnations, and of the one with that id as it was last told. */
	struct egress_counters egress, egress_told;
	uint32_t egress_id;
	struct worker_denial denial[WORKER_DENIALS_KEPT]; /* distinct ones */
	uint32_t n_denial, denial_at;                     /* the next to be replaced */
};

struct worker *worker_new(struct supervisor *sup, struct plugin *plugin, struct err *err);
/* Kills what is alive. */
void worker_free(struct worker *w);
void worker_assign(
    struct worker *w, const char *source, const struct worker_owner *owner, void *arg);

/* Goes on until the state is goal: LOADED, INITIALIZED, PLANNED or RUNNING. */
void worker_pursue(struct worker *w, enum worker_state goal);
/* Ends it in good order: close, destroy, exit. */
void worker_stop(struct worker *w);
/* A breach seen by whoever reads its frames. err is copied. */
void worker_breach(struct worker *w, const struct err *err);
/* Is it through with planning, and not ending? */
bool worker_is_ready(const struct worker *w);
/*
 * Sends the plan of a new ruleset to a worker that is ready. A source takes it between
 * two batches; so does an answer take as long as next_batch may. Others have the deadline
 * of init. No extraction may be under way.
 */
void worker_replan(struct worker *w);
/* Ends it in good order and starts it again, now and whatever its budget says, which
 * begins anew; so does a worker that has failed for good. */
void worker_restart(struct worker *w);
bool worker_ask_open_params(struct worker *w, struct err *err);
/*
 * Asks for something that is answered by a message of this kind, or by Failed. One thing
 * at a time. Without an answer within deadline_ms (0: whenever it comes) the worker is
 * ended.
 */
bool worker_ask(struct worker *w, const Control__Message *m,
    Control__Message__BodyCase answer, uint32_t deadline_ms, struct err *err);
/* Asks for the plugin's metrics; they are there when it has answered, which a source that
 * waits for events does when it has one. Nothing when it has none or was asked. */
void worker_ask_metrics(struct worker *w);
/* Tries a changed configuration on the running plugin, by set_config: answered as above.
 * False: the plugin does not offer it, or is not there. */
bool worker_ask_set_config(struct worker *w, const char *config, struct err *err);
/* Ends it for what it said, as a crash. err is copied. */
void worker_give_up(struct worker *w, const struct err *err);

/* Sends a frame that was reserved and committed in writer, waking the worker if it
 * sleeps. */
void worker_wake(struct worker *w);

/*
 * Looking at the side ring instead of sleeping on it: table operations are handed on.
 * worker_side_look: true when there was anything else. worker_side_sleep afterwards, as
 * before the loop sleeps: true when there was anything at all.
 */
bool worker_side_look(struct worker *w);
bool worker_side_sleep(struct worker *w);

/* An extraction was answered after ns. */
void worker_took(struct worker *w, uint64_t ns);

/* From the supervisor: the launcher told of its end, or of something it was refused. */
void worker_died(struct worker *w, const struct launch_event *e);
void worker_denied(struct worker *w, const struct launch_event *e);
void worker_counted(struct worker *w, const struct launch_event *e);

/* Among the states in which a process exists and talks. */
bool worker_is_up(const struct worker *w);

#endif
