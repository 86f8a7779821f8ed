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
#include "worker/take.h"
#include "worker/values.h"

enum {
	FIELDS = 8,
	TEXT_BYTES = 3 * VALUE_BLOCK,
};

/* A call's fields, and what a plugin filled them in with. */
struct call {
	struct plugin_extract_field field[FIELDS];
	struct field_place place[FIELDS];
	uint8_t kind[FIELDS];
	const char *text[FIELDS][2];
	uint64_t number[FIELDS][2];
	struct plugin_byte_buffer bytes[FIELDS][2];
	char *memory; /* texts, each up to the end of a page that nothing follows */
	size_t page;
};

struct columns {
	struct column_store column[FIELDS], *at[FIELDS];
};

static const uint32_t types[FIELDS] = {PLUGIN_FIELD_STRING, PLUGIN_FIELD_UINT64,
    PLUGIN_FIELD_STRING, PLUGIN_FIELD_BOOL, PLUGIN_FIELD_STRING, PLUGIN_FIELD_ABSTIME,
    PLUGIN_FIELD_STRING, PLUGIN_FIELD_IPADDR};

static const enum column_kind kinds[FIELDS] = {COLUMN_STR, COLUMN_NUM, COLUMN_STR,
    COLUMN_NUM, COLUMN_STR, COLUMN_NUM, COLUMN_STR, COLUMN_BIN};

static uint32_t
draw(uint32_t below)
{
	static uint64_t seed = 1;

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % below);
}

