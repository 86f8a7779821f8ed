// SPDX-License-Identifier: Apache-2.0

// A parser in Go that uses state tables: "threads", and "rs_counts" of mews_rs_owner.
//
// The Go SDK (0.8) has no tables ("todo: support table access" in its initialize
// package), so this one stands on the C interface itself, as some in the wild do.
package main

/*
#cgo CFLAGS: -I${SRCDIR}/../../../..
#include <stdlib.h>
#include "proto/plugin_api.h"

static inline void *
get_table(const struct plugin_init_input *in, const char *name, int32_t key_type)
{
	return in->tables->get_table(in->owner, name, key_type);
}

static inline void *
get_field(const struct plugin_init_input *in, void *table, const char *name, int32_t type)
{
	return (void *)in->tables->fields_ext->get_table_field(table, name, type);
}

static inline void *
add_field(const struct plugin_init_input *in, void *table, const char *name, int32_t type)
{
	return (void *)in->tables->fields_ext->add_table_field(table, name, type);
}

static inline void *
get_entry(struct plugin_table_reader_ext *r, void *table, uint64_t key)
{
	const union plugin_state_data k = {.u64 = key};

	return r->get_table_entry(table, &k);
}

static inline int32_t
read_u64(struct plugin_table_reader_ext *r, void *table, void *entry, void *field, uint64_t *out)
{
	union plugin_state_data v = {0};
	int32_t rc = r->read_entry_field(table, entry, field, &v);

	*out = v.u64;
	return rc;
}

static inline int32_t
write_u64(struct plugin_table_writer *w, void *table, void *entry, void *field, uint64_t in)
{
	const union plugin_state_data v = {.u64 = in};

	return w->write_entry_field(table, entry, field, &v);
}

static inline void *
add_entry(struct plugin_table_writer *w, void *table, uint64_t key)
{
	const union plugin_state_data k = {.u64 = key};
	void *e = w->create_table_entry(table);

	return e ? w->add_table_entry(table, &k, e) : NULL;
}

static inline void
release(struct plugin_table_reader_ext *r, void *table, void *entry)
{
	r->release_table_entry(table, entry);
}

static inline uint64_t
size_of(struct plugin_table_reader_ext *r, void *table)
{
	return r->get_table_size(table);
}

static inline void
give(struct plugin_extract_field *f, uint64_t *value)
{
	f->res.u64 = value;
	f->res_len = 1;
}
*/
import "C"

import (
	"unsafe"
)

const keys = 5 // of rs_counts

var (
	apiVersion  = C.CString("3.11.0")
	name        = C.CString("mews_go")
	description = C.CString("State tables of others, in Go, for the tests of mews")
	contact     = C.CString("the mews project")
	version     = C.CString("0.1.0")
	lastError   = C.CString("mews_go: a table or a field is not there")
	fields      = C.CString(`[
		{"type": "uint64", "name": "mews_go.hits", "desc": "as the owner of rs_counts has it"},
		{"type": "uint64", "name": "mews_go.seen", "desc": "a field of ours there"},
		{"type": "uint64", "name": "mews_go.threads", "desc": "how many there are"}]`)

	counts, hits, seen, threads, pid unsafe.Pointer

	// C keeps pointers to these until the next call.
	values = (*[3]C.uint64_t)(C.calloc(3, 8))
)

//export plugin_get_required_api_version
func plugin_get_required_api_version() *C.char { return apiVersion }

//export plugin_get_name
func plugin_get_name() *C.char { return name }

//export plugin_get_description
func plugin_get_description() *C.char { return description }

//export plugin_get_contact
func plugin_get_contact() *C.char { return contact }

//export plugin_get_version
func plugin_get_version() *C.char { return version }

//export plugin_get_last_error
func plugin_get_last_error(_ unsafe.Pointer) *C.char { return lastError }

//export plugin_get_fields
func plugin_get_fields() *C.char { return fields }

//export plugin_init
func plugin_init(in *C.struct_plugin_init_input, rc *C.int32_t) unsafe.Pointer {
	text := func(s string) *C.char { return C.CString(s) } // few, and for ever

	*rc = C.PLUGIN_FAILURE
	counts = C.get_table(in, text("rs_counts"), C.PLUGIN_STATE_UINT64)
	threads = C.get_table(in, text("threads"), C.PLUGIN_STATE_INT64)
	if counts == nil || threads == nil {
		return unsafe.Pointer(values)
	}
	hits = C.get_field(in, counts, text("hits"), C.PLUGIN_STATE_UINT64)
	seen = C.add_field(in, counts, text("go_seen"), C.PLUGIN_STATE_UINT64)
	pid = C.get_field(in, threads, text("pid"), C.PLUGIN_STATE_INT64)
	if hits != nil && seen != nil && pid != nil {
		*rc = C.PLUGIN_SUCCESS
	}
	return unsafe.Pointer(values)
}

//export plugin_destroy
func plugin_destroy(_ unsafe.Pointer) {}

//export plugin_parse_event
func plugin_parse_event(_ unsafe.Pointer, event *C.struct_plugin_event_input, in *C.struct_plugin_parse_input) C.int32_t {
	r, w := in.table_reader_ext, in.table_writer_ext
	number := event.evtnum

	if e := C.get_entry(r, counts, number%keys); e != nil {
		var n C.uint64_t
		C.read_u64(r, counts, e, hits, &n)
		C.write_u64(w, counts, e, seen, n*100)
		C.release(r, counts, e)
	}
	if e := C.add_entry(w, threads, number); e != nil {
		C.write_u64(w, threads, e, pid, number)
		C.release(r, threads, e)
	}
	return C.PLUGIN_SUCCESS
}

//export plugin_extract_fields
func plugin_extract_fields(_ unsafe.Pointer, event *C.struct_plugin_event_input, in *C.struct_plugin_extract_input) C.int32_t {
	r := in.table_reader_ext

	if e := C.get_entry(r, counts, event.evtnum%keys); e != nil {
		C.read_u64(r, counts, e, hits, &values[0])
		C.read_u64(r, counts, e, seen, &values[1])
		C.release(r, counts, e)
	}
	values[2] = C.size_of(r, threads)
	asked := unsafe.Slice(in.fields, in.num_fields)
	for i := range asked {
		C.give(&asked[i], &values[asked[i].field_id])
	}
	return C.PLUGIN_SUCCESS
}

// A shared library has no main, but the build mode insists on one.
func main() {}
