/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dies while calls of its threads wait for the launcher's answer, so that the answer
 * finds nobody, or somebody else of that number. "only=P": a port that it may listen on.
 */
#include "tests/hostile/hostile.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

enum {
	THREADS = 4,
	ROUNDS = 3
};

static void *
ask(void *arg)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)strtoul(hostile_only, NULL, 10))};

	for (;;) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		(void)!bind(fd, (void *)&in, sizeof(in));
		(void)!open("/etc/shadow", O_RDWR | O_CLOEXEC);
		close(fd);
	}
	return arg;
}

static void
attack(void)
{
	pthread_t t;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&t, NULL, ask, NULL);
	/* Not always at the same moment. */
	for (int i = 0; i < ROUNDS + (int)(getpid() % 3); i++)
		(void)!open("/etc/passwd", O_RDWR | O_CLOEXEC);
	syscall(SYS_exit_group, 3);
}
