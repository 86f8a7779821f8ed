/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least that anybody can do with a plugin: in a process without engine or sandbox,
 * next_batch and, for each event, one extract_fields of all fields that the rules name.
 */
#ifndef TESTS_BENCH_BARE_H
#define TESTS_BENCH_BARE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct bare_result {
	uint64_t events;
	double seconds, cpu_seconds;
	double next_cpu_seconds; /* of next_batch alone, in a run of its own */
	uint32_t fields;
};

/* rules: the text of a rules file. In a child, for a plugin stays where it was loaded. */
bool bare_run(const char *library, const char *config, const char *params,
    const char *rules, struct bare_result *ret_result, struct err *err);

#endif
