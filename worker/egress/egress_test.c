/* SPDX-License-Identifier: Apache-2.0 */
/* mews-egress as a process: its names, its identity, its life; and unix sockets. */
#include "worker/egress/test_bench.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <arpa/inet.h>

#include "base/clock.h"

#define A    1
#define AAAA 28

static struct profile
client(struct profile_connect *connect, uint32_t n)
{
	return (struct profile){
	    .base = PROFILE_CLIENT, .connect = connect, .n_connect = n};
}

static void
ask_all(const struct bench_worker *w)
{
	for (int tcp = 0; tcp < 2; tcp++) {
		INSIDE(strcmp(inside_ask("API.ok.test", A, tcp), "127.64.0.1") == 0);
		INSIDE(strcmp(inside_ask("two.test", A, tcp), "127.64.0.2") == 0);
		INSIDE(strcmp(inside_ask("a.pat.test", A, tcp), "127.64.1.0") == 0);
		INSIDE(strcmp(inside_ask("localhost", A, tcp), "127.0.0.1") == 0);
		/* Nothing else is known of them. */
		INSIDE(strcmp(inside_ask("api.ok.test", AAAA, tcp), "NOERROR") == 0);
		INSIDE(strcmp(inside_ask("api.ok.test", 16, tcp), "NOERROR") == 0);
		INSIDE(strcmp(inside_ask("api.ok.test", 255, tcp), "REFUSED") == 0);
		INSIDE(strcmp(inside_ask("ok.test", A, tcp), "NXDOMAIN") == 0);
		INSIDE(strcmp(inside_ask("pat.test", A, tcp), "NXDOMAIN") == 0);
		INSIDE(strcmp(inside_ask("evil.test", 16, tcp), "NXDOMAIN") == 0);
		INSIDE(strcmp(inside_ask("a\033b.pat.test", A, tcp), "REFUSED") == 0);
		INSIDE(strcmp(inside_ask("1.0.64.127.in-addr.arpa", 12, tcp),
			   "NXDOMAIN") == 0);
	}
}

static void
test_egress_knows_the_names_of_the_policy(void **state)
{
	struct profile_connect c[] = {{"api.ok.test", false, 443, false},
	    {"two.test", false, 80, false}, {"pat.test", true, 443, false},
	    {"localhost", false, 9000, false}};
	struct profile p = client(c, 4);
	struct bench *b = *state;

	/* That the operator knows a name allows nobody to ask for it. */
	bench_start(b, "10.0.0.1 evil.test ok.test\n");
	bench_run(b, &p, ask_all);
	const struct egress_event *e = bench_event(b, EGRESS_EVENT_DENIED, "evil.test");
	assert_string_equal(e->what, "look up the name evil.test");
	assert_string_equal(e->allow_with, "connect: [evil.test:PORT]");
	assert_int_equal(e->id, 1);
	assert_false(bench_had_event(b, EGRESS_EVENT_DENIED, "arpa"));
	assert_false(bench_had_event(b, EGRESS_EVENT_DENIED, "two.test"));
	e = bench_event(b, EGRESS_EVENT_COUNTERS, "");
	assert_true(e->is_last);
	assert_int_equal(e->counters.queries, 24);
	assert_int_equal(e->counters.refused[EGRESS_REASON_NAME], 8);
	assert_int_equal(e->counters.refused[EGRESS_REASON_MALFORMED], 4);
}

static void
ask_by_libc(const struct bench_worker *w)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;

	INSIDE(res_init() == 0);
	_res.nscount = 1;
	_res.nsaddr_list[0] = (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons(53),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	_res.options |= RES_USE_EDNS0;
	_res.dnsrch[0] = NULL;
	INSIDE(getaddrinfo("api.ok.test", "443", &hints, &list) == 0);
	const struct sockaddr_in *in = (const void *)list->ai_addr;
	INSIDE(in->sin_addr.s_addr == htonl(0x7f400001) && list->ai_next == NULL);
	freeaddrinfo(list);
	INSIDE(getaddrinfo("evil.test", "443", &hints, &list) == EAI_NONAME);
}

static void
test_egress_answers_libc(void **state)
{
	struct profile_connect c[] = {{"api.ok.test", false, 443, false}};
	struct profile p = client(c, 1);
	struct bench *b = *state;

	bench_start(b, "");
	bench_run(b, &p, ask_by_libc);
}

