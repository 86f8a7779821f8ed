/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types of field values, and columns: the values of one field for the events of a chunk.
 *
 * The numbers of enum value_type are Falco's parameter types where plugins use them
 * (plugin ABI 3.12: 8 9 20 21 25 40 41); the others exist for built-in fields only, whose
 * rules must compile though nothing feeds them.
 */
#ifndef RULES_VALUE_H
#define RULES_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_type {
	VALUE_NONE = 0,
	VALUE_INT8 = 1,
	VALUE_INT16 = 2,
	VALUE_INT32 = 3,
	VALUE_INT64 = 4,
	VALUE_UINT8 = 5,
	VALUE_UINT16 = 6,
	VALUE_UINT32 = 7,
	VALUE_UINT64 = 8,
	VALUE_CHARBUF = 9,
	VALUE_BYTEBUF = 10,
	VALUE_RELTIME = 20,
	VALUE_ABSTIME = 21,
	VALUE_BOOL = 25,
	VALUE_IPADDR = 40,
	VALUE_IPNET = 41,
	/* Built-in fields only; the numbers are ours. */
	VALUE_DOUBLE = 100,
	VALUE_PORT,
	VALUE_PID,
	VALUE_FD,
	VALUE_UID,
	VALUE_GID,
	VALUE_FLAGS8,
	VALUE_FLAGS16,
	VALUE_FLAGS32,
	VALUE_FSPATH,
	VALUE_FSRELPATH,
	VALUE_SOCKADDR,
	VALUE_SOCKTUPLE,
	VALUE_OTHER,
};

/* "CHARBUF", "UINT64", … as Falco's messages and listings name them. */
const char *value_type_name(enum value_type type);
/* False when unknown; builtin-fields.tsv uses these names. */
bool value_type_parse(const char *name, enum value_type *ret_type);
/* Held in struct column as 64-bit numbers (bools as 0, 1 or whatever 32 bits came). */
static inline bool
value_type_is_number(enum value_type type)
{
	switch (type) {
	case VALUE_INT8:
	case VALUE_INT16:
	case VALUE_INT32:
	case VALUE_INT64:
	case VALUE_UINT8:
	case VALUE_UINT16:
	case VALUE_UINT32:
	case VALUE_UINT64:
	case VALUE_RELTIME:
	case VALUE_ABSTIME:
	case VALUE_BOOL:
	case VALUE_DOUBLE:
	case VALUE_PORT:
	case VALUE_PID:
	case VALUE_FD:
	case VALUE_UID:
	case VALUE_GID:
	case VALUE_FLAGS8:
	case VALUE_FLAGS16:
	case VALUE_FLAGS32:
		return true;
	default:
		return false;
	}
}

/* A byte string inside column.bytes. For CHARBUF a NUL follows it and none is in it;
 * IPADDR and IPNET are the raw 4 or 16 bytes (an address of any other length is kept as
 * it came: comparisons with it are false). */
struct span {
	uint32_t off, len;
};

/*
 * The values of event e are elements first[e] .. first[e + 1] - 1; none means that the
 * field has no value on that event. A field that is not a list has at most one.
 * A column is borrowed by whoever evaluates: it must stay until evaluation is over.
 */
struct column {
	uint32_t n; /* events; first has n + 1 entries */
	const uint32_t *first;
	const uint64_t *num;    /* when value_type_is_number() */
	const struct span *str; /* otherwise */
	const char *bytes;
};

/*
 * The values of one operand on one event. Not present: a check on it is false, outputs
 * print <NA>. A list may be present and empty (getopt of nothing). Borrowed from a column
 * or from an evaluator's scratch memory: valid until the next event is looked at.
 */
struct value_view {
	bool present;
	uint32_t n;
	const uint64_t *num;
	const struct span *str;
	const char *bytes;
};

/* The i-th byte string of a view; a NUL follows it. */
static inline const char *
value_view_str(const struct value_view *v, uint32_t i, uint32_t *ret_len)
{
	*ret_len = v->str[i].len;
	return v->bytes + v->str[i].off;
}

#endif
