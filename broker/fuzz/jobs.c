/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several campaigns at once, each a process of its own with workers of its own, in one
 * folder: what one finds worth changing, the others take up, and a finding is written
 * once. This program starts itself again for each, adds up what they say on their
 * standard output, and tells it as one campaign's.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "broker/fuzz/fuzz.h"

extern char **environ;

enum {
	TELL_MS = 2000,
	TICK_MS = 100,
	LINE_BYTES = 1024,
	OWN_WORDS = 6, /* of a job's command line, past what was given */
};

struct job {
	pid_t pid;
	int fd; /* what it says */
	char line[LINE_BYTES];
	size_t n;
	struct fuzz_tally tally; /* as last told */
};

/* The findings of all, by folder. */
struct sum {
	struct {
		char kind[32], dir[FUZZ_PATH_BYTES], headline[LINE_BYTES];
		unsigned long long times;
	} * finding;
	uint32_t n, cap;
};

void
fuzz_tally_say(const struct fuzz_tally *t)
{
	printf("@%llu %llu %u %u %u %u\n", (unsigned long long)t->executions,
	    (unsigned long long)t->features, t->blocks_hit, t->blocks, t->corpus,
	    t->findings);
	fflush(stdout);
}

static bool
add_finding(struct sum *s, const char *line, struct err *err)
{
	char kind[32], dir[LINE_BYTES];
	unsigned long long times;
	int at = 0;

	if (sscanf(line, "%31[^\t]\t%llu\t%1023[^\t]\t%n", kind, &times, dir, &at) != 3 ||
	    at == 0)
		return true;
	for (uint32_t i = 0; i < s->n; i++) {
		if (strcmp(s->finding[i].dir, dir) == 0) {
			s->finding[i].times += times;
			return true;
		}
	}
	if (s->n == s->cap) {
		uint32_t cap = s->cap ? 2 * s->cap : 16;
		void *p = reallocarray(s->finding, cap, sizeof(*s->finding));
		if (!p)
			return err_nomem(err);
		s->finding = p;
		s->cap = cap;
	}
	snprintf(s->finding[s->n].kind, sizeof(kind), "%s", kind);
	snprintf(s->finding[s->n].dir, sizeof(dir), "%s", dir);
	snprintf(s->finding[s->n].headline, LINE_BYTES, "%s", line + at);
	s->finding[s->n++].times = times;
	return true;
}

static bool
take_line(struct job *j, struct sum *s, struct err *err)
{
	struct fuzz_tally *t = &j->tally;
	unsigned long long executions, features;

	if (j->line[0] != '@')
		return add_finding(s, j->line, err);
	if (sscanf(j->line, "@%llu %llu %u %u %u %u", &executions, &features,
		&t->blocks_hit, &t->blocks, &t->corpus, &t->findings) == 6) {
		t->executions = executions;
		t->features = features;
	}
	return true;
}

/* False at its end, too; then fd is -1. */
static bool
listen_to(struct job *j, struct sum *s, struct err *err)
{
	char bytes[4096];
	ssize_t n = read(j->fd, bytes, sizeof(bytes));

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0) {
		close(j->fd);
		j->fd = -1;
		return true;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] != '\n') {
			if (j->n < sizeof(j->line) - 1)
				j->line[j->n++] = bytes[i];
			continue;
		}
		j->line[j->n] = '\0';
		j->n = 0;
		if (!take_line(j, s, err))
			return false;
	}
	return true;
}

