/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/hostile/evil_side.h"

#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "proto/chunk.h"
#include "proto/table.h"

enum {
	MANY = 100000
};

static struct ring_writer out;
static int wake_fd;
static struct table_frame frame;
static uint8_t bytes[TABLE_FRAME_BYTES];

static void
put(uint32_t type, const void *p, uint32_t len)
{
	uint64_t one = 1;

	for (int i = 0; i < 1000 && ring_put(&out, type, p, len) == RING_FULL; i++)
		usleep(500);
	if (ring_writer_must_wake(&out) && write(wake_fd, &one, sizeof(one)) < 0)
		_exit(0);
}

static void
put_frame(void)
{
	put(FRAME_TABLE, bytes, table_frame_write(&frame, bytes, sizeof(bytes)));
}

/* An event of type 402 with this name. */
static uint32_t
make_event(const char *name)
{
	uint32_t n[3] = {4, (uint32_t)strlen(name) + 1, 0};
	uint32_t len = 26 + sizeof(n) + 4 + n[1], params = 3;
	uint16_t type = 402;

	memset(bytes, 0xff, 16);
	memcpy(bytes + 16, &len, 4);
	memcpy(bytes + 20, &type, 2);
	memcpy(bytes + 22, &params, 4);
	memcpy(bytes + 26, n, sizeof(n));
	memset(bytes + 38, 0, 4);
	memcpy(bytes + 42, name, n[1]);
	return len;
}

static void
side_unknown(void)
{
	put(77, bytes, 64);
}

static void
side_events(void)
{
	put(FRAME_EVENTS, bytes, 64);
}

static void
side_tail_beyond(void)
{
	uint64_t tail = out.tail + 2 * (uint64_t)LIMIT_RING_SIDE_UP_BYTES, one = 1;

	memcpy(out.own->page, &tail, sizeof(tail));
	if (write(wake_fd, &one, sizeof(one)) < 0)
		_exit(0);
}

static void
async_garbage(void)
{
	memset(bytes, 0xa5, 256);
	put(FRAME_ASYNC, bytes, 256);
}

/* It has no such events. */
static void
async_unlisted(void)
{
	put(FRAME_ASYNC, bytes, make_event("tick"));
}

static void
state_unasked(void)
{
	put(FRAME_STATE, bytes, make_event("tick"));
}

static void
table_garbage(void)
{
	memset(bytes, 0xa5, 256);
	put(FRAME_TABLE, bytes, 256);
}

static void
table_cut_short(void)
{
	table_frame_begin(&frame, TABLE_GET, 1);
	table_frame_str(&frame, 0, "threads");
	put(FRAME_TABLE, bytes, table_frame_write(&frame, bytes, sizeof(bytes)) - 8);
}

/* Numbers of tables, entries and fields that nobody gave out. */
static void
table_forged(void)
{
	for (uint32_t i = 0; i < 4000; i++) {
		table_frame_begin(&frame,
		    (enum table_op)(TABLE_SIZE + i % (TABLE_OP_N - TABLE_SIZE)), i);
		frame.head.table = i * 2654435761u;
		frame.head.entry = i * 40503u;
		frame.head.field = i;
		frame.head.user = i % 7;
		frame.head.number = i;
		table_frame_num(&frame, 0, PLUGIN_STATE_INT64, i);
		put_frame();
	}
}

/* The same in the built-in table, which it has got. */
static void
table_forged_entries(void)
{
	table_frame_begin(&frame, TABLE_GET, 1);
	frame.head.field = PLUGIN_STATE_INT64;
	table_frame_str(&frame, 0, "threads");
	put_frame();
	for (uint32_t i = 0; i < 4000; i++) {
		table_frame_begin(&frame,
		    (enum table_op)(TABLE_ENTRY + i % (TABLE_VISIT - TABLE_ENTRY)), i);
		frame.head.table = 1;
		frame.head.entry = i * 40503u;
		frame.head.field = i;
		table_frame_num(&frame, 0, PLUGIN_STATE_INT64, i);
		put_frame();
	}
}

/* Answers are never read. */
static void
table_flood(void)
{
	for (uint32_t i = 0; i < MANY; i++) {
		table_frame_begin(&frame, TABLE_LIST, i);
		put_frame();
	}
}

static void
table_answers_unasked(void)
{
	struct table_head to = {.op = TABLE_READ};

	for (uint32_t i = 0; i < MANY; i++) {
		to.call = i;
		table_frame_answer(&frame, &to, PLUGIN_SUCCESS);
		table_frame_num(&frame, 0, PLUGIN_STATE_TABLE, i);
		put_frame();
	}
}

/* Walks that it never goes on with, over a table with an entry: the first number that is
 * given out is known. */
static void
table_walks(void)
{
	table_frame_begin(&frame, TABLE_GET, 1);
	frame.head.field = PLUGIN_STATE_INT64;
	table_frame_str(&frame, 0, "threads");
	put_frame();
	table_frame_begin(&frame, TABLE_CREATE, 2);
	frame.head.table = 1;
	put_frame();
	table_frame_begin(&frame, TABLE_INSERT, 3);
	frame.head.table = 1;
	frame.head.entry = 1 << 17;
	table_frame_num(&frame, 0, PLUGIN_STATE_INT64, 5);
	put_frame();
	for (uint32_t i = 0; i < MANY; i++) {
		table_frame_begin(&frame, TABLE_ITERATE, i);
		frame.head.table = 1;
		put_frame();
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} attacks[] = {
#define SIDE(f)                                                                          \
	{                                                                                \
#f, f                                                                    \
	}
    SIDE(side_unknown),
    SIDE(side_events),
    SIDE(side_tail_beyond),
    SIDE(async_garbage),
    SIDE(async_unlisted),
    SIDE(state_unasked),
    SIDE(table_garbage),
    SIDE(table_cut_short),
    SIDE(table_forged),
    SIDE(table_forged_entries),
    SIDE(table_flood),
    SIDE(table_answers_unasked),
    SIDE(table_walks),
#undef SIDE
};

bool
evil_side(const char *name, struct ring_map *up, const struct ring_map *down,
    int wake_broker_fd)
{
	ring_writer_init(&out, up, down);
	wake_fd = wake_broker_fd;
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		if (strcmp(attacks[i].name, name) != 0)
			continue;
		attacks[i].run();
		return true;
	}
	return false;
}
