/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A writer that changes what it has published while the reader takes it: every byte of
 * the indices, of the record's header and of the whole frame behind it, one after the
 * other, to and fro between what it should be and what it should not. What the reader's
 * check accepts must then hold, whatever the writer does meanwhile. Bounded by counts.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "proto/chunk_sample.h"
#include "proto/chunk_walk.h"
#include "proto/ring_pair.h"

enum {
	HEAD_BYTES = 16, /* of a record */
	INDEX_BYTES = 8,
	/* So often is it taken while one byte changes to one value. */
	TAKES = 3,
};

static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

struct writer {
	const struct ring_map *up;
	uint32_t n_bytes;       /* of the record, header and all */
	_Atomic uint64_t takes; /* the reader's, so far */
	_Atomic bool done;
	uint32_t changed; /* bytes */
};

/* One byte to and fro, until the reader has looked often enough. */
static void
change(struct writer *w, volatile uint8_t *byte, uint8_t to)
{
	const uint8_t was = *byte;
	const uint64_t until = w->takes + TAKES;

	while (w->takes < until) {
		*byte = to;
		sched_yield();
		*byte = was;
	}
}

static void
change_bytes(struct writer *w, volatile uint8_t *at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++, w->changed++) {
		for (uint32_t k = 0; k < sizeof(values); k++)
			change(w, &at[i], values[k]);
		change(w, &at[i], at[i] ^ 1);
	}
}

static void *
write_wrongly(void *arg)
{
	struct writer *w = arg;

	change_bytes(
	    w, (volatile uint8_t *)(void *)page_word(w->up, AT_TAIL), INDEX_BYTES);
	change_bytes(w, w->up->data, w->n_bytes);
	w->done = true;
	return NULL;
}

struct tally {
	uint32_t broken, empty, refused, accepted;
	uint64_t sum;
};

/* The first record once more, as if it were new. */
static void
take_once(
    struct ring_pair *p, struct chunk_view *view, uint8_t *frame, struct tally *tally)
{
	uint32_t type, len;
	struct err err;

	ring_reader_init(&p->r, &p->down_own, &p->up_seen);
	switch (ring_take(&p->r, frame, LIMIT_FRAME_BYTES, &type, &len)) {
	case RING_OK:
		break;
	case RING_EMPTY:
		tally->empty++;
		return;
	default:
		tally->broken++;
		return;
	}
	if ((type != FRAME_EVENTS && type != FRAME_COLUMNS) ||
	    !chunk_check(view, frame, len, (enum frame_type)type, &err)) {
		tally->refused++;
		return;
	}
	tally->accepted++;
	tally->sum += walk_chunk(view, frame, len, (enum frame_type)type);
}

static void
hold_against(bool with_raw, enum frame_type type)
{
	uint8_t *frame = aligned_alloc(8, LIMIT_FRAME_BYTES);
	struct chunk_view view;
	struct tally tally = {0};
	struct ring_pair p;
	struct sample s;
	pthread_t thread;
	struct err err;
	void *to;

	assert_non_null(frame);
	assert_true(chunk_view_init(&view, &err));
	ring_pair_init(&p);
	sample_init(&s);
	assert_int_equal(ring_reserve(&p.w, SAMPLE_CAP, &to), RING_OK);
	uint32_t len = sample_chunk(&s, to, with_raw, type);
	ring_commit(&p.w, type, len);
	struct writer w = {.up = &p.up_own, .n_bytes = HEAD_BYTES + len};
	take_once(&p, &view, frame, &tally);
	assert_int_equal(tally.accepted, 1);
	assert_int_equal(pthread_create(&thread, NULL, write_wrongly, &w), 0);
	while (!w.done) {
		take_once(&p, &view, frame, &tally);
		w.takes++;
	}
	pthread_join(thread, NULL);
	print_message("%u bytes: broken %u, empty %u, refused %u, accepted %u\n",
	    w.changed, tally.broken, tally.empty, tally.refused, tally.accepted);
	assert_int_equal(w.changed, INDEX_BYTES + w.n_bytes);
	assert_true(tally.broken > 0 && tally.refused > 0 && tally.accepted > 1);
	/* All is as it was. */
	tally.accepted = 0;
	take_once(&p, &view, frame, &tally);
	assert_int_equal(tally.accepted, 1);
	sample_release(&s);
	ring_pair_release(&p);
	chunk_view_release(&view);
	free(frame);
}

static void
test_chunk_stress_events(void **state)
{
	hold_against(false, FRAME_EVENTS);
}

static void
test_chunk_stress_raw_events(void **state)
{
	hold_against(true, FRAME_EVENTS);
}

static void
test_chunk_stress_columns(void **state)
{
	hold_against(false, FRAME_COLUMNS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_chunk_stress_events),
	    cmocka_unit_test(test_chunk_stress_raw_events),
	    cmocka_unit_test(test_chunk_stress_columns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
