/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of the side rings: the first byte says whether an event or a table operation. */
#include <stdlib.h>
#include <string.h>

#include "proto/async.h"
#include "proto/table.h"
#include "tests/fuzz/fuzz.h"

void
fuzz_make_seeds(void (*add)(const void *p, size_t n))
{
	static struct table_frame f;
	static uint8_t p[1 + TABLE_FRAME_BYTES];
	static const uint8_t event[] =
	    "\0TTTTTTTT\377\377\377\377\377\377\377\377\064\0\0\0\222\001\003\0\0\0"
	    "\004\0\0\0\005\0\0\0\001\0\0\0\0\0\0\0tick\0x";

	add(event, sizeof(event) - 1);
	p[0] = 1;
	table_frame_begin(&f, TABLE_INSERT, 7);
	table_frame_str(&f, 1, "key");
	table_frame_num(&f, 2, PLUGIN_STATE_INT8, (uint64_t)-3);
	add(p, 1 + table_frame_write(&f, p + 1, TABLE_FRAME_BYTES));
	table_frame_fail(&f, &f.head, "words");
	add(p, 1 + table_frame_write(&f, p + 1, TABLE_FRAME_BYTES));
}

static volatile uint64_t sink;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct table_frame copy;
	struct table_view v;
	struct async_view a;
	struct err err;

	if (size == 0 || size > TABLE_FRAME_BYTES)
		return 0;
	uint32_t len = (uint32_t)size - 1;
	uint8_t *frame = malloc(len ? len : 1), *again = malloc(TABLE_FRAME_BYTES);
	memcpy(frame, data + 1, len);
	if (data[0] == 0 && async_check(&a, frame, len, &err)) {
		sink += strlen(a.name) + a.data_len;
		if (strlen(a.name) != a.name_len)
			abort();
	} else if (data[0] != 0 && table_check(&v, frame, len, &err)) {
		/* What is good comes out the same when it is built anew. */
		table_frame_begin(&copy, v.head.op, 0);
		copy.head = v.head;
		copy.head.n_values = copy.head.n_bytes = 0;
		for (uint32_t i = 0; i < v.head.n_values; i++) {
			union plugin_state_data d;
			if (!table_view_data(&v, i, v.value[i].type, &d))
				abort();
			table_frame_data(&copy, v.value[i].field, v.value[i].type, &d);
		}
		uint32_t n = table_frame_write(&copy, again, TABLE_FRAME_BYTES);
		if (n != 0 && (n != len || memcmp(again, frame, n - 8) != 0))
			abort();
	}
	free(frame);
	free(again);
	return 0;
}