static void
call_init(struct call *c)
{
	memset(c, 0, sizeof(*c));
	c->page = (size_t)sysconf(_SC_PAGESIZE);
	c->memory = mmap(NULL, 2 * FIELDS * c->page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(c->memory, MAP_FAILED);
	for (uint32_t i = 0; i < FIELDS; i++) {
		c->kind[i] = (uint8_t)kinds[i];
		assert_int_equal(
		    mprotect(c->memory + (2 * i + 1) * c->page, c->page, PROT_NONE), 0);
	}
}

/* Mostly short, now and then long, now and then at the very end of what may be read. */
static char *
make_text(struct call *c, uint32_t i)
{
	uint32_t n = draw(8) ? draw(VALUE_BLOCK + 2) : draw(TEXT_BYTES - 1);
	char *end = c->memory + (2 * i + 1) * c->page;
	char *s = end - (draw(4) ? TEXT_BYTES + draw(2000) : n + 1);

	memset(s, 'a' + (int)draw(26), n);
	s[n] = '\0';
	return s;
}

/* One value nearly always; no array, no value, two of them. */
static void
fill(struct call *c)
{
	for (uint32_t i = 0; i < FIELDS; i++) {
		struct plugin_extract_field *f = &c->field[i];
		char *s = make_text(c, i);

		*f = (struct plugin_extract_field){.ftype = types[i], .res_len = 1};
		c->text[i][0] = draw(64) ? s : NULL;
		c->text[i][1] = s;
		c->bytes[i][0] = c->bytes[i][1] =
		    (struct plugin_byte_buffer){4, c->memory + 2 * i * c->page};
		c->number[i][0] = (uint64_t)draw(1000) << 32 | draw(1000);
		if (kinds[i] == COLUMN_STR)
			f->res.str = c->text[i];
		else if (kinds[i] == COLUMN_NUM)
			f->res.u64 = c->number[i];
		else
			f->res.buf = c->bytes[i];
		if (draw(200) == 0)
			f->res_len = draw(2) * 2;
		if (draw(200) == 0)
			f->res.str = NULL;
	}
}

static void
columns_init(struct columns *c)
{
	struct err err;

	for (uint32_t i = 0; i < FIELDS; i++) {
		assert_true(column_store_init(&c->column[i], i, kinds[i], &err));
		c->at[i] = &c->column[i];
	}
}

static void
columns_release(struct columns *c)
{
	for (uint32_t i = 0; i < FIELDS; i++)
		column_store_release(&c->column[i]);
}

static void
take_long_way(struct columns *to, const struct call *c, uint32_t i, uint32_t *room)
{
	values_take(&to->column[i], &c->field[i], types[i], room);
	column_store_next(&to->column[i]);
}

/* How many were taken in runs. */
static uint32_t
take_in_runs(
    struct columns *to, const struct call *c, uint32_t *room, uintptr_t *ret_moved)
{
	uint32_t total = 0;

	*ret_moved = 0;
	for (uint32_t i = 0; i < FIELDS; i++) {
		const struct take_call call = {
		    c->field + i, to->at + i, c->kind + i, c->place + i, FIELDS - i};
		uint32_t n = take_run(&call, room, ret_moved);
		total += n;
		i += n;
		if (i == FIELDS)
			break;
		*ret_moved |= field_has_moved(&c->field[i], c->kind[i], &c->place[i]);
		take_long_way(to, c, i, room);
	}
	return total;
}

static void
assert_same(const struct column_store *a, const struct column_store *b)
{
	assert_int_equal(column_store_events(a), column_store_events(b));
	assert_int_equal(a->even, b->even);
	assert_int_equal(a->n_values, b->n_values);
	assert_int_equal(a->n_bytes, b->n_bytes);
	assert_memory_equal(a->num, b->num, a->n_values * sizeof(*a->num));
	if (a->n_bytes > 0)
		assert_memory_equal(a->bytes, b->bytes, a->n_bytes);
	if (!a->even)
		assert_memory_equal(
		    a->first, b->first, (a->n_events + 1) * sizeof(*a->first));
}

/* The same values by both ways, whatever a plugin fills in. */
static void
test_take_run_is_the_long_way(void **state)
{
	struct columns quick, slow;
	uint32_t in_runs = 0;
	struct call c;

	call_init(&c);
	columns_init(&quick);
	columns_init(&slow);
	for (uint32_t chunk = 0; chunk < 200; chunk++) {
		uint32_t room = LIMIT_FRAME_BYTES, room_slow = room;
		/* Some end in the middle of an event. */
		if (chunk % 8 == 7)
			room = room_slow = 20 * FIELDS * VALUE_BLOCK;
		for (uint32_t e = 0; e < LIMIT_CHUNK_EVENTS; e++) {
			uintptr_t moved;
			fill(&c);
			in_runs += take_in_runs(&quick, &c, &room, &moved);
			for (uint32_t i = 0; i < FIELDS; i++)
				take_long_way(&slow, &c, i, &room_slow);
			assert_int_equal(room, room_slow);
		}
		for (uint32_t i = 0; i < FIELDS; i++) {
			assert_same(&quick.column[i], &slow.column[i]);
			column_store_clear(&quick.column[i]);
			column_store_clear(&slow.column[i]);
		}
	}
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	if (__builtin_cpu_supports("avx2"))
		assert_true(in_runs > 1000);
#endif
	columns_release(&quick);
	columns_release(&slow);
	munmap(c.memory, 2 * FIELDS * c.page);
}

/* In the same places nothing has moved; elsewhere something has. */
static void
test_take_run_sees_what_moved(void **state)
{
	struct columns to;
	struct call c;
	uintptr_t moved;
	uint32_t room = LIMIT_FRAME_BYTES;

	call_init(&c);
	columns_init(&to);
	do
		fill(&c);
	while (c.field[0].res_len != 1 || !c.field[0].res.str || !c.text[0][0]);
	for (uint32_t i = 0; i < FIELDS; i++)
		c.place[i] = (struct field_place){
		    c.field[i].res.str, field_text(&c.field[i], c.kind[i])};
	take_in_runs(&to, &c, &room, &moved);
	assert_int_equal(moved, 0);
	c.text[0][0] = c.text[0][0] == c.memory ? c.memory + 1 : c.memory;
	take_in_runs(&to, &c, &room, &moved);
	assert_int_not_equal(moved, 0);
	c.place[0].text = c.text[0][0];
	take_in_runs(&to, &c, &room, &moved);
	assert_int_equal(moved, 0);
	c.place[FIELDS - 1].values = &c;
	take_in_runs(&to, &c, &room, &moved);
	assert_int_not_equal(moved, 0);
	columns_release(&to);
	munmap(c.memory, 2 * FIELDS * c.page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_take_run_is_the_long_way),
	    cmocka_unit_test(test_take_run_sees_what_moved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
