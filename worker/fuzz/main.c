/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mews-fuzz-worker: the process that holds one plugin for fuzzing. It is made, confined
 * and watched as mews-worker is, by the same launcher; descriptors 3 to 7 are the
 * campaign's socket, "up", "down" (shared.h), and the source target's file.
 *
 * Alone, "mews-fuzz-worker --alone PLUGIN.so TARGET CASE [CONFIG [PARAMS]]" runs one case
 * in a process without any confinement: for debuggers.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/confine.h"
#include "worker/fuzz/breakpoints.h"
#include "worker/fuzz/coverage.h"
#include "worker/fuzz/hooks.h"
#include "worker/fuzz/target.h"
#include "worker/fuzz/trap.h"
#include "worker/json_text.h"

enum {
	SOCKET_FD = 3,
	UP_FD,
	DOWN_FD,
	COPY_FD,
	FILE_FD,
	CLOCK_CASES = 8,       /* between looks at the clock */
	STACK_BYTES = 8 << 20, /* as mews-worker has it */
	/* Without memory that a case gives back counting, nothing grows unseen. */
	NOT_SEEN = 0,
};

static struct fuzz_up *up;
static const struct fuzz_down *down;
static struct target target;
static const char *alone_case;

/* The campaign. */

static bool
hear(struct err *err)
{
	char c;

	if (read(SOCKET_FD, &c, 1) != 1)
		return err_set(err, ERR_GONE, "the campaign is gone");
	return c == FUZZ_GO || err_set(err, ERR_PEER, "an unknown word");
}

static bool
say(char c, struct err *err)
{
	return write(SOCKET_FD, &c, 1) == 1 ||
	       err_set(err, ERR_GONE, "the campaign is gone");
}

static bool
empty_file(void *arg, struct err *err)
{
	trap_running(false);
	bool ok = say(FUZZ_EMPTY_FILE, err) && hear(err);
	trap_running(true);
	return ok;
}

static bool
feed(void *arg, uint32_t part, struct err *err)
{
	up->feed_part = part;
	trap_running(false);
	bool ok = say(FUZZ_FEED, err) && hear(err);
	trap_running(true);
	return ok;
}

/* Alone there is no campaign, and nothing forbids it. */
static bool
cut_file(void *arg, struct err *err)
{
	return ftruncate(target.file_fd, 0) == 0 || err_sys(err, "the source's file");
}

static void
keep_seed(void *arg, const uint8_t *payload, uint32_t n)
{
	target_find(up, FUZZ_FIND_SEED, payload, n, NULL);
}

/* Whole numbers as they lie in memory; small ones are everywhere. */
static void
keep_word(const uint8_t *bytes, uint32_t n)
{
	while (n > 0 && bytes[n - 1] == 0)
		n--;
	if (n > 1)
		target_find(up, FUZZ_FIND_WORD, bytes, n, NULL);
}

/* Requests. */

static void
answer(bool ok, const struct err *why)
{
	up->failed = !ok;
	snprintf(up->message, sizeof(up->message), "%s", ok ? "" : why->msg);
}

static bool
run_case(const uint8_t *bytes, uint32_t n, struct err *err)
{
	if (up->test_case != bytes)
		memcpy(up->test_case, bytes, n);
	up->case_len = n;
	struct fuzz_past *past = &up->past[up->executions % FUZZ_HISTORY];
	past->len = n <= sizeof(past->bytes) ? n : 0;
	memcpy(past->bytes, up->test_case, past->len);
	bool ok = target_run(&target, up->test_case, n, err);
	atomic_fetch_add(&up->executions, 1);
	if (target.is_new)
		breakpoints_constants(keep_word);
	return ok;
}

static bool
run_round(struct err *err)
{
	struct mutation m = {
	    .seed = down->seed,
	    .seed_len = down->seed_len,
	    .other = down->other,
	    .other_len = down->other_len,
	    .word = down->word,
	    .n_words = down->n_words,
	    .operand = coverage_operand,
	    .type = target.type,
	    .n_types = target.n_types,
	    .n_fields = (uint32_t)target.plugin.info.n_fields,
	    .max_bytes = down->max_bytes,
	};

	target.rare = down->verbatim ? NULL : down->rare;
	target.map = up->want_map ? up->map : NULL;

	const uint64_t started = clock_mono_ns();
	for (uint32_t k = down->first; k < down->first + down->n; k++) {
		uint32_t n;

		if (down->round_ms && k % CLOCK_CASES == 0 && k > down->first &&
		    clock_mono_ns() - started > down->round_ms * 1000000ull)
			break;

		up->case_number = k;
		/* The seed is run first in any part of a round: mutation needs what it
		 * compares. */
		if (k == 0 || down->verbatim || coverage_n_operands == NOT_SEEN) {
			coverage_compares = true;
			coverage_n_operands = 0;
			if (!run_case(down->seed, down->seed_len, err))
				return false;
			coverage_compares = false;
			m.n_operands = up->n_operands = coverage_n_operands;
			if (target.is_new && !down->verbatim)
				target_find(up, FUZZ_FIND_COVERAGE, up->test_case,
				    up->case_len, NULL);
			if (k == 0 || down->verbatim)
				continue;
		}
		n = mutate(&m, down->round, k, up->test_case);
		if (!run_case(up->test_case, n, err))
			return false;
		if (target.is_new)
			target_find(
			    up, FUZZ_FIND_COVERAGE, up->test_case, up->case_len, NULL);
	}
	up->is_instrumented = coverage_is_there();
	return true;
}

