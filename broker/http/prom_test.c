/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/http/prom.h"

static void
test_prom_label_cannot_forge_a_line(void **state)
{
	struct buf b;

	buf_init(&b, 4096);
	prom_label(&b, "a", "x\"} 1\nmews_evil 2\\\x1b[2J\xff");
	assert_string_equal(b.data, "a=\"x\\\"} 1\\nmews_evil 2\\\\?[2J\xef\xbf\xbd\"");
	prom_label_u64(&b, "tag a}b", 7);
	assert_string_equal(b.data + b.len - 12, ",tag_a_b=\"7\"");
	buf_release(&b);
}

static void
test_prom_family_and_samples(void **state)
{
	struct buf b;

	buf_init(&b, 4096);
	prom_family(&b, "m_total", "counter", "what it is");
	prom_sample_u64(&b, "m_total", "", 18446744073709551615ull);
	prom_sample_double(&b, "m_total", "a=\"b\"", 0.25);
	assert_string_equal(b.data,
	    "# HELP m_total what it is\n# TYPE m_total counter\n"
	    "m_total 18446744073709551615\nm_total{a=\"b\"} 0.25\n");
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_prom_label_cannot_forge_a_line),
	    cmocka_unit_test(test_prom_family_and_samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
