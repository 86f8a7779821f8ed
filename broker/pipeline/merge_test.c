/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks in a ring, and what is made of them. Every event's values follow from its
 * number, so that whatever is merged can be compared with what was sent; the worker, the
 * evaluator and the rest of the pipeline are replaced by records. Long, because each
 * reason not to merge has its test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "broker/pipeline/internal.h"
#include "proto/chunk.h"
#include "proto/column.h"
#include "proto/plugin_api.h"

enum {
	RING_BYTES = 16 << 20,
	ID = 77,
	MANY_VALUES = 100,
};

enum {
	NUMBER, /* slots */
	STRING,
	ADDRESS,
	LIST,
	SLOTS,
};

static bool breached, up;
static uint32_t wakes;
/* Falls asleep as soon as the first frame is taken, if it is not NULL. */
static struct ring_writer *tired;

void
worker_breach(struct worker *w, const struct err *err)
{
	breached = true;
}

void
worker_give_up(struct worker *w, const struct err *err)
{
	abort();
}

void
worker_wake(struct worker *w)
{
	wakes++;
}

bool
worker_is_up(const struct worker *w)
{
	return up;
}

void
worker_took(struct worker *w, uint64_t ns)
{
}

void
pipeline_take_side(struct pipeline *p, struct worker *w)
{
	if (tired)
		assert_true(ring_writer_sleep(tired, LIMIT_FRAME_BYTES));
	tired = NULL;
}

bool
pipeline_swap_between(struct pipeline *p, struct frame *f)
{
	return false;
}

bool
pipeline_is_origin(const struct pipeline *p, const struct pipeline_worker *pw)
{
	return true;
}

bool
pipeline_supply(struct pipeline *p, struct pipeline_worker *pw,
    const struct chunk_view *v, uint32_t at, const struct mask *events, bool first_stage,
    struct err *err)
{
	return true;
}

void
pipeline_ask_ahead(struct pipeline *p)
{
}

bool
async_queue_is_due(const struct async_queue *q, uint64_t ts_ns)
{
	return false;
}

void
evaluator_begin(struct evaluator *ev, uint32_t n, const struct event_meta *meta)
{
}

/* The worker's side. */

struct fixture {
	struct pipeline p;
	struct pipeline_worker pw;
	struct worker worker;
	struct plugin plugin;
	struct field field[SLOTS];
	struct slot slot[SLOTS];
	struct slot_set slots;
	struct ruleset rules;
	int up_fd, down_fd;
	struct ring_map up_own, down_seen;
	struct ring_writer to;
	struct column_store column[SLOTS];
	uint64_t sent, seed; /* events */
	uint32_t batch, first, id;
	bool raw, gaps, lists;
	uint32_t n_slot;
	/* What came out of it. */
	uint64_t seen;
	uint32_t windows, batches;
};

static uint32_t
draw(struct fixture *f, uint32_t below)
{
	f->seed = f->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((f->seed >> 33) % below);
}

static const enum value_type type_of[SLOTS] = {
    VALUE_UINT64, VALUE_CHARBUF, VALUE_IPADDR, VALUE_CHARBUF};
static const enum column_kind kind_of[SLOTS] = {
    COLUMN_NUM, COLUMN_STR, COLUMN_BIN, COLUMN_STR};

/* How many values event e has of a slot. */
static uint32_t
values_of(const struct fixture *f, uint32_t slot, uint64_t e)
{
	if (slot == LIST && f->lists)
		return (uint32_t)(e * 7 % 5 + (e % 97 == 0 ? MANY_VALUES : 0));
	return !(f->gaps && (e + slot) % 11 == 0);
}

static uint32_t
text_of(char *text, size_t size, uint32_t slot, uint64_t e, uint32_t k)
{
	return (uint32_t)snprintf(text, size, "%u/%llu/%u%.*s", slot,
	    (unsigned long long)e, k, (int)(e % 20), "....................");
}

static void
add_event(struct fixture *f, uint64_t e)
{
	char text[64];

	for (uint32_t s = 0; s < f->n_slot; s++) {
		for (uint32_t k = 0; k < values_of(f, s, e); k++) {
			if (kind_of[s] == COLUMN_NUM)
				assert_true(
				    column_store_num(&f->column[s], e * 1000 + k));
			else
				assert_true(column_store_bytes(&f->column[s], text,
				    text_of(text, sizeof(text), s, e, k)));
		}
		column_store_next(&f->column[s]);
	}
}

