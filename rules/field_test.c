/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/evttype.h"
#include "rules/golden_source.h"

static struct field_catalog catalog;
static struct arena arena;

/* name, or name[arg] when arg is not NULL. */
static bool
resolve(const char *name, const char *arg, struct field_ref *ref, struct err *err)
{
	return field_resolve(&catalog.source[1], &arena, name, strlen(name), arg,
	    arg ? strlen(arg) : 0, arg != NULL, ref, err);
}

static void
test_field_arguments_follow_the_plugins_rules(void **state)
{
	struct field_ref ref;
	struct err err;

	assert_true(resolve("g.str", NULL, &ref, &err));
	assert_false(ref.arg_present);
	assert_null(ref.arg_key);
	assert_true(ref.arg_index == UINT64_MAX);
	assert_true(resolve("g.key", "a", &ref, &err));
	assert_true(ref.arg_present);
	assert_string_equal(ref.arg_key, "a");
	assert_string_equal(ref.text, "g.key[a]");
	assert_true(ref.arg_index == UINT64_MAX);
	assert_true(resolve("g.idx", "18446744073709551615", &ref, &err));
	assert_null(ref.arg_key);
	/* Key and index: both, when the text is an index. */
	assert_true(resolve("g.any", "12", &ref, &err));
	assert_string_equal(ref.arg_key, "12");
	assert_true(ref.arg_index == 12);
	assert_true(resolve("g.any", "012", &ref, &err));
	assert_true(ref.arg_index == UINT64_MAX);
}

static void
test_field_errors_are_falcos(void **state)
{
	static const char *const cases[][3] = {
	    {"g.nope", NULL, "filter_check called with nonexistent field g.nope"},
	    {"g.strs.x", NULL, "filter_check called with nonexistent field g.strs.x"},
	    {"evt.numbers", NULL,
		"filter_check called with nonexistent field evt.numbers"},
	    {"g.key", NULL,
		"filter 'g.key': g.key requires an argument but none provided"},
	    {"g.str", "a",
		"filter 'g.str[a]': g.str does not allow nor require an argument but one "
		"is provided: a"},
	    {"g.key", "a b", "filter 'g.key[a': g.key has unbalanced argument brackets"},
	    {"g.key", "a]b", "filter_check called with nonexistent field g.key[a]b]"},
	    {"g.idx", "01",
		"filter g.idx[01] g.idx has an invalid index argument starting with 0: "
		"01"},
	    {"g.idx", "1x",
		"filter g.idx[1x] g.idx has an invalid index argument not composed only "
		"by digits: 1x"},
	    {"g.idx", "18446744073709551616",
		"filter g.idx[18446744073709551616] g.idx has an invalid index argument "
		"not representable on 64 bit: 18446744073709551616"},
	};
	struct field_ref ref;
	struct err err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(resolve(cases[i][0], cases[i][1], &ref, &err));
		assert_string_equal(err.msg, cases[i][2]);
	}
}

static void
test_field_earlier_class_shadows_by_prefix(void **state)
{
	struct field later = {
	    .name = "g.string", .type = VALUE_CHARBUF, .provider = PROVIDER_PLUGIN};
	const struct field_class klass = {
	    .name = "late (plugin)", .field = &later, .n = 1, .plugin = true};
	struct field_catalog own;
	struct field_ref ref;
	struct err err;

	assert_true(golden_catalog(&own, &err));
	assert_true(field_source_add_class(&own, &own.source[1], &klass, &err));
	assert_non_null(field_source_find(&own.source[1], "g.string"));
	assert_false(field_resolve(
	    &own.source[1], &arena, "g.string", 8, NULL, 0, false, &ref, &err));
	assert_string_equal(
	    err.msg, "filter_check called with nonexistent field g.string");
	field_catalog_release(&own);
}

static void
test_field_syscall_source_has_its_builtins(void **state)
{
	assert_non_null(field_source_find(&catalog.source[0], "proc.name"));
	assert_null(field_source_find(&catalog.source[1], "proc.name"));
	assert_non_null(field_source_find(&catalog.source[1], "evt.num"));
	assert_true(evttype_known("openat2"));
	assert_false(evttype_known("opena"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_field_arguments_follow_the_plugins_rules),
	    cmocka_unit_test(test_field_errors_are_falcos),
	    cmocka_unit_test(test_field_earlier_class_shadows_by_prefix),
	    cmocka_unit_test(test_field_syscall_source_has_its_builtins),
	};
	struct err err;

	arena_init(&arena, 16 << 20);
	if (!golden_catalog(&catalog, &err))
		return 1;
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	field_catalog_release(&catalog);
	arena_release(&arena);
	return rc;
}
