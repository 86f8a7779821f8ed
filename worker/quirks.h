/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plugins that cannot be asked for several fields in one call, though the interface says
 * so: Falco asks for one at a time, and nobody noticed. The Rust SDK (0.4 and 0.5) frees
 * a field's numbers and lists before it fills in the next field; the Go SDK (0.8) keeps
 * one result per field, whatever its argument, so that a field may stand in a call only
 * once; a hand-made plugin may have one buffer for all.
 */
#ifndef WORKER_QUIRKS_H
#define WORKER_QUIRKS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/chunk.h"
#include "proto/plugin_api.h"

/* Is the object, a handle of dlopen, a program in Rust? */
bool object_is_rust(void *object);

/* Where the constants of a plugin lie: what is there cannot be overwritten. */
struct constant_memory {
	struct {
		uintptr_t begin, end;
	} part[8];
	uint32_t n;
};

/* Of the object, a handle of dlopen. */
void constant_memory_find(struct constant_memory *m, void *object);

/* Where the values of a field lay, and the first text. */
struct field_place {
	const void *values;
	const char *text; /* NULL: there was none, or they are no texts */
};

/* The first text of a field; NULL where there is none. kind: enum column_kind. */
static inline const char *
field_text(const struct plugin_extract_field *f, uint8_t kind)
{
	return kind == COLUMN_STR && f->res_len > 0 && f->res.str ? f->res.str[0] : NULL;
}

/* Not 0 when the values lie elsewhere. */
static inline uintptr_t
field_has_moved(
    const struct plugin_extract_field *f, uint8_t kind, const struct field_place *place)
{
	return ((uintptr_t)f->res.str ^ (uintptr_t)place->values) |
	       ((uintptr_t)field_text(f, kind) ^ (uintptr_t)place->text);
}

/*
 * Do two of the fields, filled in by one call, have their values at the same place, where
 * the later one has overwritten the earlier? kind is of each: a buffer for all is one for
 * all of a kind, so looking at neighbours of a kind is mostly enough. thorough: looks at
 * all pairs. When the answer is no, *place becomes where each is: in the same places the
 * answer is the same.
 */
bool fields_share_memory(const struct plugin_extract_field *field, const uint8_t *kind,
    uint32_t n, const struct constant_memory *constants, bool thorough,
    struct field_place *place);

#endif
