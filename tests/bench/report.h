/* SPDX-License-Identifier: Apache-2.0 */
/* The tables: what was measured, and what follows from it. */
#ifndef TESTS_BENCH_REPORT_H
#define TESTS_BENCH_REPORT_H

#include "tests/bench/scenario.h"

struct row {
	const struct scenario *scenario;
	struct outcome outcome[SUBJECTS_N];
};

extern const char *const subject_name[SUBJECTS_N];
extern const char *const figure_name[FIGURES_N];

void report_text(const struct row *row, uint32_t n);
void report_json(const struct row *row, uint32_t n);

#endif
