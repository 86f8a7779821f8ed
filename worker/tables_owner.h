/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between tables_owner.c (operations on the plugin's own tables), tables_owner_books.c
 * (what users hold and have asked for) and tables_owner_add.c. Nobody else includes this.
 *
 * Whatever calls the plugin's code may come back to find handles and classes moved.
 */
#ifndef WORKER_TABLES_OWNER_H
#define WORKER_TABLES_OWNER_H

#include "worker/tables_internal.h"

/* How the plugin's code is called for a table. */
struct owned_vtables {
	plugin_table *table;
	struct plugin_table_reader_ext reader;
	struct plugin_table_writer writer;
	struct plugin_table_fields fields;
};

struct owned_root {
	char *name;
	uint32_t key_type, klass;
	struct owned_vtables vt;
};

struct owned_field {
	plugin_field_handle *handle;
	char *name;
	uint32_t type;
	uint64_t users[LIMIT_PLUGINS / 64]; /* who has asked for it */
};

/* Tables with the same fields: a table, or all sub-tables of one field. */
struct owned_class {
	uint32_t parent, parent_field;
	struct owned_field field[LIMIT_TABLE_FIELDS];
	uint32_t n_field;
};

/* The number of a sub-table has TABLE_SLOT_MARK. */
struct owned_handle {
	struct table_slot slot;
	uint32_t klass, key_type;
	enum {
		HANDLE_ENTRY,
		HANDLE_NEW,  /* an entry that is in no table yet */
		HANDLE_LENT, /* by an iteration of the plugin's */
		HANDLE_TABLE,
	} kind;
	plugin_entry *entry;
	uint32_t table; /* number of the entry's */
	struct owned_vtables vt;
};

/* A table that a call is about. */
struct owned_target {
	uint32_t number, klass, key_type;
	const struct owned_vtables *vt;
};

/* tables_owner_books.c */
/* The table that a call is about; false: the number means nothing to its user. */
bool owned_find_table(
    struct tables *t, const struct table_head *h, struct owned_target *ret);
/* An entry of that very table, which the user holds; else NULL. */
struct owned_handle *owned_find_entry(struct tables *t, const struct table_head *h);
/* A handle of an entry, of that kind. NULL: the user holds too much, or no memory. */
struct owned_handle *owned_hold_entry(struct tables *t, const struct owned_target *x,
    uint32_t user, plugin_entry *e, int kind, uint32_t *ret_number);
/* The plugin is told so. */
void owned_let_go(struct tables *t, struct owned_handle *h);
void owned_forget_user(struct tables *t, uint32_t user);

/* The class of what lies in that field of a class; of a table itself, for 0, a new one.
 * 0: there are too many. */
uint32_t owned_class_of(struct tables *t, uint32_t parent, uint32_t parent_field);
/* NULL: the number is none of that table. */
struct owned_field *owned_find_field(
    struct tables *t, const struct owned_target *x, uint32_t number);
/* The number of a field that the user asks for; 0: there are too many. */
uint32_t owned_keep_field(struct tables *t, const struct owned_target *x, uint32_t user,
    const char *name, uint32_t type, plugin_field_handle *handle);
/* Values of the fields that the user has asked for before, as many as are no burden. */
void owned_put_along(struct tables *t, const struct owned_target *x, uint32_t user,
    plugin_entry *e, struct table_frame *f);

#endif
