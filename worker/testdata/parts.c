/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin that has everything, for tests of what the worker says about plugins that lack
 * something. NO_<symbol> leaves a function out; the other switches change what one says.
 */
#include <stddef.h>

#include "proto/plugin_api.h"

#define SYM(name, required, type, params) PLUGIN_EXPORT type plugin_##name params;
#include "proto/plugin_symbols.h"
#undef SYM

#ifndef NO_get_required_api_version
const char *
plugin_get_required_api_version(void)
{
#if defined API_GARBAGE
	return "three";
#elif defined API_MAJOR
	return "2.0.0";
#elif defined API_MINOR
	return "3.13.0";
#elif defined API_PATCH
	return "3.12.1";
#else
	return "3.12.0";
#endif
}
#endif

#ifndef NO_get_version
const char *
plugin_get_version(void)
{
#ifdef VERSION_GARBAGE
	return "1.x";
#else
	return "1.2.3";
#endif
}
#endif

#ifndef NO_get_last_error
const char *
plugin_get_last_error(plugin_state *s)
{
	return "the parts are tired";
}
#endif

#ifndef NO_get_name
const char *
plugin_get_name(void)
{
	return "parts";
}
#endif

#ifdef RUST_MARK
/* As the messages of Rust's panics have it. */
PLUGIN_EXPORT extern const char parts_panic[];
const char parts_panic[] = "/rustc/0123456789abcdef/library/core/src/option.rs";
#endif

#ifndef NO_get_description
const char *
plugin_get_description(void)
{
	return "has all the parts";
}
#endif

#ifndef NO_get_contact
const char *
plugin_get_contact(void)
{
	return "nobody";
}
#endif

const char *
plugin_get_init_schema(uint32_t *type)
{
#ifdef SCHEMA_UNKNOWN
	*type = 7;
#else
	*type = PLUGIN_SCHEMA_JSON;
#endif
	return "{\"type\":\"object\",\"properties\":{\"size\":{\"type\":\"integer\"}},"
	       "\"additionalProperties\":false}";
}

#ifndef NO_init
plugin_state *
plugin_init(const struct plugin_init_input *in, int32_t *rc)
{
	static int state;
#ifdef INIT_FAILS
	*rc = PLUGIN_FAILURE;
#else
	*rc = PLUGIN_SUCCESS;
#endif
#ifdef INIT_WITHOUT_STATE
	return *rc == PLUGIN_SUCCESS ? &state : NULL;
#else
	return &state;
#endif
}
#endif

#ifndef NO_destroy
void
plugin_destroy(plugin_state *s)
{
}
#endif

#ifndef NO_get_id
uint32_t
plugin_get_id(void)
{
#ifdef NO_IDENTITY
	return 0;
#else
	return 77;
#endif
}
#endif

#ifndef NO_get_event_source
const char *
plugin_get_event_source(void)
{
#if defined SOURCE_RESERVED
	return "syscall";
#elif defined NO_IDENTITY
	return "";
#else
	return "parts";
#endif
}
#endif

#ifndef NO_open
plugin_instance *
plugin_open(plugin_state *s, const char *params, int32_t *rc)
{
	*rc = PLUGIN_FAILURE;
	return NULL;
}
#endif

#ifndef NO_close
void
plugin_close(plugin_state *s, plugin_instance *h)
{
}
#endif

#ifndef NO_next_batch
int32_t
plugin_next_batch(
    plugin_state *s, plugin_instance *h, uint32_t *nevts, struct plugin_event ***evts)
{
	*nevts = 0;
	return PLUGIN_EOF;
}
#endif

#ifndef NO_get_fields
const char *
plugin_get_fields(void)
{
#if defined FIELDS_NULL
	return NULL;
#elif defined FIELDS_GARBAGE
	return "[{]";
#else
	return "[{\"type\":\"string\",\"name\":\"parts.name\",\"desc\":\"a name\"}]";
#endif
}
#endif

#ifndef NO_extract_fields
int32_t
plugin_extract_fields(plugin_state *s, const struct plugin_event_input *event,
    const struct plugin_extract_input *in)
{
	return PLUGIN_FAILURE;
}
#endif

const char *
plugin_get_extract_event_sources(void)
{
#ifdef SOURCES_GARBAGE
	return "{\"a\":1}";
#else
	return "[\"other\"]";
#endif
}

#ifdef TYPES_NONE
#define TYPES_N 0
#else
#define TYPES_N 2
#endif

uint16_t *
plugin_get_extract_event_types(uint32_t *n, plugin_state *s)
{
	static uint16_t types[] = {PLUGIN_EVENT_TYPE, 7};

	*n = TYPES_N;
	return types;
}

#ifndef NO_parse_event
int32_t
plugin_parse_event(plugin_state *s, const struct plugin_event_input *event,
    const struct plugin_parse_input *in)
{
	return PLUGIN_SUCCESS;
}
#endif

const char *
plugin_get_parse_event_sources(void)
{
	return "";
}

#ifndef NO_get_async_events
const char *
plugin_get_async_events(void)
{
#ifdef ASYNC_EMPTY
	return "";
#else
	return "[\"tick\", \"\", \"tock\", \"tick\"]";
#endif
}
#endif

#ifndef NO_set_async_event_handler
int32_t
plugin_set_async_event_handler(plugin_state *s, plugin_owner *o, plugin_async_handler h)
{
	return PLUGIN_SUCCESS;
}
#endif

#ifndef NO_capture_open
int32_t
plugin_capture_open(plugin_state *s, const struct plugin_listen_input *in)
{
	return PLUGIN_SUCCESS;
}
#endif

#ifndef NO_capture_close
int32_t
plugin_capture_close(plugin_state *s, const struct plugin_listen_input *in)
{
	return PLUGIN_SUCCESS;
}
#endif
