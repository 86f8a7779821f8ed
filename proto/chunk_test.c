/* SPDX-License-Identifier: Apache-2.0 */
/* Long: each field of each structure, with each value that it may not have. */
#include "proto/chunk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "proto/chunk_sample.h"
#include "proto/chunk_walk.h"

static struct sample sample;
static struct chunk_view view, checked; /* the second is check()'s */

static int
setup(void **state)
{
	struct err err;

	sample_init(&sample);
	return chunk_view_init(&view, &err) && chunk_view_init(&checked, &err) ? 0 : -1;
}

static int
teardown(void **state)
{
	sample_release(&sample);
	chunk_view_release(&view);
	chunk_view_release(&checked);
	return 0;
}

/* A copy of exactly its size, so that AddressSanitizer sees a byte too far. */
static bool
check(const uint8_t *p, uint32_t len, enum frame_type type)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct extract_view extract;
	struct err err;
	bool ok;

	memcpy(copy, p, len);
	if (type == FRAME_EXTRACT) {
		ok = extract_check(&extract, copy, len, &err);
		if (ok)
			walk_extract(&extract, copy, len);
	} else {
		ok = chunk_check(&checked, copy, len, type, &err);
		if (ok)
			walk_chunk(&checked, copy, len, type);
	}
	if (!ok)
		assert_int_equal(err.code, ERR_PEER);
	free(copy);
	return ok;
}

static void
test_chunk_gives_back_what_was_written(void **state)
{
	uint64_t words[SAMPLE_CAP / 8];
	uint8_t *p = (uint8_t *)words;
	uint32_t len = sample_chunk(&sample, p, true, FRAME_EVENTS);
	struct err err;

	assert_true(len > 0);
	assert_true(chunk_check(&view, p, len, FRAME_EVENTS, &err));
	assert_int_equal(view.head.batch, 3);
	assert_int_equal(view.head.first, 7);
	assert_int_equal(view.head.n_columns, SAMPLE_COLUMNS);
	assert_int_equal(view.head.flags, CHUNK_LAST | CHUNK_HAS_EVENTS);
	assert_int_equal(view.head.rc, -1);
	assert_int_equal(view.head.dropped, 2);
	assert_memory_equal(view.event, sample.event, sizeof(sample.event));
	for (uint32_t i = 0; i < SAMPLE_EVENTS; i++)
		assert_memory_equal(
		    view.raw + view.raw_off[i], sample.raw[i], sample.event[i].len);

	const struct frame_column *c = &view.column[0];
	assert_int_equal(c->slot, 10);
	assert_int_equal(c->kind, COLUMN_NUM);
	assert_int_equal(c->n_values, 2);
	assert_int_equal(c->num[0], 0x0102030405060708);
	assert_int_equal(c->first[1], 1);
	assert_int_equal(c->first[2], 1); /* the second event is missing */
	assert_int_equal(c->num[c->first[2]], 0x010203040506070a);
	c = &view.column[1];
	assert_int_equal(c->first[2] - c->first[1], 3);
	assert_string_equal(c->bytes + c->str[1].off, "some text");
	assert_string_equal(c->bytes + c->str[3].off, "me text");
	assert_int_equal(c->str[3].len, 7);
	c = &view.column[2];
	assert_int_equal(c->kind, COLUMN_BIN);
	assert_int_equal(c->str[1].len, 7);
	assert_memory_equal(c->bytes + c->str[1].off, "\x0a\0\0\x01\0\0", 7);
	for (uint32_t i = 3; i < SAMPLE_COLUMNS; i++) {
		assert_ptr_equal(view.column[i].first, column_even_first);
		assert_int_equal(view.column[i].n_values, SAMPLE_EVENTS);
	}
	assert_int_equal(view.column[3].num[2], 3 * 0x1122334455667788);
	c = &view.column[4];
	assert_string_equal(c->bytes + c->str[2].off, "ght by eight");
	for (uint32_t i = 0; i <= LIMIT_CHUNK_EVENTS; i++)
		assert_int_equal(column_even_first[i], i);
}

