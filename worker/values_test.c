/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "worker/values.h"

/* As the worker does it: the short way, else the long one. */
static bool
take(struct column_store *c, const struct plugin_extract_field *f, uint32_t type,
    uint32_t *room)
{
	if (values_take_one(c, f, type, room))
		return true;
	bool taken = values_take(c, f, type, room);
	column_store_next(c);
	return taken;
}

static const char *
str_at(const struct column_store *c, uint32_t i, uint32_t *ret_len)
{
	struct frame_span span;

	memcpy(&span, &c->num[i], sizeof(span));
	*ret_len = span.len;
	return c->bytes + span.off;
}

/* All lengths around those at which copying changes its ways, and past the first memory.
 */
static void
test_values_strings_of_all_lengths(void **state)
{
	struct column_store c;
	struct err err;
	uint32_t room = LIMIT_FRAME_BYTES, len;
	char text[200];

	assert_true(column_store_init(&c, 0, COLUMN_STR, &err));
	for (uint32_t n = 0; n < sizeof(text); n++) {
		const char *s = text;
		const struct plugin_extract_field f = {.res.str = &s, .res_len = 1};
		for (uint32_t i = 0; i < n; i++)
			text[i] = (char)('a' + (i + n) % 26);
		text[n] = '\0';
		assert_true(take(&c, &f, PLUGIN_FIELD_STRING, &room));
		assert_string_equal(str_at(&c, n, &len), text);
		assert_int_equal(len, n);
	}
	/* Each took itself, its NUL and a span. */
	assert_int_equal(
	    LIMIT_FRAME_BYTES - room, 200 * (1 + VALUE_HEAD_BYTES) + 199 * 200 / 2);
	column_store_release(&c);
}

/* Texts that end where their memory ends: nothing behind them may be touched. */
static void
test_values_strings_at_the_end_of_memory(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *memory = mmap(
	    NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t room = LIMIT_FRAME_BYTES, len;
	struct column_store c;
	struct err err;

	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(mprotect(memory + page, page, PROT_NONE), 0);
	assert_true(column_store_init(&c, 0, COLUMN_STR, &err));
	for (uint32_t n = 0; n < 2 * VALUE_BLOCK; n++) {
		const char *s = memory + page - 1 - n;
		const struct plugin_extract_field f = {.res.str = &s, .res_len = 1};
		memset(memory + page - 1 - n, 'x', n);
		assert_true(take(&c, &f, PLUGIN_FIELD_STRING, &room));
		assert_string_equal(str_at(&c, n, &len), s);
		assert_int_equal(len, n);
	}
	column_store_release(&c);
	munmap(memory, 2 * page);
}

static void
test_values_kinds(void **state)
{
	uint32_t odd[] = {7, 0}, room = 1000, len;
	uint64_t num[] = {UINT64_MAX, 5};
	const char *str[] = {"a", NULL, "c"};
	const struct plugin_byte_buffer buf[] = {{4, "\x0a\0\0\1"}, {4, NULL}};
	struct column_store n, s, b;
	struct err err;

	assert_true(column_store_init(&n, 0, COLUMN_NUM, &err));
	assert_true(column_store_init(&s, 1, COLUMN_STR, &err));
	assert_true(column_store_init(&b, 2, COLUMN_BIN, &err));
	struct plugin_extract_field f = {.res.boolean = odd, .res_len = 1};
	assert_true(take(&n, &f, PLUGIN_FIELD_BOOL, &room));
	f = (struct plugin_extract_field){.res.u64 = num, .res_len = 2};
	assert_true(take(&n, &f, PLUGIN_FIELD_ABSTIME, &room));
	assert_int_equal(n.n_values, 3);
	/* As it is, not as a truth value. */
	assert_int_equal(n.num[0], 7);
	assert_true(n.num[1] == UINT64_MAX);
	/* NULLs are no values, and a missing array is none at all. */
	f = (struct plugin_extract_field){.res.str = str, .res_len = 3};
	assert_true(take(&s, &f, PLUGIN_FIELD_STRING, &room));
	assert_int_equal(s.n_values, 2);
	assert_string_equal(str_at(&s, 1, &len), "c");
	f = (struct plugin_extract_field){.res.str = &str[1], .res_len = 1};
	assert_true(take(&s, &f, PLUGIN_FIELD_STRING, &room));
	f = (struct plugin_extract_field){.res.str = NULL, .res_len = 1};
	assert_true(take(&s, &f, PLUGIN_FIELD_STRING, &room));
	assert_int_equal(s.n_values, 2);
	f = (struct plugin_extract_field){
	    .res.buf = (void *)(uintptr_t)buf, .res_len = 2};
	assert_true(take(&b, &f, PLUGIN_FIELD_IPADDR, &room));
	assert_int_equal(b.n_values, 1);
	assert_memory_equal(str_at(&b, 0, &len), "\x0a\0\0\1", 4);
	assert_int_equal(len, 4);
	column_store_release(&n);
	column_store_release(&s);
	column_store_release(&b);
}

/* All of a list or nothing, and the room is as before. */
static void
test_values_without_room(void **state)
{
	const char *str[] = {"0123456789", "0123456789", "0123456789"};
	struct plugin_extract_field f = {.res.str = str, .res_len = 3};
	const uint32_t one = 11 + VALUE_HEAD_BYTES;
	struct column_store c;
	struct err err;
	uint32_t room = 3 * one - 1;

	assert_true(column_store_init(&c, 0, COLUMN_STR, &err));
	assert_false(take(&c, &f, PLUGIN_FIELD_STRING, &room));
	assert_int_equal(room, 3 * one - 1);
	assert_int_equal(c.n_values, 0);
	assert_int_equal(c.n_bytes, 0);
	room = 3 * one;
	assert_true(take(&c, &f, PLUGIN_FIELD_STRING, &room));
	assert_int_equal(room, 0);
	f.res_len = 1;
	for (room = 0; room < one; room++) {
		uint32_t had = room;
		assert_false(take(&c, &f, PLUGIN_FIELD_STRING, &room));
		assert_false(values_take_text(&c, str[0], &room));
		assert_int_equal(room, had);
	}
	assert_int_equal(c.n_values, 3);
	assert_true(take(&c, &f, PLUGIN_FIELD_STRING, &room));
	assert_int_equal(room, 0);
	column_store_release(&c);

	uint64_t *many = calloc(LIMIT_LIST_VALUES + 1, sizeof(*many));
	assert_non_null(many);
	assert_true(column_store_init(&c, 0, COLUMN_NUM, &err));
	f = (struct plugin_extract_field){
	    .res.u64 = many, .res_len = LIMIT_LIST_VALUES + 1};
	room = LIMIT_FRAME_BYTES;
	assert_false(take(&c, &f, PLUGIN_FIELD_UINT64, &room));
	f.res_len = LIMIT_LIST_VALUES;
	assert_true(take(&c, &f, PLUGIN_FIELD_UINT64, &room));
	assert_int_equal(c.n_values, LIMIT_LIST_VALUES);
	f.res_len = UINT64_MAX;
	assert_false(take(&c, &f, PLUGIN_FIELD_UINT64, &room));
	column_store_release(&c);
	free(many);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values_strings_of_all_lengths),
	    cmocka_unit_test(test_values_strings_at_the_end_of_memory),
	    cmocka_unit_test(test_values_kinds),
	    cmocka_unit_test(test_values_without_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
