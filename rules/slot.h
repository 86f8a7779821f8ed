/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots: the distinct (field, argument) pairs that a pipeline's rules ask for. One slot
 * is one column, fetched at most once per event whatever the number of rules.
 */
#ifndef RULES_SLOT_H
#define RULES_SLOT_H

#include "rules/field.h"

enum slot_use {
	SLOT_CONDITION = 1, /* some condition compares it */
	SLOT_OUTPUT = 2,    /* some output or extra field prints it */
};

struct slot {
	struct field_ref ref;
	uint32_t use; /* enum slot_use */
};

/* Append-only; slot numbers are positions and stay for the life of the set. */
struct slot_set {
	struct arena *arena;
	struct slot *slot;
	uint32_t n, cap;
	struct map by_text; /* ref.text to slot number + 1 */
};

bool slot_set_init(struct slot_set *s, struct arena *arena);
void slot_set_release(struct slot_set *s);
/* The number of the slot for ref, made when new; use is added to it. */
bool slot_set_add(struct slot_set *s, const struct field_ref *ref, enum slot_use use,
    uint32_t *ret_slot, struct err *err);

#endif
