/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/permits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"

/*
 * The table once more, drawn: a column per phase in the order of enum worker_phase. Sizes
 * and rates: the largest good one; 0 for no bound.
 */
struct row {
	int kind, step;
	const char *phases;
	uint32_t max_bytes, once, per_second;
};

enum {
	ANY = 64,
	TEXT = 66560,
	PLAIN = 100
};

static const struct row rows[] = {
    /* clang-format off */
    /*                    C R L L I I O O R S S Q
     *                    o e o o n n p p u t t u
     *                    n a a a i i e e n o o i
     *                    f d d d t t n n n p p t */
    {32, 0,              "x . . . . . . . . . . .", ANY, 1, 0},
    {33, 0,              ". . x . . . . . . . . x", LIMIT_CONTROL_BYTES, 1, 0},
    {34, 0,              ". . . . x . . . . . . x", 65536, 1, 0},
    {35, 0,              ". . . . . . x . . x . x", ANY, 0, PLAIN},
    {36, 0,              ". . . . . . . . . x . x", ANY, 0, PLAIN},
    {37, 0,              ". . . . . x x x x x x x", LIMIT_CONTROL_BYTES, 0, 10},
    {38, 0,              ". x x x x x x x x x x x", 2112, 0, 4000},
    {40, 0,              ". . . . . x x x x x x x", ANY, 0, PLAIN},
    {41, 0,              ". . . . . . . . . . . x", ANY, 1, 0},
    {42, 0,              ". . . . . x x x x x x x", ANY, 0, PLAIN},
    {43, 0,              ". . . . . x x x x x x x", ANY, 0, PLAIN},
    {44, 0,              ". . . . . x x x x x x x", 262144, 0, PLAIN},
    {45, 0,              ". . . . . x x x x x x x", ANY, 0, PLAIN},
    {39, 1 /* LOAD */,   ". . x . . . . . . . . x", TEXT, 0, PLAIN},
    {39, 2 /* INIT */,   ". . . . x . . . . . . x", TEXT, 0, PLAIN},
    {39, 3 /* OPEN */,   ". . . . . . x . . x . x", TEXT, 0, PLAIN},
    {39, 4 /* NEXT */,   ". . . . . . . . x x . x", TEXT, 0, PLAIN},
    {39, 5 /* PARAMS */, ". . . . . x x x x x x x", TEXT, 0, PLAIN},
    {39, 6 /* PLAN */,   ". . . . . x x x x x x x", TEXT, 0, PLAIN},
    {39, 7 /* ATTACH */, ". . . . . x x x x x x x", TEXT, 0, PLAIN},
    {39, 8 /* DUMP */,   ". . . . . x x x x x x x", TEXT, 0, PLAIN},
    {39, 9 /* CONFIG */, ". . . . . x x x x x x x", TEXT, 0, PLAIN},
    /* clang-format on */
};

enum {
	ROWS = sizeof(rows) / sizeof(*rows)
};

static Control__Failed failed;

static void
message_init(Control__Message *m, int kind, int step)
{
	control__message__init(m);
	m->body_case = (Control__Message__BodyCase)kind;
	control__failed__init(&failed);
	if (kind == CONTROL__MESSAGE__BODY_FAILED) {
		m->failed = &failed;
		failed.has_step = step != 0;
		failed.step = (Control__Failed__Step)step;
	}
}

static bool
check(struct permit_state *s, int phase, int kind, int step, size_t size, uint64_t now_ns)
{
	Control__Message m;
	struct err err = {0};
	bool ok;

	message_init(&m, kind, step);
	ok = permit_check(s, (enum worker_phase)phase, &m, size, now_ns, &err);
	if (!ok) {
		assert_int_equal(err.code, ERR_PEER);
		assert_true(strncmp(err.msg, "message \"", 9) == 0);
	}
	return ok;
}

static bool
is_drawn(int kind, int step, int phase)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].kind == kind && rows[i].step == step)
			return rows[i].phases[phase * 2] == 'x';
	}
	return false;
}

