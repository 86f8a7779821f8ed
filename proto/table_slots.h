/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an owner of tables has given out of them: entries and sub-tables as numbers that
 * mean something to one user alone. A number is a slot's place and the turn in which it
 * was given out, so that a stale one is known; it is never 0, and never has
 * TABLE_SLOT_MARK, which the owner may add to tell kinds apart.
 *
 * Whoever has slots puts a struct table_slot first in each. They may move when one is
 * taken: no pointer to a slot outlives that.
 */
#ifndef PROTO_TABLE_SLOTS_H
#define PROTO_TABLE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

#define TABLE_SLOT_MARK (1u << 31)

struct table_slot {
	uint32_t user, turn, next_free; /* place + 1 of the next, while it is free */
	bool is_taken;
};

struct table_slots {
	size_t slot_bytes; /* of the whole slot; to be set, all else begins as 0 */
	char *slot;
	uint32_t n, first_free;
	uint32_t held[LIMIT_PLUGINS]; /* by each user */
};

/* A slot for this user; what is behind its struct table_slot is as it was given back, or
 * 0. NULL: the user holds LIMIT_TABLE_HANDLES, or there is no memory. */
void *table_slot_take(struct table_slots *s, uint32_t user, uint32_t *ret_number);
void table_slot_give_back(struct table_slots *s, void *slot);
/* NULL: the number means nothing to this user. The mark does not count. */
void *table_slot_find(const struct table_slots *s, uint32_t user, uint32_t number);
/* The slot at place i if it is this user's, else NULL; for all i below s->n. */
void *table_slot_at(const struct table_slots *s, uint32_t user, uint32_t i);
void table_slots_release(struct table_slots *s);

#endif
