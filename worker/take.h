/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of a whole call, taken in one run: where time goes for plugins that are quick
 * themselves. values.h has the way for all others, field by field.
 */
#ifndef WORKER_TAKE_H
#define WORKER_TAKE_H

#include <stdint.h>

#include "proto/column.h"
#include "proto/plugin_api.h"
#include "worker/quirks.h"

/* What belongs to the n fields of a call, field by field. */
struct take_call {
	const struct plugin_extract_field *field; /* as the plugin filled them in */
	struct column_store *const *store;
	const uint8_t *kind; /* enum column_kind */
	const struct field_place *place;
	uint32_t n;
};

/*
 * Takes the values of the first fields of the call into their columns, and ends the event
 * there, until one is not as most are: one number, or one text shorter than VALUE_BLOCK,
 * in a column that is even. Returns how many were taken, 0 where the processor does not
 * know the instructions; of these *moved gets the bits of field_has_moved, and *room
 * becomes less by what they take of a frame.
 */
uint32_t take_run(const struct take_call *c, uint32_t *room, uintptr_t *moved);

#endif
