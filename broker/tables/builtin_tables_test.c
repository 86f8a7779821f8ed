/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/tables/builtin_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"

static struct table_frame ask, answer;
static _Alignas(8) uint8_t wire[TABLE_FRAME_BYTES];

/* Sends what is in ask; its rc. */
static int32_t
call(struct builtin_tables *b, uint32_t user)
{
	struct table_view v;
	struct err err;
	uint32_t len = table_frame_write(&ask, wire, sizeof(wire));

	assert_true(len > 0);
	assert_true(table_check(&v, wire, len, &err));
	builtin_serve(b, user, &v, &answer);
	return answer.head.rc;
}

static void
begin(enum table_op op, uint32_t table, uint32_t entry, uint32_t field)
{
	table_frame_begin(&ask, op, 1);
	ask.head.table = table;
	ask.head.entry = entry;
	ask.head.field = field;
}

static uint32_t
field(struct builtin_tables *b, uint32_t table, enum table_op op, const char *name,
    uint32_t type)
{
	begin(op, table, 0, 0);
	ask.head.number = type;
	table_frame_str(&ask, 0, name);
	return call(b, 1) == PLUGIN_SUCCESS ? answer.head.field : 0;
}

static uint32_t
threads(void)
{
	uint32_t number, key;

	assert_string_equal(builtin_table_name(0, &number, &key), "threads");
	assert_int_equal(key, PLUGIN_STATE_INT64);
	return number;
}

/* A thread of this number; its entry. */
static uint32_t
add(struct builtin_tables *b, uint32_t table, uint32_t user, uint64_t key)
{
	begin(TABLE_CREATE, table, 0, 0);
	if (call(b, user) != PLUGIN_SUCCESS)
		return 0;
	uint32_t made = answer.head.entry;
	begin(TABLE_INSERT, table, made, 0);
	table_frame_num(&ask, 0, PLUGIN_STATE_INT64, key);
	return call(b, user) == PLUGIN_SUCCESS ? answer.head.entry : 0;
}

static void
test_builtin_threads_can_be_filled(void **state)
{
	struct err err;
	struct builtin_tables *b = builtin_tables_new(&err);
	uint32_t t = threads();
	uint32_t tid = field(b, t, TABLE_FIELD, "tid", PLUGIN_STATE_INT64);
	uint32_t comm = field(b, t, TABLE_FIELD, "comm", PLUGIN_STATE_STRING);
	uint32_t cwd = field(b, t, TABLE_FIELD, "cwd", PLUGIN_STATE_STRING);
	uint32_t mine = field(b, t, TABLE_ADD_FIELD, "mine", PLUGIN_STATE_BOOL);

	assert_true(tid && comm && cwd && mine);
	assert_int_equal(field(b, t, TABLE_ADD_FIELD, "mine", PLUGIN_STATE_BOOL), mine);
	assert_int_equal(field(b, t, TABLE_ADD_FIELD, "mine", PLUGIN_STATE_INT8), 0);
	assert_int_equal(field(b, t, TABLE_ADD_FIELD, "sub", PLUGIN_STATE_TABLE), 0);
	assert_int_equal(field(b, t, TABLE_FIELD, "nothing", PLUGIN_STATE_INT8), 0);
	uint32_t e = add(b, t, 1, 42);
	assert_true(e);
	begin(TABLE_WRITE, t, e, comm);
	table_frame_str(&ask, 0, "cat");
	assert_int_equal(call(b, 1), PLUGIN_SUCCESS);
	begin(TABLE_WRITE, t, e, cwd);
	table_frame_str(&ask, 0, "/");
	assert_int_equal(call(b, 1), PLUGIN_FAILURE);
	assert_string_equal(
	    answer.bytes, "attempt to write to read-only static struct field: cwd");
	/* Found by another user, who sees what it has asked for. */
	begin(TABLE_ENTRY, t, 0, 0);
	table_frame_num(&ask, 0, PLUGIN_STATE_INT64, 42);
	assert_int_equal(call(b, 1), PLUGIN_SUCCESS);
	assert_int_equal(answer.head.n_values, 4);
	assert_int_equal(answer.value[0].num, 42);
	assert_string_equal(answer.bytes, "cat");
	begin(TABLE_READ, t, answer.head.entry, mine);
	assert_int_equal(call(b, 1), PLUGIN_SUCCESS);
	assert_int_equal(answer.value[0].num, 0);
	begin(TABLE_SIZE, t, 0, 0);
	assert_int_equal(call(b, 1), PLUGIN_SUCCESS);
	assert_int_equal(answer.head.number, 1);
	begin(TABLE_ERASE, t, 0, 0);
	table_frame_num(&ask, 0, PLUGIN_STATE_INT64, 42);
	assert_int_equal(call(b, 1), PLUGIN_SUCCESS);
	assert_int_equal(call(b, 1), PLUGIN_FAILURE);
	/* The entry that is held outlives it. */
	begin(TABLE_READ, t, e, comm);
	assert_int_equal(call(b, 1), PLUGIN_SUCCESS);
	assert_string_equal(answer.bytes, "cat");
	builtin_tables_free(b);
}

