/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For Go plugins that are built for fuzzing: Go's linker wants the callbacks of its
 * instrumentation inside the plugin. These are there, and hand on to the program that
 * loads it: to mews-fuzz-worker, which has the real ones, or to nobody.
 *
 *   cc -O2 -fPIC -c go_coverage.c
 *   go build -tags libfuzzer -gcflags=all=-d=libfuzzer -buildmode=c-shared \
 *      -ldflags "-extldflags $PWD/go_coverage.o" -o libNAME.so .
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

#define INSIDE __attribute__((visibility("hidden")))

/* Looked up once; Go may call before any constructor of ours has run. */
#define HAND_ON(name, params, args)                                                      \
	INSIDE void name params;                                                         \
	void name params                                                                 \
	{                                                                                \
		static void(*real) params;                                               \
		static int known;                                                        \
		if (!known) {                                                            \
			*(void **)(void *)&real = dlsym(RTLD_DEFAULT, #name);            \
			known = 1;                                                       \
		}                                                                        \
		if (real)                                                                \
			real args;                                                       \
	}

HAND_ON(
    __sanitizer_cov_8bit_counters_init, (uint8_t * start, uint8_t *stop), (start, stop))
HAND_ON(__sanitizer_cov_pcs_init, (const uintptr_t *start, const uintptr_t *stop),
    (start, stop))
HAND_ON(__sanitizer_cov_trace_cmp1, (uint8_t a, uint8_t b), (a, b))
HAND_ON(__sanitizer_cov_trace_cmp2, (uint16_t a, uint16_t b), (a, b))
HAND_ON(__sanitizer_cov_trace_cmp4, (uint32_t a, uint32_t b), (a, b))
HAND_ON(__sanitizer_cov_trace_cmp8, (uint64_t a, uint64_t b), (a, b))
HAND_ON(__sanitizer_cov_trace_const_cmp1, (uint8_t a, uint8_t b), (a, b))
HAND_ON(__sanitizer_cov_trace_const_cmp2, (uint16_t a, uint16_t b), (a, b))
HAND_ON(__sanitizer_cov_trace_const_cmp4, (uint32_t a, uint32_t b), (a, b))
HAND_ON(__sanitizer_cov_trace_const_cmp8, (uint64_t a, uint64_t b), (a, b))
HAND_ON(__sanitizer_weak_hook_strcmp,
    (void *pc, const char *a, const char *b, int result), (pc, a, b, result))
