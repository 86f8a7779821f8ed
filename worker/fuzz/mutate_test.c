/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/plugin_api.h"
#include "worker/fuzz/layout.h"
#include "worker/fuzz/mutate.h"

static uint8_t made[CASE_BYTES], again[CASE_BYTES], seed[CASE_BYTES];

static uint32_t
noise(uint8_t *to, uint32_t n, uint64_t state)
{
	struct fuzz_rng r = {state};

	for (uint32_t i = 0; i < n; i++)
		to[i] = (uint8_t)fuzz_rng_next(&r);
	return n;
}

static uint32_t
event(uint8_t *to, const char *payload)
{
	const struct case_part p = {.kind = PART_EVENT,
	    .len = (uint32_t)strlen(payload),
	    .bytes = (const uint8_t *)payload};
	uint32_t n = 0;

	assert_true(case_add(to, &n, CASE_BYTES, &p));
	return n;
}

/* Any bytes are a case: its parts lie inside, one after the other. */
static void
test_any_bytes_are_a_case(void **state)
{
	struct case_part part[CASE_PARTS_MAX];

	for (uint64_t i = 0; i < 20000; i++) {
		uint32_t n = noise(seed, (uint32_t)(i % 200), i);
		uint32_t n_parts = case_parts(seed, n, part);
		const uint8_t *at = seed;
		assert_true(n_parts <= CASE_PARTS_MAX);
		for (uint32_t k = 0; k < n_parts; k++) {
			assert_true(part[k].kind < PART_N);
			assert_true(part[k].bytes == at + CASE_HEAD_BYTES);
			at = part[k].bytes + part[k].len;
			assert_true(at <= seed + n);
		}
	}
}

static void
test_case_of_a_round_is_its_numbers(void **state)
{
	struct mutation m = {.seed = seed, .max_bytes = 4096, .n_fields = 3};
	uint32_t differ = 0;

	m.seed_len = event(seed, "{\"a\":[1,2,{\"b\":\"c\"}],\"d\":null}");
	for (uint32_t k = 1; k < 2000; k++) {
		uint32_t n = mutate(&m, 5, k, made);
		assert_int_equal(n, mutate(&m, 5, k, again));
		assert_memory_equal(made, again, n);
		differ += n != m.seed_len || memcmp(made, seed, n) != 0;
	}
	assert_true(differ > 1000);
}

/* Whatever the seed, no case is larger than told, and what stands behind it is whole. */
static void
test_cases_stay_within_bounds(void **state)
{
	static struct fuzz_word word[4] = {{3, "abc"}, {1, "\""}, {63, {0}}, {2, "{}"}};
	static struct operand operand[3] = {
	    {.n = {4, 4}, .bytes = {{1}, {2}}},
	    {.is_text = 1, .n = {32, 32}},
	    {.n = {1, 1}, .bytes = {{'a'}, {'b'}}},
	};
	struct mutation m = {
	    .seed = seed,
	    .other = seed,
	    .word = word,
	    .n_words = 4,
	    .operand = operand,
	    .n_operands = 3,
	    .n_fields = 2,
	    .max_bytes = 300,
	};

	for (uint32_t k = 0; k < 100000; k++) {
		uint32_t n = k % 2 ? noise(seed, k % 500, k)
				   : event(seed, "[{\"a\":\"\\\"\"},[[[1.5,true");
		uint32_t cap = n > m.max_bytes ? n : m.max_bytes;
		m.seed_len = m.other_len = n;
		/* A case may take one part's head more than its seed's cut one had. */
		memset(made + cap, 0x5a, 64);
		assert_true(mutate(&m, k, k, made) <= cap);
		for (uint32_t i = 0; i < 64; i++)
			assert_int_equal(made[cap + i], 0x5a);
	}
}

/* The other side of a comparison takes the place of the one that stands in the case. */
static void
test_operands_are_exchanged(void **state)
{
	static struct operand o = {.n = {4, 4}};
	const uint32_t there = 1234567, wanted = 7654321;
	struct mutation m = {
	    .seed = seed, .max_bytes = 4096, .operand = &o, .n_operands = 1};
	uint32_t hits = 0;

	memcpy(o.bytes[0], &there, 4);
	memcpy(o.bytes[1], &wanted, 4);
	m.seed_len = event(seed, "{\"sum\":1234567}");
	for (uint32_t k = 1; k < 2000; k++) {
		uint32_t n = mutate(&m, 1, k, made);
		hits += memmem(made, n, "\"sum\":7654321}", 14) != NULL;
	}
	assert_true(hits > 20);
}

