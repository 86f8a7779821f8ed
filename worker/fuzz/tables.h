/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State tables as a plugin under test sees them: every table that it asks for is there,
 * with any field, and an entry for any key; what is read from an entry is made up from
 * the case, and what is written is forgotten. Every operation fails now and then, as an
 * honest host's may.
 */
#ifndef WORKER_FUZZ_TABLES_H
#define WORKER_FUZZ_TABLES_H

#include "proto/plugin_api.h"

const struct plugin_init_tables *tables_for_init(void);
const struct plugin_table_reader *tables_reader(void);
struct plugin_table_reader_ext *tables_reader_ext(void);
const struct plugin_table_writer *tables_writer(void);
struct plugin_table_writer *tables_writer_ext(void);

/* What the owner's get_last_error says. */
const char *tables_last_error(plugin_owner *owner);

/* A case begins: seed decides what its tables hold. */
void tables_begin(uint64_t seed);

#endif