static void
test_builtin_handles_mean_nothing_to_others(void **state)
{
	struct err err;
	struct builtin_tables *b = builtin_tables_new(&err);
	uint32_t t = threads(), e = add(b, t, 1, 7);
	uint32_t comm = field(b, t, TABLE_FIELD, "comm", PLUGIN_STATE_STRING);
	uint32_t fds = field(b, t, TABLE_FIELD, "file_descriptors", PLUGIN_STATE_TABLE);

	begin(TABLE_READ, t, e, comm);
	assert_int_equal(call(b, 2), PLUGIN_FAILURE);
	assert_int_equal(call(b, 1), PLUGIN_SUCCESS);
	/* Forged: entries, fields, tables. */
	for (uint32_t i = 0; i < 40; i++) {
		begin(TABLE_READ, t, e ^ 1u << i % 32, comm);
		if (ask.head.entry != e)
			assert_int_equal(call(b, 1), PLUGIN_FAILURE);
		begin(TABLE_READ, t, e, comm + 200 + i);
		assert_int_equal(call(b, 1), PLUGIN_FAILURE);
		begin(TABLE_SIZE, t + 1 + i * 0x1234567, 0, 0);
		assert_int_equal(call(b, 1), PLUGIN_FAILURE);
	}
	/* A sub-table is its holder's, and knows no entry of another table. */
	begin(TABLE_READ, t, e, fds);
	assert_int_equal(call(b, 1), PLUGIN_SUCCESS);
	uint32_t sub = (uint32_t)answer.value[0].num;
	begin(TABLE_SIZE, sub, 0, 0);
	assert_int_equal(call(b, 1), PLUGIN_SUCCESS);
	assert_int_equal(call(b, 2), PLUGIN_FAILURE);
	begin(TABLE_READ, sub, e, comm);
	assert_int_equal(call(b, 1), PLUGIN_FAILURE);
	/* Stale, once let go. */
	begin(TABLE_RELEASE, t, e, 0);
	assert_int_equal(call(b, 1), PLUGIN_SUCCESS);
	begin(TABLE_READ, t, e, comm);
	assert_int_equal(call(b, 1), PLUGIN_FAILURE);
	begin(TABLE_FORGET, 0, 0, 0);
	assert_int_equal(call(b, 1), PLUGIN_SUCCESS);
	begin(TABLE_SIZE, sub, 0, 0);
	assert_int_equal(call(b, 1), PLUGIN_FAILURE);
	builtin_tables_free(b);
}

static void
test_builtin_tables_are_bounded(void **state)
{
	struct err err;
	struct builtin_tables *b = builtin_tables_new(&err);
	uint32_t t = threads(), held = 0, n = 0;

	/* Handles of one user. */
	while (add(b, t, 3, ++held))
		;
	assert_int_equal(held, LIMIT_TABLE_HANDLES + 1);
	begin(TABLE_FORGET, 0, 0, 0);
	call(b, 3);
	/* Entries of all. */
	for (n = 0; n <= LIMIT_TABLE_ENTRIES; n++) {
		uint32_t e = add(b, t, 3, 1000000 + n);
		if (!e)
			break;
		begin(TABLE_RELEASE, t, e, 0);
		call(b, 3);
	}
	/* Their number or their bytes are the bound. */
	assert_true(n <= LIMIT_TABLE_ENTRIES && n > LIMIT_TABLE_ENTRIES / 2);
	begin(TABLE_SIZE, t, 0, 0);
	call(b, 3);
	uint64_t size = answer.head.number;
	/* A walk sees them all. */
	struct builtin_walk *w = builtin_walk_new(b, 3, t);
	uint32_t seen = 0;
	while (builtin_walk_next(w, &answer))
		seen++;
	builtin_walk_free(w);
	assert_int_equal(seen, size);
	begin(TABLE_CLEAR, t, 0, 0);
	assert_int_equal(call(b, 3), PLUGIN_SUCCESS);
	assert_true(add(b, t, 3, 1));
	builtin_tables_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_builtin_threads_can_be_filled),
	    cmocka_unit_test(test_builtin_handles_mean_nothing_to_others),
	    cmocka_unit_test(test_builtin_tables_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
