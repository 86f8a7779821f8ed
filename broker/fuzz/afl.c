/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AFL++ as the engine. afl-fuzz starts this program again as its target: not the plugin's
 * process, but the one that has it. It speaks AFL's fork server protocol (descriptors 198
 * and 199, the map and the test cases in shared memory) and hands each case to a confined
 * worker, which stays until a case kills it. So AFL++ needs no code in the plugin's
 * process, the plugin is as confined as ever, and what stands for AFL's snapshot after
 * init is the living worker.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "broker/fuzz/fuzz.h"
#include "broker/settings/files.h"

extern char **environ;

enum {
	/* AFL's; config.h and types.h of version 4.04c. */
	AFL_FD = 198,
	AFL_SHARED_CASES = 0x01000000,
	AFL_OPTIONS = (int)0x80000001,
	AFL_CASE_BYTES = 1 << 20,

	TELL_MS = 2000,
	ARGS = 256,
};

/* The target's side. */

static bool
attach(const char *name, void **ret)
{
	const char *id = getenv(name);

	*ret = id ? shmat((int)strtol(id, NULL, 10), NULL, 0) : (void *)-1;
	return *ret != (void *)-1;
}

static bool
get_u32(uint32_t *v)
{
	return read(AFL_FD, v, sizeof(*v)) == (ssize_t)sizeof(*v);
}

static bool
put_u32(uint32_t v)
{
	return write(AFL_FD + 1, &v, sizeof(v)) == (ssize_t)sizeof(v);
}

/* One case; *ret_status is what waitpid would say. */
static bool
run_for_afl(struct fuzz_triage *t, const uint8_t *bytes, uint32_t n, uint32_t *ret_status,
    struct err *err)
{
	struct fuzz_worker *w = &t->worker;
	struct fuzz_verdict v;

	w->up->want_map = 1;
	memset(w->up->map, 0, sizeof(w->up->map));
	if (!fuzz_try(t, bytes, n, false, &v, err))
		return false;
	switch (v.kind) {
	case FINDING_NONE:
		*ret_status = 0;
		break;
	case FINDING_HANG:
		/* AFL's own clock would say so; ours was faster. */
		*ret_status = SIGKILL;
		break;
	case FINDING_CRASH:
	case FINDING_MEMORY:
		*ret_status = SIGSEGV;
		break;
	default:
		*ret_status = SIGABRT;
	}
	return true;
}

int
fuzz_afl_target(struct fuzz_subject *s)
{
	static struct fuzz_triage t;
	static uint8_t bytes[CASE_BYTES];
	struct err err = {0};
	void *map, *cases;
	uint32_t word;

	if (!attach("__AFL_SHM_ID", &map) || !attach("__AFL_SHM_FUZZ_ID", &cases)) {
		fputs("--afl-target is for afl-fuzz alone\n", stderr);
		return 1;
	}
	t.quick = true;
	if (!fuzz_worker_init(&t.worker, s, &err) ||
	    !put_u32((uint32_t)(AFL_OPTIONS | AFL_SHARED_CASES)) || !get_u32(&word))
		return 1;
	while (get_u32(&word)) {
		uint32_t n = *(const volatile uint32_t *)cases, status = 0;
		n = n < AFL_CASE_BYTES ? n : AFL_CASE_BYTES;
		memcpy(bytes, (const uint8_t *)cases + sizeof(n), n);
		/* Not the worker's: AFL kills it when its time is up, and we watch the
		 * time. A child that does nothing would cost more than it is worth. */
		if (!put_u32((uint32_t)getpid()))
			break;
		if (!run_for_afl(&t, bytes, n, &status, &err))
			break;
		memcpy(map, t.worker.up->map, FUZZ_EDGES);
		/* AFL takes an empty map for a broken target. */
		((uint8_t *)map)[0] = 1;
		if (!put_u32(status))
			break;
	}
	if (err.code)
		fprintf(stderr, "mews fuzz: %s\n", err.msg);
	fuzz_worker_release(&t.worker);
	return 0;
}

/* The campaign's side. */

