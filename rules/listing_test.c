/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct field_catalog catalog;

/* What stands from "mark" to the end. */
static void
expect(const struct listing_options *options, const char *mark, const char *text)
{
	struct buf out;
	struct err err;

	buf_init(&out, 1 << 20);
	assert_true(listing_print(&catalog, options, &out, &err));
	const char *at = strstr(buf_str(&out), mark);
	assert_non_null(at);
	assert_string_equal(at, text);
	buf_release(&out);
}

static void
test_listing_text(void **state)
{
	expect(&(struct listing_options){.source = "two", .types = true},
	    "Field Class:                  p",
	    "Field Class:                  p (plugin)\n"
	    "Event Sources:                two \n"
	    "\n"
	    "p.a                           (Type: CHARBUF) "
	    "(ARG_KEY,ARG_REQUIRED,EPF_IS_LIST) one two three four five six seven \n"
	    "                              eight nine ten \n"
	    "p.of.more.than.thirty.columns.x\n"
	    "                              (Type: UINT64) d \n"
	    "\n");
}

static void
test_listing_joins_sources_of_a_class(void **state)
{
	expect(&(struct listing_options){.format = LISTING_MARKDOWN},
	    "## Field Class: p (",
	    "## Field Class: p (plugin)\n\nEvent Sources: one two \n\n"
	    "Name | Type | Description\n:----|:-----|:-----------\n"
	    "`p.a` | LIST(CHARBUF) | one two three four five six seven eight nine ten\n"
	    "`p.of.more.than.thirty.columns.x` | UINT64 | d\n\n");
}

static void
test_listing_names_and_json(void **state)
{
	expect(&(struct listing_options){.source = "one", .names_only = true}, "p.a",
	    "p.a\np.of.more.than.thirty.columns.x\n");
	expect(&(struct listing_options){.source = "one", .format = LISTING_JSON},
	    "      \"event_sources\": [\n        \"one\"\n      ],\n      \"fields\": "
	    "[\n        {\n          \"argument\": {\n",
	    "      \"event_sources\": [\n        \"one\"\n      ],\n      \"fields\": "
	    "[\n        {\n          \"argument\": {\n"
	    "            \"required\": true,\n            \"type\": [\n              "
	    "\"KEY\"\n            ]\n          },\n"
	    "          \"desc\": \"one two three four five six seven eight nine ten\",\n"
	    "          \"is_list\": true,\n          \"name\": \"p.a\",\n          "
	    "\"type\": \"CHARBUF\"\n        },\n"
	    "        {\n          \"argument\": null,\n          \"desc\": \"d\",\n      "
	    "    \"is_list\": false,\n"
	    "          \"name\": \"p.of.more.than.thirty.columns.x\",\n          "
	    "\"type\": \"UINT64\"\n        }\n"
	    "      ],\n      \"name\": \"p (plugin)\"\n    }\n  ]\n}\n");
}

static void
test_listing_refuses_unknown_words(void **state)
{
	struct buf out;
	struct err err;
	enum listing_format format;

	buf_init(&out, 1 << 20);
	assert_false(listing_print(
	    &catalog, &(struct listing_options){.source = "three"}, &out, &err));
	assert_string_equal(err.msg, "Value for --list must be a valid source type");
	assert_true(listing_format_parse("JSON", &format));
	assert_int_equal(format, LISTING_JSON);
	assert_false(listing_format_parse("xml", &format));
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_listing_text),
	    cmocka_unit_test(test_listing_joins_sources_of_a_class),
	    cmocka_unit_test(test_listing_names_and_json),
	    cmocka_unit_test(test_listing_refuses_unknown_words),
	};
	struct field fields[] = {
	    {.name = "p.a",
		.desc = "one two three four five six seven eight nine ten",
		.type = VALUE_CHARBUF,
		.flags = FIELD_LIST | FIELD_ARG_REQUIRED | FIELD_ARG_KEY},
	    {.name = "p.hidden",
		.desc = "d",
		.type = VALUE_UINT64,
		.flags = FIELD_TABLE_ONLY},
	    {.name = "p.old",
		.desc = "d",
		.type = VALUE_UINT64,
		.flags = FIELD_DEPRECATED},
	    {.name = "p.of.more.than.thirty.columns.x",
		.desc = "d",
		.type = VALUE_UINT64},
	};
	const struct field_class klass = {
	    .name = "p (plugin)", .field = fields, .n = 4, .plugin = true};
	struct err err;

	if (!field_catalog_init(&catalog, &err) ||
	    !field_source_add_class(
		&catalog, field_catalog_add_source(&catalog, "two"), &klass, &err) ||
	    !field_source_add_class(
		&catalog, field_catalog_add_source(&catalog, "one"), &klass, &err))
		return 1;
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	field_catalog_release(&catalog);
	return rc;
}
