/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	PIPE_BYTES = 1 << 20,
	LOOK_MS = 10,
	WAIT_MS = 100,
	STOP_MS = 2000,
	PIDS = 4096,
	SEARCHES = 50,
};

bool
process_start(struct process *p, const char *program, char *const argv[], const char *log,
    struct err *err)
{
	int out[2];

	*p = (struct process){.latency = p->latency, .wanted = p->wanted};
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	fcntl(out[0], F_SETPIPE_SZ, PIPE_BYTES);
	p->start_ns = clock_mono_ns();
	p->pid = fork();
	if (p->pid == 0) {
		/* What is measured does not outlive who measures. */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		int to = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		int in = open("/dev/null", O_RDONLY);
		if (to >= 0 && in >= 0 && dup2(in, 0) >= 0 && dup2(out[1], 1) >= 0 &&
		    dup2(to, 2) >= 0)
			execv(program, argv);
		_exit(127);
	}
	close(out[1]);
	p->out = out[0];
	if (p->pid > 0)
		return true;
	close(out[0]);
	return err_sys(err, "fork");
}

/* Looking at it. */

static bool
read_text(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static uint64_t
number_after(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* Whom the kernel says made pid, and what it is called. */
static pid_t
parent_of(pid_t pid, char *name, size_t size)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (!read_text(path, text, sizeof(text)))
		return -1;
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	if (!open || !close || strlen(close) < 5)
		return -1;
	snprintf(name, size, "%.*s", (int)(close - open - 1), open + 1);
	return (pid_t)strtol(close + 4, NULL, 10);
}

static bool
is_member(const struct process *p, pid_t pid)
{
	for (uint32_t i = 0; i < p->n_member; i++) {
		if (p->member[i].pid == pid)
			return true;
	}
	return false;
}

static void
add_member(struct process *p, pid_t pid, const char *name)
{
	bool is_worker = strncmp(name, "mews-worker", 11) == 0;

	if (p->n_member < PROCESS_MEMBERS)
		p->member[p->n_member++] =
		    (struct member){.pid = pid, .is_worker = is_worker};
	p->has_worker |= is_worker;
}

/* Parents may come after their children: again until nobody is added. */
static void
find_members(struct process *p)
{
	static pid_t pid[PIDS];
	DIR *d = opendir("/proc");
	const struct dirent *e;
	uint32_t n = 0, before;
	char name[64];

	p->n_member = 0;
	add_member(p, p->pid, "");
	while (d && n < PIDS && (e = readdir(d))) {
		pid[n] = (pid_t)strtol(e->d_name, NULL, 10);
		n += pid[n] > 0;
	}
	if (d)
		closedir(d);
	do {
		before = p->n_member;
		for (uint32_t i = 0; i < n; i++) {
			pid_t parent = parent_of(pid[i], name, sizeof(name));
			if (is_member(p, parent) && !is_member(p, pid[i]))
				add_member(p, pid[i], name);
		}
	} while (p->n_member > before);
}

static uint64_t
cpu_of(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) < 0)
		return 0;
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t
switches_of(pid_t pid)
{
	char path[128], text[4096];
	uint64_t sum = 0;
	const struct dirent *e;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *d = opendir(path);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(
		    path, sizeof(path), "/proc/%d/task/%.16s/status", pid, e->d_name);
		if (read_text(path, text, sizeof(text)))
			sum += number_after(text, "\nvoluntary_ctxt_switches:");
	}
	if (d)
		closedir(d);
	return sum;
}

static void
look(struct process *p)
{
	/* Workers are made late; other programs have none. */
	if (p->n_member == 0 || (!p->has_worker && p->searches < SEARCHES)) {
		p->searches++;
		find_members(p);
	}
	for (uint32_t i = 0; i < p->n_member; i++) {
		uint64_t now = cpu_of(p->member[i].pid);
		if (now > p->member[i].cpu_ns)
			p->member[i].cpu_ns = now;
	}
}

