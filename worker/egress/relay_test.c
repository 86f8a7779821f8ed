/* SPDX-License-Identifier: Apache-2.0 */
/* What goes through mews-egress, and what does not. */
#include "worker/egress/test_bench.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY 500
#define GET  "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

/* The policy of most tests: a name that stands for loopback, which is listed too. */
static struct profile_connect near[] = {
    {"near.test", false, 0, false},
    {"127.0.0.1", false, 0, false},
};
static struct profile
near_policy(void)
{
	near[0].port = near[1].port = bench_port;
	return (struct profile){.base = PROFILE_CLIENT, .connect = near, .n_connect = 2};
}
#define NEAR_HOSTS "127.0.0.1 near.test\n"

static bool
is_200(const char *answer)
{
	return strncmp(answer, "HTTP/1.1 200 OK\r\n", 17) == 0;
}

static const char *
ask_near(void)
{
	INSIDE(strcmp(inside_ask("near.test", 1, false), "127.64.0.1") == 0);
	return inside_talk(inside_dial("127.64.0.1", bench_port), GET);
}

static void
reach_near(const struct bench_worker *w)
{
	INSIDE(is_200(ask_near()));
	INSIDE(is_200(inside_talk(inside_dial("127.0.0.1", bench_port), GET)));
	/* Another port, another host, the world. */
	INSIDE(inside_dial("127.64.0.1", bench_other_port) == -ECONNREFUSED);
	INSIDE(inside_dial("127.64.0.2", bench_port) == -ECONNREFUSED);
	INSIDE(inside_dial("8.8.8.8", 53) == -ENETUNREACH);
	INSIDE(inside_dial("2606:4700::1111", 53) == -ENETUNREACH);
	INSIDE(inside_dial(BENCH_PRIVATE, bench_port) == -ENETUNREACH);
}

static void
test_relay_reaches_what_is_listed_and_nothing_else(void **state)
{
	struct profile p = near_policy();
	struct bench *b = *state;

	bench_start(b, NEAR_HOSTS);
	bench_run(b, &p, reach_near);
	const struct egress_event *e = bench_event(b, EGRESS_EVENT_COUNTERS, "");
	assert_int_equal(e->counters.connections, 2);
	assert_int_equal(e->counters.bytes_up, 2 * strlen(GET));
	assert_true(e->counters.bytes_down > 2 * strlen(GET));
	assert_false(bench_had_event(b, EGRESS_EVENT_DENIED, ""));
}

static void
reach_localhost(const struct bench_worker *w)
{
	INSIDE(strcmp(inside_ask("localhost", 1, false), "127.0.0.1") == 0);
	INSIDE(is_200(inside_talk(inside_dial("127.0.0.1", bench_port), GET)));
	INSIDE(inside_dial("127.0.0.1", bench_other_port) == -ECONNREFUSED);
}

static void
test_relay_localhost_is_the_hosts(void **state)
{
	struct profile_connect c[] = {{"localhost", false, bench_port, false}};
	struct profile p = {.connect = c, .n_connect = 1};
	struct bench *b = *state;

	/* By getaddrinfo. */
	bench_start(b, "");
	bench_run(b, &p, reach_localhost);
}

/* n names, h1.test to hN.test, with their addresses; each is connected to and reset. */
static const char *const rebound[][2] = {
    {"127.0.0.1", "127.0.0.1:%u, a loopback address of this host"},
    {"10.0.0.5", "10.0.0.5:%u, a private address"},
    {"100.64.0.1", "100.64.0.1:%u, a private address"},
    {"169.254.169.254", "169.254.169.254:%u, where clouds keep metadata and keys"},
    {"169.254.1.1", "169.254.1.1:%u, a link-local address"},
    {"0.0.0.0", "0.0.0.0:%u, a reserved address"},
    {"::1", "[::1]:%u, a loopback address of this host"},
    {"::ffff:127.0.0.1", "[::ffff:127.0.0.1]:%u, an IPv4 address in IPv6 form"},
    {"64:ff9b::a9fe:a9fe", "[64:ff9b::a9fe:a9fe]:%u, an IPv4 address in IPv6 form"},
    {"fd00:ec2::254", "[fd00:ec2::254]:%u, where clouds keep metadata and keys"},
    {"fe80::1", "[fe80::1]:%u, a link-local address"},
    {"224.0.0.1", "224.0.0.1:%u, a multicast or broadcast address"},
};
#define N_REBOUND (sizeof(rebound) / sizeof(rebound[0]))

