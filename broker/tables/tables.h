/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state tables of one source: who owns which, and every operation on its way from the
 * worker that uses a table to whoever has it (another worker, or builtin_tables.h) and
 * back.
 *
 * Nothing here waits: a call is noted and forwarded, its answer finds it again. What is
 * not answered within LIMIT_TABLE_CALL_MS fails, and an owner that let a call expire is
 * not asked again before it has spoken. A user and an owner never see each other's
 * numbers for tables, and each other's numbers for entries are checked by whoever gave
 * them out; so either may lie without harm to the other.
 *
 * While a plugin initialises it sees the tables of those loaded before it, as in Falco,
 * though all initialise at the same time: what it asks is answered when they are done.
 */
#ifndef BROKER_TABLES_TABLES_H
#define BROKER_TABLES_TABLES_H

#include "base/err.h"
#include "broker/supervisor/supervisor.h"

struct table_registry;

struct table_registry *table_registry_new(struct supervisor *sup, struct err *err);
/* Workers that joined must not be at work any more. */
void table_registry_free(struct table_registry *r);

/* In load order, before they are started beyond LOADED. */
bool table_registry_join(struct table_registry *r, struct worker *w, struct err *err);

/* Does what this worker knows of tables depend on what another does? Once all workers of
 * its source are initialised. */
bool tables_are_shared_by(const struct worker *w);

struct table_counts {
	uint64_t calls, failed, expired;
};
const struct table_counts *table_registry_counts(const struct table_registry *r);

#endif
