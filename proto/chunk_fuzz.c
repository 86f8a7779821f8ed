/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: the first byte says as which the rest is checked. */
#include <stdlib.h>
#include <string.h>

#include "proto/chunk_sample.h"
#include "proto/chunk_walk.h"
#include "tests/fuzz/fuzz.h"

void
fuzz_make_seeds(void (*add)(const void *p, size_t n))
{
	uint8_t p[8 + SAMPLE_CAP];
	struct sample s;

	sample_init(&s);
	p[0] = FRAME_EVENTS;
	add(p, 1 + sample_chunk(&s, p + 1, true, FRAME_EVENTS));
	add(p, 1 + sample_chunk(&s, p + 1, false, FRAME_EVENTS));
	p[0] = FRAME_COLUMNS;
	add(p, 1 + sample_chunk(&s, p + 1, false, FRAME_COLUMNS));
	p[0] = FRAME_EXTRACT;
	add(p, 1 + sample_extract(&s, p + 1, EXTRACT_INLINE));
	add(p, 1 + sample_extract(&s, p + 1, EXTRACT_BATCH));
	sample_release(&s);
}

static volatile uint64_t sink;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct chunk_view view;
	struct extract_view extract;
	struct err err;

	if (size == 0 || size > LIMIT_FRAME_BYTES)
		return 0;
	if (!view.column && !chunk_view_init(&view, &err))
		return 0;
	/* Aligned, and of exactly its size. */
	uint32_t len = (uint32_t)size - 1;
	uint8_t *frame = malloc(len ? len : 1);
	memcpy(frame, data + 1, len);
	enum frame_type type = (enum frame_type)(1 + (data[0] + 2) % 3);
	if (type == FRAME_EXTRACT) {
		if (extract_check(&extract, frame, len, &err))
			sink += walk_extract(&extract, frame, len);
	} else if (chunk_check(&view, frame, len, type, &err)) {
		sink += walk_chunk(&view, frame, len, type);
	}
	free(frame);
	return 0;
}
