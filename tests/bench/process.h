/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program under measurement with all processes below it: started with a pipe on its
 * stdout, read line by line, and looked at from outside.
 */
#ifndef TESTS_BENCH_PROCESS_H
#define TESTS_BENCH_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum {
	PROCESS_MEMBERS = 64,
	PROCESS_LINE_BYTES = 1 << 16,
	PROCESS_LATENCIES = 1 << 18,
};

struct member {
	pid_t pid;
	bool is_worker;
	uint64_t cpu_ns; /* as it was last seen */
};

/* Summed over members; what has ended counts as last seen. */
struct usage {
	uint64_t broker_ns, worker_ns; /* CPU; broker: everything that is no worker */
	uint64_t switches;             /* voluntary */
};

struct process {
	pid_t pid;
	int out;
	uint64_t start_ns, end_ns;
	uint64_t first_mark_ns, last_mark_ns; /* 0: none yet */
	uint32_t marks;
	struct usage at_first;
	bool ended;
	int status;
	struct member member[PROCESS_MEMBERS];
	uint32_t n_member;
	bool has_worker;
	uint32_t searches;
	const char *wanted; /* looked for in its lines */
	bool found;
	char rest[PROCESS_LINE_BYTES]; /* of a line that is not whole yet */
	uint32_t n_rest;
	uint64_t *latency; /* of probes, ns; PROCESS_LATENCIES */
	uint32_t n_latency;
};

/* stderr goes to log. argv[0] is the name it sees. */
bool process_start(struct process *p, const char *program, char *const argv[],
    const char *log, struct err *err);
/* Reads until so many marks (0: until it has ended); false after deadline_s or when it
 * ended before. looks: follow its CPU time as it runs, for it will not wait at the end.
 */
bool process_read(
    struct process *p, uint32_t marks, bool looks, double deadline_s, struct err *err);
struct usage process_usage(struct process *p);
/* MiB: of the first process without shared memory, and the private memory of its largest
 * worker. */
void process_memory(const struct process *p, double *ret_broker, double *ret_worker);
/* SIGTERM, then SIGKILL after two seconds; reaps. */
void process_stop(struct process *p);

#endif