/* A chunk of n events; last: of its batch. */
static void
send(struct fixture *f, uint32_t n, bool last, int32_t rc)
{
	struct chunk_event event[LIMIT_CHUNK_EVENTS];
	const struct column_store *column[SLOTS];
	uint8_t raw[PLUGIN_EVENT_PAYLOAD_OFF] = {0};
	const void *raws[LIMIT_CHUNK_EVENTS];
	const struct plugin_event head = {.nparams = 2};
	const uint32_t four = 4;
	struct chunk_head h = {.batch = f->batch,
	    .first = f->first,
	    .n_events = n,
	    .flags = last ? CHUNK_LAST : 0,
	    .rc = rc};
	uint32_t n_column = n ? f->n_slot : 0, len;
	void *to;

	memcpy(raw, &head, sizeof(head));
	memcpy(raw + sizeof(head), &four, sizeof(four));
	for (uint32_t s = 0; s < f->n_slot; s++) {
		column_store_clear(&f->column[s]);
		column[s] = &f->column[s];
	}
	for (uint32_t i = 0; i < n; i++) {
		raws[i] = raw;
		event[i] = (struct chunk_event){.ts_ns = f->sent + 1,
		    .tid = UINT64_MAX,
		    .len = sizeof(raw),
		    .plugin_id = f->id,
		    .type = PLUGIN_EVENT_TYPE};
		add_event(f, f->sent++);
	}
	assert_int_equal(ring_reserve(&f->to, LIMIT_FRAME_BYTES, &to), RING_OK);
	len = chunk_write(to, LIMIT_FRAME_BYTES, &h, event, f->raw && n ? raws : NULL,
	    column, n_column);
	assert_int_not_equal(len, 0);
	ring_commit(&f->to, FRAME_EVENTS, len);
	f->first = last ? 0 : f->first + n;
	f->batch += last;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct pipeline *p = &f->p;
	struct err err;

	up = true;
	breached = false;
	wakes = 0;
	assert_true(ring_memfd_new("up", RING_BYTES, &f->up_fd, &err));
	assert_true(ring_memfd_new("down", RING_BYTES, &f->down_fd, &err));
	assert_true(ring_map(&f->up_own, f->up_fd, RING_BYTES, true, &err));
	assert_true(ring_map(&f->down_seen, f->down_fd, RING_BYTES, false, &err));
	assert_true(ring_map(&f->worker.up, f->up_fd, RING_BYTES, false, &err));
	assert_true(ring_map(&f->worker.down, f->down_fd, RING_BYTES, true, &err));
	ring_writer_init(&f->to, &f->up_own, &f->down_seen);
	ring_reader_init(&f->worker.reader, &f->worker.down, &f->worker.up);
	f->n_slot = SLOTS;
	f->id = ID;
	f->seed = 1;
	for (uint32_t s = 0; s < SLOTS; s++) {
		assert_true(column_store_init(&f->column[s], s, kind_of[s], &err));
		f->field[s] =
		    (struct field){.name = "field", .type = type_of[s], .flags = 0};
		f->slot[s].ref.field = &f->field[s];
	}
	f->field[LIST].flags = FIELD_LIST;
	f->slots = (struct slot_set){.slot = f->slot, .n = SLOTS};
	f->rules = (struct ruleset){.slots = &f->slots};
	f->plugin = (struct plugin){.id = ID, .name = "source"};
	f->worker.plugin = &f->plugin;
	f->worker.id = 3;
	f->pw = (struct pipeline_worker){.worker = &f->worker, .n_slot = SLOTS};
	p->worker = &f->pw;
	p->n_worker = 1;
	p->has_origin = true;
	p->rules = &f->rules;
	p->next_num = 1;
	p->max_time_ns = p->max_events = UINT64_MAX;
	TAILQ_INIT(&p->backlog);
	TAILQ_INIT(&p->spare);
	TAILQ_INIT(&p->held);
	p->meta = calloc(LIMIT_CHUNK_EVENTS, sizeof(*p->meta));
	p->raw = calloc(LIMIT_CHUNK_EVENTS, sizeof(*p->raw));
	p->have = calloc(SLOTS, sizeof(*p->have));
	assert_true(p->meta && p->raw && p->have);
	assert_true(chunk_view_init(&p->view, &err) && chunk_view_init(&p->answer, &err));
	assert_true(pipeline_merge_init(p, &err));
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	struct frame *frame;

	while ((frame = TAILQ_FIRST(&f->p.spare))) {
		TAILQ_REMOVE(&f->p.spare, frame, link);
		free(frame->bytes);
		free(frame);
	}
	pipeline_merge_release(&f->p);
	chunk_view_release(&f->p.view);
	chunk_view_release(&f->p.answer);
	free(f->p.meta);
	free(f->p.raw);
	free(f->p.have);
	for (uint32_t s = 0; s < SLOTS; s++)
		column_store_release(&f->column[s]);
	ring_unmap(&f->up_own);
	ring_unmap(&f->down_seen);
	ring_unmap(&f->worker.up);
	ring_unmap(&f->worker.down);
	close(f->up_fd);
	close(f->down_fd);
	free(f);
	return 0;
}

