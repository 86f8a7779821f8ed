/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events written down: what rule cases and explanations are made with, in the place of a
 * plugin.
 *
 * An event is a map in YAML or JSON from fields, as rules write them, to values: numbers
 * and strings as they are, true and false, addresses as text, lists as lists. Fields that
 * are not named, or are null, have no value. "evt.rawtime" is its time in nanoseconds. A
 * line that "mews run PLUGIN.so" prints is an event, too: its fields are under "fields".
 */
#ifndef RULES_SAMPLE_H
#define RULES_SAMPLE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/yaml/yaml.h"
#include "rules/eval.h"
#include "rules/field.h"

/* Up to a chunk of events; everything lives in the arena. */
struct sample {
	struct arena *arena;
	const struct field_source *source;
	const struct yaml_node *const *event;
	uint32_t n;
	struct event_meta *meta; /* of each */
};

/*
 * Borrows the nodes. Every name is looked up in the source, so that a typing error is no
 * missing value. 1 <= n <= LIMIT_CHUNK_EVENTS.
 */
bool sample_init(struct sample *s, struct arena *arena, const struct field_source *source,
    const struct yaml_node *const *event, uint32_t n, struct err *err);

/* Evaluates all of them, with all that outputs of matches need. */
bool sample_evaluate(struct sample *s, struct evaluator *ev, struct err *err);

/* The other way: a value as it is read above. */
void sample_write_value(
    struct json_writer *w, enum value_type type, bool list, const struct value_view *v);

#endif