static void
send_garbage(const struct bench_worker *w)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
	    .sin_port = htons(53),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char bytes[4096] = {0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), stream[32];

	INSIDE(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	for (size_t n = 0; n < sizeof(bytes); n += 97) {
		memset(bytes, (int)n, n);
		INSIDE(send(fd, bytes, n, 0) == (ssize_t)n);
	}
	close(fd);
	/* Over TCP: too long, then more connections than there may be, saying nothing. */
	INSIDE(inside_talk(inside_dial("127.0.0.1", 53), "\x7f\xff too long")[0] == '\0');
	for (int i = 0; i < 32; i++)
		stream[i] = inside_dial("127.0.0.1", 53);
	INSIDE(recv(stream[31], bytes, 1, 0) <= 0);
	for (int i = 0; i < 32; i++)
		close(stream[i]);
	usleep(50000);
	INSIDE(strcmp(inside_ask("api.ok.test", A, false), "127.64.0.1") == 0);
	INSIDE(strcmp(inside_ask("api.ok.test", A, true), "127.64.0.1") == 0);
}

static void
test_egress_survives_garbage(void **state)
{
	struct profile_connect c[] = {{"api.ok.test", false, 443, false}};
	struct profile p = client(c, 1);
	struct bench *b = *state;

	bench_start(b, "");
	bench_run(b, &p, send_garbage);
	bench_event(b, EGRESS_EVENT_DENIED, "send what is no DNS query");
	bench_event(b, EGRESS_EVENT_DENIED, "more connections to the resolver");
}

static void
flood(const struct bench_worker *w)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
	    .sin_port = htons(53),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	static const char query[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03"
				    "api\x02ok\x04test\x00\x00\x01\x00\x01";
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned n_answers = 0;
	char bytes[600];

	INSIDE(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	for (int i = 0; i < 10000; i++) {
		(void)!send(fd, query, sizeof(query) - 1, 0);
		while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			n_answers++;
		if (i % 50 == 0)
			usleep(1000);
	}
	INSIDE(n_answers > 100 && n_answers < 4000);
	/* When it has been enough, it is heard again. */
	const char *got = "";
	for (int i = 0; i < 5 && got[0] == '\0'; i++)
		got = inside_ask("api.ok.test", A, false);
	INSIDE(strcmp(got, "127.64.0.1") == 0);
}

static void
test_egress_limits_queries(void **state)
{
	struct profile_connect c[] = {{"api.ok.test", false, 443, false}};
	struct profile p = client(c, 1);
	struct bench *b = *state;

	bench_start(b, "");
	bench_run(b, &p, flood);
	bench_event(b, EGRESS_EVENT_DENIED, "ask for names too often");
	/* Told when it is new, then ever more rarely. */
	unsigned n = 0;
	for (unsigned i = 0; i < b->n_events; i++)
		n += b->event[i].kind == EGRESS_EVENT_DENIED;
	assert_in_range(n, 1, 5);
}

static void
ask_many(const struct bench_worker *w)
{
	char name[32];

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "secret%d.evil.test", i);
		INSIDE(strcmp(inside_ask(name, A, false), "NXDOMAIN") == 0);
	}
}

static void
test_egress_bounds_what_it_tells(void **state)
{
	struct profile p = client(NULL, 0);
	struct bench *b = *state;

	/* A client that may go nowhere. */
	bench_start(b, "");
	bench_run(b, &p, ask_many);
	bench_event(b, EGRESS_EVENT_DENIED, "other names and places");
	unsigned n = 0;
	for (unsigned i = 0; i < b->n_events; i++)
		n += b->event[i].kind == EGRESS_EVENT_DENIED;
	assert_in_range(n, LIMIT_DENIALS, LIMIT_DENIALS + 5);
}

static void
wait_for_end(const struct bench_worker *w)
{
	int fd = inside_dial("127.0.0.1", 9);

	/* Nobody allowed that port. */
	INSIDE(fd == -ECONNREFUSED);
	fd = inside_dial("127.0.0.1", 53);
	INSIDE(fd >= 0);
	char byte;
	INSIDE(recv(fd, &byte, 1, 0) <= 0);
}

static void
test_egress_remove_ends_everything(void **state)
{
	struct profile_connect c[] = {{"api.ok.test", false, 443, false}};
	struct profile p = client(c, 1);
	struct bench *b = *state;
	struct bench_worker w[2];
	struct err err;

	bench_start(b, "");
	bench_worker_new(b, &w[0], &p, wait_for_end);
	bench_worker_new(b, &w[1], &p, ask_by_libc);
	usleep(100000);
	assert_true(egress_remove(b->egress, w[0].id, &err));
	assert_true(bench_event(b, EGRESS_EVENT_COUNTERS, "")->is_last);
	bench_worker_wait(b, &w[0]);
	/* The other does not notice; nor does who removes twice. */
	bench_worker_wait(b, &w[1]);
	assert_true(egress_remove(b->egress, w[0].id, &err));
	assert_int_equal(bench_counters(b, w[1].id).queries > 1, true);
}

