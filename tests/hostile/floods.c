/* SPDX-License-Identifier: Apache-2.0 */
/* Says, prints, wakes and asks as fast as it can for a second; "only=" says which. */
#include "tests/hostile/hostile.h"

#include <time.h>

static bool
a_second_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - start->tv_sec + (now.tv_nsec - start->tv_nsec) / 1e9 > 1;
}

static void
attack(void)
{
	struct timespec start;
	static char line[65536];
	uint64_t one = 1;

	memset(line, '\x1b', sizeof(line));
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!a_second_since(&start)) {
		if (only("print") && write(1, line, sizeof(line)) < 0)
			break;
		if (only("wake"))
			for (int fd = 6; fd <= 7; fd++)
				if (write(fd, &one, sizeof(one)) < 0)
					break;
		if (only("denials"))
			syscall(SYS_openat, AT_FDCWD, "/etc/shadow", O_RDWR);
		if (only("sockets"))
			syscall(SYS_socket, 2, 1, 0);
	}
	told(hostile_only, "survived", 0);
}
