/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What events of system calls are made of, and how a case says one: their parameters by
 * type, from bytes that any mutator may change. Bytes of an EVENT part, then: a u32 whose
 * bit i leaves parameter i empty, and each parameter that is not; numbers as they are,
 * everything else behind a u16 with its length. What is missing is zero or empty.
 *
 * Events that come of it are such as a driver could have sent: texts end, addresses are
 * as long as their family's.
 */
#ifndef WORKER_FUZZ_LAYOUT_H
#define WORKER_FUZZ_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

enum {
	LAYOUT_PARAMS = 32,
	LAYOUT_MASK_BYTES = 4,
};

struct layout_param {
	char form; /* a letter of layout.c */
	uint8_t is_left_out;
	uint32_t at, len; /* in the part's bytes; what lies past their end is cut off */
};

struct layout {
	bool has_long_lengths;
	uint32_t n;
	struct layout_param param[LAYOUT_PARAMS];
};

/* Type 322 and 402 have no layout of this kind: false. */
bool layout_has(uint32_t type);
void layout_read(struct layout *l, uint32_t type, const uint8_t *bytes, uint32_t n);
/* Whether the parameter has a length of its own before it. */
bool layout_varies(char form);
/* An event of a capture as a part's bytes; how many they are, or 0: it is not of the form
 * of its type. */
uint32_t layout_take(
    uint32_t type, const uint8_t *event, uint32_t n, uint8_t *to, uint32_t cap);
/* Writes the event's lengths and parameters to to, which has room for cap bytes; how many
 * they are, or 0: too many. */
uint32_t layout_write(
    const struct layout *l, const uint8_t *bytes, uint32_t n, uint8_t *to, uint32_t cap);

#endif
