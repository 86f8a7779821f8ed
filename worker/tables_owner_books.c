/* SPDX-License-Identifier: Apache-2.0 */
/* What users hold of the plugin's own tables, and which fields they have asked for. */
#include "worker/tables_owner.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAX_CLASSES = 1024,
	/* What comes along with an entry is not to fill the frame. */
	ALONG_BYTES = 32 << 10,
};

void
owned_init(struct tables *t)
{
	t->owned.handles.slot_bytes = sizeof(struct owned_handle);
}

bool
owned_find_table(struct tables *t, const struct table_head *h, struct owned_target *ret)
{
	if (!(h->table & TABLE_SLOT_MARK)) {
		if (h->table == 0 || h->table > t->owned.n_root)
			return false;
		const struct owned_root *r = &t->owned.root[h->table - 1];
		*ret = (struct owned_target){h->table, r->klass, r->key_type, &r->vt};
		return true;
	}
	struct owned_handle *s = table_slot_find(&t->owned.handles, h->user, h->table);
	if (!s || s->kind != HANDLE_TABLE)
		return false;
	*ret = (struct owned_target){h->table, s->klass, s->key_type, &s->vt};
	return true;
}

struct owned_handle *
owned_find_entry(struct tables *t, const struct table_head *h)
{
	struct owned_handle *e =
	    h->entry & TABLE_SLOT_MARK
		? NULL
		: table_slot_find(&t->owned.handles, h->user, h->entry);

	return e && e->kind != HANDLE_TABLE && e->table == h->table ? e : NULL;
}

void
owned_let_go(struct tables *t, struct owned_handle *h)
{
	/* The handles may move while the plugin's code runs. */
	const struct owned_vtables vt = h->vt;
	plugin_entry *entry = h->entry;
	int kind = h->kind;

	table_slot_give_back(&t->owned.handles, h);
	if (kind == HANDLE_ENTRY && vt.reader.release_table_entry)
		vt.reader.release_table_entry(vt.table, entry);
	else if (kind == HANDLE_NEW)
		vt.writer.destroy_table_entry(vt.table, entry);
}

void
owned_forget_user(struct tables *t, uint32_t user)
{
	struct table_slots *all = &t->owned.handles;
	struct owned_handle *h;

	/* Entries first: their tables may lie in others. */
	for (uint32_t i = 0; user < LIMIT_PLUGINS && all->held[user] > 0 && i < all->n;
	     i++) {
		h = table_slot_at(all, user, i);
		if (h && h->kind != HANDLE_LENT)
			owned_let_go(t, h);
	}
}

struct owned_handle *
owned_hold_entry(struct tables *t, const struct owned_target *x, uint32_t user,
    plugin_entry *e, int kind, uint32_t *ret_number)
{
	struct owned_handle *h = table_slot_take(&t->owned.handles, user, ret_number);

	if (!h)
		return NULL;
	h->kind = kind;
	h->entry = e;
	h->table = x->number;
	h->klass = x->klass;
	h->key_type = x->key_type;
	h->vt = *x->vt;
	return h;
}

/* Classes and fields. */

uint32_t
owned_class_of(struct tables *t, uint32_t parent, uint32_t parent_field)
{
	struct owned *o = &t->owned;

	for (uint32_t i = 0; parent_field && i < o->n_class; i++) {
		if (o->klass[i].parent == parent &&
		    o->klass[i].parent_field == parent_field)
			return i + 1;
	}
	if (o->n_class == MAX_CLASSES)
		return 0;
	struct owned_class *k = reallocarray(o->klass, o->n_class + 1, sizeof(*k));
	if (!k)
		return 0;
	o->klass = k;
	memset(&k[o->n_class], 0, sizeof(*k));
	k[o->n_class].parent = parent;
	k[o->n_class].parent_field = parent_field;
	return ++o->n_class;
}

/* The number of a field: its class and its place there. */
struct owned_field *
owned_find_field(struct tables *t, const struct owned_target *x, uint32_t number)
{
	struct owned_class *k = &t->owned.klass[x->klass - 1];
	uint32_t place = number % (LIMIT_TABLE_FIELDS + 1);

	return number / (LIMIT_TABLE_FIELDS + 1) == x->klass && place > 0 &&
		       place <= k->n_field
		   ? &k->field[place - 1]
		   : NULL;
}

uint32_t
owned_keep_field(struct tables *t, const struct owned_target *x, uint32_t user,
    const char *name, uint32_t type, plugin_field_handle *handle)
{
	struct owned_class *k = &t->owned.klass[x->klass - 1];
	uint32_t i = 0;

	while (i < k->n_field &&
	       (k->field[i].type != type || strcmp(k->field[i].name, name) != 0))
		i++;
	if (i == k->n_field) {
		char *copy = i < LIMIT_TABLE_FIELDS ? strdup(name) : NULL;
		if (!copy)
			return 0;
		k->field[k->n_field++] = (struct owned_field){.name = copy, .type = type};
	}
	k->field[i].handle = handle;
	k->field[i].users[user / 64] |= 1ull << user % 64;
	return x->klass * (LIMIT_TABLE_FIELDS + 1) + i + 1;
}

void
owned_put_along(struct tables *t, const struct owned_target *x, uint32_t user,
    plugin_entry *e, struct table_frame *f)
{
	for (uint32_t i = 0;
	     i < t->owned.klass[x->klass - 1].n_field && f->head.n_bytes < ALONG_BYTES;
	     i++) {
		/* A copy: what it is in may move while the plugin's code runs. */
		const struct owned_field p = t->owned.klass[x->klass - 1].field[i];
		union plugin_state_data data = {0};
		if (p.type == PLUGIN_STATE_TABLE ||
		    !(p.users[user / 64] >> user % 64 & 1) ||
		    x->vt->reader.read_entry_field(x->vt->table, e, p.handle, &data) !=
			PLUGIN_SUCCESS)
			continue;
		/* One that is too long is read when it is wanted, and fails then. */
		if (p.type == PLUGIN_STATE_STRING &&
		    (!data.str || strnlen(data.str, ALONG_BYTES) == ALONG_BYTES))
			continue;
		table_frame_data(
		    f, x->klass * (LIMIT_TABLE_FIELDS + 1) + i + 1, p.type, &data);
	}
}
