/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a fuzz target defines. Only the first is a must; the rest help driver.c to begin
 * from inputs that mean something, and libFuzzer ignores them (it takes a corpus folder).
 *
 *   #include "tests/fuzz/fuzz.h"
 *
 *   const char *const fuzz_seeds[] = {"a and b", "a in (b, c)", NULL};
 *   const char *const fuzz_words[] = {"and", "in", NULL};
 *
 *   int
 *   LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
 *   {
 *           ... must not crash, and abort() when what holds for all inputs does not ...
 *           return 0;
 *   }
 *
 * data is 16-byte aligned, of exactly size bytes, and not the target's to write to or
 * keep.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Texts to begin from, and words of the language; each list ends with NULL. */
extern const char *const fuzz_seeds[] __attribute__((weak));
extern const char *const fuzz_words[] __attribute__((weak));
/* Seeds that are not text: calls add for each; add copies. */
__attribute__((weak)) void fuzz_make_seeds(void (*add)(const void *p, size_t n));

#ifdef __cplusplus
}
#endif

#endif
