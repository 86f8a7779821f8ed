/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/operators/metrics_internal.h"

static bool
read_proc(pid_t pid, const char *name, char *out, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	if (pid == 0)
		snprintf(path, sizeof(path), "/proc/self/%s", name);
	else
		snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, out, size - 1);
	close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

bool
process_usage(pid_t pid, struct process_usage *ret_usage)
{
	unsigned long user, sys, virtual_bytes;
	char text[1024], *p;
	long rss;

	if (!read_proc(pid, "stat", text, sizeof(text)))
		return false;
	/* The name may hold anything, a parenthesis too. */
	p = strrchr(text, ')');
	if (!p || sscanf(p + 1,
		      " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d "
		      "%*d %*d %*d %*u %lu %ld",
		      &user, &sys, &virtual_bytes, &rss) != 4)
		return false;
	*ret_usage = (struct process_usage){
	    .cpu_s = (double)(user + sys) / (double)sysconf(_SC_CLK_TCK),
	    .rss_bytes = rss > 0 ? (uint64_t)rss * (uint64_t)sysconf(_SC_PAGESIZE) : 0,
	    .virtual_bytes = virtual_bytes,
	};
	return true;
}