static bool
write_seeds(const struct fuzz_corpus *c, const char *dir, struct err *err)
{
	if (!fuzz_make_dir(dir, err))
		return false;
	for (uint32_t i = 0; i < c->n; i++) {
		char name[32];
		snprintf(name, sizeof(name), "%06u", i);
		/* More than AFL takes; and it has no use for nothing. */
		if (c->entry[i].n > 0 && c->entry[i].n < AFL_CASE_BYTES &&
		    !fuzz_file_write(dir, name, c->entry[i].bytes, c->entry[i].n, err))
			return false;
	}
	return true;
}

static bool
write_words(const struct fuzz_corpus *c, const char *dir, struct err *err)
{
	struct buf b;

	buf_init(&b, 16 << 20);
	for (uint32_t i = 0; i < c->n_words; i++) {
		buf_adds(&b, "\"");
		for (uint8_t k = 0; k < c->word[i].len; k++)
			buf_addf(&b, "\\x%02x", c->word[i].bytes[k]);
		buf_adds(&b, "\"\n");
	}
	bool ok = fuzz_file_write(dir, "words", buf_str(&b), b.len, err);
	buf_release(&b);
	return ok;
}

struct command {
	char *argv[ARGS];
	unsigned n;
	struct arena *arena; /* of the words */
	bool failed;
};