/* The broker's. */

static void
compare(const struct fixture *f, const struct frame_column *c, uint32_t i, uint64_t e)
{
	uint32_t at = c->first[i], n = values_of(f, c->slot, e);
	char text[64];

	assert_int_equal(c->kind, kind_of[c->slot]);
	assert_int_equal(c->first[i + 1] - at, n);
	assert_true(c->first[i + 1] <= c->n_values);
	for (uint32_t k = 0; k < n; k++) {
		if (c->kind == COLUMN_NUM) {
			assert_int_equal(c->num[at + k], e * 1000 + k);
			continue;
		}
		uint32_t len = text_of(text, sizeof(text), c->slot, e, k);
		assert_int_equal(c->str[at + k].len, len);
		assert_memory_equal(c->bytes + c->str[at + k].off, text, len + 1);
	}
}

/* The next window, as pipeline.c goes through it; false: there is none, or a breach. */
static bool
next_window(struct fixture *f)
{
	struct pipeline *p = &f->p;
	struct err err;

	assert_true(pipeline_next_chunk(p));
	if (!p->chunk)
		return false;
	if (!pipeline_begin_chunk(p, p->chunk, &err)) {
		assert_int_equal(err.code, ERR_PEER);
		breached = true;
		pipeline_frame_drop(p, p->chunk);
		return false;
	}
	pipeline_merge_chunks(p);
	assert_true(pipeline_begin_window(p, &err));
	assert_int_equal(p->n_events, p->view.head.n_events);
	for (uint32_t i = 0; i < p->n_events; i++, f->seen++) {
		assert_int_equal(p->meta[i].num, f->seen + 1);
		assert_int_equal(p->meta[i].ts_ns, f->seen + 1);
		for (uint32_t s = 0; s < p->view.head.n_columns; s++)
			compare(f, &p->view.column[s], i, f->seen);
	}
	f->windows += p->n_events > 0;
	f->batches += p->n_ending;
	pipeline_frame_drop(p, p->chunk);
	return true;
}

static void
see_all(struct fixture *f)
{
	while (next_window(f))
		;
}

static void
send_ones(struct fixture *f, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		send(f, 1, true, PLUGIN_SUCCESS);
}

static void
test_batches_of_one_are_evaluated_together(void **state)
{
	struct fixture *f = *state;

	send_ones(f, 200);
	see_all(f);
	assert_int_equal(f->seen, 200);
	assert_int_equal(f->windows, 2);
	assert_int_equal(f->batches, 200);
	assert_int_equal(f->p.ending, 199);
	assert_int_equal(f->p.counts.chunks, 200);
	assert_int_equal(f->p.counts.windows, 2);
	assert_int_equal(f->worker.counts.frames, 200);
	assert_false(breached);
}

/* Of any sizes, with gaps, lists, batches of several chunks; as they wait, all or some.
 */
