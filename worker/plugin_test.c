/* SPDX-License-Identifier: Apache-2.0 */
/* Every check of the plugin manager, each with a shared object that fails it alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/channel.h"
#include "worker/host.h"
#include "worker/plugin.h"

static const char *folder;

static bool
load(struct plugin *p, const char *variant, struct err *err)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/parts%s.so", folder, variant);
	return plugin_load(p, path, "/shown.so", err);
}

#define LOAD "cannot load plugin /shown.so: "

/* clang-format off */
static const struct {
	const char *variant, *message;
} refusals[] = {
	{"_no_get_required_api_version", LOAD "plugin_get_required_api_version symbol not implemented"},
	{"_api_garbage",        LOAD "plugin provided an invalid required API version: 'three'"},
	{"_api_major",          LOAD "plugin required API version '2.0.0' not compatible with the framework's API version '3.12.0': major versions disagree"},
	{"_api_minor",          LOAD "plugin required API version '3.13.0' not compatible with the framework's API version '3.12.0': framework's minor is less than the requested one"},
	{"_api_patch",          LOAD "plugin required API version '3.12.1' not compatible with the framework's API version '3.12.0': framework's patch is less than the requested one"},
	{"_no_get_version",     LOAD "required symbol not implemented: 'get_version'"},
	{"_no_get_name",        LOAD "required symbol not implemented: 'get_name'"},
	{"_no_get_description", LOAD "required symbol not implemented: 'get_description'"},
	{"_no_get_contact",     LOAD "required symbol not implemented: 'get_contact'"},
	{"_no_init",            LOAD "required symbol not implemented: 'init'"},
	{"_no_destroy",         LOAD "required symbol not implemented: 'destroy'"},
	{"_no_get_last_error",  LOAD "required symbol not implemented: 'get_last_error'"},
	{"_version_garbage",    LOAD "plugin provided an invalid version string: '1.x'"},
	{"_no_next_batch",      LOAD "broken plugin capabilities: must implement all of 'plugin_open', 'plugin_close', and 'plugin_next_batch' (event sourcing)"},
	{"_no_get_id",          LOAD "broken plugin capabilities: must implement both 'plugin_get_id' and 'plugin_get_event_source' or neither (event sourcing)"},
	{"_no_get_event_source", LOAD "broken plugin capabilities: must implement both 'plugin_get_id' and 'plugin_get_event_source' or neither (event sourcing)"},
	{"_no_get_fields",      LOAD "broken plugin capabilities: must implement both 'plugin_get_fields' and 'plugin_extract_fields' (field extraction)"},
	{"_no_get_async_events", LOAD "broken plugin capabilities: must implement both 'plugin_get_async_events' and 'plugin_set_async_event_handler' (async events)"},
	{"_no_capture_close",   LOAD "broken plugin capabilities: must implement both 'plugin_capture_open' and 'plugin_capture_close' (capture listening)"},
	{"_two_broken",         LOAD "broken plugin capabilities: must implement all of 'plugin_open', 'plugin_close', and 'plugin_next_batch' (event sourcing), must implement both 'plugin_capture_open' and 'plugin_capture_close' (capture listening)"},
	{"_no_capability",      LOAD "plugin does not implement any capability"},
	{"_source_reserved",    LOAD "plugin can't implement the reserved event source 'syscall'"},
	{"_fields_null",        "error in plugin parts: get_fields returned a null string"},
	{"_fields_garbage",     "error in plugin parts: get_fields returned an invalid JSON"},
	{"_sources_garbage",    "error in plugin parts: 'get_extract_event_sources' did not return a json array"},
	{"_async_empty",        "error in plugin parts: 'get_async_events' did not return a json array but it should"},
};
/* clang-format on */

static void
test_plugin_refusals(void **state)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		struct plugin p;
		struct err err;

		if (load(&p, refusals[i].variant, &err))
			fail_msg("parts%s.so was loaded", refusals[i].variant);
		assert_string_equal(err.msg, refusals[i].message);
		assert_int_equal(err.code, ERR_PLUGIN);
		plugin_release(&p);
	}
}

static void
test_plugin_object_that_is_none(void **state)
{
	static const char prefix[] =
	    LOAD "can't load plugin dynamic library: /shown.so: ";
	struct plugin p;
	struct err err;

	assert_false(plugin_load(&p, "/proc/self/cmdline", "/shown.so", &err));
	/* The rest is the loader's; the name is the one that people know. */
	err.msg[strlen(prefix)] = '\0';
	assert_string_equal(err.msg, prefix);
	plugin_release(&p);
}

