/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state tables that Falco has by itself: threads, with its sub-tables.
 * Nothing fills them here but plugins, which may also add fields.
 *
 * What a user asks for is checked like everything that comes from a worker: numbers that
 * mean nothing are failures of its call. Keys and values are bounded (limits.h).
 */
#ifndef BROKER_TABLES_BUILTIN_TABLES_H
#define BROKER_TABLES_BUILTIN_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/table.h"

struct builtin_tables;

struct builtin_tables *builtin_tables_new(struct err *err);
void builtin_tables_free(struct builtin_tables *b);

/* The root tables: name and number of the i-th, counted from 0; NULL past the last. */
const char *builtin_table_name(uint32_t i, uint32_t *ret_number, uint32_t *ret_key_type);

/* Answers any call but LIST, GET, ADD, ITERATE and VISIT; user is below LIMIT_PLUGINS. */
void builtin_serve(struct builtin_tables *b, uint32_t user, const struct table_view *v,
    struct table_frame *answer);

/* A walk over the entries that a table has now. NULL: no such table, or no memory. */
struct builtin_walk;
struct builtin_walk *builtin_walk_new(
    struct builtin_tables *b, uint32_t user, uint32_t table);
/* The next entry, as the call VISIT; false: there is none left. */
bool builtin_walk_next(struct builtin_walk *w, struct table_frame *visit);
void builtin_walk_free(struct builtin_walk *w);

#endif
