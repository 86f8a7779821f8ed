/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE_NS 60000000000ull

static struct profile_connect connect_to[] = {
    {"api.x.com", false, 80, false},
    {"x.com", true, 443, false},
    {"localhost", false, 9000, false},
    {"10.0.0.5", false, 5432, false},
};
static const struct profile profile = {.connect = connect_to, .n_connect = 4};
static struct egress_plan plan;

static int
setup(void **state)
{
	static struct names n;
	struct err err;

	n = (struct names){.profile = &profile, .plan = &plan};
	*state = &n;
	return egress_plan_make(&plan, &profile, &err) ? 0 : -1;
}

static int
teardown(void **state)
{
	names_release(*state);
	return 0;
}

/* "127.64.0.1", "unknown", "full" */
static const char *
look_up(struct names *n, const char *name, uint64_t now_ns)
{
	static char text[32];
	uint8_t ip4[4];

	switch (names_look_up(n, name, now_ns, ip4)) {
	case NAMES_UNKNOWN:
		return "unknown";
	case NAMES_FULL:
		return "full";
	default:
		snprintf(
		    text, sizeof(text), "%u.%u.%u.%u", ip4[0], ip4[1], ip4[2], ip4[3]);
		return text;
	}
}

/* What is connected to inside: a name, an address in brackets, or "!" and what it was. */
static const char *
target(struct names *n, const char *inside, uint16_t port, uint64_t now_ns)
{
	static char text[400];
	struct names_target t;
	struct address a;

	assert_true(address_parse(inside, &a));
	bool ok = names_target(n, &a, port, now_ns, &t);
	if (t.is_address) {
		assert_true(ok && address_equal(&a, &t.address));
		return "[itself]";
	}
	snprintf(text, sizeof(text), "%s%s", ok ? "" : "!", t.name);
	return text;
}

static void
test_names_of_the_policy_alone(void **state)
{
	struct names *n = *state;

	assert_string_equal(look_up(n, "api.x.com", 0), "127.64.0.1");
	assert_string_equal(look_up(n, "localhost", 0), "127.0.0.1");
	assert_string_equal(look_up(n, "a.x.com", 0), "127.64.1.0");
	assert_string_equal(look_up(n, "c.b.a.x.com", 0), "127.64.1.1");
	assert_string_equal(look_up(n, "a.x.com", 0), "127.64.1.0");
	static const char *const others[] = {"x.com", ".x.com", "ax.com",
	    "x.com.evil.com", "a.x.com.", "com", "", "10.0.0.5", "a.localhost"};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_string_equal(look_up(n, others[i], 0), "unknown");
}

static void
test_names_target_by_address_and_port(void **state)
{
	struct names *n = *state;

	look_up(n, "a.x.com", 0);
	assert_string_equal(target(n, "127.64.0.1", 80, 0), "api.x.com");
	/* The pattern has it too. */
	assert_string_equal(target(n, "127.64.0.1", 443, 0), "api.x.com");
	assert_string_equal(target(n, "127.64.0.1", 81, 0), "!api.x.com");
	assert_string_equal(target(n, "127.64.1.0", 443, 0), "a.x.com");
	assert_string_equal(target(n, "127.64.1.0", 80, 0), "!a.x.com");
	assert_string_equal(target(n, "127.64.1.1", 443, 0), "!");
	assert_string_equal(target(n, "127.64.255.255", 443, 0), "!");
	assert_string_equal(target(n, "127.64.0.0", 443, 0), "!");
	assert_string_equal(target(n, "127.64.0.2", 443, 0), "!");
	assert_string_equal(target(n, "127.0.0.1", 9000, 0), "localhost");
	assert_string_equal(target(n, "127.0.0.1", 443, 0), "!localhost");
	assert_string_equal(target(n, "10.0.0.5", 5432, 0), "[itself]");
	assert_string_equal(target(n, "10.0.0.5", 443, 0), "!");
	assert_string_equal(target(n, "10.0.0.6", 5432, 0), "!");
}

static void
test_names_keep_their_address_while_used(void **state)
{
	struct names *n = *state;
	char name[64];

	for (unsigned i = 0; i < LIMIT_EGRESS_NAMES; i++) {
		snprintf(name, sizeof(name), "n%u.x.com", i);
		assert_string_not_equal(look_up(n, name, i), "full");
	}
	assert_string_equal(look_up(n, "n1023.x.com", 1023), "127.64.4.255");
	assert_string_equal(look_up(n, "more.x.com", 2000), "full");
	/* A connection counts as use: the next oldest gives way. */
	assert_string_equal(target(n, "127.64.1.0", 443, 9 * MINUTE_NS), "n0.x.com");
	assert_string_equal(look_up(n, "more.x.com", 11 * MINUTE_NS), "127.64.1.1");
	assert_string_equal(target(n, "127.64.1.1", 443, 11 * MINUTE_NS), "more.x.com");
	assert_string_equal(target(n, "127.64.1.0", 443, 11 * MINUTE_NS), "n0.x.com");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_names_of_the_policy_alone, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_names_target_by_address_and_port, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_names_keep_their_address_while_used, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