static bool
status_has(pid_t pid, const char *line)
{
	char path[64], text[4096] = "";

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return false;
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return strstr(text, line) != NULL;
}

static void
test_egress_has_no_rights(void **state)
{
	struct bench *b = *state;

	bench_start(b, "");
	pid_t pid = bench_egress_pid();
	assert_true(status_has(pid, "\nNoNewPrivs:\t1\n"));
	assert_true(status_has(pid, "\nCapEff:\t0000000000000000\n"));
	assert_true(status_has(pid, "\nCapPrm:\t0000000000000000\n"));
	if (geteuid() == 0) {
		assert_true(status_has(pid, "\nCapBnd:\t0000000000000000\n"));
		assert_true(status_has(pid, "\nUid:\t64322\t64322\t64322\t64322\n"));
		assert_true(status_has(pid, "\nGid:\t64322\t64322\t64322\t64322\n"));
		assert_true(status_has(pid, "\nGroups:\t \n"));
	}
	egress_free(b->egress);
	b->egress = NULL;
	assert_int_equal(kill(pid, 0), -1);
}

static void
test_egress_lost_is_told_once(void **state)
{
	struct profile p = client(NULL, 0);
	struct egress_event e;
	struct bench *b = *state;
	struct err err;

	bench_start(b, "");
	kill(bench_egress_pid(), SIGKILL);
	bench_event(b, EGRESS_EVENT_LOST, "");
	assert_false(egress_event(b->egress, &e));
	assert_false(egress_add(b->egress, 1, &p, (const int[]){0, 0}, &err));
	assert_int_equal(err.code, ERR_GONE);
}

static void
test_egress_start_says_what_is_wrong(void **state)
{
	static const struct {
		const char *hosts, *why;
	} cases[] = {
	    {"# fine\n\n10.0.0.1 a b # c\n10.0.0 x\n", ":4: begins with no IP address"},
	    {NULL, ": No such file or directory"},
	};
	struct bench *b = *state;
	struct err err;
	char path[128], binary[160];

	snprintf(binary, sizeof(binary), "%.*s/mews-egress",
	    (int)(strrchr(b->dir, '/') - b->dir), b->dir);
	snprintf(path, sizeof(path), "%s/hosts", b->dir);
	struct egress_config config = {binary, path, 64322, 64322};
	for (int i = 0; i < 2; i++) {
		unlink(path);
		if (cases[i].hosts != NULL) {
			FILE *f = fopen(path, "w");
			fputs(cases[i].hosts, f);
			fclose(f);
		}
		assert_null(egress_start(&config, &err));
		if (strstr(err.msg, cases[i].why) == NULL)
			fail_msg("%s", err.msg);
	}
	if (geteuid() == 0) {
		config = (struct egress_config){.path = binary};
		assert_null(egress_start(&config, &err));
		assert_non_null(strstr(err.msg, "must not run as root"));
	}
}

/* Unix sockets. */

static void
use_unix(const struct bench_worker *w)
{
	char big[20000];
	const char *got;

	/* Anything goes. */
	got = inside_talk(inside_dial_unix(w, "0"), "GET //../x HTTP/0.9\nA\r\n\r\n");
	INSIDE(strstr(got, "\r\n\r\nGET //../x HTTP/0.9\nA\r\n\r\n") != NULL);
	/* Filtered. */
	got = inside_talk(inside_dial_unix(w, "1"),
	    "GET /v1.41/events?a=1 HTTP/1.1\r\nHost: d\r\nX-Evil: 1\r\n\r\n");
	INSIDE(strncmp(got, "HTTP/1.1 200 OK\r\n", 17) == 0);
	INSIDE(strstr(got, "\r\n\r\nGET /v1.41/events?a=1 HTTP/1.1\r\nHost: d\r\n"
			   "Connection: close\r\n\r\n") != NULL);
	/* What comes after it goes nowhere. */
	got = inside_talk(inside_dial_unix(w, "1"),
	    "GET /containers/json HTTP/1.1\r\nHost: d\r\n\r\n"
	    "POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\n\r\n{}");
	INSIDE(strncmp(got, "HTTP/1.1 200 OK\r\n", 17) == 0);
	INSIDE(strstr(got, "POST") == NULL);
	got = inside_talk(inside_dial_unix(w, "1"),
	    "POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\n\r\n{}");
	INSIDE(strncmp(got, "HTTP/1.1 403 Forbidden\r\n", 24) == 0);
	INSIDE(strstr(got, "mews: the policy lets only GET and HEAD pass") != NULL);
	got = inside_talk(inside_dial_unix(w, "1"),
	    "GET /containers/%2e%2e/secret HTTP/1.1\r\nHost: d\r\n\r\n");
	INSIDE(strncmp(got, "HTTP/1.1 400 ", 13) == 0);
	got = inside_talk(
	    inside_dial_unix(w, "1"), "GET /secrets HTTP/1.1\r\nHost: d\r\n\r\n");
	INSIDE(strncmp(got, "HTTP/1.1 403 ", 13) == 0);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	got = inside_talk(inside_dial_unix(w, "1"), big);
	INSIDE(strncmp(got, "HTTP/1.1 431 ", 13) == 0);
	/* A socket of the policy that is not there. */
	INSIDE(inside_talk(inside_dial_unix(w, "2"), "hello")[0] == '\0');
	/* One that is a symbolic link, though to a socket. */
	INSIDE(inside_talk(inside_dial_unix(w, "3"), "hello")[0] == '\0');
}

