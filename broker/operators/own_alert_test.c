/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "broker/operators/own_alert.h"

static const struct own_alert alert = {.rule = "Falco internal: x",
    .msg = "why\nnot",
    .priority = PRIORITY_CRITICAL,
    .ts_ns = 1700000000000000001ull,
    .hostname = "here"};

static void
test_own_alert_has_sorted_fields_in_both_forms(void **state)
{
	struct own_fields f;
	struct buf out;

	own_fields_init(&f);
	own_fields_u64(&f, "z.n", 7);
	own_fields_text(&f, "a.text", "q\"x\n");
	own_fields_double(&f, "m.rate", 1.5);
	buf_init(&out, LIMIT_OUTPUT_LINE_BYTES);
	own_alert_line(&alert, &f, false, &out);
	assert_string_equal(out.data, "22:13:20.000000001: Critical why\\nnot "
				      "(a.text=\"q\\\"x\\n\" m.rate=1.5 z.n=7)");
	buf_clear(&out);
	own_alert_line(&alert, &f, true, &out);
	assert_string_equal(out.data,
	    "{\"hostname\":\"here\",\"output\":\"why\\nnot\",\"output_fields\":{\"a."
	    "text\":\"q\\\"x\\n\",\"m.rate\":1.5,\"z.n\":7},\"priority\":\"Critical\","
	    "\"rule\":\"Falco internal: x\",\"source\":\"internal\",\"time\":\"2023-11-"
	    "14T22:13:20.000000001Z\"}");
	own_fields_release(&f);
	buf_release(&out);
}

static void
test_own_alert_is_one_line_whatever_a_field_is_called(void **state)
{
	struct own_fields f;
	struct buf out;

	own_fields_init(&f);
	own_fields_u64(&f,
	    "plugins.p.x\n22:13:20.0: Critical forged \x1b"
	    "[2J",
	    7);
	buf_init(&out, LIMIT_OUTPUT_LINE_BYTES);
	own_alert_line(&alert, &f, false, &out);
	assert_null(strpbrk(out.data, "\n\x1b"));
	buf_clear(&out);
	own_alert_line(&alert, &f, true, &out);
	assert_null(strpbrk(out.data, "\n\x1b"));
	own_fields_release(&f);
	buf_release(&out);
}

static void
test_own_alert_without_fields(void **state)
{
	struct buf out;

	buf_init(&out, LIMIT_OUTPUT_LINE_BYTES);
	own_alert_line(&alert, NULL, false, &out);
	assert_string_equal(out.data, "22:13:20.000000001: Critical why\\nnot ()");
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_own_alert_has_sorted_fields_in_both_forms),
	    cmocka_unit_test(test_own_alert_is_one_line_whatever_a_field_is_called),
	    cmocka_unit_test(test_own_alert_without_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
