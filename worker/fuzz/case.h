/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test case: what one execution does to a plugin, as one byte string.
 *
 * It is a row of parts, each a head of 8 bytes {u8 kind, u8 flags, u16 id, u32 len} and
 * len bytes. Any byte string is a case: a length past the end is cut to what is there, a
 * kind or an id past its range wraps around; so a mutator that knows nothing of this
 * still makes cases.
 *
 * PART(id, name, what it is)
 */
#ifndef WORKER_FUZZ_CASE_H
#define WORKER_FUZZ_CASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

/* clang-format off */
#define CASE_PARTS(PART) \
	PART(EVENT,  "event",  "an event: a payload; id 402: an asynchronous one; another type: laid out by layout.h") \
	PART(FIELD,  "field",  "to extract from the next event: id is the field, flags the argument's form") \
	PART(CONFIG, "config", "an init configuration") \
	PART(PARAMS, "params", "open parameters") \
	PART(DATA,   "data",   "bytes that the plugin's source reads")
/* clang-format on */

enum part_kind {
#define CASE_PART_ENUM(id, name, doc) PART_##id,
	CASE_PARTS(CASE_PART_ENUM)
#undef CASE_PART_ENUM
	PART_N
};

/* Argument of a FIELD: what the field can take decides; this is what is asked for. */
enum part_arg {
	PART_ARG_NONE,
	PART_ARG_KEY,
	PART_ARG_INDEX,
	PART_ARG_N
};

/* A function of the plugin, and what a case of it begins with: TARGET(id, name, what is
 * called) */
/* clang-format off */
#define FUZZ_TARGETS(TARGET) \
	TARGET(EXTRACT, "extract", "extract_fields and event_to_string, on events of any payload") \
	TARGET(PARSE,   "parse",   "parse_event on rows of events of the types it wants, with stand-in tables, then extract_fields") \
	TARGET(INIT,    "init",    "init with any configuration, then destroy") \
	TARGET(OPEN,    "open",    "open with any parameters, next_batch, close") \
	TARGET(SOURCE,  "source",  "open and next_batch, on any content of a file, a pipe or an HTTP request") \
	TARGET(ASYNC,   "async",   "set_async_event_handler, events parsed meanwhile, and its end")
/* clang-format on */

enum fuzz_target {
#define FUZZ_TARGET_ENUM(id, name, doc) FUZZ_##id,
	FUZZ_TARGETS(FUZZ_TARGET_ENUM)
#undef FUZZ_TARGET_ENUM
	FUZZ_TARGET_N
};

enum {
	CASE_HEAD_BYTES = 8,
	/* An event of the largest size and what is asked of it. */
	CASE_BYTES = LIMIT_EVENT_BYTES + (64 << 10),
	CASE_PARTS_MAX = 256,
	/* A key that a condition would have. */
	CASE_KEY_BYTES = 255,
};

struct case_part {
	uint8_t kind, flags;
	uint16_t id;
	uint32_t len;
	const uint8_t *bytes;
};

/* The parts of n bytes, at most CASE_PARTS_MAX. */
uint32_t case_parts(const uint8_t *bytes, uint32_t n, struct case_part *ret_part);

/* Appends a part at *len of a case with room for cap bytes; false when there is none. */
bool case_add(uint8_t *to, uint32_t *len, uint32_t cap, const struct case_part *part);

const char *case_part_name(uint8_t kind);
/* PART_N when there is none. */
enum part_kind case_part_find(const char *name);
const char *fuzz_target_name(enum fuzz_target t);
const char *fuzz_target_doc(enum fuzz_target t);
/* FUZZ_TARGET_N when there is none. */
enum fuzz_target fuzz_target_find(const char *name);

#endif