static void
be_rebound(const struct bench_worker *w)
{
	for (unsigned i = 1; i <= N_REBOUND; i++) {
		char name[32];
		snprintf(name, sizeof(name), "127.64.0.%u", i);
		INSIDE(inside_talk(inside_dial(name, bench_port), GET)[0] == '\0');
	}
}

static void
test_relay_refuses_names_that_stand_for_inside(void **state)
{
	struct profile_connect c[N_REBOUND];
	struct profile p = {.connect = c, .n_connect = N_REBOUND};
	char name[N_REBOUND][16], hosts[1024] = "", what[256];
	struct bench *b = *state;

	for (unsigned i = 0; i < N_REBOUND; i++) {
		size_t n = strlen(hosts);
		snprintf(name[i], sizeof(name[i]), "h%u.test", i + 1);
		snprintf(hosts + n, sizeof(hosts) - n, "%s %s\n", rebound[i][0], name[i]);
		c[i] = (struct profile_connect){name[i], false, bench_port, false};
	}
	bench_start(b, hosts);
	bench_run(b, &p, be_rebound);
	for (unsigned i = 0; i < N_REBOUND; i++) {
		int n = snprintf(what, sizeof(what),
		    "connect to h%u.test:%u: the name stands for ", i + 1, bench_port);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(what + n, sizeof(what) - (size_t)n, rebound[i][1], bench_port);
#pragma GCC diagnostic pop
		bench_event(b, EGRESS_EVENT_DENIED, what);
	}
	const struct egress_event *e = bench_event(b, EGRESS_EVENT_DENIED, "h2.test");
	snprintf(what, sizeof(what),
	    "connect: [\"10.0.0.5:%u\"], or internal: true where it has the name",
	    bench_port);
	assert_string_equal(e->allow_with, what);
	e = bench_event(b, EGRESS_EVENT_COUNTERS, "");
	assert_int_equal(e->counters.refused[EGRESS_REASON_ADDRESS], N_REBOUND);
	assert_int_equal(e->counters.bytes_down, 0);
}

static void
reach_far(const struct bench_worker *w)
{
	/* Public. */
	INSIDE(is_200(inside_talk(inside_dial("127.64.0.1", bench_port), GET)));
	/* Loopback is passed over, the next is public. */
	INSIDE(is_200(inside_talk(inside_dial("127.64.0.2", bench_port), GET)));
	/* The first is not there, the next is. */
	INSIDE(is_200(inside_talk(inside_dial("127.64.0.3", bench_port), GET)));
	/* By its address. */
	INSIDE(is_200(inside_talk(inside_dial(BENCH_PRIVATE, bench_port), GET)));
	INSIDE(inside_dial(BENCH_PRIVATE, bench_other_port) == -ECONNREFUSED);
	/* That lists it with one port; a name may stand for it there alone. */
	INSIDE(is_200(inside_talk(inside_dial("127.64.0.4", bench_port), GET)));
	INSIDE(inside_talk(inside_dial("127.64.0.4", bench_other_port), GET)[0] == '\0');
	/* Not there at all. */
	INSIDE(inside_talk(inside_dial("127.64.0.5", bench_port), GET)[0] == '\0');
	/* A private address for a name that may have one; no loopback, and no keys. */
	INSIDE(is_200(inside_talk(inside_dial("127.64.0.6", bench_other_port), GET)));
	INSIDE(inside_talk(inside_dial("127.64.0.7", bench_other_port), GET)[0] == '\0');
}

