/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two or three bytes that keys begin with, and the first place of a text where such
 * bytes stand: most of a text is passed over here, 16 or 32 bytes at a time where the
 * processor can.
 */
#ifndef RULES_INDEX_PAIRS_H
#define RULES_INDEX_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	INDEX_TRIPLE_BITS = 12
};

struct index_pairs {
	/* By first byte: a bit for each second byte. Folded: of lower-case letters. */
	uint64_t bit[256][4];
	/* With a third byte, by a hash of the three; only where all keys have three. */
	bool has_triples;
	uint64_t triple[1 << (INDEX_TRIPLE_BITS - 6)];
	uint64_t third[256][4]; /* by first byte: a bit for each third byte */
	bool folded;
	uint32_t width; /* bytes that the processor looks at in one go; 0: one by one */
	/* A coarse form of bit and third: by low and high half of a byte of the text,
	 * eight classes of pairs or triples that it may belong to. What all tables share
	 * a class for may be one; what they do not is none. */
	uint8_t first_low[16], first_high[16], second_low[16], second_high[16],
	    third_low[16], third_high[16];
};

void index_pairs_add(struct index_pairs *p, uint8_t first, uint8_t second);
/* As well as the pair. From the first one on, pairs without a third byte are none. */
void index_pairs_add_triple(
    struct index_pairs *p, uint8_t first, uint8_t second, uint8_t third);
/* Whatever follows. */
void index_pairs_add_any(struct index_pairs *p, uint8_t first);
/* After the last pair. */
void index_pairs_finish(struct index_pairs *p, bool folded);

/* The first place from i on where a pair (perhaps also a triple) begins, or the last
 * byte's place when there is none; i where no two bytes are left. */
uint32_t index_pairs_next(
    const struct index_pairs *p, const char *s, uint32_t len, uint32_t i);

#endif
