/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a case reaches in the plugin: the callbacks of -fsanitize-coverage, which plugins
 * built with it look for in this program, and the operands of comparisons.
 *
 * Understood: trace-pc (gcc), trace-pc-guard and inline-8bit-counters (clang, afl-clang,
 * libFuzzer's, Go's), trace-cmp; and the library functions that compare texts, with
 * whatever compiler. Only the thread that runs the cases counts, and only while a case
 * runs; counters count always, for they are the plugin's.
 */
#ifndef WORKER_FUZZ_COVERAGE_H
#define WORKER_FUZZ_COVERAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/fuzz/mutate.h"
#include "worker/fuzz/shared.h"

/* This thread is in the plugin, on behalf of a case. */
extern __thread bool coverage_counts __attribute__((tls_model("initial-exec")));
/* Operands are wanted too. */
extern bool coverage_compares;

/* Where the plugin's code stands, once it is loaded. */
void coverage_set_module(uintptr_t start);
/* It was built by afl-clang-fast, whose code counts in a map of its own. */
void coverage_use_afl_area(void);
/* Has anything of the plugin called in, or registered counters? */
bool coverage_is_there(void);

/* Forgets what the plugin's own counters count by themselves, between cases. */
void coverage_clear(void);
/*
 * After a call: adds what was hit to what was seen, and forgets it; true when there was
 * something new. By call, not by case: many calls would count as one long loop. map, when
 * not NULL, gets the hit counts by edge, too.
 */
bool coverage_fold(struct fuzz_up *up, uint8_t *map);

/* A block was hit that never was: counts as new in what the call folds. Of a handler. */
void coverage_block(void);

/* A failed comparison of two texts. */
void coverage_text(const void *a, size_t a_n, const void *b, size_t b_n);

extern struct operand coverage_operand[OPERANDS];
extern uint32_t coverage_n_operands;

#endif