static void
test_json_stays_json_mostly(void **state)
{
	static struct fuzz_word word = {4, "word"};
	struct mutation m = {.word = &word, .n_words = 1};
	struct fuzz_rng r = {3};
	uint32_t whole = 0;

	for (int k = 0; k < 1000; k++) {
		uint32_t n =
		    event(seed, "{\"a\":[1,2],\"b\":{\"c\":\"d\"}}") - CASE_HEAD_BYTES;
		uint8_t *text = seed + CASE_HEAD_BYTES;
		n = mutate_json(&m, &r, text, n, 4096);
		int depth = 0, ok = n > 0;
		for (uint32_t i = 0; i < n; i++) {
			depth += text[i] == '{' || text[i] == '[';
			depth -= text[i] == '}' || text[i] == ']';
			ok &= depth >= 0;
		}
		whole += ok && depth == 0;
	}
	assert_true(whole > 950);
}

/* Of any bytes comes an event whose lengths fill it, and whose texts end. */
static void
events_are_whole(void **state)
{
	static uint8_t bytes[300], event[4096];
	struct fuzz_rng r = {3};
	struct layout l;
	uint32_t n_params = 0;

	for (uint32_t i = 0; i < 200000; i++) {
		uint32_t type = fuzz_rng_below(&r, 454),
			 n = fuzz_rng_below(&r, sizeof(bytes));
		if (!layout_has(type))
			continue;
		for (uint32_t k = 0; k < n; k++)
			bytes[k] = fuzz_rng_below(&r, 2) ? (uint8_t)fuzz_rng_next(&r) : 0;
		layout_read(&l, type, bytes, n);
		uint32_t size = layout_write(&l, bytes, n, event, sizeof(event));
		uint32_t width = l.has_long_lengths ? 4 : 2, at = l.n * width;
		assert_true(l.n == 0 || size >= at);
		for (uint32_t k = 0; k < l.n; k++, n_params++) {
			uint32_t len = 0;
			memcpy(&len, event + k * width, width);
			assert_true(len <= size - at);
			at += len;
			assert_true(!l.param[k].is_left_out || len == 0);
			if (l.param[k].form == 's' && len > 0)
				assert_int_equal(
				    strnlen((char *)event + at - len, len), len - 1);
		}
		assert_int_equal(at, size);
	}
	assert_true(n_params > 100000);
}

/* An event of a capture becomes a case that makes the same event. */
static void
events_of_captures(void **state)
{
	static uint8_t bytes[300], event[4096], taken[4096], body[4096];
	const uint32_t head_n = sizeof(struct plugin_event);
	struct fuzz_rng r = {5};
	struct layout l;
	uint32_t n_taken = 0;

	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t type = fuzz_rng_below(&r, PLUGIN_EVENT_TYPES_N);
		if (!layout_has(type))
			continue;
		for (uint32_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = fuzz_rng_below(&r, 4) ? 0 : (uint8_t)fuzz_rng_next(&r);
		layout_read(&l, type, bytes, sizeof(bytes));
		uint32_t n =
		    layout_write(&l, bytes, sizeof(bytes), event + head_n, 4096 - head_n);
		const struct plugin_event head = {.type = (uint16_t)type, .nparams = l.n};
		memcpy(event, &head, head_n);
		uint32_t k = layout_take(type, event, head_n + n, taken, sizeof(taken));
		assert_true(k > 0);
		layout_read(&l, type, taken, k);
		assert_int_equal(layout_write(&l, taken, k, body, sizeof(body)), n);
		assert_memory_equal(body, event + head_n, n);
		n_taken += l.n > 0;
		/* Cut short it is none. */
		assert_true(
		    n == 0 || l.param[l.n - 1].is_left_out ||
		    layout_take(type, event, head_n + n - 1, taken, sizeof(taken)) == 0);
	}
	assert_true(n_taken > 50000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(events_are_whole),
	    cmocka_unit_test(events_of_captures),
	    cmocka_unit_test(test_any_bytes_are_a_case),
	    cmocka_unit_test(test_case_of_a_round_is_its_numbers),
	    cmocka_unit_test(test_cases_stay_within_bounds),
	    cmocka_unit_test(test_operands_are_exchanged),
	    cmocka_unit_test(test_json_stays_json_mostly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