struct usage
process_usage(struct process *p)
{
	struct usage u = {0};

	look(p);
	for (uint32_t i = 0; i < p->n_member; i++) {
		const struct member *m = &p->member[i];
		*(m->is_worker ? &u.worker_ns : &u.broker_ns) += m->cpu_ns;
		u.switches += switches_of(m->pid);
	}
	return u;
}

static double
resident_mib(pid_t pid)
{
	char path[64], text[4096];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (!read_text(path, text, sizeof(text)))
		return 0;
	return (double)(number_after(text, "\nVmRSS:") -
			number_after(text, "\nRssShmem:")) /
	       1024;
}

void
process_memory(const struct process *p, double *ret_broker, double *ret_worker)
{
	char path[64], text[4096];

	*ret_broker = *ret_worker = 0;
	for (uint32_t i = 0; i < p->n_member; i++) {
		if (!p->member[i].is_worker) {
			/* Its helpers are smaller. */
			double rss = resident_mib(p->member[i].pid);
			if (rss > *ret_broker)
				*ret_broker = rss;
			continue;
		}
		snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", p->member[i].pid);
		if (!read_text(path, text, sizeof(text)))
			continue;
		double mib = (double)(number_after(text, "\nPrivate_Clean:") +
				      number_after(text, "\nPrivate_Dirty:")) /
			     1024;
		if (mib > *ret_worker)
			*ret_worker = mib;
	}
}

/* Its lines. */

static void
take_line(struct process *p, const char *line, uint64_t now, uint64_t wall)
{
	const char *probe = strstr(line, " probe ");

	if (p->wanted && strstr(line, p->wanted))
		p->found = true;
	if (probe && p->n_latency < PROCESS_LATENCIES) {
		uint64_t made = strtoull(probe + 7, NULL, 10);
		p->latency[p->n_latency++] = wall > made ? wall - made : 0;
	} else if (!probe && strstr(line, " mark ")) {
		if (p->marks++ == 0) {
			p->first_mark_ns = now;
			p->at_first = process_usage(p);
		}
		p->last_mark_ns = now;
	}
}

static void
take_text(struct process *p, char *text, size_t n, uint64_t now, uint64_t wall)
{
	char *end = text + n, *newline;

	for (char *at = text; at < end; at = newline + 1) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline) {
			p->n_rest = (uint32_t)(end - at);
			memmove(p->rest, at, p->n_rest);
			return;
		}
		*newline = '\0';
		take_line(p, at, now, wall);
	}
	p->n_rest = 0;
}

bool
process_read(
    struct process *p, uint32_t marks, bool looks, double deadline_s, struct err *err)
{
	uint64_t deadline = clock_mono_ns() + (uint64_t)(deadline_s * 1e9);
	struct pollfd pfd = {.fd = p->out, .events = POLLIN};

	while (marks == 0 || p->marks < marks) {
		if (clock_mono_ns() > deadline)
			return err_set(err, ERR_SYS, "not done after %.0f s", deadline_s);
		int k = poll(&pfd, 1, looks ? LOOK_MS : WAIT_MS);
		if (looks)
			look(p);
		if (k <= 0)
			continue;
		if (p->n_rest == sizeof(p->rest))
			p->n_rest = 0; /* no line of ours is that long */
		ssize_t n =
		    read(p->out, p->rest + p->n_rest, sizeof(p->rest) - p->n_rest);
		uint64_t now = clock_mono_ns(), wall = clock_wall_ns();
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			p->end_ns = now;
			return marks == 0 ||
			       err_set(err, ERR_GONE, "ended after %u of %u marks",
				   p->marks, marks);
		}
		take_text(p, p->rest, p->n_rest + (size_t)n, now, wall);
	}
	return true;
}

void
process_stop(struct process *p)
{
	uint64_t deadline = clock_mono_ns() + STOP_MS * 1000000ull;
	pid_t k = 0;

	if (p->pid <= 0)
		return;
	kill(p->pid, SIGTERM);
	while (
	    (k = waitpid(p->pid, &p->status, WNOHANG)) == 0 && clock_mono_ns() < deadline)
		poll(NULL, 0, 1);
	if (k == 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, &p->status, 0);
	}
	close(p->out);
	p->pid = -1;
}
