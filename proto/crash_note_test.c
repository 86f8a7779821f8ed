/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/crash_note.h"

static uint8_t page[4096];
static struct ring_map up = {.page = page};

static void
test_crash_note_is_none_in_a_new_ring(void **state)
{
	struct crash_note n;

	memset(page, 0, sizeof(page));
	assert_false(crash_note_read(&n, &up));
}

static void
test_crash_note_is_read_as_it_was_written(void **state)
{
	struct crash_note *own = crash_note_own(&up), n;

	memset(page, 0, sizeof(page));
	own->signal = 11;
	own->n_frames = 2;
	own->frame[1] = 0x1234;
	own->n_modules = 1;
	memcpy(own->module[0].path, "/lib/x.so", sizeof("/lib/x.so"));
	assert_true(crash_note_read(&n, &up));
	assert_int_equal(n.frame[1], 0x1234);
	assert_string_equal(n.module[0].path, "/lib/x.so");
}

static void
test_crash_note_of_a_liar_stays_in_bounds(void **state)
{
	struct crash_note n;

	memset(page, 0xff, sizeof(page));
	assert_true(crash_note_read(&n, &up));
	assert_int_equal(n.n_frames, CRASH_FRAMES);
	assert_int_equal(n.n_modules, CRASH_MODULES);
	assert_int_equal(strlen(n.module[CRASH_MODULES - 1].path), CRASH_PATH_BYTES - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_crash_note_is_none_in_a_new_ring),
	    cmocka_unit_test(test_crash_note_is_read_as_it_was_written),
	    cmocka_unit_test(test_crash_note_of_a_liar_stays_in_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
