/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that the plugin adds. */
#include "worker/tables_owner.h"

#include <stdlib.h>
#include <string.h>

/* What is wrong with it, in Falco's words; NULL: nothing. */
static const char *
fault(const struct tables *t, const struct plugin_table_input *in)
{
	const struct plugin_table_reader *r = &in->reader;
	const struct plugin_table_writer *w = &in->writer;
	const struct plugin_table_fields *f = &in->fields;

	if (!in->name)
		return "name is null";
	if (t->has_ext && (!in->reader_ext || !in->writer_ext || !in->fields_ext))
		return "extended vtables must all be defined";
	/* All there, and the same in both forms. */
	if (!r->get_table_name || !r->get_table_size || !r->get_table_entry ||
	    !r->read_entry_field ||
	    (t->has_ext && (memcmp(r, in->reader_ext, sizeof(*r)) != 0 ||
			       !in->reader_ext->release_table_entry ||
			       !in->reader_ext->iterate_entries)))
		return "broken or inconsistent reader vtables";
	if (!w->clear_table || !w->erase_table_entry || !w->create_table_entry ||
	    !w->destroy_table_entry || !w->add_table_entry || !w->write_entry_field ||
	    (t->has_ext && memcmp(w, in->writer_ext, sizeof(*w)) != 0))
		return "broken or inconsistent writer vtables";
	if (!f->list_table_fields || !f->get_table_field || !f->add_table_field ||
	    (t->has_ext && memcmp(f, in->fields_ext, sizeof(*f)) != 0))
		return "broken or inconsistent fields vtables";
	return NULL;
}

static struct owned_root *
keep_root(struct tables *t, const struct plugin_table_input *in)
{
	struct owned *o = &t->owned;
	struct owned_root *r = reallocarray(o->root, o->n_root + 1, sizeof(*r));
	char *name = strdup(in->name);
	uint32_t klass = owned_class_of(t, 0, 0);

	if (r)
		o->root = r;
	if (!r || !name || !klass || o->n_root == LIMIT_TABLES) {
		free(name);
		return NULL;
	}
	r += o->n_root;
	*r = (struct owned_root){
	    .name = name,
	    .key_type = (uint32_t)in->key_type,
	    .klass = klass,
	    .vt = {.table = in->table, .writer = in->writer, .fields = in->fields},
	};
	memcpy(&r->vt.reader, &in->reader, sizeof(in->reader));
	if (t->has_ext)
		r->vt.reader = *in->reader_ext;
	return r;
}

int32_t
owned_add(struct tables *t, const struct plugin_table_input *in)
{
	const char *why = in ? fault(t, in) : "input is null";
	struct table_room *room;
	struct table_view v;

	if (why) {
		tables_fail(t, "failure in adding state table defined by plugin '%s': %s",
		    t->plugin, why);
		return PLUGIN_FAILURE;
	}
	room = keep_root(t, in) ? table_room_take() : NULL;
	if (!room) {
		tables_fail(t, "too many tables");
		return PLUGIN_FAILURE;
	}
	table_frame_begin(&room->frame, TABLE_ADD, 0);
	room->frame.head.field = (uint32_t)in->key_type;
	room->frame.head.table = t->owned.n_root + 1;
	table_frame_str(&room->frame, 0, in->name);
	/* Only now can others find it. */
	t->owned.n_root++;
	bool added = table_transact(t, room, NULL, NULL, &v);
	if (!added)
		free(t->owned.root[--t->owned.n_root].name);
	table_room_give_back();
	return added ? PLUGIN_SUCCESS : PLUGIN_FAILURE;
}
