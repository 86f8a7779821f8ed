/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between tables.c (which tables and fields there are), tables_use.c (calls, and what the
 * plugin holds) and tables_entries.c (what it does with entries). Nobody else includes
 * this.
 *
 * What the plugin gets is good until its call returns, on the thread that made it;
 * handles of tables and fields that it gets while it initialises are good for ever.
 */
#ifndef WORKER_TABLES_USE_H
#define WORKER_TABLES_USE_H

#include <sys/queue.h>

#include "worker/tables_internal.h"

/* A handle that the plugin has of a table; input comes first. */
struct user_table {
	struct plugin_table_input input;
	struct tables *tables;
	uint32_t id;
	bool own; /* the plugin's own: nothing leaves this process */
	char name[256];
	struct plugin_table_fieldinfo *listed; /* what list_table_fields gave last */
	SLIST_ENTRY(user_table) link;          /* of a sub-table */
};

struct user_field {
	uint32_t id, type;
};

/* A string that was read and must stay as long as the entry. */
struct kept_string {
	SLIST_ENTRY(kept_string) link;
	char text[];
};

struct user_entry {
	LIST_ENTRY(user_entry) link;
	struct user_table *table;
	uint32_t id;
	bool lent; /* by an iteration, which takes it back */
	/* Values that came with it; good while nothing was written. */
	uint32_t epoch, n_values;
	struct table_value *value;
	char *bytes;
	SLIST_HEAD(, kept_string) strings;
};

/* tables_use.c */
/* Room for a call about this table; NULL when nothing can be called any more. To be given
 * back with table_room_give_back. */
struct table_room *use_begin(struct user_table *u, enum table_op op);
/* table_transact, or this process's own answer. */
bool use_transact(struct user_table *u, struct table_room *room, table_visit_fn *visit,
    void *visit_arg, struct table_view *ret_v);
void use_tell(struct user_table *u, struct table_room *room);

/* The entry that an answer or a visit came with; NULL: no memory. */
struct user_entry *user_entry_new(struct user_table *u, const struct table_view *v);
void user_entry_free(struct user_entry *e);
/* The entry that a call comes back with; NULL is none. Gives the room back. */
struct user_entry *use_for_entry(struct user_table *u, struct table_room *room);
/* Its owner is told so; one that was lent is not let go of. */
void user_entry_let_go(struct user_entry *e, enum table_op op);
/* A copy of a string, which stays as long as the entry. NULL: no memory. */
const char *user_entry_keep(struct user_entry *e, const char *s, size_t n);

/* What lies in a field of an entry of parent. NULL: no memory. */
struct user_table *user_sub_table(
    struct user_table *parent, uint32_t id, int32_t key_type);

/* tables.c */
/* A handle as the plugin gets it, to be freed with free. NULL: no memory. */
struct user_table *user_table_new(
    struct tables *t, uint32_t id, bool own, const char *name, int32_t key_type);

/* tables_entries.c */
extern const struct plugin_table_reader use_reader;
extern struct plugin_table_reader_ext use_reader_ext;
extern struct plugin_table_writer use_writer;

#endif