static void add_words(struct command *c, const char *option, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* "option value"; without fmt the option alone. */
static void
add_words(struct command *c, const char *option, const char *fmt, ...)
{
	char value[FUZZ_PATH_BYTES];
	va_list ap;

	if (c->n + 3 > ARGS) {
		c->failed = true;
		return;
	}
	c->argv[c->n] = arena_strdup(c->arena, option);
	c->failed |= !c->argv[c->n++];
	if (!fmt)
		return;
	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	c->argv[c->n] = arena_strdup(c->arena, value);
	c->failed |= !c->argv[c->n++];
}

static bool
make_command(struct fuzz_campaign *c, const char *dir, const char *seeds,
    struct command *ret, struct err *err)
{
	const struct fuzz_options *o = c->options;
	char self[FUZZ_PATH_BYTES];
	ssize_t k = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (k < 0)
		return err_sys(err, "cannot tell where this program is");
	self[k] = '\0';
	*ret = (struct command){.arena = &c->corpus.arena};
	add_words(ret, "afl-fuzz", NULL);
	add_words(ret, "-i", "%s", seeds);
	add_words(ret, "-o", "%s", dir);
	add_words(ret, "-x", "%s/words", dir);
	/* Ours is the clock, AFL's is for when we fail; without a "+", or AFL shortens it
	 * to milliseconds. */
	add_words(ret, "-t", "%u", 2 * o->hang_ms + 2000);
	add_words(ret, "-m", "none");
	add_words(ret, "-s", "%llu", (unsigned long long)o->seed);
	if (o->time_s)
		add_words(ret, "-V", "%llu", (unsigned long long)o->time_s);
	else if (o->runs)
		add_words(ret, "-E", "%llu", (unsigned long long)o->runs);
	add_words(ret, "--", "%s", self);
	for (int i = 0; i < o->argc; i++)
		add_words(ret, i ? o->argv[i] : "fuzz", NULL);
	add_words(ret, "--afl-target", NULL);
	return !ret->failed || err_set(err, ERR_LIMIT, "too many arguments for afl-fuzz");
}

static bool
start_afl(struct fuzz_campaign *c, const char *dir, const char *seeds, pid_t *ret_pid,
    struct err *err)
{
	/* We are no binary of afl-cc's, run without a terminal, and change no machine. */
	static const char *const on[] = {"AFL_SKIP_BIN_CHECK", "AFL_NO_UI",
	    "AFL_SKIP_CPUFREQ", "AFL_NO_AFFINITY",
	    "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES", "AFL_SKIP_CRASHES",
	    "AFL_AUTORESUME"};
	posix_spawn_file_actions_t actions;
	struct command command;
	char log[FUZZ_PATH_BYTES];

	if (!make_command(c, dir, seeds, &command, err))
		return false;
	for (size_t i = 0; i < sizeof(on) / sizeof(*on); i++)
		setenv(on[i], "1", 0);
	setenv("AFL_FORKSRV_INIT_TMOUT", "60000", 0);
	fuzz_path(log, "%s/log", dir);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(
	    &actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
	int rc =
	    posix_spawnp(ret_pid, command.argv[0], &actions, NULL, command.argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc == ENOENT)
		return err_set(err, ERR_USAGE,
		    "there is no afl-fuzz: install AFL++ (Debian: afl++), or leave "
		    "--engine out");
	errno = rc;
	return rc == 0 || err_sys(err, "afl-fuzz");
}

/* A number of fuzzer_stats. */
static uint64_t
stat_of(const char *stats, const char *name)
{
	const char *at = strstr(stats, name);

	at = at ? strchr(at, ':') : NULL;
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

static void
tell(struct fuzz_campaign *c, const char *dir)
{
	char path[FUZZ_PATH_BYTES];
	struct buf b;
	struct err ignored;

	fuzz_path(path, "%s/default/fuzzer_stats", dir);
	buf_init(&b, 1 << 16);
	if (file_read(path, &b, &ignored)) {
		const char *s = buf_str(&b);
		uint64_t last = stat_of(s, "last_find"),
			 now = clock_wall_ns() / 1000000000;
		c->executions = stat_of(s, "execs_done");
		fprintf(stderr,
		    "fuzz %s (AFL++): %llu s, %llu executions, %llu/s, coverage %llu, "
		    "corpus %llu, crashes %llu, hangs %llu, last new %llu s ago\n",
		    fuzz_target_name(c->subject->target),
		    (unsigned long long)stat_of(s, "run_time"),
		    (unsigned long long)c->executions,
		    (unsigned long long)stat_of(s, "execs_per_sec"),
		    (unsigned long long)stat_of(s, "edges_found"),
		    (unsigned long long)stat_of(s, "corpus_count"),
		    (unsigned long long)stat_of(s, "saved_crashes"),
		    (unsigned long long)stat_of(s, "saved_hangs"),
		    (unsigned long long)(last ? now - last : 0));
	}
	buf_release(&b);
}

static bool
await_afl(struct fuzz_campaign *c, const char *dir, pid_t pid, struct err *err)
{
	bool told = false;
	uint64_t next = 0;
	int status;

	for (;;) {
		pid_t got = waitpid(pid, &status, WNOHANG);
		if (got == pid)
			break;
		if (got < 0 && errno != EINTR)
			return err_sys(err, "waiting for afl-fuzz");
		if (*c->stop && !told) {
			kill(pid, SIGINT);
			told = true;
		}
		uint64_t now = clock_mono_ns();
		if (now > next) {
			tell(c, dir);
			next = now + TELL_MS * 1000000ull;
		}
		poll(NULL, 0, 100);
	}
	tell(c, dir);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	return err_set(err, ERR_SYS, "afl-fuzz ended badly: see %s/log", dir);
}

/* AFL keeps many of one defect: each is looked at as our own finds are. */
static bool
import(struct fuzz_campaign *c, const char *dir, const char *what, struct err *err)
{
	static uint8_t bytes[CASE_BYTES];
	struct file_list files;
	struct err ignored;
	char path[FUZZ_PATH_BYTES];
	bool ok = true;

	fuzz_path(path, "%s/default/%s", dir, what);
	if (!file_list_read(&files, path, NULL, &ignored))
		return true;
	for (size_t i = 0; ok && i < files.n; i++) {
		struct fuzz_verdict v;
		struct buf b;

		buf_init(&b, CASE_BYTES);
		if (!strstr(files.path[i], "README") &&
		    file_read(files.path[i], &b, &ignored)) {
			uint32_t n = (uint32_t)b.len;
			memcpy(bytes, buf_str(&b), n);
			ok = fuzz_try(&c->triage, bytes, n, true, &v, err);
			if (ok && v.kind != FINDING_NONE)
				ok = fuzz_campaign_found(c, &v, bytes, n, err);
		}
		buf_release(&b);
	}
	file_list_release(&files);
	return ok;
}

bool
fuzz_afl_run(struct fuzz_campaign *c, struct err *err)
{
	static char dir[FUZZ_PATH_BYTES], seeds[FUZZ_PATH_BYTES];
	pid_t pid;

	fuzz_path(
	    dir, "%s/afl-%s", c->options->out, fuzz_target_name(c->subject->target));
	fuzz_path(seeds, "%s/seeds", dir);
	return fuzz_make_dir(dir, err) && write_seeds(&c->corpus, seeds, err) &&
	       write_words(&c->corpus, dir, err) && start_afl(c, dir, seeds, &pid, err) &&
	       await_afl(c, dir, pid, err) && import(c, dir, "crashes", err) &&
	       import(c, dir, "hangs", err);
}
