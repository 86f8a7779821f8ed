/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/quirks.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/chunk.h"

static const struct constant_memory none;

static void
set_text(struct plugin_extract_field *f, const char **at, const char *text)
{
	*at = text;
	f->res.str = at;
	f->res_len = 1;
}

static struct field_place place[3];

/* A no, and nothing else, says where they are. */
static bool
share(const struct plugin_extract_field *field, const uint8_t *kind, uint32_t n,
    const struct constant_memory *constants, bool thorough)
{
	bool moved = false;

	memset(place, 0, sizeof(place));
	bool shared = fields_share_memory(field, kind, n, constants, thorough, place);
	for (uint32_t i = 0; i < n; i++)
		moved |= field_has_moved(&field[i], kind[i], &place[i]) != 0;
	assert_int_equal(moved, shared);
	return shared;
}

static void
test_fields_of_their_own_memory_are_fine(void **state)
{
	struct plugin_extract_field f[3] = {0};
	uint8_t kind[3] = {COLUMN_STR, COLUMN_NUM, COLUMN_STR};
	const char *text[2];
	uint64_t number = 1;

	set_text(&f[0], &text[0], "a");
	set_text(&f[2], &text[1], "b");
	f[1].res.u64 = &number;
	f[1].res_len = 1;
	assert_false(share(f, kind, 3, &none, true));
}

static void
test_fields_that_share_a_result_are_seen(void **state)
{
	struct plugin_extract_field f[3] = {0};
	uint8_t kind[3] = {COLUMN_STR, COLUMN_NUM, COLUMN_STR};
	const char *text;

	/* Also when the later one says that it has no value. */
	set_text(&f[0], &text, "a");
	set_text(&f[2], &text, "b");
	f[2].res_len = 0;
	assert_true(share(f, kind, 3, &none, false));
}

static void
test_fields_with_one_buffer_for_texts_are_seen(void **state)
{
	struct plugin_extract_field f[2] = {0};
	uint8_t kind[2] = {COLUMN_STR, COLUMN_STR};
	const char *text[2];
	char buffer[8] = "b";

	set_text(&f[0], &text[0], buffer);
	set_text(&f[1], &text[1], buffer);
	assert_true(share(f, kind, 2, &none, false));
	buffer[0] = 'c';
}

static void
test_fields_far_apart_are_seen_by_a_thorough_look(void **state)
{
	struct plugin_extract_field f[3] = {0};
	uint8_t kind[3] = {COLUMN_STR, COLUMN_STR, COLUMN_STR};
	const char *text[2];

	set_text(&f[0], &text[0], "a");
	set_text(&f[1], &text[1], "b");
	set_text(&f[2], &text[0], "c");
	assert_false(share(f, kind, 3, &none, false));
	assert_true(share(f, kind, 3, &none, true));
}

static void
test_fields_with_the_same_constant_are_fine(void **state)
{
	struct plugin_extract_field f[2] = {0};
	uint8_t kind[2] = {COLUMN_STR, COLUMN_STR};
	const char *text[2];
	struct constant_memory m;
	void *self = dlopen(NULL, RTLD_NOW);

	constant_memory_find(&m, self);
	assert_true(m.n > 0);
	static const char constant[] = "always the same";
	set_text(&f[0], &text[0], constant);
	set_text(&f[1], &text[1], constant);
	assert_false(share(f, kind, 2, &m, true));
	assert_true(share(f, kind, 2, &none, true));
	dlclose(self);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fields_of_their_own_memory_are_fine),
	    cmocka_unit_test(test_fields_that_share_a_result_are_seen),
	    cmocka_unit_test(test_fields_with_one_buffer_for_texts_are_seen),
	    cmocka_unit_test(test_fields_far_apart_are_seen_by_a_thorough_look),
	    cmocka_unit_test(test_fields_with_the_same_constant_are_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
