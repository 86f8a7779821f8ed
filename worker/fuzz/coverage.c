/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/fuzz/coverage.h"

#include <string.h>

#define CALLBACK __attribute__((visibility("default"), noinline))

enum {
	RANGES = 64
};

/* Names and signatures are the compilers'. */
CALLBACK void __sanitizer_cov_trace_pc(void);
CALLBACK void __sanitizer_cov_trace_pc_guard(uint32_t *guard);
CALLBACK void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop);
CALLBACK void __sanitizer_cov_8bit_counters_init(uint8_t *start, uint8_t *stop);
CALLBACK void __sanitizer_cov_pcs_init(const uintptr_t *start, const uintptr_t *stop);
CALLBACK void __sanitizer_cov_trace_pc_indir(uintptr_t callee);

__thread bool coverage_counts;
bool coverage_compares;
struct operand coverage_operand[OPERANDS];
uint32_t coverage_n_operands;

static uintptr_t module_start;
static bool was_called;

/* Hit counts by edge, and which were touched, so that a case costs what it touches. */
static uint8_t count[FUZZ_EDGES];
static uint32_t touched[FUZZ_EDGES], n_touched;
static __thread uint32_t last_place __attribute__((tls_model("initial-exec")));

/* The plugin's own counters, by module. */
static struct range {
	uint8_t *start, *end;
} range[RANGES];
static unsigned n_ranges;
static uint32_t n_guards;

/* What afl-clang-fast's code counts in, by guard. */
static uint8_t afl_area[FUZZ_EDGES];
extern uint8_t *__afl_area_ptr;
__attribute__((visibility("default"))) uint8_t *__afl_area_ptr = afl_area;

void
coverage_use_afl_area(void)
{
	/* Its runtime has pointed it elsewhere while it was loaded. */
	__afl_area_ptr = afl_area;
	__sanitizer_cov_8bit_counters_init(afl_area, afl_area + sizeof(afl_area));
}

void
coverage_set_module(uintptr_t start)
{
	module_start = start;
}

bool
coverage_is_there(void)
{
	return was_called || n_ranges > 0 || n_guards > 0;
}

static inline void
hit(uint32_t edge)
{
	edge &= FUZZ_EDGES - 1;
	if (count[edge] == 0)
		touched[n_touched++] = edge;
	if (count[edge] < UINT8_MAX)
		count[edge]++;
}

/* The callbacks. */

void
__sanitizer_cov_trace_pc(void)
{
	was_called = true;
	if (!coverage_counts)
		return;
	/* By distance from the module's start, which is elsewhere in every process. */
	uint32_t place =
	    (uint32_t)(((uintptr_t)__builtin_return_address(0) - module_start) *
		       0x9e3779b1u) >>
	    16;
	hit(place ^ last_place);
	last_place = place >> 1;
}

void
__sanitizer_cov_trace_pc_guard(uint32_t *guard)
{
	if (!coverage_counts)
		return;
	hit(*guard ^ last_place);
	last_place = *guard >> 1;
}

void
__sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop)
{
	if (start == stop || *start)
		return;
	for (uint32_t *g = start; g < stop; g++)
		*g = ++n_guards * 0x9e3779b1u >> 16;
}

void
__sanitizer_cov_8bit_counters_init(uint8_t *start, uint8_t *stop)
{
	for (unsigned i = 0; i < n_ranges; i++)
		if (range[i].start == start)
			return;
	if (n_ranges < RANGES && start < stop)
		range[n_ranges++] = (struct range){start, stop};
}

void
__sanitizer_cov_pcs_init(const uintptr_t *start, const uintptr_t *stop)
{
}

void
__sanitizer_cov_trace_pc_indir(uintptr_t callee)
{
}

/* Comparisons. */

static bool
is_known(const struct operand *o)
{
	/* Loops compare the same over and over; looking at the last few is enough. */
	uint32_t from = coverage_n_operands > 32 ? coverage_n_operands - 32 : 0;

	for (uint32_t i = from; i < coverage_n_operands; i++)
		if (memcmp(&coverage_operand[i], o, sizeof(*o)) == 0)
			return true;
	return false;
}

static void
keep(const struct operand *o)
{
	if (coverage_n_operands < OPERANDS && !is_known(o))
		coverage_operand[coverage_n_operands++] = *o;
}

static void
compared(uint64_t a, uint64_t b, uint8_t size)
{
	struct operand o = {.n = {size, size}};

	if (a == b)
		return;
	memcpy(o.bytes[0], &a, sizeof(a));
	memcpy(o.bytes[1], &b, sizeof(b));
	/* keep compares texts itself. */
	coverage_counts = false;
	keep(&o);
	coverage_counts = true;
}

void
coverage_text(const void *a, size_t a_n, const void *b, size_t b_n)
{
	struct operand o = {.is_text = 1};

	o.n[0] = (uint8_t)(a_n < OPERAND_BYTES ? a_n : OPERAND_BYTES);
	o.n[1] = (uint8_t)(b_n < OPERAND_BYTES ? b_n : OPERAND_BYTES);
	memcpy(o.bytes[0], a, o.n[0]);
	memcpy(o.bytes[1], b, o.n[1]);
	coverage_counts = false;
	keep(&o);
	coverage_counts = true;
}

#define COMPARISON(name, type)                                                           \
	CALLBACK void name(type a, type b);                                              \
	void name(type a, type b)                                                        \
	{                                                                                \
		if (coverage_compares && coverage_counts)                                \
			compared(a, b, sizeof(type));                                    \
	}

