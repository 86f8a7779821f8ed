/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/tables/builtin_internal.h"

#include <stdlib.h>

struct builtin_walk {
	struct builtin_tables *tables;
	struct builtin_table *table;
	uint32_t user, number, n, at;
	uint32_t lent_number;
	struct builtin_entry *entry[];
};

struct builtin_walk *
builtin_walk_new(struct builtin_tables *b, uint32_t user, uint32_t number)
{
	struct builtin_table *t = builtin_find_table(b, user, number);
	struct builtin_walk *w =
	    t ? malloc(sizeof(*w) + t->n * sizeof(struct builtin_entry *)) : NULL;

	if (!w)
		return NULL;
	*w = (struct builtin_walk){
	    .tables = b, .table = t, .user = user, .number = number};
	t->refs++;
	for (uint32_t i = 0; i < t->n_bucket; i++) {
		for (struct builtin_entry *e = t->bucket[i]; e; e = e->next) {
			e->refs++;
			w->entry[w->n++] = e;
		}
	}
	return w;
}

static void
take_back(struct builtin_walk *w)
{
	struct builtin_handle *h =
	    w->lent_number ? table_slot_find(&w->tables->handles, w->user, w->lent_number)
			   : NULL;

	if (h)
		builtin_handle_free(w->tables, h);
	w->lent_number = 0;
}

bool
builtin_walk_next(struct builtin_walk *w, struct table_frame *visit)
{
	struct builtin_tables *b = w->tables;

	take_back(w);
	if (w->at == w->n)
		return false;
	struct builtin_entry *e = w->entry[w->at++];
	/* The walk's reference becomes the handle's. */
	if (!builtin_hold_entry(
		b, w->user, w->table, w->number, e, false, &w->lent_number)) {
		builtin_entry_drop(b, e);
		w->lent_number = 0;
		return false;
	}
	table_frame_begin(visit, TABLE_VISIT, 0);
	visit->head.entry = w->lent_number;
	builtin_put_along(b, e, w->user, visit);
	return true;
}

void
builtin_walk_free(struct builtin_walk *w)
{
	if (!w)
		return;
	take_back(w);
	while (w->at < w->n)
		builtin_entry_drop(w->tables, w->entry[w->at++]);
	builtin_table_drop(w->tables, w->table);
	free(w);
}
