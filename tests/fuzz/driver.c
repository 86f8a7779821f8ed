/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A main for fuzz targets where libFuzzer is not at hand: it runs a target on its seeds
 * and then on a fixed number of mutations of them. The same numbers and seeds give the
 * same inputs, always, so a failure in one place is a failure everywhere.
 *
 *   x_fuzz [FILE | FOLDER]...                     seeds beside those in the target
 * (fuzz.h) MEWS_FUZZ_RUNS=1000000 x_fuzz                 more than the default 20,000
 *   MEWS_FUZZ_SEED=7 x_fuzz                       other mutations
 *   MEWS_FUZZ_REPLAY=1 x_fuzz FILE...             these inputs alone, each once
 *
 * The input that ends the program (a signal, a sanitizer's verdict, the time limit of the
 * test runner, an exit in the target) is written to $TEST_TMPDIR or /tmp, and its path
 * is printed. There is no coverage feedback here: for that build the target's sources,
 * unchanged, with clang -fsanitize=fuzzer and without this file.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

enum {
	DEFAULT_RUNS = 20000,
	LIMIT_INPUT_BYTES = 1 << 20,
	LIMIT_SEEDS = 4096,
	MOST_MUTATIONS = 8, /* on top of one another */
};

struct input {
	uint8_t *p;
	size_t n;
};

static struct input seeds[LIMIT_SEEDS];
static size_t n_seeds, n_words, longest_seed;

/* What the target is working on: for the handlers below, which may interrupt anything. */
static const uint8_t *volatile current;
static volatile size_t current_bytes;
static char crash_path[512];
static volatile bool is_done;

