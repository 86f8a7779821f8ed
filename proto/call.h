/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which call into its plugin a worker is in, as a word in the page of its ring (ring.h):
 * the kind in the low 8 bits, above it a count of calls. The broker looks at it from time
 * to time; a word that stays the same for longer than the deadline of its kind is a call
 * that hangs. A worker that lies here only makes itself be ended, or waited for.
 */
#ifndef PROTO_CALL_H
#define PROTO_CALL_H

#include "proto/ring.h"

/* CALL(id, name as messages show it, deadline of the profile) */
/* clang-format off */
#define CALL_KINDS(CALL) \
	CALL(NEXT_BATCH, "next_batch",     next_batch_ms) \
	CALL(EXTRACT,    "extract_fields", extract_ms) \
	CALL(PARSE,      "parse_event",    parse_ms)
/* clang-format on */

enum call_kind {
	CALL_NONE,
#define CALL_ENUM(id, name, deadline) CALL_##id,
	CALL_KINDS(CALL_ENUM)
#undef CALL_ENUM
	CALL_KIND_N,
};

enum {
	CALL_KIND_BITS = 8
};

/* As messages show it; "" for none, and for what is no kind. */
static inline const char *
call_kind_name(enum call_kind kind)
{
	switch (kind) {
#define CALL_NAME(id, name, deadline)                                                    \
	case CALL_##id:                                                                  \
		return name;
		CALL_KINDS(CALL_NAME)
#undef CALL_NAME
	default:
		return "";
	}
}

static inline enum call_kind
call_kind_of(uint64_t note)
{
	return (enum call_kind)(note & ((1u << CALL_KIND_BITS) - 1));
}

/* The worker's side. */
struct call_note {
	struct ring_map *own;
	uint64_t n;
};

static inline void
call_enter(struct call_note *c, enum call_kind kind)
{
	ring_note(c->own, ++c->n << CALL_KIND_BITS | kind);
}

static inline void
call_leave(struct call_note *c)
{
	call_enter(c, CALL_NONE);
}

#endif
