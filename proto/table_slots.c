/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/table_slots.h"

#include <stdlib.h>
#include <string.h>

enum {
	PLACE_BITS = 17,
	TURN_BITS = 14,
	SLOTS_MAX = 1 << PLACE_BITS,
	TURN_MAX = (1 << TURN_BITS) - 1,
};

static struct table_slot *
slot_at(const struct table_slots *s, uint32_t place)
{
	return (void *)(s->slot + place * s->slot_bytes);
}

static bool
grow(struct table_slots *s)
{
	uint32_t n = s->n ? 2 * s->n : 64;
	char *p = n > SLOTS_MAX ? NULL : reallocarray(s->slot, n, s->slot_bytes);

	if (!p)
		return false;
	s->slot = p;
	memset(slot_at(s, s->n), 0, (n - s->n) * s->slot_bytes);
	for (uint32_t i = s->n; i < n; i++)
		slot_at(s, i)->next_free = i + 1 < n ? i + 2 : 0;
	s->first_free = s->n + 1;
	s->n = n;
	return true;
}

void *
table_slot_take(struct table_slots *s, uint32_t user, uint32_t *ret_number)
{
	if (user >= LIMIT_PLUGINS || s->held[user] == LIMIT_TABLE_HANDLES)
		return NULL;
	if (!s->first_free && !grow(s))
		return NULL;
	uint32_t place = s->first_free - 1;
	struct table_slot *slot = slot_at(s, place);
	s->first_free = slot->next_free;
	/* Never 0, so that no number is. */
	slot->turn = slot->turn % TURN_MAX + 1;
	slot->user = user;
	slot->is_taken = true;
	s->held[user]++;
	*ret_number = slot->turn << PLACE_BITS | place;
	return slot;
}

void
table_slot_give_back(struct table_slots *s, void *p)
{
	struct table_slot *slot = p;

	s->held[slot->user]--;
	slot->is_taken = false;
	slot->next_free = s->first_free;
	s->first_free = (uint32_t)(((char *)p - s->slot) / (ptrdiff_t)s->slot_bytes) + 1;
}

void *
table_slot_at(const struct table_slots *s, uint32_t user, uint32_t i)
{
	struct table_slot *slot = i < s->n ? slot_at(s, i) : NULL;

	return slot && slot->is_taken && slot->user == user ? slot : NULL;
}

void *
table_slot_find(const struct table_slots *s, uint32_t user, uint32_t number)
{
	struct table_slot *slot = table_slot_at(s, user, number & (SLOTS_MAX - 1));

	return slot && slot->turn == (number & ~TABLE_SLOT_MARK) >> PLACE_BITS ? slot
									       : NULL;
}

void
table_slots_release(struct table_slots *s)
{
	free(s->slot);
	s->slot = NULL;
	s->n = s->first_free = 0;
}
