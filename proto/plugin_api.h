/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C ABI of plugins, version 3.12.0, in our own words: what a worker calls and what an
 * example plugin implements. Names are ours, layouts and numbers are the interface
 * (x86-64 and aarch64 agree); the assertions at the end hold them to it.
 *
 * Memory that a plugin returns stays valid until the next call of the same function on
 * the same handle; memory that we pass is valid for the call only. Strings end in NUL.
 * Calls on one state are made one at a time.
 */
#ifndef PROTO_PLUGIN_API_H
#define PROTO_PLUGIN_API_H

#include <stddef.h>
#include <stdint.h>

#define PLUGIN_API_VERSION       "3.12.0"
#define PLUGIN_API_VERSION_MAJOR 3
#define PLUGIN_API_VERSION_MINOR 12
#define PLUGIN_API_VERSION_PATCH 0

/* The events of system calls that Falco has with this version of the API. */
#define PLUGIN_EVENT_SCHEMA "4.3.0"

/* In a plugin of ours: visible, and found by dlsym. */
#ifdef __cplusplus
#define PLUGIN_EXPORT extern "C" __attribute__((visibility("default")))
#define PLUGIN_ASSERT static_assert
extern "C" {
#else
#define PLUGIN_EXPORT __attribute__((visibility("default")))
#define PLUGIN_ASSERT _Static_assert
#endif

typedef void plugin_state;    /* S: what init returned */
typedef void plugin_instance; /* H: what open returned */
typedef void plugin_owner;    /* O: the host's */
typedef void plugin_table;    /* T */
typedef void plugin_entry;    /* E */
typedef void plugin_field_handle;
typedef void plugin_routine;

enum plugin_rc {
	PLUGIN_SUCCESS = 0,
	PLUGIN_FAILURE = 1,
	PLUGIN_TIMEOUT = -1,
	PLUGIN_EOF = 2,
	PLUGIN_NOT_SUPPORTED = 3,
};

enum plugin_field_type {
	PLUGIN_FIELD_UINT64 = 8,
	PLUGIN_FIELD_STRING = 9,
	PLUGIN_FIELD_RELTIME = 20,
	PLUGIN_FIELD_ABSTIME = 21,
	PLUGIN_FIELD_BOOL = 25,
	PLUGIN_FIELD_IPADDR = 40,
	PLUGIN_FIELD_IPNET = 41,
};

enum plugin_state_type {
	PLUGIN_STATE_INT8 = 1,
	PLUGIN_STATE_INT16 = 2,
	PLUGIN_STATE_INT32 = 3,
	PLUGIN_STATE_INT64 = 4,
	PLUGIN_STATE_UINT8 = 5,
	PLUGIN_STATE_UINT16 = 6,
	PLUGIN_STATE_UINT32 = 7,
	PLUGIN_STATE_UINT64 = 8,
	PLUGIN_STATE_STRING = 9,
	PLUGIN_STATE_TABLE = 10,
	PLUGIN_STATE_BOOL = 25,
};

enum plugin_severity {
	PLUGIN_LOG_FATAL = 1,
	PLUGIN_LOG_CRITICAL,
	PLUGIN_LOG_ERROR,
	PLUGIN_LOG_WARNING,
	PLUGIN_LOG_NOTICE,
	PLUGIN_LOG_INFO,
	PLUGIN_LOG_DEBUG,
	PLUGIN_LOG_TRACE,
};

enum plugin_schema_type {
	PLUGIN_SCHEMA_NONE,
	PLUGIN_SCHEMA_JSON
};

/* Event types that plugins make; the payload of a plugin event starts at byte 38. */
#define PLUGIN_EVENT_TYPE        322 /* parameters: u32 plugin id, bytes payload */
#define PLUGIN_ASYNC_EVENT_TYPE  402 /* parameters: u32 plugin id, name, bytes data */
#define PLUGIN_EVENT_TYPES_N     454 /* the first code that is none */
#define PLUGIN_EVENT_PAYLOAD_OFF 38

/* Followed by nparams × u32 lengths, then the parameters back to back. */
struct plugin_event {
	uint64_t ts; /* ns since the epoch; all ones: now */
	uint64_t tid;
	uint32_t len; /* of everything, this header included */
	uint16_t type;
	uint32_t nparams;
} __attribute__((packed));

struct plugin_event_input {
	const struct plugin_event *evt;
	uint64_t evtnum;
	const char *evtsrc;
};

struct plugin_byte_buffer {
	uint32_t len;
	const void *ptr;
};

struct plugin_extract_field {
	union {
		const char **str;
		uint64_t *u64;
		uint32_t *boolean;
		struct plugin_byte_buffer *buf;
	} res;            /* an array of res_len values, in the plugin's memory */
	uint64_t res_len; /* 0: no value */
	uint32_t field_id;
	const char *field;
	const char *arg_key; /* NULL: none */
	uint64_t arg_index;
	uint32_t arg_present;
	uint32_t ftype;
	uint32_t flist;
};

struct plugin_value_offsets {
	uint32_t *start, *length;
};

union plugin_state_data {
	int8_t s8;
	int16_t s16;
	int32_t s32;
	int64_t s64;
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	const char *str;
	uint32_t boolean;
	plugin_table *table;
};

struct plugin_table_reader {
	const char *(*get_table_name)(plugin_table *);
	uint64_t (*get_table_size)(plugin_table *);
	plugin_entry *(*get_table_entry)(
	    plugin_table *, const union plugin_state_data *key);
	int32_t (*read_entry_field)(plugin_table *, plugin_entry *,
	    const plugin_field_handle *, union plugin_state_data *out);
};

struct plugin_table_reader_ext {
	const char *(*get_table_name)(plugin_table *);
	uint64_t (*get_table_size)(plugin_table *);
	plugin_entry *(*get_table_entry)(
	    plugin_table *, const union plugin_state_data *key);
	int32_t (*read_entry_field)(plugin_table *, plugin_entry *,
	    const plugin_field_handle *, union plugin_state_data *out);
	void (*release_table_entry)(plugin_table *, plugin_entry *);
	uint32_t (*iterate_entries)(
	    plugin_table *, uint32_t (*it)(void *state, plugin_entry *), void *state);
};

/* The plain and the ext form have the same members. */
struct plugin_table_writer {
	int32_t (*clear_table)(plugin_table *);
	int32_t (*erase_table_entry)(plugin_table *, const union plugin_state_data *key);
	plugin_entry *(*create_table_entry)(plugin_table *);
	void (*destroy_table_entry)(plugin_table *, plugin_entry *);
	plugin_entry *(*add_table_entry)(
	    plugin_table *, const union plugin_state_data *key, plugin_entry *);
	int32_t (*write_entry_field)(plugin_table *, plugin_entry *,
	    const plugin_field_handle *, const union plugin_state_data *in);
};

struct plugin_table_fieldinfo {
	const char *name;
	int32_t field_type;
	uint32_t read_only;
};

struct plugin_table_fields {
	const struct plugin_table_fieldinfo *(*list_table_fields)(
	    plugin_table *, uint32_t *n);
	plugin_field_handle *(*get_table_field)(
	    plugin_table *, const char *name, int32_t type);
	plugin_field_handle *(*add_table_field)(
	    plugin_table *, const char *name, int32_t type);
};

struct plugin_table_info {
	const char *name;
	int32_t key_type;
};

struct plugin_table_input {
	const char *name;
	int32_t key_type;
	plugin_table *table;
	struct plugin_table_reader reader;
	struct plugin_table_writer writer;
	struct plugin_table_fields fields;
	struct plugin_table_reader_ext *reader_ext;
	struct plugin_table_writer *writer_ext;
	struct plugin_table_fields *fields_ext;
};

struct plugin_init_tables {
	struct plugin_table_info *(*list_tables)(plugin_owner *, uint32_t *n);
	plugin_table *(*get_table)(plugin_owner *, const char *name, int32_t key_type);
	int32_t (*add_table)(plugin_owner *, const struct plugin_table_input *);
	struct plugin_table_fields fields;
	struct plugin_table_fields *fields_ext;
	struct plugin_table_reader_ext *reader_ext;
	struct plugin_table_writer *writer_ext;
};

typedef const char *(*plugin_owner_error_fn)(plugin_owner *);
typedef void (*plugin_log_fn)(
    plugin_owner *, const char *component, const char *msg, int32_t severity);
typedef int32_t (*plugin_async_handler)(
    plugin_owner *, const struct plugin_event *, char *err);

struct plugin_init_input {
	const char *config;
	plugin_owner *owner;
	plugin_owner_error_fn get_owner_last_error;
	const struct plugin_init_tables *tables;
	plugin_log_fn log_fn;
};

struct plugin_extract_input {
	plugin_owner *owner;
	plugin_owner_error_fn get_owner_last_error;
	uint32_t num_fields;
	struct plugin_extract_field *fields;
	struct plugin_table_reader table_reader;
	struct plugin_table_reader_ext *table_reader_ext;
	struct plugin_value_offsets *value_offsets;
};

struct plugin_parse_input {
	plugin_owner *owner;
	plugin_owner_error_fn get_owner_last_error;
	struct plugin_table_reader table_reader;
	struct plugin_table_writer table_writer;
	struct plugin_table_reader_ext *table_reader_ext;
	struct plugin_table_writer *table_writer_ext;
};

struct plugin_routine_vtable {
	plugin_routine *(*subscribe)(
	    plugin_owner *, uint32_t (*fn)(plugin_state *, void *state), void *state);
	int32_t (*unsubscribe)(plugin_owner *, plugin_routine *);
};

struct plugin_listen_input {
	plugin_owner *owner;
	const struct plugin_routine_vtable *routine;
	struct plugin_table_reader_ext *table_reader_ext;
	struct plugin_table_writer *table_writer_ext;
	plugin_owner_error_fn get_owner_last_error;
};

struct plugin_set_config_input {
	const char *config;
};

struct plugin_metric {
	const char *name;
	int32_t type; /* 0 monotonic, 1 not */
	union {
		uint32_t u32;
		int32_t s32;
		uint64_t u64;
		int64_t s64;
		double d;
		float f;
		int32_t i;
	} value;
	int32_t value_type; /* 0 u32, 1 s32, 2 u64, 3 s64, 4 double, 5 float, 6 int */
};

PLUGIN_ASSERT(sizeof(struct plugin_event) == 26, "event header");
PLUGIN_ASSERT(offsetof(struct plugin_event, nparams) == 22, "event header");
PLUGIN_ASSERT(sizeof(struct plugin_event_input) == 24, "event_input");
PLUGIN_ASSERT(sizeof(struct plugin_byte_buffer) == 16, "byte_buffer");
PLUGIN_ASSERT(sizeof(struct plugin_extract_field) == 64, "extract_field");
PLUGIN_ASSERT(offsetof(struct plugin_extract_field, arg_index) == 40, "extract_field");
PLUGIN_ASSERT(offsetof(struct plugin_extract_field, flist) == 56, "extract_field");
PLUGIN_ASSERT(sizeof(struct plugin_extract_input) == 80, "extract_input");
PLUGIN_ASSERT(
    offsetof(struct plugin_extract_input, table_reader_ext) == 64, "extract_input");
PLUGIN_ASSERT(sizeof(struct plugin_parse_input) == 112, "parse_input");
PLUGIN_ASSERT(sizeof(struct plugin_init_input) == 40, "init_input");
PLUGIN_ASSERT(sizeof(struct plugin_init_tables) == 72, "init_tables");
PLUGIN_ASSERT(sizeof(struct plugin_listen_input) == 40, "listen_input");
PLUGIN_ASSERT(sizeof(struct plugin_routine_vtable) == 16, "routine vtable");
PLUGIN_ASSERT(sizeof(struct plugin_set_config_input) == 8, "set_config_input");
PLUGIN_ASSERT(sizeof(struct plugin_metric) == 32, "metric");
PLUGIN_ASSERT(offsetof(struct plugin_metric, value_type) == 24, "metric");
PLUGIN_ASSERT(sizeof(struct plugin_table_info) == 16, "table_info");
PLUGIN_ASSERT(sizeof(struct plugin_table_fieldinfo) == 16, "table_fieldinfo");
PLUGIN_ASSERT(sizeof(struct plugin_table_input) == 152, "table_input");
PLUGIN_ASSERT(offsetof(struct plugin_table_input, reader_ext) == 128, "table_input");

#undef PLUGIN_ASSERT

/* A plugin defines PLUGIN_IMPLEMENTS first, and the compiler holds it to the signatures.
 */
#ifdef PLUGIN_IMPLEMENTS
#define SYM(name, required, ret, params)                                                 \
	__attribute__((visibility("default"))) ret plugin_##name params;
#include "proto/plugin_symbols.h"
#undef SYM
#endif

#ifdef __cplusplus
}
#endif

#endif
