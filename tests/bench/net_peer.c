/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other end of plugins/net_cost.c. "serve PORT" answers on loopback: "r" with a byte,
 * "b" with BULK_MIB. "connect PORT N" connects to PORT until somebody is there, then N
 * times, a byte there and back, and prints the median and the 95th of a hundred in
 * microseconds.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/plugins/net_figures.h"

static void *
answer(void *arg)
{
	static const char room[256 << 10];
	int fd = (int)(intptr_t)arg;
	char byte;

	if (read(fd, &byte, 1) == 1 && byte == 'r')
		(void)!write(fd, &byte, 1);
	else if (byte == 'b')
		for (size_t left = (size_t)BULK_MIB << 20; left > 0;) {
			ssize_t n =
			    write(fd, room, left < sizeof(room) ? left : sizeof(room));
			if (n <= 0)
				break;
			left -= (size_t)n;
		}
	close(fd);
	return NULL;
}

static int
serve(struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (void *)at, sizeof(*at)) < 0 || listen(fd, 512) < 0) {
		perror("net_peer");
		return 1;
	}
	for (;;) {
		pthread_t thread;
		int peer = accept(fd, NULL, NULL);
		if (peer >= 0 &&
		    pthread_create(&thread, NULL, answer, (void *)(intptr_t)peer) == 0)
			pthread_detach(thread);
	}
}

static bool
once(const struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char byte = 'r';
	bool ok = connect(fd, (const void *)at, sizeof(*at)) == 0 &&
		  write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1;

	close(fd);
	return ok;
}

static int
connect_often(const struct sockaddr_in *at, size_t n)
{
	double *took = calloc(n, sizeof(*took));

	for (int i = 0; took && i < 2000 && !once(at); i++)
		usleep(10000);
	for (size_t i = 0; took && i < n; i++) {
		double from = now_us();
		if (!once(at))
			return 1;
		took[i] = now_us() - from;
	}
	if (!took)
		return 1;
	qsort(took, n, sizeof(*took), by_value);
	printf("%.1f %.1f\n", took[n / 2], took[n * 95 / 100]);
	free(took);
	return 0;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};

	signal(SIGPIPE, SIG_IGN);
	if (argc > 2)
		at.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve(&at);
	if (argc == 4 && strcmp(argv[1], "connect") == 0)
		return connect_often(&at, strtoul(argv[3], NULL, 10));
	fprintf(stderr, "net_peer serve PORT | connect PORT N\n");
	return 2;
}
