/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of mews-egress share: the process itself, workers in network namespaces
 * of their own in which a piece of the test runs, and servers on the host's side. Run by
 * root, the host's side is a namespace too, in which 93.184.216.34 and 10.0.0.5 are on
 * lo: no test leaves this machine. Everything is run once more as an ordinary user.
 */
#ifndef WORKER_EGRESS_TEST_BENCH_H
#define WORKER_EGRESS_TEST_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/egress/egress.h"

#define BENCH_PUBLIC  "93.184.216.34"
#define BENCH_PRIVATE "10.0.0.5"

struct bench_worker {
	uint32_t id;
	pid_t pid;
	int go_fd, dir_fd;
	char dir[96]; /* of its unix sockets */
};

struct bench {
	struct egress *egress;
	char dir[80];
	uint32_t n_workers;
	struct egress_event event[256]; /* all that came */
	unsigned n_events;
};

int bench_new(void **state);
int bench_free(void **state);
#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_new, bench_free)

extern bool bench_has_public; /* BENCH_PUBLIC and BENCH_PRIVATE exist */
/* The servers, on all addresses of the host's side; the second is at one more port. */
extern uint16_t bench_port, bench_other_port;
extern char bench_unix_path[]; /* and at a unix socket */

/* Starts mews-egress with these lines as its hosts file. */
void bench_start(struct bench *b, const char *hosts);
pid_t bench_egress_pid(void);
/* A worker with that policy in which inside runs, as its network namespace's root. */
void bench_worker_new(struct bench *b, struct bench_worker *w,
    const struct profile *profile, void (*inside)(const struct bench_worker *));
/* The same in two: until go it does nothing. */
void bench_worker_hold(struct bench *b, struct bench_worker *w,
    const struct profile *profile, void (*inside)(const struct bench_worker *));
void bench_worker_go(const struct bench_worker *w);
/* Waits until inside is over, and wants it to have come to its end. */
void bench_worker_wait(struct bench *b, struct bench_worker *w);
/* Both, and removes it from egress. */
void bench_run(struct bench *b, const struct profile *profile,
    void (*inside)(const struct bench_worker *));
/* Takes events until one of that kind is there that has text in what; else fails. */
const struct egress_event *bench_event(
    struct bench *b, enum egress_event_kind kind, const char *text);
bool bench_had_event(
    const struct bench *b, enum egress_event_kind kind, const char *text);
struct egress_counters bench_counters(struct bench *b, uint32_t id);

/* -- inside: a failure ends the worker, and the test ----------------------------- */

#define INSIDE(condition)                                                                \
	do {                                                                             \
		if (!(condition))                                                        \
			inside_fail(__FILE__, __LINE__, #condition);                     \
	} while (0)
void inside_fail(const char *file, int line, const char *what) __attribute__((noreturn));

/* A TCP connection; or -errno. */
int inside_dial(const char *address, uint16_t port);
int inside_dial_unix(const struct bench_worker *w, const char *name);
/* The address, or "NOERROR" when there is none, "NXDOMAIN", "REFUSED", … or "" when
 * nothing came. Valid until the next call. */
const char *inside_ask(const char *name, unsigned type, bool over_tcp);
/* Writes all of it, reads to the end; "" on a reset. Closes fd. Static. */
const char *inside_talk(int fd, const char *request);

/*
 * What the servers do with the first line of a connection:
 *   count     reads to the end, answers with how many bytes came after the line
 *   flood N   sends N bytes, byte i being i % 251, and closes
 *   reset     resets the connection
 *   GET …     reads a head, answers 200 with that head as the body, and closes
 *   other     sends back what comes
 */

/* argv: mews-egress. */
int bench_main(int argc, char **argv, int (*run)(const char *who));

#endif