static bool
start(struct job *j, const struct fuzz_options *o, uint32_t number, struct err *err)
{
	posix_spawn_file_actions_t actions;
	char self[FUZZ_PATH_BYTES], name[16];
	char **argv = reallocarray(NULL, (size_t)o->argc + OWN_WORDS, sizeof(*argv));
	ssize_t k = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int ends[2], n = 0;

	if (k < 0 || !argv || pipe2(ends, O_CLOEXEC) < 0) {
		free(argv);
		return err_sys(err, "a job");
	}
	self[k] = '\0';
	snprintf(name, sizeof(name), "%u", number);
	argv[n++] = self;
	argv[n++] = (char *)(uintptr_t) "fuzz";
	for (int i = 1; i < o->argc; i++)
		argv[n++] = o->argv[i];
	argv[n++] = (char *)(uintptr_t) "--job";
	argv[n++] = name;
	argv[n] = NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	errno = posix_spawn(&j->pid, self, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	free(argv);
	close(ends[1]);
	j->fd = ends[0];
	if (errno == 0)
		return true;
	j->pid = 0;
	return err_sys(err, "a job");
}

static struct fuzz_tally
add_up(const struct job *job, uint32_t n)
{
	struct fuzz_tally all = {0};

	/* Each has the corpus of all, but may not have tried it yet. */
	for (uint32_t i = 0; i < n; i++) {
		const struct fuzz_tally *t = &job[i].tally;
		all.executions += t->executions;
#define MOST(member) all.member = t->member > all.member ? t->member : all.member
		MOST(features);
		MOST(blocks_hit);
		MOST(blocks);
		MOST(corpus);
#undef MOST
	}
	return all;
}

static void
stop_all(const struct job *job, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (job[i].pid > 0)
			kill(job[i].pid, SIGTERM);
}

/* Until every one has hung up. */
static bool
attend(struct job *job, struct sum *sum, const struct fuzz_options *o,
    volatile sig_atomic_t *stop, struct err *err)
{
	uint64_t started = clock_mono_ns(), told = started, before = 0;
	bool was_stopped = false;

	for (;;) {
		struct pollfd p[FUZZ_JOBS];
		uint32_t open = 0;

		for (uint32_t i = 0; i < o->jobs; i++) {
			p[i] = (struct pollfd){.fd = job[i].fd, .events = POLLIN};
			open += job[i].fd >= 0;
		}
		if (open == 0)
			return true;
		poll(p, o->jobs, TICK_MS);
		for (uint32_t i = 0; i < o->jobs; i++)
			if (p[i].fd >= 0 && p[i].revents && !listen_to(&job[i], sum, err))
				return false;
		/* One that has found what was looked for, or failed, ends all. */
		bool ended = o->stop_at_first && open < o->jobs;
		if ((*stop || ended) && !was_stopped) {
			stop_all(job, o->jobs);
			was_stopped = true;
		}
		uint64_t now = clock_mono_ns();
		if (now - told < TELL_MS * 1000000ull)
			continue;
		struct fuzz_tally all = add_up(job, o->jobs);
		fprintf(stderr, "fuzz: %u jobs, %llu s, %llu executions, %.0f/s, ", open,
		    (unsigned long long)((now - started) / 1000000000),
		    (unsigned long long)all.executions,
		    (double)(all.executions - before) * 1e9 / (double)(now - told));
		if (all.blocks)
			fprintf(stderr, "coverage %u of %u blocks", all.blocks_hit,
			    all.blocks);
		else
			fprintf(
			    stderr, "coverage %llu", (unsigned long long)all.features);
		fprintf(stderr, ", corpus %u\n", all.corpus);
		told = now;
		before = all.executions;
	}
}

static void
tell_sum(const struct sum *sum, const struct job *job, uint32_t n)
{
	struct fuzz_tally all = add_up(job, n);

	for (uint32_t i = 0; i < sum->n; i++)
		printf("%s\t%llu\t%s\t%s\n", sum->finding[i].kind, sum->finding[i].times,
		    sum->finding[i].dir, sum->finding[i].headline);
	if (all.blocks)
		printf("coverage: %u of %u blocks\n", all.blocks_hit, all.blocks);
	printf("%llu executions, %u findings, %u cases in the corpus\n",
	    (unsigned long long)all.executions, sum->n, all.corpus);
}

bool
fuzz_jobs_run(const struct fuzz_options *o, volatile sig_atomic_t *stop, int *ret_status,
    struct err *err)
{
	struct job *job = calloc(o->jobs, sizeof(*job));
	struct sum sum = {0};
	bool ok = job || err_nomem(err);
	uint32_t n = 0;

	while (ok && n < o->jobs) {
		job[n].fd = -1;
		ok = start(&job[n], o, n + 1, err);
		n += ok;
	}
	ok = ok && attend(job, &sum, o, stop, err);
	if (!ok)
		stop_all(job, n);
	for (uint32_t i = 0; i < n; i++) {
		int status = 0;
		while (waitpid(job[i].pid, &status, 0) < 0 && errno == EINTR)
			;
		int code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
		if (code == FUZZ_EXIT_FOUND)
			*ret_status = code;
		else if (code != 0 && ok)
			ok = err_set(
			    err, ERR_SYS, "job %u failed: its words are above", i + 1);
		if (job[i].fd >= 0)
			close(job[i].fd);
	}
	if (ok || sum.n > 0)
		tell_sum(&sum, job, n);
	free(sum.finding);
	free(job);
	return ok;
}
