/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy needs of sockets, and the way of a policy to mews-egress. */
#include "worker/egress/egress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
check(struct profile_connect *connect, uint32_t n, const char *expected)
{
	struct profile p = {.base = PROFILE_CLIENT, .connect = connect, .n_connect = n};
	struct egress_plan plan;
	struct buf b;
	struct err err;

	buf_init(&b, 4096);
	if (!egress_plan_make(&plan, &p, &err)) {
		buf_adds(&b, err.msg);
	} else {
		/* The resolver comes first, twice. */
		assert_true(plan.n >= 2 && plan.n == plan.n_inet);
		assert_int_equal(plan.socket[0].kind, EGRESS_DNS_UDP);
		assert_int_equal(plan.socket[1].kind, EGRESS_DNS_TCP);
		for (unsigned i = 2; i < plan.n; i++) {
			address_text(&plan.socket[i].address, plan.socket[i].port, &b);
			buf_addc(&b, ' ');
		}
		for (unsigned i = 0; i < plan.n_address; i++) {
			buf_addc(&b, '+');
			address_text(&plan.address[i], 0, &b);
		}
	}
	assert_string_equal(buf_str(&b), expected);
	buf_release(&b);
}
#define CHECK(expected, ...)                                                             \
	check((struct profile_connect[]){__VA_ARGS__},                                   \
	    sizeof((struct profile_connect[]){__VA_ARGS__}) /                            \
		sizeof(struct profile_connect),                                          \
	    expected)

static void
test_plan_has_a_listener_for_every_place(void **state)
{
	CHECK("127.64.0.1:443 127.64.0.1:80 127.64.0.2:443 ", {"a.b", false, 443, false},
	    {"a.b", false, 80, false}, {"c.d", false, 443, false},
	    {"c.d", false, 443, false});
	CHECK("10.0.0.5:443 [fd00::5]:1 10.0.0.5:80 +10.0.0.5:0+[fd00::5]:0",
	    {"10.0.0.5", false, 443, false}, {"fd00::5", false, 1, false},
	    {"10.0.0.5", false, 80, false});
	CHECK("127.0.0.1:9000 127.0.0.2:9000 [::1]:9000 ",
	    {"localhost", false, 9000, false}, {"127.0.0.1", false, 9000, false},
	    {"127.0.0.2", false, 9000, false}, {"::1", false, 9000, false});
	/* A pattern has its port everywhere. */
	CHECK("127.64.0.1:80 0.0.0.0:443 [fd00::5]:443 +10.0.0.5:0+[fd00::5]:0",
	    {"a.b", false, 443, false}, {"a.b", false, 80, false},
	    {"x.y", true, 443, false}, {"10.0.0.5", false, 443, false},
	    {"fd00::5", false, 443, false}, {"w.z", true, 443, false});
}

static void
test_plan_says_what_cannot_be_given(void **state)
{
	CHECK("connect: 0.0.0.0:80 cannot be given: it is a reserved address",
	    {"0.0.0.0", false, 80, false});
	CHECK("connect: 224.0.0.1:80 cannot be given: it is a multicast or broadcast "
	      "address",
	    {"224.0.0.1", false, 80, false});
	CHECK(
	    "connect: ::ffff:10.0.0.1:80 cannot be given: it is an IPv4 address in IPv6 "
	    "form",
	    {"::ffff:10.0.0.1", false, 80, false});
	CHECK("connect: 127.64.0.9:80 cannot be given: 127.64.0.0/16 stands for names",
	    {"127.64.0.9", false, 80, false});
	CHECK(
	    "connect: localhost:53 cannot be given: port 53 of loopback is where plugins "
	    "find their resolver",
	    {"localhost", false, 53, false});
	CHECK("connect: *.a.b:53 cannot be given: port 53 of loopback is where plugins "
	      "find "
	      "their resolver",
	    {"a.b", true, 53, false});
}

static void
test_plan_is_bounded(void **state)
{
	struct profile_connect *many = calloc(LIMIT_POLICY_ITEMS, sizeof(*many));
	struct profile p = {.connect = many, .n_connect = LIMIT_POLICY_ITEMS};
	struct egress_plan plan;
	char host[LIMIT_POLICY_ITEMS][16];
	struct err err;

	for (unsigned i = 0; i < LIMIT_POLICY_ITEMS; i++) {
		snprintf(host[i], sizeof(host[i]), "h%u", i);
		many[i] = (struct profile_connect){host[i], false, 443, false};
	}
	assert_false(egress_plan_make(&plan, &p, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	p.n_connect = LIMIT_EGRESS_SOCKETS - 2;
	assert_true(egress_plan_make(&plan, &p, &err));
	assert_int_equal(plan.n, LIMIT_EGRESS_SOCKETS);
	p.n_connect++;
	assert_false(egress_plan_make(&plan, &p, &err));
	/* Who may go nowhere needs nothing. */
	p.n_connect = 0;
	assert_true(egress_plan_make(&plan, &p, &err));
	assert_int_equal(plan.n, 0);
	free(many);
}

static void
test_policy_survives_the_way(void **state)
{
	const char *paths[] = {"/events", "/containers/*"};
	struct profile_connect connect[] = {
	    {"a.b", true, 443, true}, {"10.0.0.5", false, 80, false}};
	struct profile_unix sockets[] = {
	    {"/run/d.sock", true, paths, 2}, {"/run/e", false, NULL, 0}};
	struct profile p = {.base = PROFILE_CLIENT,
	    .connect = connect,
	    .n_connect = 2,
	    .unix_socket = sockets,
	    .n_unix_socket = 2};
	struct profile back;
	struct arena arena;
	struct buf b;
	struct err err;

	buf_init(&b, 4096);
	egress_policy_pack(&p, &b);
	arena_init(&arena, 1u << 20);
	assert_true(egress_policy_unpack(b.data, b.len, &arena, &back, &err));
	assert_int_equal(back.base, PROFILE_CLIENT);
	assert_int_equal(back.n_connect, 2);
	assert_string_equal(back.connect[0].host, "a.b");
	assert_true(back.connect[0].subdomains && back.connect[0].internal);
	assert_false(back.connect[1].internal);
	assert_int_equal(back.connect[1].port, 80);
	assert_int_equal(back.n_unix_socket, 2);
	assert_true(back.unix_socket[0].filtered);
	assert_string_equal(back.unix_socket[0].http_get[1], "/containers/*");
	assert_string_equal(back.unix_socket[1].path, "/run/e");
	/* Cut anywhere, or with more, it is none. */
	for (size_t n = 0; n < b.len; n++)
		assert_false(egress_policy_unpack(b.data, n, &arena, &back, &err));
	buf_addc(&b, '\0');
	assert_false(egress_policy_unpack(b.data, b.len, &arena, &back, &err));
	arena_release(&arena);
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plan_has_a_listener_for_every_place),
	    cmocka_unit_test(test_plan_says_what_cannot_be_given),
	    cmocka_unit_test(test_plan_is_bounded),
	    cmocka_unit_test(test_policy_survives_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
