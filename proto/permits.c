/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/permits.h"

#include "base/limits.h"

static const char *const phase_names[PHASE_N] = {
    [PHASE_CONFINED] = "confined",
    [PHASE_READY] = "ready",
    [PHASE_LOADING] = "loading",
    [PHASE_LOADED] = "loaded",
    [PHASE_INITIALIZING] = "initializing",
    [PHASE_INITIALIZED] = "initialized",
    [PHASE_OPENING] = "opening",
    [PHASE_OPEN] = "open",
    [PHASE_RUNNING] = "running",
    [PHASE_STOPPING] = "stopping",
    [PHASE_STOPPED] = "stopped",
    [PHASE_QUITTING] = "quitting",
};

const char *
worker_phase_name(enum worker_phase p)
{
	return (unsigned)p < PHASE_N ? phase_names[p] : "unknown";
}

enum {
	CONFINED = 1 << PHASE_CONFINED,
	LOADING = 1 << PHASE_LOADING,
	INITIALIZING = 1 << PHASE_INITIALIZING,
	INITIALIZED = 1 << PHASE_INITIALIZED,
	OPENING = 1 << PHASE_OPENING,
	OPEN = 1 << PHASE_OPEN,
	RUNNING = 1 << PHASE_RUNNING,
	STOPPING = 1 << PHASE_STOPPING,
	STOPPED = 1 << PHASE_STOPPED,
	QUITTING = 1 << PHASE_QUITTING,
	/* The worker speaks of itself from Ready on. */
	AFTER_READY = ((1 << PHASE_N) - 1) & ~CONFINED,
	/* Phases in which the plugin is usable and the broker may ask for something. */
	IN_USE = INITIALIZED | OPENING | OPEN | RUNNING | STOPPING | STOPPED,
	KIB = 1024,
};

/* An answer is permitted in the phase that its request leads to, and in those to which
 * the broker may go on without waiting for it: stopping and quitting. */
static const struct permit {
	Control__Message__BodyCase kind;
	int step; /* of a Failed; 0: any other message */
	uint32_t phases;
	uint32_t max_bytes;
	uint32_t max_count;      /* in a worker's life; 0: no bound */
	uint32_t max_per_second; /* 0: no bound */
} permits[] = {
/* clang-format off */
#define KIND(k) CONTROL__MESSAGE__BODY_##k, 0
#define STEP(s) CONTROL__MESSAGE__BODY_FAILED, CONTROL__FAILED__STEP__##s
#define TEXT    (LIMIT_TEXT_BYTES + KIB)
#define LINE    (LIMIT_LOG_LINE_BYTES + LIMIT_NAME_BYTES + 64)
    /* message                  phases                                     bytes               once  per s */
    {KIND(READY),               CONFINED,                                  64,                  1,    0},
    {KIND(LOADED),              LOADING | QUITTING,                        LIMIT_CONTROL_BYTES, 1,    0},
    {KIND(INITIALIZED),         INITIALIZING | QUITTING,                   64 * KIB,            1,    0},
    {KIND(OPENED),              OPENING | STOPPING | QUITTING,             64,                  0,  100},
    {KIND(STOPPED),             STOPPING | QUITTING,                       64,                  0,  100},
    {KIND(OPEN_PARAMS),         IN_USE | QUITTING,                         LIMIT_CONTROL_BYTES, 0,   10},
    {KIND(PLANNED),             IN_USE | QUITTING,                         64,                  0,  100},
    {KIND(LOG),                 AFTER_READY,                               LINE,                0, LIMIT_LOG_LINES_PER_S * 4},
    {KIND(ATTACHED),            IN_USE | QUITTING,                         64,                  0,  100},
    {KIND(STATE_DUMPED),        IN_USE | QUITTING,                         64,                  0,  100},
    {KIND(METRICS),             IN_USE | QUITTING,                         LIMIT_METRICS_BYTES, 0,  100},
    {KIND(CONFIG_SET),          IN_USE | QUITTING,                         64,                  0,  100},
    {KIND(BYE),                 QUITTING,                                  64,                  1,    0},
    {STEP(LOAD),                LOADING | QUITTING,                        TEXT,                0,  100},
    {STEP(INIT),                INITIALIZING | QUITTING,                   TEXT,                0,  100},
    {STEP(OPEN),                OPENING | STOPPING | QUITTING,             TEXT,                0,  100},
    {STEP(NEXT_BATCH),          RUNNING | STOPPING | QUITTING,             TEXT,                0,  100},
    {STEP(LIST_OPEN_PARAMS),    IN_USE | QUITTING,                         TEXT,                0,  100},
    {STEP(PLAN),                IN_USE | QUITTING,                         TEXT,                0,  100},
    {STEP(ATTACH),              IN_USE | QUITTING,                         TEXT,                0,  100},
    {STEP(DUMP_STATE),          IN_USE | QUITTING,                         TEXT,                0,  100},
    {STEP(SET_CONFIG),          IN_USE | QUITTING,                         TEXT,                0,  100},
#undef KIND
#undef STEP
#undef TEXT
#undef LINE
    /* clang-format on */
};

static const struct permit *
find_permit(const Control__Message *m)
{
	int step = 0;

	if (m->body_case == CONTROL__MESSAGE__BODY_FAILED)
		step = m->failed->has_step ? (int)m->failed->step : -1;
	for (size_t i = 0; i < sizeof(permits) / sizeof(*permits); i++) {
		if (permits[i].kind == m->body_case && permits[i].step == step)
			return &permits[i];
	}
	return NULL;
}

static const char *
kind_name(const Control__Message *m)
{
	const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(
	    &control__message__descriptor, (unsigned)m->body_case);

	return f ? f->name : "unknown";
}

bool
permit_check(struct permit_state *s, enum worker_phase phase, const Control__Message *m,
    size_t size_bytes, uint64_t now_ns, struct err *err)
{
	const struct permit *p = find_permit(m);
	const char *name = kind_name(m);

	if (!p)
		return err_set(
		    err, ERR_PEER, "message \"%s\": not a worker's to send", name);
	if ((unsigned)phase >= PHASE_N || !(p->phases & 1u << phase))
		return err_set(err, ERR_PEER, "message \"%s\": not permitted while %s",
		    name, worker_phase_name(phase));
	if (size_bytes > p->max_bytes)
		return err_set(err, ERR_PEER,
		    "message \"%s\": %zu bytes, %u are permitted", name, size_bytes,
		    p->max_bytes);
	if (now_ns - s->window_start_ns >= 1000000000u) {
		s->window_start_ns = now_ns;
		for (size_t i = 0; i < PERMIT_KINDS_N; i++)
			s->in_window[i] = 0;
	}
	uint32_t *count = &s->count[m->body_case],
		 *in_window = &s->in_window[m->body_case];
	if (p->max_count && *count >= p->max_count)
		return err_set(err, ERR_PEER, "message \"%s\": permitted %u times", name,
		    p->max_count);
	if (p->max_per_second && *in_window >= p->max_per_second)
		return err_set(err, ERR_PEER,
		    "message \"%s\": permitted %u times a second", name,
		    p->max_per_second);
	*count += *count < UINT32_MAX;
	++*in_window;
	return true;
}
