/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "broker/supervisor/worker_internal.h"

/* A description that is taken, and where it goes. */
struct world {
	struct arena arena;
	struct plugin plugin;
	struct worker w;
	Control__Loaded loaded;
	Control__Field field, *fields[1];
};

static void
world_make(struct world *x)
{
	memset(x, 0, sizeof(*x));
	arena_init(&x->arena, 1 << 20);
	x->plugin.arena = &x->arena;
	x->plugin.index = 7;
	x->w.plugin = &x->plugin;
	control__loaded__init(&x->loaded);
	control__field__init(&x->field);
	x->loaded.name = "p";
	x->loaded.version = "1.0.0";
	x->loaded.required_api_version = "3.0.0";
	x->loaded.has_capabilities = x->loaded.has_id = true;
	x->loaded.capabilities = 3;
	x->loaded.id = 999;
	x->loaded.source = "src";
	x->field.name = "p.f";
	x->field.has_type = x->field.has_arg_key = x->field.has_is_list = true;
	x->field.type = VALUE_CHARBUF;
	x->field.arg_key = x->field.is_list = true;
	x->fields[0] = &x->field;
	x->loaded.n_fields = 1;
	x->loaded.fields = x->fields;
}

static void
test_describe_copies_what_is_clean(void **state)
{
	struct world x;
	struct err err;

	world_make(&x);
	x.loaded.description = "two\nlines \x1b[31m";
	assert_true(worker_describe(&x.w, &x.loaded, &err));
	assert_string_equal(x.plugin.name, "p");
	assert_string_equal(x.plugin.description, "two\\nlines \\x1b[31m");
	assert_int_equal(x.plugin.n_field, 1);
	assert_int_equal(
	    x.plugin.field[0].flags, FIELD_LIST | FIELD_ARG_KEY | FIELD_ARG_ALLOWED);
	assert_int_equal(x.plugin.field[0].plugin, 7);
	/* The same again is fine, anything else is not the same plugin. */
	assert_true(worker_describe(&x.w, &x.loaded, &err));
	x.field.name = "p.g";
	assert_false(worker_describe(&x.w, &x.loaded, &err));
	assert_int_equal(err.code, ERR_PEER);
	arena_release(&x.arena);
}

static void
refused(struct world *x, const char *words)
{
	struct err err;

	assert_false(worker_describe(&x->w, &x->loaded, &err));
	assert_int_equal(err.code, ERR_PEER);
	assert_non_null(strstr(err.msg, words));
	arena_release(&x->arena);
	world_make(x);
}

static void
test_describe_refuses_what_cannot_be(void **state)
{
	static Control__Field *many[LIMIT_PLUGIN_FIELDS + 1u];
	char long_name[LIMIT_NAME_BYTES + 2];
	struct world x;

	for (size_t i = 0; i < sizeof(many) / sizeof(*many); i++)
		many[i] = &x.field;

	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	world_make(&x);
	x.loaded.name = "";
	refused(&x, "a name that cannot be one");
	x.loaded.name = "two\nlines";
	refused(&x, "a name that cannot be one");
	x.loaded.name = "bad\xff utf";
	refused(&x, "a name that cannot be one");
	x.loaded.name = "\xe2\x80\xaeright to left";
	refused(&x, "a name that cannot be one");
	x.loaded.name = long_name;
	refused(&x, "a name that cannot be one");
	x.loaded.source = "syscall";
	refused(&x, "reserved");
	x.loaded.source = "";
	refused(&x, "an id without a source");
	x.loaded.id = 0;
	refused(&x, "an id without a source");
	x.loaded.capabilities = 0;
	refused(&x, "capabilities");
	x.loaded.capabilities = 32;
	refused(&x, "capabilities");
	x.field.type = VALUE_DOUBLE;
	refused(&x, "unknown type");
	x.field.name = NULL;
	refused(&x, "a field name that cannot be one");
	x.loaded.n_fields = LIMIT_PLUGIN_FIELDS + 1u;
	x.loaded.fields = many;
	refused(&x, "fields: at most");
	arena_release(&x.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_describe_copies_what_is_clean),
	    cmocka_unit_test(test_describe_refuses_what_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