static void
test_relay_tries_every_address_that_it_may(void **state)
{
	struct profile_connect c[] = {
	    {"far.test", false, bench_port, false},
	    {"mixed.test", false, bench_port, false},
	    {"late.test", false, bench_port, false},
	    {"inner.test", false, bench_port, false},
	    {"inner.test", false, bench_other_port, false},
	    {"gone.test", false, bench_port, false},
	    {BENCH_PRIVATE, false, bench_port, false},
	    {"office.test", false, bench_other_port, true},
	    {"keys.test", false, bench_other_port, true},
	};
	struct profile p = {.connect = c, .n_connect = 9};
	struct bench *b = *state;

	if (!bench_has_public) {
		print_message("needs root: a public address of its own\n");
		skip();
	}
	bench_start(b,
	    BENCH_PUBLIC " far.test\n"
			 "127.0.0.1 mixed.test\n" BENCH_PUBLIC " mixed.test\n"
			 "93.184.216.35 late.test gone.test\n" BENCH_PUBLIC
			 " late.test\n" BENCH_PRIVATE " inner.test office.test\n"
			 "169.254.169.254 keys.test\n127.0.0.1 keys.test\n");
	bench_run(b, &p, reach_far);
	const struct egress_event *e = bench_event(b, EGRESS_EVENT_COUNTERS, "");
	assert_int_equal(e->counters.refused[EGRESS_REASON_ADDRESS], 2);
	assert_int_equal(e->counters.refused[EGRESS_REASON_UNREACHABLE], 1);
	e = bench_event(b, EGRESS_EVENT_DENIED, "inner.test");
	assert_non_null(strstr(e->allow_with, "internal: true"));
	assert_null(strstr(
	    bench_event(b, EGRESS_EVENT_DENIED, "keys.test")->allow_with, "internal"));
}

static void
reach_pattern(const struct bench_worker *w)
{
	INSIDE(strcmp(inside_ask("a.pat.test", 1, false), "127.64.1.0") == 0);
	INSIDE(strcmp(inside_ask("nobody.pat.test", 1, false), "127.64.1.1") == 0);
	INSIDE(is_200(inside_talk(inside_dial("127.64.1.0", bench_port), GET)));
	/* In the pattern, but nowhere: looked up for real, and not found. */
	INSIDE(inside_talk(inside_dial("127.64.1.1", bench_port), GET)[0] == '\0');
	/* The pattern's listener, but nobody asked for that; and a host with another
	 * port. */
	INSIDE(inside_talk(inside_dial("127.64.1.2", bench_port), GET)[0] == '\0');
	INSIDE(inside_talk(inside_dial("127.64.0.1", bench_port), GET)[0] == '\0');
}

static void
test_relay_patterns(void **state)
{
	struct profile_connect c[] = {
	    {"one.test", false, bench_other_port, false},
	    {"pat.test", true, bench_port, false},
	    {"127.0.0.1", false, bench_port, false},
	};
	struct profile p = {.connect = c, .n_connect = 3};
	struct bench *b = *state;
	char what[64];

	bench_start(b, "127.0.0.1 a.pat.test one.test\n");
	bench_run(b, &p, reach_pattern);
	snprintf(what, sizeof(what), "connect to one.test:%u", bench_port);
	const struct egress_event *e = bench_event(b, EGRESS_EVENT_DENIED, what);
	snprintf(what, sizeof(what), "connect: [one.test:%u]", bench_port);
	assert_string_equal(e->allow_with, what);
	snprintf(what, sizeof(what), "connect to 127.64.1.2:%u", bench_port);
	assert_string_equal(bench_event(b, EGRESS_EVENT_DENIED, what)->allow_with, "");
	e = bench_event(b, EGRESS_EVENT_COUNTERS, "");
	assert_int_equal(e->counters.refused[EGRESS_REASON_PORT], 2);
	assert_int_equal(e->counters.refused[EGRESS_REASON_UNRESOLVED], 1);
}