static void
test_chunk_takes_frames_without_events_or_columns(void **state)
{
	uint64_t words[SAMPLE_CAP / 8];
	uint8_t *p = (uint8_t *)words;
	struct chunk_head head = {.flags = CHUNK_LAST, .rc = 2};
	struct chunk_event none;
	const void *raw = NULL;
	uint32_t len;

	assert_true(
	    check(p, sample_chunk(&sample, p, false, FRAME_EVENTS), FRAME_EVENTS));
	assert_true(
	    check(p, sample_chunk(&sample, p, false, FRAME_COLUMNS), FRAME_COLUMNS));
	/* The end of a source: no event, its return code. */
	len = chunk_write(p, SAMPLE_CAP, &head, &none, NULL, NULL, 0);
	assert_int_equal(len, sizeof(head));
	assert_true(check(p, len, FRAME_EVENTS));
	assert_false(check(p, len, FRAME_COLUMNS));
	len = chunk_write(p, SAMPLE_CAP, &head, &none, &raw, NULL, 0);
	assert_true(check(p, len, FRAME_EVENTS));
	head.flags = 0;
	len = chunk_write(p, SAMPLE_CAP, &head, &none, NULL, NULL, 0);
	assert_false(check(p, len, FRAME_EVENTS));
}

static void
test_chunk_write_holds_raw_events_to_their_summary(void **state)
{
	uint64_t words[SAMPLE_CAP / 8];
	uint8_t *p = (uint8_t *)words;
	struct plugin_event h;

	/* A plugin's thread changes its memory after the worker looked. */
	memset(sample.raw[0], 0xee, 22);
	uint32_t len = sample_chunk(&sample, p, true, FRAME_EVENTS);
	assert_true(check(p, len, FRAME_EVENTS));
	struct err err;
	assert_true(chunk_check(&view, p, len, FRAME_EVENTS, &err));
	memcpy(&h, view.raw, sizeof(h));
	assert_int_equal(h.ts, sample.event[0].ts_ns);
	assert_int_equal(h.type, PLUGIN_EVENT_TYPE);
	/* An id of 0 stands for the plugin's own. */
	sample.event[0].plugin_id = 77;
	len = sample_chunk(&sample, p, true, FRAME_EVENTS);
	assert_true(check(p, len, FRAME_EVENTS));
	/* What cannot be patched up is refused. */
	memset(sample.raw[0] + 22, 0xee, 4);
	len = sample_chunk(&sample, p, true, FRAME_EVENTS);
	assert_false(check(p, len, FRAME_EVENTS));
}

static void
test_chunk_write_stays_within_its_room(void **state)
{
	uint64_t words[SAMPLE_CAP / 8];
	uint32_t len = sample_chunk(&sample, (uint8_t *)words, true, FRAME_EVENTS);
	struct chunk_head head = sample.head;

	for (uint32_t cap = 0; cap < len; cap++) {
		uint8_t *p = malloc(cap ? cap : 1);
		assert_int_equal(chunk_write(p, cap, &sample.head, sample.event,
				     sample.raw_at, sample.column_at, SAMPLE_COLUMNS),
		    0);
		free(p);
	}
	head.n_events = 2;
	assert_int_equal(chunk_write((uint8_t *)words, SAMPLE_CAP, &head, sample.event,
			     NULL, sample.column_at, SAMPLE_COLUMNS),
	    0);
	head.n_events = LIMIT_CHUNK_EVENTS + 1;
	assert_int_equal(
	    chunk_write((uint8_t *)words, SAMPLE_CAP, &head, NULL, NULL, NULL, 0), 0);
}