static void
test_permits_are_those_of_the_table_in_every_cell(void **state)
{
	uint32_t permitted = 0;

	/* Kinds that are not, those of the broker, those of a worker; a Failed of no step
	 * and of steps that are not. */
	for (int kind = 0; kind < 70; kind++) {
		int steps = kind == CONTROL__MESSAGE__BODY_FAILED ? 12 : 0;
		for (int step = 0; step <= steps; step++) {
			for (int phase = 0; phase < PHASE_N; phase++) {
				struct permit_state s = {0};
				bool want = is_drawn(kind, step, phase);
				if (check(&s, phase, kind, step, 1, 1) != want)
					fail_msg("message %d.%d while %s: not %d", kind,
					    step,
					    worker_phase_name((enum worker_phase)phase),
					    want);
				permitted += want;
			}
		}
	}
	assert_int_equal(permitted,
	    1 + 2 + 2 + 3 + 2 + 7 + 11 + 7 + 1 + 4 * 7 + 2 + 2 + 3 + 3 + 5 * 7);
	struct permit_state s = {0};
	assert_false(check(&s, PHASE_N, 38, 0, 1, 1));
	assert_false(check(&s, -1, 38, 0, 1, 1));
}

static int
first_phase(const struct row *r)
{
	return (int)(strchr(r->phases, 'x') - r->phases) / 2;
}

static void
test_permits_bound_the_size(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		struct permit_state s = {0};
		int phase = first_phase(r);
		assert_false(check(&s, phase, r->kind, r->step, r->max_bytes + 1ul, 1));
		assert_false(check(&s, phase, r->kind, r->step, SIZE_MAX, 1));
		assert_true(check(&s, phase, r->kind, r->step, r->max_bytes, 1));
	}
}

static void
test_permits_bound_the_number(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		struct permit_state s = {0};
		uint64_t now = 5000000000;
		int phase = first_phase(r);
		uint32_t most = r->once ? r->once : 20000;
		/* Slow enough for any rate. */
		for (uint32_t n = 0; n < most; n++)
			assert_true(
			    check(&s, phase, r->kind, r->step, 1, now += 1000000000));
		assert_int_equal(
		    check(&s, phase, r->kind, r->step, 1, now += 1000000000), !r->once);
	}
}

static void
test_permits_bound_the_rate(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		struct permit_state s = {0};
		uint64_t now = 5000000000;
		int phase = first_phase(r);
		if (!r->per_second)
			continue;
		for (uint32_t n = 0; n < r->per_second; n++)
			assert_true(check(&s, phase, r->kind, r->step, 1, now));
		assert_false(check(&s, phase, r->kind, r->step, 1, now));
		assert_false(check(&s, phase, r->kind, r->step, 1, now + 999999999));
		assert_true(check(&s, phase, r->kind, r->step, 1, now + 1000000000));
	}
}

/* Steps of Failed share one budget: five kinds of trouble are not five times as much. */
static void
test_permits_count_a_kind_once_whatever_its_step(void **state)
{
	struct permit_state s = {0};

	for (int n = 0; n < PLAIN; n++)
		assert_true(check(&s, PHASE_QUITTING, 39, 1 + n % 6, 1, 5000000000));
	for (int step = 1; step <= 6; step++)
		assert_false(check(&s, PHASE_QUITTING, 39, step, 1, 5000000000));
	assert_true(check(&s, PHASE_QUITTING, 38, 0, 1, 5000000000));
}

static void
test_permits_say_what_was_wrong(void **state)
{
	struct permit_state s = {0};
	struct err err;
	Control__Message m;

	message_init(&m, CONTROL__MESSAGE__BODY_LOADED, 0);
	assert_false(permit_check(&s, PHASE_RUNNING, &m, 1, 1, &err));
	assert_string_equal(err.msg, "message \"loaded\": not permitted while running");
	message_init(&m, CONTROL__MESSAGE__BODY_QUIT, 0);
	assert_false(permit_check(&s, PHASE_RUNNING, &m, 1, 1, &err));
	assert_string_equal(err.msg, "message \"quit\": not a worker's to send");
	message_init(&m, 0, 0);
	assert_false(permit_check(&s, PHASE_RUNNING, &m, 1, 1, &err));
	assert_string_equal(err.msg, "message \"unknown\": not a worker's to send");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_permits_are_those_of_the_table_in_every_cell),
	    cmocka_unit_test(test_permits_bound_the_size),
	    cmocka_unit_test(test_permits_bound_the_number),
	    cmocka_unit_test(test_permits_bound_the_rate),
	    cmocka_unit_test(test_permits_count_a_kind_once_whatever_its_step),
	    cmocka_unit_test(test_permits_say_what_was_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
