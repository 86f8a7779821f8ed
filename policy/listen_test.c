/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct sockaddr_storage
at(const char *address, unsigned port)
{
	struct sockaddr_storage ss = {0};
	struct sockaddr_in *in4 = (void *)&ss;
	struct sockaddr_in6 *in6 = (void *)&ss;

	if (inet_pton(AF_INET, address, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons((uint16_t)port);
	} else {
		assert_int_equal(inet_pton(AF_INET6, address, &in6->sin6_addr), 1);
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
	}
	return ss;
}

static struct profile_listen entries[] = {
    {PROFILE_TCP, NULL, 9765},
    {PROFILE_TCP, "127.0.0.1", 80},
    {PROFILE_UDP, "::1", 514},
};
static const struct profile profile = {.listen = entries, .n_listen = 3};

static bool
allowed(enum profile_transport transport, const char *address, unsigned port)
{
	struct sockaddr_storage ss = at(address, port);

	return listen_is_allowed(&profile, transport, &ss);
}

static void
test_listen_allows_what_is_listed(void **state)
{
	assert_true(allowed(PROFILE_TCP, "0.0.0.0", 9765));
	assert_true(allowed(PROFILE_TCP, "::", 9765));
	assert_true(allowed(PROFILE_TCP, "10.0.0.1", 9765));
	assert_true(allowed(PROFILE_TCP, "127.0.0.1", 80));
	assert_true(allowed(PROFILE_TCP, "::ffff:127.0.0.1", 80));
	assert_true(allowed(PROFILE_UDP, "::1", 514));
}

static void
test_listen_allows_nothing_else(void **state)
{
	struct sockaddr_storage local = {.ss_family = AF_UNIX};

	assert_false(allowed(PROFILE_UDP, "0.0.0.0", 9765));
	assert_false(allowed(PROFILE_TCP, "0.0.0.0", 9766));
	assert_false(allowed(PROFILE_TCP, "0.0.0.0", 0));
	assert_false(allowed(PROFILE_TCP, "0.0.0.0", 80));
	assert_false(allowed(PROFILE_TCP, "::", 80));
	assert_false(allowed(PROFILE_TCP, "127.0.0.2", 80));
	assert_false(allowed(PROFILE_UDP, "127.0.0.1", 514));
	assert_false(listen_is_allowed(&profile, PROFILE_TCP, &local));
}

static void
test_listen_knows_probes(void **state)
{
	struct sockaddr_storage ss = at("127.0.0.1", 0);
	assert_true(listen_is_probe(&ss));
	ss = at("::", 0);
	assert_true(listen_is_probe(&ss));
	ss = at("127.0.0.1", 1);
	assert_false(listen_is_probe(&ss));
	ss = at("10.0.0.1", 0);
	assert_false(listen_is_probe(&ss));
}

static void
test_listen_is_told_in_words(void **state)
{
	struct sockaddr_storage ss = at("::1", 80);
	struct buf b;

	buf_init(&b, 200);
	listen_text(PROFILE_TCP, &ss, &b);
	buf_addc(&b, '|');
	listen_allow_with(PROFILE_TCP, &ss, &b);
	assert_string_equal(buf_str(&b), "tcp [::1]:80|listen: [tcp:80]");
	buf_clear(&b);
	ss = at("127.0.0.1", 514);
	listen_allow_with(PROFILE_UDP, &ss, &b);
	ss = at("0.0.0.0", 514);
	listen_allow_with(PROFILE_UDP, &ss, &b);
	assert_string_equal(buf_str(&b), "listen: [udp:127.0.0.1:514]listen: [udp:514]");
	buf_release(&b);
}

static void
test_listen_finds_paths_as_they_are_written(void **state)
{
	static const char *const others[] = {"/run/d/../d/a.sock", "/run//d/a.sock",
	    "/run/d/./a.sock", "/run/d/a.sock/", "/run/d/a.sock2", "/run/d", "a.sock", "",
	    "../d/a.sock", "/"};
	struct profile_listen_unix sockets[] = {
	    {.path = "/run/d/a.sock"}, {.path = "/b"}};
	const struct profile p = {.listen_unix = sockets, .n_listen_unix = 2};
	char endless[6000] = "/";

	memset(endless + 1, 'x', sizeof(endless) - 2);
	assert_ptr_equal(listen_find_path(&p, "/", "/run/d/a.sock"), &sockets[0]);
	assert_ptr_equal(listen_find_path(&p, "/run/d", "a.sock"), &sockets[0]);
	assert_ptr_equal(listen_find_path(&p, "/run/d", "./a.sock"), &sockets[0]);
	assert_ptr_equal(listen_find_path(&p, "/run", "d/a.sock"), &sockets[0]);
	assert_ptr_equal(listen_find_path(&p, "/", "b"), &sockets[1]);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_null(listen_find_path(&p, "/", others[i]));
	assert_null(listen_find_path(&p, "/", endless));
	assert_true(listen_is_above(&p, "/", "/run/d"));
	assert_true(listen_is_above(&p, "/", "/run/"));
	assert_true(listen_is_above(&p, "/run", "d"));
	assert_false(listen_is_above(&p, "/", "/run/d/a.sock"));
	assert_false(listen_is_above(&p, "/", "/run/dd"));
	assert_false(listen_is_above(&p, "/", ""));
	assert_false(listen_is_above(&p, "/", endless));
}

static void
test_listen_says_which_path_would_be_allowed(void **state)
{
	struct buf b;

	buf_init(&b, 200);
	listen_path_allow_with("/run", "x.sock", &b);
	listen_path_allow_with("/run", "/proc/x", &b);
	listen_path_allow_with("/run", "/a b", &b);
	assert_string_equal(buf_str(&b), "listen: [unix:/run/x.sock]");
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_listen_allows_what_is_listed),
	    cmocka_unit_test(test_listen_allows_nothing_else),
	    cmocka_unit_test(test_listen_knows_probes),
	    cmocka_unit_test(test_listen_is_told_in_words),
	    cmocka_unit_test(test_listen_finds_paths_as_they_are_written),
	    cmocka_unit_test(test_listen_says_which_path_would_be_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
