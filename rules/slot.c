/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/slot.h"

#include <string.h>

#include "base/limits.h"

bool
slot_set_init(struct slot_set *s, struct arena *arena)
{
	*s = (struct slot_set){.arena = arena};
	map_init(&s->by_text);
	return true;
}

void
slot_set_release(struct slot_set *s)
{
	map_release(&s->by_text);
	*s = (struct slot_set){0};
}

bool
slot_set_add(struct slot_set *s, const struct field_ref *ref, enum slot_use use,
    uint32_t *ret_slot, struct err *err)
{
	uintptr_t known = (uintptr_t)map_gets(&s->by_text, ref->text);

	if (known) {
		*ret_slot = (uint32_t)known - 1;
		s->slot[*ret_slot].use |= use;
		return true;
	}
	if (s->n == LIMIT_PLAN_SLOTS)
		return err_set(err, ERR_LIMIT,
		    "more than %u different fields (with their arguments) are used by "
		    "the rules of one source",
		    LIMIT_PLAN_SLOTS);
	if (s->n == s->cap) {
		uint32_t cap = s->cap ? s->cap * 2 : 32;
		struct slot *grown = arena_array(s->arena, cap, sizeof(*grown));
		if (!grown)
			return err_nomem(err);
		if (s->n)
			memcpy(grown, s->slot, s->n * sizeof(*grown));
		s->slot = grown;
		s->cap = cap;
	}
	if (!map_puts(&s->by_text, ref->text, (void *)(uintptr_t)(s->n + 1)))
		return err_nomem(err);
	s->slot[s->n] = (struct slot){.ref = *ref, .use = use};
	*ret_slot = s->n++;
	return true;
}
