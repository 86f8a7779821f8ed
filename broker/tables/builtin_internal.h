/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the parts of the built-in tables: entries, fields, what users hold, walks, and
 * what is asked (builtin_tables.c). Nobody else includes this.
 *
 * Entries and tables are counted by who refers to them: the table or entry that they lie
 * in, handles, walks. Whatever is new comes with one reference, which is its maker's.
 */
#ifndef BROKER_TABLES_BUILTIN_INTERNAL_H
#define BROKER_TABLES_BUILTIN_INTERNAL_H

#include "base/limits.h"
#include "broker/tables/builtin_tables.h"
#include "proto/table_slots.h"

enum builtin_kind {
#define TABLE(id, key) KIND_##id,
#define FIELD(name, type, read_only)
#define SUB(name, id)
#include "broker/tables/builtin_table_fields.h"
#undef TABLE
#undef FIELD
#undef SUB
	KIND_N,
};

struct builtin_field {
	char *name;
	uint32_t type, sub; /* sub: the kind of a sub-table */
	bool read_only, dynamic;
	uint64_t users[LIMIT_PLUGINS / 64];
};

/* All tables of a kind have the same fields. */
struct builtin_class {
	uint32_t key_type, n;
	struct builtin_field field[LIMIT_TABLE_FIELDS];
};

struct builtin_table;

union builtin_value {
	uint64_t num;
	char *str; /* NULL: "" */
	struct builtin_table *sub;
};

struct builtin_entry {
	struct builtin_entry *next; /* in its bucket */
	uint64_t key;
	uint32_t refs, n_value;
	enum builtin_kind kind;
	union builtin_value *value;
};

struct builtin_table {
	enum builtin_kind kind;
	uint32_t refs, n, n_bucket;
	struct builtin_entry **bucket;
};

/* The number of threads; those of sub-tables have TABLE_SLOT_MARK. */
#define BUILTIN_ROOT 1u

struct builtin_handle {
	struct table_slot slot;
	struct builtin_table *table; /* of the entry, or the sub-table itself */
	struct builtin_entry *entry; /* NULL: a sub-table */
	bool is_new;
	uint32_t of; /* number of the entry's table */
};

struct builtin_tables {
	struct builtin_class klass[KIND_N];
	struct builtin_table *root;
	struct table_slots handles;
	uint32_t n_entry;
	uint64_t bytes;
};

/* builtin_entries.c */
/* NULL: the tables are full. */
struct builtin_entry *builtin_entry_new(struct builtin_tables *b, enum builtin_kind kind);
void builtin_entry_drop(struct builtin_tables *b, struct builtin_entry *e);
/* The place of its i-th value, made when it is first wanted, until the next that is made;
 * NULL: the tables are full. */
union builtin_value *builtin_entry_value(
    struct builtin_tables *b, struct builtin_entry *e, uint32_t i);
bool builtin_value_set_str(
    struct builtin_tables *b, union builtin_value *v, const char *s);

struct builtin_table *builtin_table_new(enum builtin_kind kind);
void builtin_table_drop(struct builtin_tables *b, struct builtin_table *t);
void builtin_table_clear(struct builtin_tables *b, struct builtin_table *t);
/* NULL: there is none. */
struct builtin_entry *builtin_table_find(const struct builtin_table *t, uint64_t key);
/* In the place of one with the same key; the table has its own reference. False: no
 * memory. */
bool builtin_table_put(struct builtin_tables *b, struct builtin_table *t,
    struct builtin_entry *e, uint64_t key);
/* False: there was none. */
bool builtin_table_erase(struct builtin_tables *b, struct builtin_table *t, uint64_t key);

/* builtin_fields.c */
bool builtin_classes_make(struct builtin_tables *b);
void builtin_classes_free(struct builtin_tables *b);
/* The field of that number, and its place among values; NULL: the table has none. */
struct builtin_field *builtin_find_field(struct builtin_tables *b,
    const struct builtin_table *t, uint32_t number, uint32_t *ret_i);
/* Answers FIELDS. */
void builtin_serve_fields(const struct builtin_class *k, const struct table_view *v,
    struct table_frame *answer);
/* Answers FIELD and ADD_FIELD. */
void builtin_serve_field(struct builtin_tables *b, const struct builtin_table *t,
    uint32_t user, const struct table_view *v, struct table_frame *answer);
/* Values of the fields that the user has asked for, as many as are no burden. */
void builtin_put_along(const struct builtin_tables *b, const struct builtin_entry *e,
    uint32_t user, struct table_frame *f);

/* builtin_handles.c */
void builtin_handle_free(struct builtin_tables *b, struct builtin_handle *h);
/* What a number means to this user; NULL: nothing. */
struct builtin_table *builtin_find_table(
    struct builtin_tables *b, uint32_t user, uint32_t number);
struct builtin_handle *builtin_find_entry(
    struct builtin_tables *b, uint32_t user, const struct table_head *head);
/* A handle of an entry of the table, whose number for the user is table; the entry's
 * reference becomes the handle's. False: the user holds too much, or no memory. */
bool builtin_hold_entry(struct builtin_tables *b, uint32_t user, struct builtin_table *t,
    uint32_t table, struct builtin_entry *e, bool is_new, uint32_t *ret_number);

/* builtin_tables.c */
/* The call fails, in these words. */
void builtin_refuse(const struct table_view *v, struct table_frame *answer,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
