/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes as much of one thing as there is; "only=" says of what. The outcome is the errno
 * that stopped it and the amount, rounded down to a power of two, that it got.
 */
#include "tests/hostile/hostile.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>

enum {
	MIB = 1 << 20,
	ENOUGH = 1 << 17
};

static void
stopped_at(const char *name, unsigned long n, int error)
{
	char amount[HOSTILE_WORD];
	unsigned long power = 1;

	if (n >= ENOUGH) {
		told(name, "unlimited", 0);
		return;
	}
	while (power * 2 <= n)
		power *= 2;
	snprintf(amount, sizeof(amount), "stopped_at_%lu", n ? power : 0);
	told(name, amount, error);
}

static void
memory(int flags)
{
	unsigned long n = 0;

	for (; n < ENOUGH; n++) {
		char *p =
		    mmap(NULL, MIB, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			break;
		for (size_t i = 0; i < MIB; i += 4096)
			p[i] = 1;
	}
	stopped_at(hostile_only, n, errno);
}

static void
descriptors(void)
{
	unsigned long n = 0;

	while (n < ENOUGH && dup(0) >= 0)
		n++;
	stopped_at("descriptors", n, errno);
	for (int fd = 8; fd < 4096; fd++)
		close(fd);
}

static void *
sleeper(void *unused)
{
	for (;;)
		sleep(1000);
	return unused;
}

static void
threads(void)
{
	unsigned long n = 0;
	pthread_attr_t small;
	pthread_t t;
	int rc = 0;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	while (n < ENOUGH && (rc = pthread_create(&t, &small, sleeper, NULL)) == 0)
		n++;
	stopped_at("threads", n, rc);
}

static void
timers(void)
{
	struct sigevent quiet = {.sigev_notify = SIGEV_NONE};
	unsigned long n = 0;
	timer_t t;

	while (n < ENOUGH && timer_create(CLOCK_MONOTONIC, &quiet, &t) == 0)
		n++;
	stopped_at("timers", n, errno);
}

/* Many small mappings that cannot be merged: page tables, not pages. */
static void
mappings(void)
{
	unsigned long n = 0;

	for (; n < ENOUGH; n++)
		if (mmap(NULL, 4096, n % 2 ? PROT_READ : PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			break;
	stopped_at("mappings", n, errno);
}

/* 4 TiB of stack. */
static int
deep(volatile char *above, unsigned levels)
{
	volatile char here[4096];

	here[0] = *above;
	return levels ? deep(here, levels - 1) + here[0] : 0;
}

static void
attack(void)
{
	volatile char bottom = 0;

	if (only("memory"))
		memory(MAP_PRIVATE);
	if (only("shared_memory"))
		memory(MAP_SHARED);
	if (only("descriptors"))
		descriptors();
	if (only("threads"))
		threads();
	if (only("timers"))
		timers();
	if (only("mappings"))
		mappings();
	if (only("stack"))
		told("stack", deep(&bottom, 1u << 30) ? "got" : "none", 0);
}