static void
test_egress_unix_sockets_filtered_and_not(void **state)
{
	const char *get[] = {"/events", "/containers/*"};
	char link_path[160];
	struct bench *b = *state;
	struct profile_unix u[] = {
	    {bench_unix_path, false, NULL, 0},
	    {bench_unix_path, true, get, 2},
	    {"/nowhere/x.sock", false, NULL, 0},
	    {link_path, false, NULL, 0},
	};
	struct profile p = {.base = PROFILE_CLIENT, .unix_socket = u, .n_unix_socket = 4};

	snprintf(link_path, sizeof(link_path), "%s/link.sock", b->dir);
	assert_int_equal(symlink(bench_unix_path, link_path), 0);
	bench_start(b, "");
	bench_run(b, &p, use_unix);
	unlink(link_path);
	const struct egress_event *e = bench_event(b, EGRESS_EVENT_DENIED, "/secrets");
	assert_int_equal(strncmp(e->what, "GET /secrets at /tmp/", 21), 0);
	assert_non_null(strstr(e->allow_with, "http-get: [\"/secrets\"]"));
	e = bench_event(b, EGRESS_EVENT_DENIED, "POST /containers/create at ");
	assert_string_equal(e->allow_with, "");
	e = bench_event(b, EGRESS_EVENT_DENIED, "/nowhere/x.sock");
	assert_string_equal(e->what,
	    "connect to the socket \"/nowhere/x.sock\" (its policy allows it, but on "
	    "this host: No such file or directory)");
	assert_string_equal(e->allow_with, "");
	e = bench_event(b, EGRESS_EVENT_COUNTERS, "");
	assert_int_equal(e->counters.refused[EGRESS_REASON_REQUEST], 4);
	assert_int_equal(e->counters.refused[EGRESS_REASON_UNREACHABLE], 2);
}

static void
dial_once(const struct bench_worker *w)
{
	INSIDE(inside_talk(inside_dial_unix(w, "0"), "GET / x\r\n\r\n")[0] == '\0');
}

/* A link that comes later leads nowhere: somebody may have put it there. */
static void
test_egress_unix_directory_that_became_a_link(void **state)
{
	char dir[128], path[160], *slash = strrchr(bench_unix_path, '/');
	struct bench *b = *state;
	struct profile_unix u = {path, false, NULL, 0};
	struct profile p = {
	    .base = PROFILE_CLIENT, .unix_socket = &u, .n_unix_socket = 1};

	snprintf(dir, sizeof(dir), "%s/dir", b->dir);
	snprintf(path, sizeof(path), "%s%s", dir, slash);
	assert_int_equal(mkdir(dir, 0755), 0);
	struct bench_worker w;
	bench_start(b, "");
	bench_worker_hold(b, &w, &p, dial_once);
	assert_int_equal(rmdir(dir), 0);
	*slash = '\0';
	assert_int_equal(symlink(bench_unix_path, dir), 0);
	*slash = '/';
	/* So that this would have led to a socket. */
	assert_int_equal(access(path, F_OK), 0);
	bench_worker_go(&w);
	bench_worker_wait(b, &w);
	unlink(dir);
}

static int
run(const char *who)
{
	const struct CMUnitTest tests[] = {
	    BENCH_TEST(test_egress_knows_the_names_of_the_policy),
	    BENCH_TEST(test_egress_answers_libc),
	    BENCH_TEST(test_egress_survives_garbage),
	    BENCH_TEST(test_egress_limits_queries),
	    BENCH_TEST(test_egress_bounds_what_it_tells),
	    BENCH_TEST(test_egress_remove_ends_everything),
	    BENCH_TEST(test_egress_has_no_rights),
	    BENCH_TEST(test_egress_lost_is_told_once),
	    BENCH_TEST(test_egress_start_says_what_is_wrong),
	    BENCH_TEST(test_egress_unix_sockets_filtered_and_not),
	    BENCH_TEST(test_egress_unix_directory_that_became_a_link),
	};

	return cmocka_run_group_tests_name(who, tests, NULL, NULL);
}

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, run);
}