static void
test_chunk_refuses_every_other_length(void **state)
{
	uint64_t words[SAMPLE_CAP / 8] = {0};
	uint8_t *p = (uint8_t *)words;
	static const enum frame_type types[] = {
	    FRAME_EVENTS, FRAME_COLUMNS, FRAME_EXTRACT};

	for (size_t i = 0; i < 3; i++) {
		uint32_t len =
		    types[i] == FRAME_EXTRACT
			? sample_extract(&sample, p, EXTRACT_INLINE)
			: sample_chunk(&sample, p, types[i] == FRAME_EVENTS, types[i]);
		assert_true(check(p, len, types[i]));
		for (uint32_t n = 0; n < len; n++)
			assert_false(check(p, n, types[i]));
		for (uint32_t n = 1; n <= 64; n++)
			assert_false(check(p, len + n, types[i]));
	}
}

/*
 * Bytes whose value is the worker's to choose; any other value of any other byte of the
 * sample must be refused. Padding is free as well.
 */
static void
mark(bool *is_free, const uint8_t *frame, const void *at, size_t n)
{
	memset(is_free + ((const uint8_t *)at - frame), 1, n);
}

/* Where the column's head is. */
static const uint8_t *
head_of(const struct frame_column *c)
{
	const void *next = c->first != column_even_first ? (const void *)c->first
			   : c->kind == COLUMN_NUM       ? (const void *)c->num
							 : (const void *)c->str;

	return (const uint8_t *)next - sizeof(struct column_head);
}

static void
mark_free(bool *is_free, const uint8_t *p)
{
	const struct chunk_head *h = (const void *)p;

	mark(is_free, p, &h->batch, 4);
	mark(is_free, p, &h->first, 4);
	mark(is_free, p, &h->rc, 4);
	mark(is_free, p, &h->dropped, 4);
	for (uint32_t i = 0; i < SAMPLE_COLUMNS; i++) {
		const struct frame_column *c = &view.column[i];
		mark(is_free, p, head_of(c), 4);
		/* Values may belong to another event, if they stay in order: the walk
		 * sees to that. */
		if (c->first != column_even_first)
			mark(is_free, p, c->first + 1, (SAMPLE_EVENTS - 1) * 4);
		if (c->kind == COLUMN_NUM)
			mark(is_free, p, c->num, c->n_values * 8ul);
		for (uint32_t k = 0; c->kind == COLUMN_BIN && k < c->n_values; k++)
			mark(is_free, p, c->bytes + c->str[k].off, c->str[k].len);
		mark(is_free, p, c->bytes + c->n_bytes, -c->n_bytes & 7);
	}
	for (uint32_t i = 0; i < SAMPLE_EVENTS; i++) {
		const uint8_t *raw = view.raw + view.raw_off[i];
		mark(is_free, p, raw + 38, view.raw_off[i + 1] - view.raw_off[i] - 38);
	}
	/* The async event: how its name and data share what follows its id. */
	mark(is_free, p, view.raw + view.raw_off[2] + 30, 8);
	memset(is_free + (view.raw + view.raw_off[2] + 38 - p), 0, 4);
}

static const uint8_t byte_values[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 24, 31, 32, 63,
    64, 0x7f, 0x80, 0xc0, 0xf8, 0xfe, 0xff};

/* Values whose meaning is another, but good, frame. */
static bool
is_another_good_frame(const uint8_t *p, uint32_t at, uint8_t value)
{
	const struct chunk_head *h = (const void *)p;

	if (p + at == (const uint8_t *)&h->flags)
		return (p[at] ^ value) == CHUNK_LAST;
	/* Any progress up to the whole: its two low bytes. */
	if (p + at >= (const uint8_t *)&h->progress &&
	    p + at < (const uint8_t *)&h->progress + 2)
		return h->progress == 0 &&
		       (uint32_t)value << 8 * (p + at - (const uint8_t *)&h->progress) <=
			   CHUNK_PROGRESS_MAX;
	/* Any time. */
	if (p + at >= (const uint8_t *)&h->extract_us &&
	    p + at < (const uint8_t *)&h->zero)
		return true;
	for (uint32_t i = 0; i < SAMPLE_COLUMNS; i++) {
		const struct frame_column *c = &view.column[i];
		if (c->kind != COLUMN_STR)
			continue;
		/* Strings may be anything but NUL, and may be called bytes. */
		if (p + at >= (const uint8_t *)c->bytes &&
		    p + at < (const uint8_t *)c->bytes + c->n_bytes)
			return p[at] != 0 && value != 0;
		if (p + at == head_of(c) + 4)
			return value == COLUMN_BIN;
	}
	return false;
}