static bool
serve(struct err *err)
{
	for (;;) {
		struct err why;

		if (!hear(err))
			return false;
		switch (down->kind) {
		case FUZZ_LOAD:
			target.kind = (enum fuzz_target)down->target;
			target.config = down->config;
			target.params = down->params;
			target.memory_bytes = down->memory_bytes;
			target.way = (enum fuzz_way)down->way;
			target.fed = &down->fed;
			answer(target_load(&target, down->plugin_path, &why) &&
				   breakpoints_plant(up, target.base, &why),
			    &why);
			up->is_instrumented = coverage_is_there();
			up->n_types = target.n_types;
			memcpy(up->type, target.type, sizeof(up->type));
			break;
		case FUZZ_RUN:
			coverage_n_operands = 0;
			if (!run_round(err))
				return false;
			break;
		case FUZZ_HARVEST:
			answer(target_harvest(&target, &why), &why);
			break;
		default:
			return err_set(err, ERR_PEER, "an unknown request");
		}
		up->stage = FUZZ_STAGE_IDLE;
		if (!say(FUZZ_DONE, err))
			return false;
	}
}

static bool
run_alone(struct err *err)
{
	FILE *f = fopen(alone_case, "re");

	if (!f)
		return err_sys(err, "%s", alone_case);
	up->case_len = (uint32_t)fread(up->test_case, 1, CASE_BYTES, f);
	fclose(f);
	return target_load(&target, down->plugin_path, err) &&
	       target_run(&target, up->test_case, up->case_len, err);
}

struct service {
	struct err err;
	bool ok;
};

static void *
run(void *arg)
{
	struct service *s = arg;

	/* A debugger wants the fault itself. */
	if (alone_case)
		s->ok = run_alone(&s->err);
	else
		s->ok = trap_init(up, &s->err) && serve(&s->err);
	if (!s->ok && s->err.code != ERR_GONE)
		dprintf(STDERR_FILENO, "mews-fuzz-worker: %s\n", s->err.msg);
	/* Threads of the plugin may be running: nothing is torn down under them. */
	_exit(s->ok ? 0 : 1);
}

static bool
map_shared(struct err *err)
{
	up = mmap(NULL, sizeof(*up), PROT_READ | PROT_WRITE, MAP_SHARED, UP_FD, 0);
	down = mmap(NULL, sizeof(*down), PROT_READ, MAP_SHARED, DOWN_FD, 0);
	if (up == MAP_FAILED || down == MAP_FAILED)
		return err_sys(err, "shared memory");
	close(UP_FD);
	close(DOWN_FD);
	if (down->layout != FUZZ_LAYOUT)
		return err_set(
		    err, ERR_USAGE, "this is not the mews-fuzz-worker of this mews");
	return !down->has_copy || breakpoints_map(COPY_FD, err);
}

static bool
start_thread(struct service *s, struct err *err)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	int rc = pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (rc == 0)
		rc = pthread_create(&thread, &attr, run, s);
	pthread_attr_destroy(&attr);
	return rc == 0 ||
	       err_set(err, ERR_SYS, "no thread for the plugin (error %d)", rc);
}

static bool
prepare_alone(int argc, char **argv, struct err *err)
{
	struct fuzz_down *d = calloc(1, sizeof(*d));

	up = calloc(1, sizeof(*up));
	if (!d || !up)
		return err_nomem(err);
	target.kind = fuzz_target_find(argv[3]);
	if (target.kind == FUZZ_TARGET_N)
		return err_set(err, ERR_USAGE, "no target is called '%s'", argv[3]);
	if (!target_init(&target, up, err))
		return false;
	target.kind = fuzz_target_find(argv[3]);
	snprintf(d->plugin_path, sizeof(d->plugin_path), "%s", argv[2]);
	target.config = argc > 5 ? argv[5] : "";
	target.params = argc > 6 ? argv[6] : "";
	alone_case = argv[4];
	target.empty_file = cut_file;
	target.way = FUZZ_WAY_FILE;
	/* What the parameters name is written anew. */
	if (target.kind == FUZZ_SOURCE)
		target.file_fd =
		    open(target.params, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	down = d;
	return true;
}

int
main(int argc, char **argv)
{
	static struct service service;
	struct err err = {0};
	bool ok;

	if (argc > 4 && strcmp(argv[1], "--alone") == 0) {
		ok = prepare_alone(argc, argv, &err);
	} else {
		json_text_seed();
		ok = map_shared(&err) && hooks_init(&err) &&
		     target_init(&target, up, &err) && confine_enter(&err);
	}
	if (!alone_case) {
		target.file_fd = FILE_FD;
		target.empty_file = empty_file;
		target.feed = feed;
	}
	target.on_event = keep_seed;
	if (ok && start_thread(&service, &err)) {
		if (alone_case)
			for (;;)
				pause();
		/* hang_ms comes with the first request; until then nothing runs. */
		trap_watch(&down->hang_ms);
	}
	dprintf(STDERR_FILENO, "mews-fuzz-worker: %s\n", err.msg);
	return 1;
}
