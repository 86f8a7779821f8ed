/* SPDX-License-Identifier: Apache-2.0 */
/* What users hold of built-in tables. */
#include "broker/tables/builtin_internal.h"

void
builtin_handle_free(struct builtin_tables *b, struct builtin_handle *h)
{
	if (h->entry)
		builtin_entry_drop(b, h->entry);
	builtin_table_drop(b, h->table);
	table_slot_give_back(&b->handles, h);
}

struct builtin_table *
builtin_find_table(struct builtin_tables *b, uint32_t user, uint32_t number)
{
	if (number == BUILTIN_ROOT)
		return b->root;
	struct builtin_handle *h =
	    number & TABLE_SLOT_MARK ? table_slot_find(&b->handles, user, number) : NULL;
	return h && !h->entry ? h->table : NULL;
}

struct builtin_handle *
builtin_find_entry(struct builtin_tables *b, uint32_t user, const struct table_head *head)
{
	struct builtin_handle *h = head->entry & TABLE_SLOT_MARK
				       ? NULL
				       : table_slot_find(&b->handles, user, head->entry);

	return h && h->entry && h->of == head->table ? h : NULL;
}

bool
builtin_hold_entry(struct builtin_tables *b, uint32_t user, struct builtin_table *t,
    uint32_t table, struct builtin_entry *e, bool is_new, uint32_t *ret_number)
{
	struct builtin_handle *h = table_slot_take(&b->handles, user, ret_number);

	if (!h)
		return false;
	h->table = t;
	t->refs++;
	h->entry = e;
	h->of = table;
	h->is_new = is_new;
	return true;
}