static void
test_chunk_refuses_every_single_hostile_byte(void **state)
{
	uint64_t words[SAMPLE_CAP / 8];
	uint8_t *p = (uint8_t *)words;
	uint32_t len = sample_chunk(&sample, p, true, FRAME_EVENTS), refused = 0;
	bool is_free[SAMPLE_CAP] = {0};
	static uint8_t changed[SAMPLE_CAP];
	struct err err;

	assert_true(chunk_check(&view, p, len, FRAME_EVENTS, &err));
	mark_free(is_free, p);
	for (uint32_t at = 0; at < len; at++) {
		for (size_t i = 0; i < sizeof(byte_values); i++) {
			if (byte_values[i] == p[at])
				continue;
			memcpy(changed, p, len);
			changed[at] = byte_values[i];
			bool ok = check(changed, len, FRAME_EVENTS);
			if (ok && !is_free[at] &&
			    !is_another_good_frame(p, at, byte_values[i]))
				fail_msg("byte %u of %u: %u instead of %u was accepted",
				    at, len, byte_values[i], p[at]);
			refused += !ok;
		}
	}
	assert_true(refused > len * sizeof(byte_values) / 3);
}

/* Where a change may be good, what it means must lie inside: check() walks what is
 * accepted. */
static void
test_chunk_never_accepts_what_lies_outside(void **state)
{
	static const uint32_t values[] = {0, 1, 2, 3, 4, 7, 8, 9, 16, 23, 24, 25, 26, 38,
	    255, 256, 257, 4095, 4096, 65535, 65536, 65537, LIMIT_FRAME_BYTES,
	    LIMIT_EVENT_BYTES, LIMIT_EVENT_BYTES + 1, 0x1fffffff, 0x20000000, 0x3fffffff,
	    0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffff8, 0xffffffff};
	static const enum frame_type types[] = {
	    FRAME_EVENTS, FRAME_EVENTS, FRAME_COLUMNS, FRAME_EXTRACT, FRAME_EXTRACT};
	uint64_t words[SAMPLE_CAP / 8];
	uint8_t *p = (uint8_t *)words;
	static uint8_t changed[SAMPLE_CAP];
	uint32_t accepted = 0, refused = 0;

	for (size_t t = 0; t < sizeof(types) / sizeof(*types); t++) {
		uint32_t len = types[t] == FRAME_EXTRACT
				   ? sample_extract(&sample, p,
					 t == 3 ? EXTRACT_INLINE : EXTRACT_BATCH)
				   : sample_chunk(&sample, p, t == 0, types[t]);
		for (uint32_t at = 0; at + 4 <= len; at += 2) {
			for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
				memcpy(changed, p, len);
				memcpy(changed + at, &values[i], 4);
				if (check(changed, len, types[t]))
					accepted++;
				else
					refused++;
			}
		}
	}
	assert_true(accepted > 0 && refused > accepted);
}

static void
test_chunk_refuses_strings_that_share_bytes(void **state)
{
	uint64_t words[SAMPLE_CAP / 8];
	uint8_t *p = (uint8_t *)words;
	uint32_t len = sample_chunk(&sample, p, false, FRAME_COLUMNS);
	struct err err;
	struct frame_span *span;

	assert_true(chunk_check(&view, p, len, FRAME_COLUMNS, &err));
	span = (struct frame_span *)(uintptr_t)view.column[1].str;
	span[1] = span[0];
	assert_false(check(p, len, FRAME_COLUMNS));
}

/* A NUL more than terminators, wherever it is: in each of the lanes in which they are
 * counted, and in what is left behind them. */
