/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event source that recordings of Falco were made with, without its plugin: the
 * catalog of its fields and the value of any of them on any event. Every value is a
 * function of the event's number.
 */
#ifndef RULES_GOLDEN_SOURCE_H
#define RULES_GOLDEN_SOURCE_H

#include "rules/eval.h"
#include "rules/field.h"

enum {
	GOLDEN_EVENTS = 240
};

/* "syscall" and "golden" with its fields. */
bool golden_catalog(struct field_catalog *catalog, struct err *err);
/* Of events 0 to n - 1, which are numbers 1 to n for rules. */
void golden_meta(struct event_meta *meta, uint32_t n);
/* The column of one field on n events, in the arena; false when it is full. */
bool golden_column(struct arena *arena, const struct field_ref *ref, uint32_t n,
    struct column *ret_column);

#endif
