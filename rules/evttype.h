/* SPDX-License-Identifier: Apache-2.0 */
/* Which event types a condition can hold for, judged by evt.type alone. */
#ifndef RULES_EVTTYPE_H
#define RULES_EVTTYPE_H

#include "rules/ast.h"

enum {
	EVTTYPE_WORDS = 8
}; /* 64 types each */

struct evttype_set {
	uint64_t w[EVTTYPE_WORDS];
};

/* How many types; the set itself when ret_set is not NULL. Macros must be put in. */
uint32_t evttypes_of(const struct ast *condition, struct evttype_set *ret_set);
bool evttype_set_has(const struct evttype_set *set, uint32_t i);
/* The i-th name in bytewise order; NULL past the last. */
const char *evttype_name(uint32_t i);
/* Is it the name of an event type? */
bool evttype_known(const char *name);

#endif