static void
test_chunk_refuses_inner_nuls(void **state)
{
	enum {
		STRINGS = 3,
		LONG = 5000
	};
	static uint64_t words[(LONG * STRINGS + 4096) / 8];
	uint8_t *p = (uint8_t *)words;
	const struct chunk_head head = {.n_events = STRINGS, .flags = CHUNK_LAST};
	struct column_store c;
	const struct column_store *column[] = {&c};
	static char text[LONG];
	struct err err;

	assert_true(column_store_init(&c, 0, COLUMN_STR, &err));
	memset(text, 'x', sizeof(text));
	for (uint32_t i = 0; i < STRINGS; i++) {
		assert_true(column_store_bytes(&c, text, i == 1 ? LONG : 3));
		column_store_next(&c);
	}
	uint32_t len = chunk_write(p, sizeof(words), &head, NULL, NULL, column, 1);
	assert_true(check(p, len, FRAME_COLUMNS) == false); /* LAST is not an answer's */
	((struct chunk_head *)(void *)p)->flags = 0;
	assert_true(check(p, len, FRAME_COLUMNS));
	assert_true(chunk_check(&view, p, len, FRAME_COLUMNS, &err));
	char *bytes = (char *)(uintptr_t)view.column[0].bytes;
	uint32_t n = view.column[0].n_bytes;
	for (uint32_t i = 0; i < n; i++) {
		if (bytes[i] == '\0')
			continue;
		bytes[i] = '\0';
		assert_false(check(p, len, FRAME_COLUMNS));
		bytes[i] = 'x';
	}
	/* Full lanes of terminators: none is forgotten. */
	column_store_clear(&c);
	for (uint32_t i = 0; i < LONG; i++)
		assert_true(column_store_bytes(&c, "", 0));
	column_store_next(&c);
	const struct chunk_head one = {.n_events = 1};
	static uint64_t more[(LONG * 9 + 4096) / 8];
	len = chunk_write((uint8_t *)more, sizeof(more), &one, NULL, NULL, column, 1);
	assert_true(check((uint8_t *)more, len, FRAME_COLUMNS));
	column_store_release(&c);
}

static void
test_chunk_store_forgets_an_event(void **state)
{
	struct column_store c;
	struct err err;

	assert_true(column_store_init(&c, 0, COLUMN_STR, &err));
	for (uint32_t i = 0; i < 3; i++) {
		for (uint32_t k = 0; k < i; k++)
			assert_true(column_store_bytes(&c, "text", k));
		column_store_next(&c);
	}
	column_store_undo(&c);
	assert_int_equal(c.n_events, 2);
	assert_int_equal(c.n_values, 1);
	assert_int_equal(c.n_bytes, 1);
	column_store_undo(&c);
	column_store_undo(&c);
	assert_int_equal(c.n_events | c.n_values | c.n_bytes, 0);
	column_store_release(&c);
}

/* One event of no parameters: 26 bytes in 32. */
static uint32_t
bare_chunk(uint8_t *p, const void *const *raw, uint32_t n)
{
	struct chunk_head head = {.n_events = n};
	struct chunk_event event[3];

	for (uint32_t i = 0; i < n; i++)
		event[i] =
		    (struct chunk_event){.len = sizeof(struct plugin_event), .type = 5};
	return chunk_write(p, SAMPLE_CAP, &head, event, raw, NULL, 0);
}

static void
test_chunk_reads_no_parameters_past_the_last_event(void **state)
{
	static const struct plugin_event bare;
	const void *raw[] = {&bare};
	uint64_t words[SAMPLE_CAP / 8];
	uint8_t *p = (uint8_t *)words;
	uint32_t len = bare_chunk(p, raw, 1);
	struct plugin_event h;

	assert_true(check(p, len, FRAME_EVENTS));
	memcpy(&h, p + len - 32, sizeof(h));
	h.len = 40;
	h.type = PLUGIN_ASYNC_EVENT_TYPE;
	h.nparams = 3;
	memcpy(p + len - 32, &h, sizeof(h));
	assert_false(check(p, len, FRAME_EVENTS));
}

