/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes as much of one thing as there is; "only=" says of what. The outcome is the errno
 * that stopped it and the amount, rounded down to a power of two, that it got.
 */
#include "tests/hostile/hostile.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
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

/* What the kernel keeps for it in sockets, in MiB. */
static void
socket_buffers(void)
{
	static char piece[65536];
	unsigned long bytes = 0;
	int pair[2];
	ssize_t n;

	while (
	    bytes < (unsigned long)ENOUGH * MIB &&
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0)
		for (int i = 0; i < 2; i++)
			while ((n = write(pair[i], piece, sizeof(piece))) > 0)
				bytes += (unsigned long)n;
	stopped_at("socket_buffers", bytes / MIB, errno);
	for (int fd = 8; fd < 4096; fd++)
		close(fd);
}

/* A crash that is caught, over and over: the call never comes back. */
static void
on_crash(int signal)
{
	(void)signal;
}

static void
caught_crash(void)
{
	static volatile uintptr_t nowhere = 8;
	struct sigaction go_on = {.sa_handler = on_crash};

	sigaction(SIGSEGV, &go_on, NULL);
	*(volatile int *)nowhere = 1;
	told("caught_crash", "got", 0);
}

/* Deaf to every signal that can be blocked. */
static void
deaf(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (;;)
		sleep(1000);
}

/* Of the two kinds that a reader of files has, each in what the other has left. */
static void
watches(void)
{
	unsigned long n = 0;
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	while (n < ENOUGH && fd >= 0 &&
	       inotify_add_watch(fd, "/", IN_ALL_EVENTS | (uint32_t)(n % 2)) >= 0 &&
	       (fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) >= 0)
		n++;
	while (n < ENOUGH && epoll_create1(EPOLL_CLOEXEC) >= 0)
		n++;
	stopped_at("watches", n, errno);
	for (fd = 8; fd < 4096; fd++)
		close(fd);
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
	if (only("socket_buffers"))
		socket_buffers();
	if (only("watches"))
		watches();
	if (only("caught_crash"))
		caught_crash();
	if (only("deaf"))
		deaf();
	if (only("stack"))
		told("stack", deep(&bottom, 1u << 30) ? "got" : "none", 0);
}