/* Known to the sanitizers' runtimes alone. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*fn)(void));
__attribute__((weak)) void __asan_init(void);
__attribute__((weak)) void __tsan_init(void);

static void
say(const char *s)
{
	if (write(STDERR_FILENO, s, strlen(s)) < 0)
		return;
}

/* Calls only what a signal handler may. */
static void
save_current(void)
{
	if (!current)
		return;
	int fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t at = 0;
	while (fd >= 0 && at < current_bytes) {
		ssize_t n = write(fd, current + at, current_bytes - at);
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	say(fd >= 0 && at == current_bytes ? "\nfuzz: input is in "
					   : "\nfuzz: cannot write ");
	say(crash_path);
	say("\n");
	if (fd >= 0)
		close(fd);
	current = NULL;
}

static void
on_fatal(int sig)
{
	save_current();
	/* SA_RESETHAND made it fatal again. */
	raise(sig);
}

static void
on_exit_in_target(void)
{
	if (is_done)
		return;
	say("fuzz: the target left the program");
	save_current();
	_exit(1);
}

static void
install_handlers(const char *program)
{
	static const int signals[] = {
	    SIGABRT, SIGTERM, SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
	/* The last four these sanitizers catch themselves, with a better report. */
	size_t n =
	    sizeof(signals) / sizeof(*signals) - (__asan_init || __tsan_init ? 4 : 0);
	static uint8_t stack[64 << 10];
	stack_t alt = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction sa = {
	    .sa_handler = on_fatal, .sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER};
	const char *dir = getenv("TEST_TMPDIR"), *base = strrchr(program, '/');

	snprintf(crash_path, sizeof(crash_path), "%s/%s-crash-%ld", dir ? dir : "/tmp",
	    base ? base + 1 : program, (long)getpid());
	sigaltstack(&alt, NULL);
	for (size_t i = 0; i < n; i++)
		sigaction(signals[i], &sa, NULL);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(save_current);
	atexit(on_exit_in_target);
}

static void
die(const char *what, const char *path)
{
	fprintf(stderr, "fuzz: %s %s: %s\n", what, path, strerror(errno));
	is_done = true;
	exit(2);
}

static void
add_seed(const void *p, size_t n)
{
	if (n_seeds == LIMIT_SEEDS || n > LIMIT_INPUT_BYTES)
		return;
	uint8_t *copy = malloc(n + 1);
	if (!copy)
		die("memory for", "seeds");
	if (n)
		memcpy(copy, p, n);
	seeds[n_seeds++] = (struct input){copy, n};
	longest_seed = n > longest_seed ? n : longest_seed;
}

static void
add_file(const char *path)
{
	FILE *f = fopen(path, "rbe");
	uint8_t *p = malloc(LIMIT_INPUT_BYTES);

	if (!f || !p)
		die("cannot read", path);
	add_seed(p, fread(p, 1, LIMIT_INPUT_BYTES, f));
	free(p);
	fclose(f);
}

/* In the order of names, so that runs are the same everywhere. */
static void
add_path(const char *path)
{
	struct stat st;
	struct dirent **names;
	char inner[4096];

	if (stat(path, &st) != 0)
		die("cannot find", path);
	if (!S_ISDIR(st.st_mode)) {
		add_file(path);
		return;
	}
	int n = scandir(path, &names, NULL, alphasort);
	if (n < 0)
		die("cannot read", path);
	for (int i = 0; i < n; i++) {
		snprintf(inner, sizeof(inner), "%s/%s", path, names[i]->d_name);
		if (stat(inner, &st) == 0 && S_ISREG(st.st_mode))
			add_file(inner);
		free(names[i]);
	}
	free(names);
}

/* The target gets memory of exactly its size, so that a sanitizer sees every byte too
 * far. */
static void
run_one(const uint8_t *p, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);

	if (!exact)
		die("memory for", "an input");
	if (n)
		memcpy(exact, p, n);
	current_bytes = n;
	current = exact;
	LLVMFuzzerTestOneInput(exact, n);
	current = NULL;
	free(exact);
}

static uint64_t rng_state;

/* splitmix64 */
static uint64_t
rng(void)
{
	uint64_t z = rng_state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static size_t
below(size_t n)
{
	return n ? rng() % n : 0;
}

static uint64_t
interesting(void)
{
	static const uint64_t values[] = {0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64,
	    100, 127, 128, 255, 256, 257, 511, 512, 1023, 1024, 4095, 4096, 32767, 32768,
	    65535, 65536, 1u << 20, 1u << 21, 0x7fffffff, 0x80000000, 0xffffffff,
	    0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff};
	uint64_t v = values[below(sizeof(values) / sizeof(*values))];

	switch (below(4)) {
	case 0:
		return v + below(9) - 4;
	case 1:
		return -v;
	default:
		return v;
	}
}

/* The input that is being changed; cap is the whole buffer. */
struct work {
	uint8_t *p;
	size_t n, cap;
};

/* Opens a gap of up to n bytes at a position; returns how many. */
static size_t
open_gap(struct work *w, size_t at, size_t n)
{
	n = n < w->cap - w->n ? n : w->cap - w->n;
	memmove(w->p + at + n, w->p + at, w->n - at);
	w->n += n;
	return n;
}

static void
put_bytes(struct work *w, const uint8_t *p, size_t n)
{
	size_t at = below(w->n + 1);

	if (rng() & 1) {
		n = open_gap(w, at, n);
	} else {
		n = n < w->n - at ? n : w->n - at;
	}
	if (n)
		memcpy(w->p + at, p, n);
}

static void
change_number(struct work *w)
{
	size_t width = (size_t)1 << below(4);

	if (w->n < width)
		return;
	size_t at = below(w->n - width + 1);
	if (rng() % 4)
		at -= at % width;
	uint64_t v = 0;
	memcpy(&v, w->p + at, width);
	switch (below(4)) {
	case 0:
		v += below(33) - 16;
		break;
	case 1:
		v = __builtin_bswap64(interesting()) >> (64 - 8 * width);
		break;
	default:
		v = interesting();
	}
	memcpy(w->p + at, &v, width);
}

static void
change_decimal(struct work *w)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%lld", (long long)interesting());

	put_bytes(w, (const uint8_t *)digits, (size_t)n);
}

static void
delete_range(struct work *w)
{
	if (w->n == 0)
		return;
	size_t at = below(w->n), n = 1 + below(rng() % 4 ? 8 : w->n - at);
	n = n < w->n - at ? n : w->n - at;
	memmove(w->p + at, w->p + at + n, w->n - at - n);
	w->n -= n;
}

static void
repeat_range(struct work *w)
{
	if (w->n == 0)
		return;
	size_t from = below(w->n), n = 1 + below(rng() % 4 ? 16 : w->n - from);
	uint8_t piece[256];
	n = n < w->n - from ? n : w->n - from;
	n = n < sizeof(piece) ? n : sizeof(piece);
	memcpy(piece, w->p + from, n);
	for (size_t times = 1 + (rng() % 8 ? 0 : below(64)); times > 0; times--) {
		size_t got = open_gap(w, from, n);
		memcpy(w->p + from, piece, got);
	}
}

static void
splice_seed(struct work *w)
{
	const struct input *other = &seeds[below(n_seeds)];
	size_t from = below(other->n + 1);

	if (rng() & 1) {
		put_bytes(w, other->p + from, below(other->n - from + 1));
		return;
	}
	w->n = below(w->n + 1);
	size_t n = other->n - from < w->cap - w->n ? other->n - from : w->cap - w->n;
	if (n)
		memcpy(w->p + w->n, other->p + from, n);
	w->n += n;
}

static void
insert_noise(struct work *w)
{
	size_t at = below(w->n + 1), n = open_gap(w, at, 1 + below(16));
	bool same = rng() & 1;
	uint8_t byte = (uint8_t)rng();

	for (size_t i = 0; i < n; i++)
		w->p[at + i] = same ? byte : (uint8_t)rng();
}

static void
mutate(struct work *w)
{
	switch (below(n_words ? 11 : 9)) {
	case 0:
		if (w->n)
			w->p[below(w->n)] ^= (uint8_t)(1u << below(8));
		break;
	case 1:
		if (w->n)
			w->p[below(w->n)] = (uint8_t)rng();
		break;
	case 2:
	case 3:
		change_number(w);
		break;
	case 4:
		change_decimal(w);
		break;
	case 5:
		delete_range(w);
		break;
	case 6:
		repeat_range(w);
		break;
	case 7:
		splice_seed(w);
		break;
	case 8:
		insert_noise(w);
		break;
	default: {
		const char *word = fuzz_words[below(n_words)];
		put_bytes(w, (const uint8_t *)word, strlen(word));
	}
	}
}

static uint64_t
setting(const char *name, uint64_t otherwise)
{
	const char *s = getenv(name);

	return s && *s ? strtoull(s, NULL, 10) : otherwise;
}

int
main(int argc, char **argv)
{
	uint64_t runs = setting("MEWS_FUZZ_RUNS", DEFAULT_RUNS);
	bool replay = setting("MEWS_FUZZ_REPLAY", 0) != 0;

	install_handlers(argv[0]);
	for (int i = 1; i < argc; i++)
		add_path(argv[i]);
	if (!replay) {
		if (fuzz_make_seeds)
			fuzz_make_seeds(add_seed);
		for (size_t i = 0; fuzz_seeds && fuzz_seeds[i]; i++)
			add_seed(fuzz_seeds[i], strlen(fuzz_seeds[i]));
		while (fuzz_words && fuzz_words[n_words])
			n_words++;
		add_seed("", 0);
	}
	for (size_t i = 0; i < n_seeds; i++)
		run_one(seeds[i].p, seeds[i].n);
	struct work w = {.cap = longest_seed * 2 > 4096 ? longest_seed * 2 : 4096};
	w.p = malloc(w.cap);
	if (!w.p)
		die("memory for", "an input");
	rng_state = setting("MEWS_FUZZ_SEED", 1);
	for (uint64_t i = 0; !replay && i < runs; i++) {
		const struct input *from = &seeds[below(n_seeds)];
		w.n = from->n;
		memcpy(w.p, from->p, from->n);
		for (size_t k = 1 + below(MOST_MUTATIONS); k > 0; k--)
			mutate(&w);
		run_one(w.p, w.n);
	}
	printf("fuzz: %zu inputs as they are, %llu mutations\n", n_seeds,
	    replay ? 0ull : (unsigned long long)runs);
	free(w.p);
	for (size_t i = 0; i < n_seeds; i++)
		free(seeds[i].p);
	is_done = true;
	return 0;
}