COMPARISON(__sanitizer_cov_trace_cmp1, uint8_t)
COMPARISON(__sanitizer_cov_trace_cmp2, uint16_t)
COMPARISON(__sanitizer_cov_trace_cmp4, uint32_t)
COMPARISON(__sanitizer_cov_trace_cmp8, uint64_t)
COMPARISON(__sanitizer_cov_trace_const_cmp1, uint8_t)
COMPARISON(__sanitizer_cov_trace_const_cmp2, uint16_t)
COMPARISON(__sanitizer_cov_trace_const_cmp4, uint32_t)
COMPARISON(__sanitizer_cov_trace_const_cmp8, uint64_t)

/* cases: their number, the width in bits, then each. */
CALLBACK void __sanitizer_cov_trace_switch(uint64_t value, uint64_t *cases);

void
__sanitizer_cov_trace_switch(uint64_t value, uint64_t *cases)
{
	if (!coverage_compares || !coverage_counts)
		return;
	for (uint64_t i = 0; i < cases[0] && i < 32; i++)
		compared(value, cases[2 + i], (uint8_t)(cases[1] / 8));
}

/* Called by what libFuzzer's and Go's instrumentation makes of comparisons of strings;
 * pc is of no use here. */
CALLBACK void __sanitizer_weak_hook_memcmp(
    void *pc, const void *a, const void *b, size_t n, int result);
CALLBACK void __sanitizer_weak_hook_strcmp(
    void *pc, const char *a, const char *b, int result);
CALLBACK void __sanitizer_weak_hook_strncmp(
    void *pc, const char *a, const char *b, size_t n, int result);

void
__sanitizer_weak_hook_memcmp(void *pc, const void *a, const void *b, size_t n, int result)
{
	if (result != 0 && coverage_compares && coverage_counts)
		coverage_text(a, n, b, n);
}

void
__sanitizer_weak_hook_strcmp(void *pc, const char *a, const char *b, int result)
{
	if (result != 0 && coverage_compares && coverage_counts)
		coverage_text(a, strnlen(a, OPERAND_BYTES), b, strnlen(b, OPERAND_BYTES));
}

void
__sanitizer_weak_hook_strncmp(
    void *pc, const char *a, const char *b, size_t n, int result)
{
	if (result != 0 && coverage_compares && coverage_counts)
		coverage_text(a, strnlen(a, n), b, strnlen(b, n));
}

/* How deep the stack was: kept by code built with -fsanitize=fuzzer-no-link, of no use
 * here, but without it such a plugin is not loaded. */
extern __thread uintptr_t __sancov_lowest_stack;
__attribute__((visibility("default"))) __thread uintptr_t __sancov_lowest_stack
    __attribute__((tls_model("initial-exec"))) = UINTPTR_MAX;

/* Folding. */

static volatile uint32_t new_blocks;

void
coverage_block(void)
{
	/* Another thread's doing, or nobody's, is no merit of the case. */
	if (coverage_counts)
		new_blocks++;
}

/* Exact while they are few: a loop over a text shows how much of it was right. */
static uint16_t
bucket(uint8_t n)
{
	if (n <= 10)
		return (uint16_t)(1u << (n - 1));
	return n < 16    ? 1u << 10
	       : n < 32  ? 1u << 11
	       : n < 64  ? 1u << 12
	       : n < 128 ? 1u << 13
	       : n < 255 ? 1u << 14
			 : 1u << 15;
}

void
coverage_clear(void)
{
	for (unsigned i = 0; i < n_ranges; i++)
		memset(range[i].start, 0, (size_t)(range[i].end - range[i].start));
}

static inline uint32_t
see(struct fuzz_up *up, uint32_t feature, uint8_t n)
{
	uint16_t bit = bucket(n);

	if (up->seen[feature] & bit)
		return 0;
	up->seen[feature] |= bit;
	return 1;
}

static uint32_t
fold_range(struct fuzz_up *up, const struct range *r, uint32_t feature, uint8_t *map)
{
	size_t n = (size_t)(r->end - r->start);
	uint32_t new = 0;

	for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
		uint64_t eight = 0;
		size_t len = n - i < sizeof(eight) ? n - i : sizeof(eight);
		memcpy(&eight, r->start + i, len);
		if (eight == 0)
			continue;
		for (size_t k = i; k < i + len; k++) {
			uint32_t f = feature + (uint32_t)k;
			if (r->start[k] == 0 || f >= FUZZ_FEATURES)
				continue;
			new += see(up, f, r->start[k]);
			if (map)
				map[f & (FUZZ_EDGES - 1)] |= r->start[k];
		}
		memset(r->start + i, 0, len);
	}
	return new;
}

bool
coverage_fold(struct fuzz_up *up, uint8_t *map)
{
	uint32_t new = new_blocks, feature = FUZZ_EDGES;

	for (uint32_t i = 0; i < n_touched; i++) {
		new += see(up, touched[i], count[touched[i]]);
		if (map)
			map[touched[i]] |= count[touched[i]];
		count[touched[i]] = 0;
	}
	new_blocks = n_touched = 0;
	last_place = 0;
	for (unsigned i = 0; i < n_ranges; i++) {
		new += fold_range(up, &range[i], feature, map);
		feature += (uint32_t)(range[i].end - range[i].start);
	}
	if (new > 0)
		atomic_fetch_add(&up->features, new);
	return new > 0;
}
