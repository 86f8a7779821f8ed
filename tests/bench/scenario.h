/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is measured: scenarios, the subjects that each is given to, and the figures that
 * come out. A figure that a subject does not have is NAN.
 */
#ifndef TESTS_BENCH_SCENARIO_H
#define TESTS_BENCH_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

enum source_kind {
	SOURCE_CHEAP,
	SOURCE_K8SAUDIT,
	SOURCE_K8SAUDIT_JSON,  /* and json as a second plugin of the same events */
	SOURCE_K8SAUDIT_ASYNC, /* the same with the SDK's asynchronous extraction */
	SOURCE_CLOUDTRAIL,
};

/* A parser beside the source that uses a state table: Falco's threads, which the broker
 * has, or one of another plugin. */
enum table_kind {
	TABLES_NONE,
	TABLES_BUILTIN,
	TABLES_OTHERS,
};

enum alert_kind {
	ALERTS_MATCHES, /* of the rules, on stdout */
	ALERTS_TEXT,    /* one per event, into /dev/null */
	ALERTS_JSON,
};

enum {
	LOAD_FULL = -1, /* as fast as it goes */
	LOAD_IDLE = 0,  /* 200 events a second; more is percent of the subject's best */
	IDLE_RATE = 200,
};

struct scenario {
	const char *name;
	enum source_kind source;
	uint32_t payload, batch, rules, match_permille, pipelines;
	enum alert_kind alerts;
	int load;
	bool quick;
	enum table_kind tables;
	uint32_t table_rounds; /* per event: TABLE_ROUND_OPS operations each */
};

enum {
	TABLE_ROUND_OPS = 4 /* get an entry, read, write, release */
};

#define SUBJECTS(S)                                                                      \
	S(BARE, "bare")                                                                  \
	S(CONFINED, "mews")                                                              \
	S(UNCONFINED, "unconfined")                                                      \
	S(PLAIN, "plain")                                                                \
	S(AGAINST, "against")

enum subject {
#define SUBJECT(id, name) SUBJECT_##id,
	SUBJECTS(SUBJECT)
#undef SUBJECT
	SUBJECTS_N
};

/* clang-format off */
#define FIGURES(F) \
	F(RATE, "events_per_s")       /* between the first and the last event's alert */ \
	F(BROKER_NS, "broker_ns")     /* CPU time per event */ \
	F(WORKER_NS, "worker_ns")     /* the same, of all workers together */ \
	F(NEXT_NS, "next_batch_ns")   /* bare: per event, next_batch alone */ \
	F(SWITCHES, "switches")       /* times that somebody went to sleep, per 1,000 events */ \
	F(BROKER_MIB, "broker_mib")   /* resident, without shared memory */ \
	F(WORKER_MIB, "worker_mib")   /* private, of the largest worker */ \
	F(START_MS, "start_ms")       /* from fork to the first alert */ \
	F(P50_US, "p50_us")           /* from next_batch's return to the alert's arrival */ \
	F(P99_US, "p99_us") \
	F(MAX_US, "max_us") \
	F(IDLE_PERCENT, "idle_percent") /* CPU of all processes while nothing happens */
/* clang-format on */

enum figure {
#define FIGURE(id, name) FIGURE_##id,
	FIGURES(FIGURE)
#undef FIGURE
	FIGURES_N
};

enum {
	ROUNDS_MAX = 101
};

/* Round by round; rounds is 0 for a subject that did not take part (why: that failed). */
struct outcome {
	double figure[FIGURES_N][ROUNDS_MAX];
	uint32_t rounds;
	uint64_t events;
	char why[200];
};

#endif
