/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations on state tables between the plugin that uses a table and whoever owns it,
 * through the broker: FRAME_TABLE in the side rings, both ways.
 *
 * A call has a number of its caller's, and unless it is one-way it is answered by a frame
 * with the same number and TABLE_REPLY. Tables, entries and fields are numbers that their
 * owner gave out; 0 is none. The worker gives its own numbers to what it owns; the broker
 * gives those of tables to users, and says which user calls.
 *
 * The check of a frame proves its shape alone: whether a number means anything to this
 * user is its owner's to find out, on every call.
 */
#ifndef PROTO_TABLE_H
#define PROTO_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/plugin_api.h"

/* OP(id, of what kinds it is (table.c), what is given → what comes back) */
/* clang-format off */
#define TABLE_OPS(OP) \
	OP(LIST, 0) /* → a string per table, its field: the key's type */ \
	OP(GET, 0) /* value 0: name, field: key type → table, field: key type, number: 1 for one's own */ \
	OP(ADD, 0) /* value 0: name, field: key type, table: of the owner */ \
	OP(SIZE, 0) /* table → number */ \
	OP(FIELDS, 0) /* table → a string per field, its field: the type, and 256 when it is read-only */ \
	OP(FIELD, 0) /* table, value 0: name, number: type → field */ \
	OP(ADD_FIELD, 0) /* the same */ \
	OP(ENTRY, OP_TAKES_KEY) /* table, value 0: key → entry, and values of the user's fields */ \
	OP(RELEASE, OP_ONE_WAY | OP_TAKES_ENTRY) /* table, entry */ \
	OP(CREATE, 0) /* table → entry */ \
	OP(DESTROY, OP_ONE_WAY | OP_TAKES_ENTRY) /* table, entry */ \
	OP(INSERT, OP_TAKES_ENTRY | OP_TAKES_KEY) /* table, entry, value 0: key → entry */ \
	OP(ERASE, OP_TAKES_KEY) /* table, value 0: key */ \
	OP(CLEAR, 0) /* table */ \
	OP(READ, OP_TAKES_ENTRY) /* table, entry, field → value 0 */ \
	OP(WRITE, OP_TAKES_ENTRY) /* table, entry, field, value 0 */ \
	OP(ITERATE, 0) /* table → number: 1 when none refused */ \
	OP(VISIT, 0) /* owner to user: number: the call of ITERATE, entry and values → number: 1 to go on */ \
	OP(FORGET, OP_ONE_WAY) /* every entry and sub-table that the user has */
/* clang-format on */

enum table_op {
	TABLE_OP_NONE,
#define TABLE_OP_ENUM(id, kind) TABLE_##id,
	TABLE_OPS(TABLE_OP_ENUM)
#undef TABLE_OP_ENUM
	TABLE_OP_N,
};

bool table_op_is_one_way(enum table_op op);
/* Does it mean nothing without an entry, or a key, of the table? */
bool table_op_takes_entry(enum table_op op);
bool table_op_takes_key(enum table_op op);
const char *table_op_name(enum table_op op);

enum table_flag {
	TABLE_REPLY = 1,
	TABLE_ROUTINE = 2, /* called by another thread than the one that serves */
};

enum {
	TABLE_READ_ONLY = 256, /* beside a type, in what FIELDS answers */
	TABLE_FRAME_BYTES = 256 << 10,
	TABLE_STRING_BYTES = 64 << 10, /* one key or value */
	TABLE_VALUES = 1024,           /* in one frame */
};

struct table_head {
	uint32_t call, op, flags;
	int32_t
	    rc; /* of a reply: plugin ABI; the words of a failure are its last value */
	uint32_t table, entry, field, user;
	uint64_t number;
	uint32_t n_values, n_bytes;
};

/* Behind the head: n_values of these, then n_bytes in which strings follow one another
 * without gaps, each with its NUL; padding to 8. */
struct table_value {
	uint32_t type; /* plugin ABI: a state type */
	uint32_t field;
	uint64_t num; /* extended to 64 bits; of a string 0, of a table its number */
	uint32_t off, len;
};

/* Building one, in memory of at least TABLE_FRAME_BYTES. */
struct table_frame {
	struct table_head head;
	struct table_value value[TABLE_VALUES];
	char bytes[TABLE_FRAME_BYTES / 2];
	bool full; /* something found no room: the frame cannot be sent */
};

void table_frame_begin(struct table_frame *f, enum table_op op, uint32_t call);
/* As the reply to that call. */
void table_frame_answer(struct table_frame *f, const struct table_head *to, int32_t rc);
void table_frame_num(struct table_frame *f, uint32_t field, uint32_t type, uint64_t num);
/* A string of more than TABLE_STRING_BYTES makes it full. */
void table_frame_str(struct table_frame *f, uint32_t field, const char *s);
/* A value of the plugin ABI. */
void table_frame_data(struct table_frame *f, uint32_t field, uint32_t type,
    const union plugin_state_data *data);
/* A failure, with its words. */
void table_frame_fail(
    struct table_frame *f, const struct table_head *to, const char *words);
/* The bytes of the frame, into p; 0 when it is full. */
uint32_t table_frame_write(const struct table_frame *f, uint8_t *p, uint32_t cap);

struct table_view {
	struct table_head head;
	const struct table_value *value;
	const char *bytes;
};

/* Checks a frame in private memory, 8-byte aligned. */
bool table_check(struct table_view *v, const void *p, uint32_t len, struct err *err);
const char *table_view_str(const struct table_view *v, uint32_t i);
/* Value i as the plugin ABI has it; false when it is of another type. */
bool table_view_data(const struct table_view *v, uint32_t i, uint32_t type,
    union plugin_state_data *ret_data);
/* What a failed reply says; "" when nothing. */
const char *table_view_words(const struct table_view *v);

bool state_type_is_valid(uint32_t type);
/* For people; "unknown" when it is none. */
const char *state_type_name(uint32_t type);

#endif