static void
test_events_stay_what_they_are(void **state)
{
	struct fixture *f = *state;
	uint32_t chunks = 0;

	for (uint32_t round = 0; round < 400; round++) {
		f->gaps = draw(f, 2);
		f->lists = draw(f, 2);
		uint32_t few = draw(f, 4) ? 1 + draw(f, 8) : 1 + draw(f, 200);
		uint32_t begin_batch = f->batch;
		for (uint32_t i = 1 + draw(f, 60); i > 0; i--, chunks++)
			send(f, 1 + draw(f, few), i == 1 || draw(f, 3),
			    draw(f, 5) ? PLUGIN_SUCCESS : PLUGIN_TIMEOUT);
		f->batches = 0;
		see_all(f);
		assert_false(breached);
		assert_int_equal(f->seen, f->sent);
		assert_int_equal(f->batches, f->batch - begin_batch);
		assert_int_equal(f->p.ending, f->batch - 1);
	}
	assert_int_equal(f->p.counts.chunks, chunks);
	assert_true(f->windows < chunks / 2);
}

static void
test_large_chunks_stay_as_they_are(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < 5; i++)
		send(f, 128, true, PLUGIN_SUCCESS);
	send(f, 1, true, PLUGIN_SUCCESS);
	send(f, 200, true, PLUGIN_SUCCESS);
	see_all(f);
	assert_int_equal(f->seen, 5 * 128 + 201);
	/* The last two are one. */
	assert_int_equal(f->windows, 6);
	assert_int_equal(f->p.n_frames, 1);
}

/* What cannot be together with others comes behind them, and is told off alone. */
static void
test_what_is_wrong_spoils_nothing_before_it(void **state)
{
	struct fixture *f = *state;
	uint8_t junk[64] = {1, 2, 3};

	send_ones(f, 5);
	assert_int_equal(ring_put(&f->to, FRAME_EVENTS, junk, sizeof(junk)), RING_OK);
	send_ones(f, 5);
	assert_true(next_window(f));
	assert_int_equal(f->seen, 5);
	assert_int_equal(f->batches, 5);
	assert_false(breached);
	assert_false(next_window(f));
	assert_true(breached);
}

static void
test_a_frame_of_another_kind_is_no_chunk(void **state)
{
	struct fixture *f = *state;
	uint8_t junk[64] = {0};

	send_ones(f, 5);
	assert_int_equal(ring_put(&f->to, FRAME_COLUMNS, junk, sizeof(junk)), RING_OK);
	assert_true(next_window(f));
	assert_int_equal(f->seen, 5);
	assert_false(next_window(f));
	assert_true(breached);
}

static void
test_a_chunk_out_of_order_is_found(void **state)
{
	struct fixture *f = *state;

	send_ones(f, 5);
	f->batch++;
	send_ones(f, 1);
	assert_true(next_window(f));
	assert_int_equal(f->seen, 5);
	assert_false(next_window(f));
	assert_true(breached);
}

static void
test_an_event_in_anothers_name_is_found(void **state)
{
	struct fixture *f = *state;

	send_ones(f, 5);
	f->id = ID + 1;
	send_ones(f, 1);
	assert_true(next_window(f));
	assert_int_equal(f->seen, 5);
	assert_false(next_window(f));
	assert_true(breached);
}

/* The evaluator would believe it. */
static void
test_several_values_of_no_list_are_not_merged(void **state)
{
	struct fixture *f = *state;

	f->lists = true;
	for (uint32_t i = 0; i < 3; i++)
		send(f, 4, true, PLUGIN_SUCCESS);
	/* From here on it is none. */
	f->field[LIST].flags = 0;
	assert_true(next_window(f));
	assert_int_equal(f->seen, 4);
	assert_int_equal(f->p.counts.chunks, 1);
}

static void
test_nothing_is_merged_behind_the_end(void **state)
{
	struct fixture *f = *state;

	send_ones(f, 3);
	send(f, 1, true, PLUGIN_EOF);
	send_ones(f, 3);
	assert_true(next_window(f));
	assert_int_equal(f->seen, 4);
	assert_int_equal(f->p.chunk_rc, PLUGIN_EOF);
	assert_int_equal(f->p.n_ending, 4);
}

static void
test_a_batch_without_events_is_alone(void **state)
{
	struct fixture *f = *state;

	send_ones(f, 3);
	send(f, 0, true, PLUGIN_EOF);
	assert_true(next_window(f));
	assert_int_equal(f->seen, 3);
	assert_int_equal(f->p.chunk_rc, PLUGIN_SUCCESS);
	assert_true(next_window(f));
	assert_int_equal(f->p.n_ending, 1);
	assert_int_equal(f->p.chunk_rc, PLUGIN_EOF);
}