static void
open_many(const struct bench_worker *w)
{
	static int fd[MANY];
	char text[32], back[32];

	for (int i = 0; i < MANY; i++)
		INSIDE((fd[i] = inside_dial("127.64.0.1", bench_port)) >= 0);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < MANY; i++) {
			int n = snprintf(text, sizeof(text), "I am %d.%d\n", round, i);
			INSIDE(send(fd[i], text, (size_t)n, 0) == n);
		}
		for (int i = MANY - 1; i >= 0; i--) {
			int n = snprintf(text, sizeof(text), "I am %d.%d\n", round, i);
			INSIDE(recv(fd[i], back, (size_t)n, MSG_WAITALL) == n);
			INSIDE(memcmp(text, back, (size_t)n) == 0);
		}
	}
	for (int i = 0; i < MANY; i++)
		close(fd[i]);
}

static void
test_relay_many_at_once(void **state)
{
	struct profile p = near_policy();
	struct bench *b = *state;

	bench_start(b, NEAR_HOSTS);
	bench_run(b, &p, open_many);
	const struct egress_event *e = bench_event(b, EGRESS_EVENT_COUNTERS, "");
	assert_int_equal(e->counters.connections, MANY);
	assert_int_equal(e->counters.bytes_up, e->counters.bytes_down);
}

static void
open_too_many(const struct bench_worker *w)
{
	static int fd[LIMIT_EGRESS_RELAYS_PER_WORKER + 100];
	unsigned n = sizeof(fd) / sizeof(fd[0]), n_reset = 0;
	char byte;

	for (unsigned i = 0; i < n; i++)
		INSIDE((fd[i] = inside_dial("127.64.0.1", bench_port)) >= 0);
	for (unsigned i = 0; i < n; i++)
		if (send(fd[i], "x\n", 2, MSG_NOSIGNAL) < 0 ||
		    recv(fd[i], &byte, 1, 0) <= 0)
			n_reset++;
	for (unsigned i = 0; i < n; i++)
		close(fd[i]);
	for (unsigned i = 0; i < n; i++)
		close(fd[i]);
	/* Where few descriptors are to be had, more. */
	INSIDE(n_reset >= 100 && n_reset < n);
	/* All of them are free again. */
	for (int i = 0; i < 100 && !is_200(ask_near()); i++)
		usleep(20000);
	INSIDE(is_200(ask_near()));
}

static void
test_relay_limits_connections(void **state)
{
	struct profile p = near_policy();
	struct bench *b = *state;

	bench_start(b, NEAR_HOSTS);
	bench_run(b, &p, open_too_many);
	bench_event(b, EGRESS_EVENT_DENIED, "more connections at once");
}

static size_t
egress_rss_kib(void)
{
	char path[64], line[256];
	size_t kib = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)bench_egress_pid());
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtoul(line + 6, NULL, 10);
	fclose(f);
	assert_true(kib > 0);
	return kib;
}

#define FLOOD_BYTES (64u << 20)

static void
read_slowly(const struct bench_worker *w)
{
	int fd = inside_dial("127.64.0.1", bench_port);
	static unsigned char bytes[1u << 16];
	char text[32];
	size_t total = 0;
	ssize_t n;

	int len = snprintf(text, sizeof(text), "flood %u\n", FLOOD_BYTES);
	INSIDE(send(fd, text, (size_t)len, 0) == len);
	sleep(1);
	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			INSIDE(bytes[i] == (total + (size_t)i) % 251);
		total += (size_t)n;
		if (total % (FLOOD_BYTES / 8) < (size_t)n)
			usleep(20000);
	}
	INSIDE(n == 0 && total == FLOOD_BYTES);
}

