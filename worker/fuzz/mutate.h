/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes new test cases from a seed. What comes out depends on the arguments alone, so a
 * case is known by the number of its round and its own.
 *
 * It knows parts, arguments, JSON inside a part, words of the plugin (fields, rules,
 * schema), and operands: the two sides of comparisons that the seed ran into and that
 * failed; where one side stands in the case, the other is put there.
 */
#ifndef WORKER_FUZZ_MUTATE_H
#define WORKER_FUZZ_MUTATE_H

#include <stdint.h>

#include "worker/fuzz/shared.h"

enum {
	OPERAND_BYTES = 32,
	OPERANDS = 512,
};

/* Two values that were compared and differed. Numbers are little-endian. */
struct operand {
	uint8_t is_text;
	uint8_t n[2];
	uint8_t bytes[2][OPERAND_BYTES];
};

struct mutation {
	const uint8_t *seed, *other; /* cases; other may be empty */
	uint32_t seed_len, other_len;
	const struct fuzz_word *word;
	uint32_t n_words;
	const struct operand *operand;
	uint32_t n_operands;
	const uint16_t *type; /* of events of system calls that the plugin wants */
	uint32_t n_types;
	uint32_t n_fields;  /* ids of FIELD parts are below it */
	uint32_t max_bytes; /* of the result, when the seed is not larger already */
};

/* Writes case k of the round; returns its length. to has room for CASE_BYTES and does not
 * overlap the seed. */
uint32_t mutate(const struct mutation *m, uint64_t round, uint32_t k, uint8_t *to);

/* The random numbers of it: splitmix64. */
struct fuzz_rng {
	uint64_t state;
};

uint64_t fuzz_rng_next(struct fuzz_rng *r);
/* Below n, which is not 0. */
uint32_t fuzz_rng_below(struct fuzz_rng *r, uint32_t n);

/*
 * One change of a JSON text of n bytes in place, with room for cap: a value exchanged for
 * another, a member or element doubled or taken out, a string for a word, nesting.
 * Returns the new length; the same text when it does not look like JSON.
 */
uint32_t mutate_json(const struct mutation *m, struct fuzz_rng *r, uint8_t *text,
    uint32_t n, uint32_t cap);

/* Replaces [at, at + old_n) of n bytes; the new length, or n when there is no room. */
uint32_t mutate_splice(uint8_t *bytes, uint32_t n, uint32_t cap, uint32_t at,
    uint32_t old_n, const void *with, uint32_t with_n);

#endif