/* The second event would begin at the very end, and end before that. */
static void
test_chunk_refuses_raw_events_that_run_backwards(void **state)
{
	static const struct plugin_event bare;
	const void *raw[] = {&bare, &bare, &bare};
	uint64_t words[SAMPLE_CAP / 8];
	uint8_t *p = (uint8_t *)words;
	uint32_t len = bare_chunk(p, raw, 3),
		 *off = (uint32_t *)(void *)(p + len - 96 - 16);

	assert_int_equal(off[1], 32);
	assert_int_equal(off[3], 96);
	off[1] = 96;
	off[2] = 64;
	*(uint32_t *)(void *)(p + len - 96 + 16) =
	    96; /* the first says that it fills it all */
	assert_false(check(p, len, FRAME_EVENTS));
}

static void
test_chunk_refuses_more_columns_than_slots(void **state)
{
	enum {
		N = LIMIT_PLAN_SLOTS + 1,
		CAP = sizeof(struct chunk_head) + N * sizeof(struct column_head)
	};
	struct chunk_head head = {.flags = CHUNK_LAST};
	static const struct column_store *columns[N];
	struct chunk_event none;
	uint64_t *words = calloc(CAP / 8, 8);
	uint8_t *p = (uint8_t *)words;
	uint32_t len;

	column_store_clear(&sample.column[0]);
	for (uint32_t i = 0; i < N; i++)
		columns[i] = &sample.column[0];
	len = chunk_write(p, CAP, &head, &none, NULL, columns, N - 1);
	assert_int_equal(len, CAP - sizeof(struct column_head));
	assert_true(check(p, len, FRAME_EVENTS));
	len = chunk_write(p, CAP, &head, &none, NULL, columns, N);
	assert_int_equal(len, CAP);
	assert_false(check(p, len, FRAME_EVENTS));
	free(words);
}

static void
test_chunk_refuses_flags_that_do_not_belong(void **state)
{
	uint64_t words[SAMPLE_CAP / 8];
	uint8_t *p = (uint8_t *)words;
	uint32_t len = sample_chunk(&sample, p, false, FRAME_COLUMNS);
	struct chunk_head *h = (struct chunk_head *)(void *)p;

	h->flags = CHUNK_LAST;
	assert_false(check(p, len, FRAME_COLUMNS));
	h->flags = CHUNK_HAS_EVENTS;
	assert_false(check(p, len, FRAME_COLUMNS));
	h->flags = 0;
	h->first = LIMIT_BATCH_EVENTS;
	assert_false(check(p, len, FRAME_COLUMNS));
}

static void
test_chunk_extract_gives_back_what_was_written(void **state)
{
	uint64_t words[SAMPLE_CAP / 8];
	uint8_t *p = (uint8_t *)words;
	struct extract_view v;
	struct err err;
	uint32_t len = sample_extract(&sample, p, EXTRACT_INLINE);

	assert_true(extract_check(&v, p, len, &err));
	assert_int_equal(v.head.request, 5);
	assert_int_equal(v.head.n_slots, 3);
	assert_int_equal(v.head.events[0], 5);
	assert_int_equal(v.slot[1], 4000);
	assert_int_equal(v.number[2], 105);
	for (uint32_t i = 0; i < SAMPLE_EVENTS; i++)
		assert_memory_equal(v.raw + v.off[i], sample.raw[i], sample.event[i].len);
	len = sample_extract(&sample, p, EXTRACT_BATCH);
	assert_true(extract_check(&v, p, len, &err));
	assert_null(v.raw);
	assert_int_equal(v.number[2], 105);
	for (uint32_t cap = 0; cap < len; cap++) {
		uint8_t *room = malloc(cap ? cap : 1);
		static const uint32_t slot[3];
		static const uint64_t number[SAMPLE_EVENTS];
		assert_int_equal(
		    extract_write(room, cap, &v.head, slot, number, NULL, NULL), 0);
		free(room);
	}
}