static void
test_nothing_is_merged_near_the_end_of_the_run(void **state)
{
	struct fixture *f = *state;

	f->p.max_events = 20;
	send_ones(f, 10);
	see_all(f);
	assert_int_equal(f->windows, 10);
}

static void
test_nothing_is_merged_of_which_more_may_be_asked(void **state)
{
	struct fixture *f = *state;

	f->n_slot = SLOTS - 1;
	send_ones(f, 10);
	see_all(f);
	assert_int_equal(f->windows, 10);
}

static void
test_events_that_come_along_are_not_merged(void **state)
{
	struct fixture *f = *state;

	send_ones(f, 5);
	f->raw = true;
	send_ones(f, 10);
	see_all(f);
	assert_int_equal(f->seen, 15);
	assert_int_equal(f->windows, 11);
}

static void
test_nothing_is_merged_in_lockstep_or_while_rules_change(void **state)
{
	struct fixture *f = *state;

	f->p.lockstep = true;
	send_ones(f, 5);
	see_all(f);
	f->p.lockstep = false;
	f->p.deferred = true;
	send_ones(f, 5);
	see_all(f);
	f->p.deferred = false;
	f->p.swap.waits = true;
	send_ones(f, 5);
	see_all(f);
	assert_int_equal(f->windows, 15);
}

/* All that the worker of a dead process left is there, in order, a put-back one too. */
static void
test_a_crash_loses_nothing(void **state)
{
	struct fixture *f = *state;

	send_ones(f, 100);
	send(f, 250, true, PLUGIN_SUCCESS);
	send_ones(f, 100);
	assert_true(next_window(f));
	assert_int_equal(f->seen, 100);
	pipeline_salvage(&f->p, &f->pw);
	up = false;
	see_all(f);
	assert_int_equal(f->seen, 450);
	assert_int_equal(f->batches, 201);
	/* One by one, for who knows what became of the worker. */
	assert_int_equal(f->windows, 102);
	assert_false(breached);
}

/* What waits elsewhere comes before what is in the ring. */
static void
test_the_backlog_comes_first(void **state)
{
	struct fixture *f = *state;

	send_ones(f, 3);
	pipeline_salvage(&f->p, &f->pw);
	send_ones(f, 3);
	see_all(f);
	assert_int_equal(f->seen, 6);
	assert_false(breached);
	/* The last of the backlog goes with the ring's. */
	assert_int_equal(f->windows, 3);
}

/* It waits for room, and what is taken to be merged makes some, even if it is put back.
 */
static void
test_the_worker_is_woken_when_there_is_room(void **state)
{
	struct fixture *f = *state;
	void *to;

	for (uint32_t good = 0; good < 2; good++) {
		send_ones(f, 1 + good);
		while (ring_reserve(&f->to, LIMIT_FRAME_BYTES, &to) == RING_OK)
			ring_commit(&f->to, FRAME_COLUMNS, LIMIT_FRAME_BYTES);
		tired = &f->to;
		wakes = 0;
		assert_true(next_window(f));
		assert_int_equal(f->windows, 1 + good);
		assert_int_equal(wakes, 1);
		ring_writer_awake(&f->to);
		while (next_window(f) || !TAILQ_EMPTY(&f->p.backlog) ||
		       ring_reader_fill(&f->worker.reader) > 0)
			;
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_batches_of_one_are_evaluated_together),
	    T(test_events_stay_what_they_are),
	    T(test_large_chunks_stay_as_they_are),
	    T(test_what_is_wrong_spoils_nothing_before_it),
	    T(test_a_frame_of_another_kind_is_no_chunk),
	    T(test_a_chunk_out_of_order_is_found),
	    T(test_an_event_in_anothers_name_is_found),
	    T(test_several_values_of_no_list_are_not_merged),
	    T(test_nothing_is_merged_behind_the_end),
	    T(test_a_batch_without_events_is_alone),
	    T(test_nothing_is_merged_near_the_end_of_the_run),
	    T(test_nothing_is_merged_of_which_more_may_be_asked),
	    T(test_events_that_come_along_are_not_merged),
	    T(test_nothing_is_merged_in_lockstep_or_while_rules_change),
	    T(test_a_crash_loses_nothing),
	    T(test_the_backlog_comes_first),
	    T(test_the_worker_is_woken_when_there_is_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