static void
test_plugin_description(void **state)
{
	struct plugin p;
	struct err err;

	assert_true(load(&p, "", &err));
	assert_string_equal(p.info.name, "parts");
	assert_string_equal(p.info.description, "has all the parts");
	assert_string_equal(p.info.contact, "nobody");
	assert_string_equal(p.info.version, "1.2.3");
	assert_string_equal(p.info.required_api_version, "3.12.0");
	assert_string_equal(p.info.source, "parts");
	assert_int_equal(p.info.id, 77);
	assert_int_equal(p.info.capabilities, 31);
	assert_int_equal(p.info.n_fields, 1);
	/* Its own source is added to those it names, and to none. */
	assert_int_equal(p.info.n_extract_sources, 2);
	assert_string_equal(p.info.extract_sources[0], "other");
	assert_string_equal(p.info.extract_sources[1], "parts");
	assert_int_equal(p.info.n_parse_sources, 1);
	assert_string_equal(p.info.parse_sources[0], "parts");
	/* Empty ones and doubles are dropped. */
	assert_int_equal(p.info.n_async_events, 2);
	assert_string_equal(p.info.async_events[1], "tock");
	assert_int_equal(p.info.schema_type, PLUGIN_SCHEMA_JSON);
	assert_false(p.info.has_open_params);
	plugin_release(&p);

	assert_true(load(&p, "_no_identity", &err));
	assert_int_equal(p.info.id, 0);
	assert_null(p.info.source);
	assert_int_equal(p.info.n_parse_sources, 0);
	plugin_release(&p);
}

static void
test_plugin_rust_is_asked_one_by_one(void **state)
{
	struct plugin p;
	struct err err;

	assert_true(load(&p, "", &err));
	assert_false(p.one_by_one);
	plugin_release(&p);
	assert_true(load(&p, "_rust", &err));
	assert_true(p.one_by_one);
	plugin_release(&p);
}

static bool
init(struct plugin *p, const char *variant, const char *config, struct err *err)
{
	static struct channel nowhere = {.fd = -1};
	static struct uplink up;
	static struct host host;

	uplink_init(&up, &nowhere);
	host_init(&host, &up);
	assert_true(load(p, variant, err));
	return plugin_init(p, &host, config, err);
}

static void
test_plugin_event_types(void **state)
{
	struct plugin p;
	struct err err;

	assert_true(init(&p, "", "{}", &err));
	assert_true(type_set_has(&p.extract_types, 7));
	assert_true(type_set_has(&p.extract_types, PLUGIN_EVENT_TYPE));
	assert_false(type_set_has(&p.extract_types, PLUGIN_ASYNC_EVENT_TYPE));
	/* No answer, and a source that is its own: plugin events. */
	assert_false(p.parse_types.all);
	assert_true(type_set_has(&p.parse_types, PLUGIN_EVENT_TYPE));
	assert_false(type_set_has(&p.parse_types, 7));
	assert_false(type_set_has(&p.parse_types, UINT16_MAX));
	plugin_release(&p);

	assert_true(init(&p, "_types_none", "", &err));
	assert_false(p.extract_types.all);
	plugin_release(&p);
	/* All sources are system calls' too. */
	assert_true(init(&p, "_no_identity", "", &err));
	assert_true(p.parse_types.all);
	assert_true(type_set_has(&p.parse_types, 7));
	plugin_release(&p);
}

static void
test_plugin_init_refusals(void **state)
{
	static const struct {
		const char *variant, *config, *message;
	} cases[] = {
	    {"", "{", "error in plugin parts: init config is not a valid json"},
	    {"", "{\"size\": \"1\"}",
		"error in plugin parts init config: In <root>[size], Value type not "
		"permitted by "
		"'type' constraint."},
	    {"_schema_unknown", "{}",
		"error in plugin parts: get_init_schema returned an unknown schema type "
		"7"},
	    {"_init_fails", "{}", "could not initialize plugin: the parts are tired"},
	    {"_init_fails_stateless", "{}",
		"could not initialize plugin: plugin handle or 'get_last_error' function "
		"not "
		"defined"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct plugin p;
		struct err err;

		assert_false(init(&p, cases[i].variant, cases[i].config, &err));
		assert_string_equal(err.msg, cases[i].message);
		plugin_release(&p);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plugin_refusals),
	    cmocka_unit_test(test_plugin_object_that_is_none),
	    cmocka_unit_test(test_plugin_description),
	    cmocka_unit_test(test_plugin_rust_is_asked_one_by_one),
	    cmocka_unit_test(test_plugin_event_types),
	    cmocka_unit_test(test_plugin_init_refusals),
	};

	if (argc != 2)
		return 2;
	folder = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
