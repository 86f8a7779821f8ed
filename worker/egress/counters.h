/* SPDX-License-Identifier: Apache-2.0 */
/* What became of one worker's names and connections: for egress, and for whoever shows
 * it. */
#ifndef WORKER_EGRESS_COUNTERS_H
#define WORKER_EGRESS_COUNTERS_H

#include <stdint.h>

/* REASON(id, label in metrics, what happened) */
/* clang-format off */
#define EGRESS_REASONS(REASON) \
	REASON(NAME,        "name",        "asked for a name that the policy does not allow") \
	REASON(PORT,        "port",        "connected to a port that the policy does not allow for that host") \
	REASON(ADDRESS,     "address",     "an allowed name stood for addresses that are not public") \
	REASON(REQUEST,     "request",     "sent a request that a filtered socket does not let through") \
	REASON(RATE,        "rate",        "asked for names too often") \
	REASON(LIMIT,       "limit",       "had too many connections or names at once") \
	REASON(MALFORMED,   "malformed",   "sent a query that is not one, or of a kind that is not answered") \
	REASON(UNRESOLVED,  "unresolved",  "an allowed name was not found") \
	REASON(UNREACHABLE, "unreachable", "an allowed place did not answer") \
	REASON(IDLE,        "idle",        "a connection was closed because nothing happened on it")
/* clang-format on */

enum egress_reason {
#define REASON(id, label, doc) EGRESS_REASON_##id,
	EGRESS_REASONS(REASON)
#undef REASON
	EGRESS_N_REASONS
};

const char *egress_reason_label(enum egress_reason reason);
/* What happened, in words that follow the plugin's name. */
const char *egress_reason_text(enum egress_reason reason);

struct egress_counters {
	uint64_t queries;     /* for names */
	uint64_t connections; /* accepted from the worker */
	uint64_t bytes_up, bytes_down;
	uint64_t refused[EGRESS_N_REASONS];
};

#endif
