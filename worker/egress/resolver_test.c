/* SPDX-License-Identifier: Apache-2.0 */
/* The resolver with a getaddrinfo of the test's own. */
#include "worker/egress/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/limits.h"

#define PATIENCE_NS 10000000000ull
#define N_SLOW      (LIMIT_EGRESS_LOOKUPS / 2)

static atomic_uint n_calls;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

/* In place of libc's: "slow…" waits at the gate, "none…" is not found. */
int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
    struct addrinfo **ret_list)
{
	struct entry {
		struct addrinfo info;
		struct sockaddr_in in;
	} *e = calloc(1, sizeof(*e));

	n_calls++;
	if (strncmp(name, "slow", 4) == 0) {
		pthread_mutex_lock(&gate);
		pthread_mutex_unlock(&gate);
	}
	if (strncmp(name, "none", 4) == 0 || e == NULL) {
		free(e);
		return EAI_NONAME;
	}
	e->in.sin_family = AF_INET;
	e->in.sin_addr.s_addr = htonl(0x0a000005);
	e->info.ai_addr = (struct sockaddr *)&e->in;
	*ret_list = &e->info;
	return 0;
}

void
freeaddrinfo(struct addrinfo *list)
{
	free(list);
}

struct waiter {
	struct resolver_wait wait; /* first */
	unsigned n_done;
	struct resolved result;
};

static void
on_done(struct resolver_wait *wait, const struct resolved *result)
{
	struct waiter *w = (struct waiter *)(void *)wait;

	w->n_done++;
	w->result = *result;
}

static struct loop loop;
static struct resolver *resolver;

static int
setup(void **state)
{
	char path[] = "/tmp/mews-hosts-XXXXXX";
	struct err err;
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	fputs("# here\n10.1.1.1\tKnown.test other.test # both\nfd00::1 known.test\n", f);
	fclose(f);
	resolver = resolver_new(path, &err);
	remove(path);
	return resolver != NULL && loop_init(&loop, &err) &&
		       resolver_start(resolver, &loop, &err)
		   ? 0
		   : -1;
}

static bool
ask(struct waiter *w, const char *name, uint32_t owner)
{
	*w = (struct waiter){.wait.done = on_done};
	return resolver_ask(resolver, name, owner, &w->wait);
}

static void
wait_for(const struct waiter *w)
{
	uint64_t end_ns = clock_mono_ns() + PATIENCE_NS;

	while (w->n_done == 0 && clock_mono_ns() < end_ns) {
		loop_wake_at(&loop, clock_mono_ns() + 10000000);
		loop_turn(&loop);
	}
	assert_int_equal(w->n_done, 1);
}

static void
test_resolver_hosts_come_first(void **state)
{
	struct waiter w;

	n_calls = 0;
	assert_true(ask(&w, "known.test", 1));
	assert_int_equal(w.n_done, 1);
	assert_int_equal(w.result.n, 2);
	assert_int_equal(w.result.address[0].bytes[1], 1);
	assert_true(w.result.address[1].is_ip6);
	assert_int_equal(n_calls, 0);
}

static void
test_resolver_asks_once_for_many(void **state)
{
	struct waiter w[3];

	n_calls = 0;
	pthread_mutex_lock(&gate);
	for (int i = 0; i < 3; i++)
		assert_true(ask(&w[i], "slow-shared", 1));
	/* Who goes is not called. */
	resolver_cancel(&w[1].wait);
	pthread_mutex_unlock(&gate);
	wait_for(&w[0]);
	wait_for(&w[2]);
	assert_int_equal(w[1].n_done, 0);
	assert_int_equal(w[0].result.n, 1);
	/* Known for a while. */
	assert_true(ask(&w[1], "slow-shared", 2));
	assert_int_equal(w[1].n_done, 1);
	assert_int_equal(n_calls, 1);
	assert_true(ask(&w[0], "none", 1));
	wait_for(&w[0]);
	assert_int_equal(w[0].result.n, 0);
	assert_string_not_equal(w[0].result.why, "");
}

static void
test_resolver_slow_names_hold_up_nobody_else(void **state)
{
	static struct waiter slow[N_SLOW];
	struct waiter other;
	unsigned n_taken = 0;
	char name[32];

	pthread_mutex_lock(&gate);
	for (unsigned i = 0; i < N_SLOW; i++) {
		snprintf(name, sizeof(name), "slow%u", i);
		n_taken += ask(&slow[i], name, 7);
	}
	assert_in_range(n_taken, LIMIT_EGRESS_LOOKUPS / 4, LIMIT_EGRESS_LOOKUPS / 4 + 2);
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "fast%d", i);
		assert_true(ask(&other, name, 8));
		wait_for(&other);
	}
	pthread_mutex_unlock(&gate);
	for (unsigned i = 0; i < n_taken; i++)
		wait_for(&slow[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_resolver_hosts_come_first),
	    cmocka_unit_test(test_resolver_asks_once_for_many),
	    cmocka_unit_test(test_resolver_slow_names_hold_up_nobody_else),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