static void
test_chunk_extract_refuses_more_than_was_agreed(void **state)
{
	uint64_t words[SAMPLE_CAP / 8];
	uint8_t *p = (uint8_t *)words;
	uint32_t len = sample_extract(&sample, p, EXTRACT_BATCH);
	struct extract_head *h = (struct extract_head *)(void *)p;
	const struct extract_head good = *h;
	uint32_t *slot = (uint32_t *)(void *)(p + sizeof(*h));

	assert_true(check(p, len, FRAME_EXTRACT));
	h->events[0] = 8; /* a fourth of three events */
	assert_false(check(p, len, FRAME_EXTRACT));
	*h = good;
	h->events[3] = 1ull << 63;
	assert_false(check(p, len, FRAME_EXTRACT));
	*h = good;
	h->target = 3;
	assert_false(check(p, len, FRAME_EXTRACT));
	*h = good;
	h->n_events = 0;
	h->events[0] = 0;
	assert_false(check(p, len, FRAME_EXTRACT));
	*h = good;
	slot[2] = LIMIT_PLAN_SLOTS;
	assert_false(check(p, len, FRAME_EXTRACT));
	slot[2] = 2;
	h->flags = EXTRACT_PARSE;
	assert_true(check(p, len, FRAME_EXTRACT));
	h->flags = EXTRACT_PARSE << 1;
	assert_false(check(p, len, FRAME_EXTRACT));
	*h = good;
	h->zero = 1;
	assert_false(check(p, len, FRAME_EXTRACT));
}

static void
test_column_store_holds_to_its_bounds(void **state)
{
	struct column_store c;
	struct err err;
	uint32_t n = 0;
	static char big[LIMIT_FRAME_BYTES];

	assert_true(column_store_init(&c, 1, COLUMN_NUM, &err));
	while (column_store_num(&c, n))
		n++;
	assert_int_equal(n, LIMIT_LIST_VALUES);
	/* The next event begins anew. */
	column_store_next(&c);
	assert_true(column_store_num(&c, 1));
	column_store_next(&c);
	assert_int_equal(c.first[1], LIMIT_LIST_VALUES);
	assert_int_equal(c.first[2], LIMIT_LIST_VALUES + 1);
	column_store_release(&c);

	assert_true(column_store_init(&c, 1, COLUMN_STR, &err));
	assert_false(column_store_bytes(&c, big, LIMIT_FRAME_BYTES));
	assert_true(column_store_bytes(&c, big, LIMIT_FRAME_BYTES - 3));
	assert_true(column_store_bytes(&c, "a", 1));
	assert_false(column_store_bytes(&c, "", 0));
	column_store_clear(&c);
	assert_true(column_store_bytes(&c, "kept", 4));
	column_store_next(&c);
	assert_int_equal(c.n_bytes, 5);
	assert_true(column_store_bytes(&c, "three", 5));
	column_store_next(&c);
	assert_string_equal(c.bytes + 5, "three");
	/* One value each; and then one without. */
	assert_int_equal(column_store_frame_bytes(&c), 16 + 16 + 16);
	column_store_next(&c);
	assert_int_equal(column_store_frame_bytes(&c), 16 + 16 + 16 + 16);
	column_store_release(&c);
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(chunk_gives_back_what_was_written),
	    T(chunk_takes_frames_without_events_or_columns),
	    T(chunk_write_holds_raw_events_to_their_summary),
	    T(chunk_write_stays_within_its_room),
	    T(chunk_refuses_every_other_length),
	    T(chunk_refuses_every_single_hostile_byte),
	    T(chunk_never_accepts_what_lies_outside),
	    T(chunk_refuses_strings_that_share_bytes),
	    T(chunk_refuses_inner_nuls),
	    T(chunk_store_forgets_an_event),
	    T(chunk_reads_no_parameters_past_the_last_event),
	    T(chunk_refuses_raw_events_that_run_backwards),
	    T(chunk_refuses_more_columns_than_slots),
	    T(chunk_refuses_flags_that_do_not_belong),
	    T(chunk_extract_gives_back_what_was_written),
	    T(chunk_extract_refuses_more_than_was_agreed),
	    T(column_store_holds_to_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
