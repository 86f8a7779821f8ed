/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker that lies: the input is a list of its deeds between our looks into the ring,
 * and then what it leaves in the whole of its memory.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/ring_pair.h"
#include "tests/fuzz/fuzz.h"

enum {
	CAP = 4096
};

/* One deed, 12 bytes: what, where, which value. */
enum deed_kind {
	DEED_PUT,
	DEED_WORD,
	DEED_DATA,
	DEED_FILL,
	DEED_TAKE,
	DEED_KINDS
};

struct deed {
	uint8_t kind, times;
	uint16_t where;
	uint64_t value;
} __attribute__((packed));

void
fuzz_make_seeds(void (*add)(const void *p, size_t n))
{
	static const struct deed honest[] = {{DEED_PUT, 3, 40, 7}, {DEED_TAKE, 3, 0, 0},
	    {DEED_PUT, 30, 4000, 1}, {DEED_TAKE, 30, 0, 0}};
	static const struct deed tails[] = {{DEED_PUT, 1, 8, 1},
	    {DEED_WORD, 0, AT_TAIL, PAIR_BYTES}, {DEED_TAKE, 9, 0, 0},
	    {DEED_WORD, 0, AT_TAIL, 24}, {DEED_TAKE, 2, 0, 0}};
	static const struct deed heads[] = {{DEED_PUT, 2, 100, 1},
	    {DEED_DATA, 0, 0, 0xffffffff}, {DEED_TAKE, 2, 0, 0},
	    {DEED_FILL, 0, 0, 0x1000000010}, {DEED_TAKE, 2, 0, 0}};

	add(honest, sizeof(honest));
	add(tails, sizeof(tails));
	add(heads, sizeof(heads));
}

static void
take(struct ring_pair *p, uint8_t *dst)
{
	uint32_t type, len = 0;
	uint64_t head = p->r.head;
	enum ring_rc rc = ring_take(&p->r, dst, CAP, &type, &len);

	if (len > CAP || p->r.peer_tail - p->r.head > PAIR_BYTES || p->r.head % 8)
		abort();
	if (rc != RING_OK && p->r.head != head)
		abort();
	if (rc == RING_BROKEN) {
		/* Ends a worker; here reading goes on somewhere else. */
		ring_reader_init(&p->r, &p->down_own, &p->up_seen);
		p->r.head = p->r.peer_tail = head % PAIR_BYTES + 8;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ring_pair pair;
	static uint8_t body[PAIR_BYTES];
	uint8_t *dst = malloc(CAP);

	if (!pair.up_own.page)
		ring_pair_init(&pair);
	memset(pair.up_own.page, 0, 4096);
	memset(pair.down_own.page, 0, 4096);
	ring_writer_init(&pair.w, &pair.up_own, &pair.down_seen);
	ring_reader_init(&pair.r, &pair.down_own, &pair.up_seen);
	for (struct deed d; size >= sizeof(d); data += sizeof(d), size -= sizeof(d)) {
		memcpy(&d, data, sizeof(d));
		switch (d.kind % DEED_KINDS) {
		case DEED_PUT:
			for (uint32_t i = 0; i < d.times; i++)
				ring_put(&pair.w, (uint32_t)d.value, body, d.where);
			break;
		case DEED_WORD:
			*page_word(&pair.up_own, d.where % 512 / 8 * 8) = d.value;
			break;
		case DEED_DATA:
			memcpy(pair.up_own.data + d.where, &d.value, sizeof(d.value));
			break;
		case DEED_FILL:
			for (uint32_t at = 0; at < PAIR_BYTES; at += sizeof(d.value))
				memcpy(pair.up_own.data + at, &d.value, sizeof(d.value));
			break;
		default:
			for (uint32_t i = 0; i < d.times; i++)
				take(&pair, dst);
			ring_reader_sleep(&pair.r);
			ring_reader_must_wake(&pair.r);
		}
	}
	/* What is left of the input lies in the page and the data. */
	memcpy(pair.up_own.page, data, size);
	take(&pair, dst);
	free(dst);
	return 0;
}