static void
test_relay_slow_reader_costs_no_memory(void **state)
{
	struct profile p = near_policy();
	struct bench *b = *state;
	struct bench_worker w;

	bench_start(b, NEAR_HOSTS);
	size_t before = egress_rss_kib();
	bench_worker_new(b, &w, &p, read_slowly);
	usleep(500000);
	assert_true(egress_rss_kib() < before + 4096);
	bench_worker_wait(b, &w);
	assert_true(egress_rss_kib() < before + 4096);
	assert_int_equal(bench_counters(b, w.id).bytes_down, FLOOD_BYTES);
}

static void
close_halves(const struct bench_worker *w)
{
	static char bytes[1u << 20];
	char answer[32] = "";
	int fd = inside_dial("127.64.0.1", bench_port);

	/* The worker's half first: the answer comes after its end. */
	INSIDE(send(fd, "count\n", 6, 0) == 6);
	for (size_t at = 0; at < sizeof(bytes);) {
		ssize_t n = send(fd, bytes + at, sizeof(bytes) - at, 0);
		INSIDE(n > 0);
		at += (size_t)n;
	}
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	INSIDE(poll(&pfd, 1, 100) == 0);
	INSIDE(shutdown(fd, SHUT_WR) == 0);
	INSIDE(recv(fd, answer, sizeof(answer), MSG_WAITALL) == 7);
	INSIDE(strcmp(answer, "1048576") == 0);
	INSIDE(recv(fd, answer, 1, 0) == 0);
	close(fd);
	/* A reset is one here too, and no end. */
	fd = inside_dial("127.64.0.1", bench_port);
	INSIDE(send(fd, "reset\n", 6, 0) == 6);
	INSIDE(recv(fd, answer, 1, 0) < 0 && errno == ECONNRESET);
	close(fd);
}

static void
test_relay_half_close_and_reset(void **state)
{
	struct profile p = near_policy();
	struct bench *b = *state;

	bench_start(b, NEAR_HOSTS);
	bench_run(b, &p, close_halves);
}

static void
ask_other(const struct bench_worker *w)
{
	/* Host number 1 is another here than there. */
	INSIDE(strcmp(inside_ask("other.test", 1, false), "127.64.0.1") == 0);
	INSIDE(strcmp(inside_ask("near.test", 1, false), "NXDOMAIN") == 0);
	INSIDE(inside_talk(inside_dial("127.64.0.1", bench_port), GET)[0] == '\0');
	INSIDE(inside_dial("127.0.0.1", bench_port) == -ECONNREFUSED);
}

static void
test_relay_workers_have_nothing_in_common(void **state)
{
	struct profile_connect c[] = {{"other.test", false, bench_port, false}};
	struct profile p = near_policy(), q = {.connect = c, .n_connect = 1};
	struct bench *b = *state;
	struct bench_worker w[2];

	/* What one policy lists helps the name of another to nothing. */
	bench_start(b, "127.0.0.1 near.test other.test\n");
	bench_worker_new(b, &w[0], &p, reach_near);
	bench_worker_new(b, &w[1], &q, ask_other);
	bench_worker_wait(b, &w[0]);
	bench_worker_wait(b, &w[1]);
	assert_int_equal(bench_event(b, EGRESS_EVENT_DENIED, "other.test")->id, w[1].id);
}

static int
run(const char *who)
{
	const struct CMUnitTest tests[] = {
	    BENCH_TEST(test_relay_reaches_what_is_listed_and_nothing_else),
	    BENCH_TEST(test_relay_localhost_is_the_hosts),
	    BENCH_TEST(test_relay_refuses_names_that_stand_for_inside),
	    BENCH_TEST(test_relay_tries_every_address_that_it_may),
	    BENCH_TEST(test_relay_patterns),
	    BENCH_TEST(test_relay_many_at_once),
	    BENCH_TEST(test_relay_limits_connections),
	    BENCH_TEST(test_relay_slow_reader_costs_no_memory),
	    BENCH_TEST(test_relay_half_close_and_reset),
	    BENCH_TEST(test_relay_workers_have_nothing_in_common),
	};

	return cmocka_run_group_tests_name(who, tests, NULL, NULL);
}

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, run);
}
