/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
test_address_class_of_every_range(void **state)
{
	static const struct {
		const char *text;
		enum address_class class;
	} cases[] = {
	    {"1.1.1.1", ADDRESS_PUBLIC},
	    {"9.255.255.255", ADDRESS_PUBLIC},
	    {"10.0.0.0", ADDRESS_PRIVATE},
	    {"10.255.255.255", ADDRESS_PRIVATE},
	    {"11.0.0.0", ADDRESS_PUBLIC},
	    {"100.63.255.255", ADDRESS_PUBLIC},
	    {"100.64.0.0", ADDRESS_PRIVATE},
	    {"100.100.100.200", ADDRESS_METADATA},
	    {"100.127.255.255", ADDRESS_PRIVATE},
	    {"100.128.0.0", ADDRESS_PUBLIC},
	    {"126.255.255.255", ADDRESS_PUBLIC},
	    {"127.0.0.1", ADDRESS_LOOPBACK},
	    {"127.255.255.255", ADDRESS_LOOPBACK},
	    {"0.0.0.0", ADDRESS_NOWHERE},
	    {"0.1.2.3", ADDRESS_NOWHERE},
	    {"169.253.255.255", ADDRESS_PUBLIC},
	    {"169.254.0.1", ADDRESS_LINK_LOCAL},
	    {"169.254.169.254", ADDRESS_METADATA},
	    {"169.254.170.2", ADDRESS_METADATA},
	    {"168.63.129.16", ADDRESS_METADATA},
	    {"172.15.255.255", ADDRESS_PUBLIC},
	    {"172.16.0.0", ADDRESS_PRIVATE},
	    {"172.31.255.255", ADDRESS_PRIVATE},
	    {"172.32.0.0", ADDRESS_PUBLIC},
	    {"192.0.0.192", ADDRESS_METADATA},
	    {"192.0.0.8", ADDRESS_NOWHERE},
	    {"192.168.255.255", ADDRESS_PRIVATE},
	    {"192.169.0.0", ADDRESS_PUBLIC},
	    {"198.17.255.255", ADDRESS_PUBLIC},
	    {"198.19.0.1", ADDRESS_NOWHERE},
	    {"223.255.255.255", ADDRESS_PUBLIC},
	    {"224.0.0.1", ADDRESS_MULTICAST},
	    {"239.255.255.255", ADDRESS_MULTICAST},
	    {"240.0.0.1", ADDRESS_NOWHERE},
	    {"255.255.255.255", ADDRESS_MULTICAST},
	    {"::", ADDRESS_NOWHERE},
	    {"::1", ADDRESS_LOOPBACK},
	    {"::2", ADDRESS_MAPPED},
	    {"::7f00:1", ADDRESS_MAPPED},
	    {"::ffff:127.0.0.1", ADDRESS_MAPPED},
	    {"::ffff:8.8.8.8", ADDRESS_MAPPED},
	    {"::ffff:0:10.0.0.1", ADDRESS_MAPPED},
	    {"64:ff9b::a9fe:a9fe", ADDRESS_MAPPED},
	    {"64:ff9b:1::a9fe:a9fe", ADDRESS_MAPPED},
	    {"2002:7f00:1::", ADDRESS_MAPPED},
	    {"2001:0:1::", ADDRESS_MAPPED},
	    {"2001:db8::1", ADDRESS_NOWHERE},
	    {"2606:4700::1111", ADDRESS_PUBLIC},
	    {"3fff:ffff::", ADDRESS_PUBLIC},
	    {"4000::", ADDRESS_NOWHERE},
	    {"fc00::1", ADDRESS_PRIVATE},
	    {"fdff::1", ADDRESS_PRIVATE},
	    {"fd00:ec2::254", ADDRESS_METADATA},
	    {"fd00:ec2::23", ADDRESS_METADATA},
	    {"fd20:ce::254", ADDRESS_METADATA},
	    {"fe80::1", ADDRESS_LINK_LOCAL},
	    {"febf::1", ADDRESS_LINK_LOCAL},
	    {"fec0::1", ADDRESS_PRIVATE},
	    {"ff02::1", ADDRESS_MULTICAST},
	};
	struct address a;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(address_parse(cases[i].text, &a));
		if (address_class(&a) != cases[i].class)
			fail_msg("%s is %s", cases[i].text,
			    address_class_text(address_class(&a)));
	}
}

static void
test_address_sockaddr_there_and_back(void **state)
{
	static const char *const texts[] = {"10.0.0.5:443", "[fd00::5]:443"};
	static const char *const bare[] = {"10.0.0.5", "fd00::5"};

	for (int i = 0; i < 2; i++) {
		struct sockaddr_storage sa;
		struct address a, back;
		struct buf b;
		uint16_t port;
		assert_true(address_parse(bare[i], &a));
		address_to_sockaddr(&a, 443, &sa);
		assert_true(
		    address_of_sockaddr((const struct sockaddr *)&sa, &back, &port));
		assert_true(address_equal(&a, &back));
		buf_init(&b, 100);
		address_text(&back, port, &b);
		assert_string_equal(buf_str(&b), texts[i]);
		buf_release(&b);
	}
	assert_false(address_parse("localhost", &(struct address){0}));
	assert_false(address_parse("127.1", &(struct address){0}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_address_class_of_every_range),
	    cmocka_unit_test(test_address_sockaddr_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
