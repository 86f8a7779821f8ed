/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data path, measured: bazel run -c opt //tests/bench [-- --quick]. README.md says
 * what is measured and how to read it.
 *
 * Each scenario is given to all subjects in turn, round after round, so that what
 * disturbs the machine disturbs all of them; how many events a subject gets depends on
 * what it did with a few before. Long, because a measurement is followed from the
 * command line to its figures in one place.
 */
#include <fnmatch.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/bench/bare.h"
#include "tests/bench/process.h"
#include "tests/bench/report.h"
#include "tests/bench/setting.h"

enum {
	ROUNDS = 7,
	QUICK_ROUNDS = 3,
	FIRST_EVENTS = 20000,
	FIRST_SLOW_EVENTS = 2000,
	/* Alerts leave once per turn of the loop, and two of them are the clock. */
	LEAST_EVENTS = 10000,
	TRIALS = 4,
	RUN_DEADLINE_S = 60,
};

/* clang-format off */
#define CHEAP(name, payload, batch, rules, match, quick) \
	{name, SOURCE_CHEAP, payload, batch, rules, match, 1, ALERTS_MATCHES, LOAD_FULL, quick, \
	    TABLES_NONE, 0},
#define TABLES(name, kind, rounds, quick) \
	{name, SOURCE_CHEAP, 300, 128, 1, 0, 1, ALERTS_MATCHES, LOAD_FULL, quick, kind, rounds},
#define SIZES(payload, batch, label, quick100) \
	CHEAP("cheap-1" label,    payload, batch, 1,    0, false) \
	CHEAP("cheap-10" label,   payload, batch, 10,   0, false) \
	CHEAP("cheap-100" label,  payload, batch, 100,  0, quick100) \
	CHEAP("cheap-1000" label, payload, batch, 1000, 0, false)

static const struct scenario scenarios[] = {
	CHEAP("no-fields", 300, 128, 0, 0, true)
	CHEAP("cheap-1", 300, 128, 1, 0, true)
	CHEAP("cheap-10", 300, 128, 10, 0, true)
	CHEAP("cheap-100", 300, 128, 100, 0, true)
	CHEAP("cheap-1000", 300, 128, 1000, 0, true)
	CHEAP("cheap-100-match", 300, 128, 100, 10, true)
	CHEAP("cheap-1000-match", 300, 128, 1000, 10, false)
	SIZES(300, 1, "-batch1", true)
	SIZES(300, 32, "-batch32", true)
	SIZES(300, 256, "-batch256", true)
	SIZES(1500, 1, "-1500-batch1", false)
	SIZES(1500, 32, "-1500-batch32", false)
	SIZES(1500, 128, "-1500", true)
	SIZES(1500, 256, "-1500-batch256", false)
	{"two-pipelines",  SOURCE_CHEAP, 300, 128, 100, 0, 2, ALERTS_MATCHES, LOAD_FULL, true, TABLES_NONE, 0},
	{"four-pipelines", SOURCE_CHEAP, 300, 128, 100, 0, 4, ALERTS_MATCHES, LOAD_FULL, true, TABLES_NONE, 0},
	{"every-text",     SOURCE_CHEAP, 300, 128, 1, 0, 1, ALERTS_TEXT, LOAD_FULL, true, TABLES_NONE, 0},
	{"every-json",     SOURCE_CHEAP, 300, 128, 1, 0, 1, ALERTS_JSON, LOAD_FULL, true, TABLES_NONE, 0},
	{"k8saudit",       SOURCE_K8SAUDIT, 0, 0, 49, 0, 1, ALERTS_MATCHES, LOAD_FULL, false, TABLES_NONE, 0},
	{"k8saudit-json",  SOURCE_K8SAUDIT_JSON, 0, 0, 50, 0, 1, ALERTS_MATCHES, LOAD_FULL, true, TABLES_NONE, 0},
	{"k8saudit-async", SOURCE_K8SAUDIT_ASYNC, 0, 0, 50, 0, 1, ALERTS_MATCHES, LOAD_FULL, false, TABLES_NONE, 0},
	{"cloudtrail",     SOURCE_CLOUDTRAIL, 0, 0, 30, 0, 1, ALERTS_MATCHES, LOAD_FULL, true, TABLES_NONE, 0},
	TABLES("tables-threads-0", TABLES_BUILTIN, 0, true)
	TABLES("tables-threads-4", TABLES_BUILTIN, 1, true)
	TABLES("tables-threads-40", TABLES_BUILTIN, 10, true)
	TABLES("tables-other-0", TABLES_OTHERS, 0, true)
	TABLES("tables-other-4", TABLES_OTHERS, 1, true)
	TABLES("tables-other-40", TABLES_OTHERS, 10, true)
	{"latency-idle",   SOURCE_CHEAP, 300, 128, 100, 0, 1, ALERTS_MATCHES, LOAD_IDLE, true, TABLES_NONE, 0},
	{"latency-1%",     SOURCE_CHEAP, 300, 128, 100, 0, 1, ALERTS_MATCHES, 1, true, TABLES_NONE, 0},
	{"latency-10%",    SOURCE_CHEAP, 300, 128, 100, 0, 1, ALERTS_MATCHES, 10, true, TABLES_NONE, 0},
	{"latency-80%",    SOURCE_CHEAP, 300, 128, 100, 0, 1, ALERTS_MATCHES, 80, true, TABLES_NONE, 0},
};
/* clang-format on */

enum {
	SCENARIOS_N = sizeof(scenarios) / sizeof(*scenarios),
};

struct bench {
	struct places places;
	const char *against, *only;
	bool quick, json, has_plain;
	uint32_t rounds;
	double seconds; /* that one measurement is to take */
	struct process process;
};

/* Asked to stop: what was measured so far is printed. */
static volatile sig_atomic_t interrupted;

static void
on_signal(int number)
{
	interrupted = 1;
}

/* Measuring once. */

static int
by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void
take_latencies(struct process *p, double figure[FIGURES_N])
{
	uint32_t n = p->n_latency;

	if (n == 0)
		return;
	qsort(p->latency, n, sizeof(*p->latency), by_size);
	figure[FIGURE_P50_US] = (double)p->latency[n / 2] / 1e3;
	figure[FIGURE_P99_US] = (double)p->latency[(uint32_t)((double)n * 0.99)] / 1e3;
	figure[FIGURE_MAX_US] = (double)p->latency[n - 1] / 1e3;
}

/* Puts the last line that the program logged behind what err says. */
static bool
add_last_words(const struct bench *b, struct err *err)
{
	static char tail[4096];
	char path[4200], what[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/log", b->places.tmp);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (fseek(f, -(long)(sizeof(tail) - 1), SEEK_END) < 0)
		rewind(f);
	size_t n = fread(tail, 1, sizeof(tail) - 1, f);
	fclose(f);
	while (n > 0 && tail[n - 1] == '\n')
		n--;
	tail[n] = '\0';
	const char *last = strrchr(tail, '\n');
	snprintf(what, sizeof(what), "%.299s", err->msg);
	return err_set(err, ERR_GONE, "%s: %s", what, last ? last + 1 : tail);
}

static bool
start(struct bench *b, const struct setting *set, enum subject subject, struct err *err)
{
	char config[4200], log[4200];
	const char *program = b->places.mews, *source[5];
	char *argv[16];
	int n = 0;

	snprintf(config, sizeof(config), "%s/falco.yaml", b->places.tmp);
	snprintf(log, sizeof(log), "%s/log", b->places.tmp);
	if (subject == SUBJECT_AGAINST) {
		program = b->against;
		argv[n++] = (char *)"falco";
	} else {
		argv[n++] = (char *)"mews";
		argv[n++] = (char *)"run";
	}
	argv[n++] = (char *)"-c";
	argv[n++] = config;
	setting_sources(set->scenario, source);
	for (uint32_t i = 0; source[i]; i++) {
		argv[n++] = (char *)"--enable-source";
		argv[n++] = (char *)source[i];
	}
	argv[n] = NULL;
	return setting_write(&b->places, set, subject, err) &&
	       process_start(&b->process, program, argv, log, err);
}

/* The CPU time of everybody over so long without an event. */
static double
idle_percent(struct process *p, double seconds)
{
	struct usage before = process_usage(p), after;
	uint64_t start_ns = clock_mono_ns();

	usleep((useconds_t)(seconds * 1e6));
	after = process_usage(p);
	return 100 *
	       (double)(after.broker_ns + after.worker_ns - before.broker_ns -
			before.worker_ns) /
	       (double)(clock_mono_ns() - start_ns);
}

static bool
measure_marked(struct bench *b, const struct setting *set, enum subject subject,
    double figure[FIGURES_N], struct err *err)
{
	struct process *p = &b->process;
	uint32_t pipelines = set->scenario->pipelines;

	if (!start(b, set, subject, err))
		return false;
	bool ok = process_read(p, 2 * pipelines, !set->waits, RUN_DEADLINE_S, err);
	if (ok) {
		struct usage u = process_usage(p);
		double events = (double)(set->events * pipelines - pipelines);
		figure[FIGURE_RATE] =
		    events / ((double)(p->last_mark_ns - p->first_mark_ns) / 1e9);
		figure[FIGURE_BROKER_NS] =
		    (double)(u.broker_ns - p->at_first.broker_ns) / events;
		figure[FIGURE_WORKER_NS] =
		    (double)(u.worker_ns - p->at_first.worker_ns) / events;
		figure[FIGURE_START_MS] = (double)(p->first_mark_ns - p->start_ns) / 1e6;
		take_latencies(p, figure);
	}
	/* A source that has ended takes its processes with it. */
	if (ok && set->waits) {
		figure[FIGURE_SWITCHES] =
		    (double)(process_usage(p).switches - p->at_first.switches) * 1e3 /
		    (double)(set->events * pipelines);
		process_memory(p, &figure[FIGURE_BROKER_MIB], &figure[FIGURE_WORKER_MIB]);
		if (!p->has_worker)
			figure[FIGURE_WORKER_MIB] = NAN;
		if (set->scenario->load == LOAD_IDLE)
			figure[FIGURE_IDLE_PERCENT] = idle_percent(p, 2 * b->seconds);
	}
	process_stop(p);
	return ok || add_last_words(b, err);
}

/* From start to end; CPU time is what was last seen of it. */
static bool
run_to_end(struct bench *b, const struct setting *set, enum subject subject,
    double *ret_seconds, struct usage *ret_usage, struct err *err)
{
	struct process *p = &b->process;

	if (!start(b, set, subject, err))
		return false;
	bool ok = process_read(p, 0, true, RUN_DEADLINE_S, err);
	*ret_seconds = (double)(p->end_ns - p->start_ns) / 1e9;
	*ret_usage = process_usage(p);
	process_stop(p);
	if (ok && p->status != 0)
		ok = err_set(err, ERR_PLUGIN, "exit status %d", p->status);
	return ok || add_last_words(b, err);
}

/* When every event makes an alert, none can be waited for: the run as a whole, less one
 * of a single event. */
static bool
measure_flood(struct bench *b, const struct setting *set, enum subject subject,
    double figure[FIGURES_N], struct err *err)
{
	struct setting one = *set;
	struct usage little, much;
	double short_s, long_s, events = (double)(set->events - 1);

	one.events = 1;
	if (!run_to_end(b, &one, subject, &short_s, &little, err) ||
	    !run_to_end(b, set, subject, &long_s, &much, err))
		return false;
	if (long_s <= short_s)
		long_s = short_s + 1e-4;
	figure[FIGURE_RATE] = events / (long_s - short_s);
	figure[FIGURE_BROKER_NS] =
	    ((double)much.broker_ns - (double)little.broker_ns) / events;
	figure[FIGURE_WORKER_NS] =
	    ((double)much.worker_ns - (double)little.worker_ns) / events;
	return true;
}

static bool
read_rules(const struct places *places, const struct scenario *s, struct buf *out)
{
	char path[2][4400], chunk[4096];
	size_t n;

	snprintf(path[0], sizeof(path[0]), "%s/rules.yaml", places->tmp);
	snprintf(path[1], sizeof(path[1]), "%s/rules/%s", places->real,
	    s->source == SOURCE_CLOUDTRAIL ? "aws_cloudtrail_rules.yaml"
					   : "k8s_audit_rules.yaml");
	for (int i = 0; i < (s->source == SOURCE_CHEAP ? 1 : 2); i++) {
		FILE *f = fopen(path[i], "r");
		while (f && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
			buf_add(out, chunk, n);
		if (f)
			fclose(f);
	}
	return !out->failed;
}

static bool
measure_bare(
    struct bench *b, const struct setting *set, double figure[FIGURES_N], struct err *err)
{
	struct setting ends = *set;
	struct buf library, config, params, rules;
	struct bare_result r;

	ends.waits = false;
	buf_init(&library, 1 << 16);
	buf_init(&config, 1 << 16);
	buf_init(&params, 1 << 16);
	buf_init(&rules, 1 << 24);
	bool ok = setting_write(&b->places, &ends, SUBJECT_BARE, err) &&
		  (setting_plugin(&b->places, &ends, &library, &config, &params) ||
		      err_nomem(err)) &&
		  (read_rules(&b->places, set->scenario, &rules) || err_nomem(err)) &&
		  bare_run(buf_str(&library), buf_str(&config), buf_str(&params),
		      buf_str(&rules), &r, err);
	if (ok) {
		figure[FIGURE_RATE] = (double)r.events / r.seconds;
		figure[FIGURE_WORKER_NS] = r.cpu_seconds * 1e9 / (double)r.events;
		figure[FIGURE_NEXT_NS] = r.next_cpu_seconds * 1e9 / (double)r.events;
	}
	buf_release(&library);
	buf_release(&config);
	buf_release(&params);
	buf_release(&rules);
	return ok;
}

static bool
measure(struct bench *b, const struct setting *set, enum subject subject,
    double figure[FIGURES_N], struct err *err)
{
	for (uint32_t i = 0; i < FIGURES_N; i++)
		figure[i] = NAN;
	if (subject == SUBJECT_BARE)
		return measure_bare(b, set, figure, err);
	if (set->scenario->alerts != ALERTS_MATCHES)
		return measure_flood(b, set, subject, figure, err);
	return measure_marked(b, set, subject, figure, err);
}

/* Measuring often. */

/* How many events keep the subject busy for b->seconds, and its rate. */
static bool
calibrate(struct bench *b, struct setting *set, enum subject subject, double *ret_rate,
    struct err *err)
{
	double figure[FIGURES_N], took = 0;

	set->events =
	    set->scenario->source == SOURCE_CHEAP && set->scenario->tables == TABLES_NONE
		? FIRST_EVENTS
		: FIRST_SLOW_EVENTS;
	/* Perhaps one of those that are slower by a thousand times. */
	if (subject == SUBJECT_AGAINST || subject == SUBJECT_PLAIN)
		set->events /= 10;
	for (int i = 0; i < TRIALS; i++) {
		if (!measure(b, set, subject, figure, err))
			return false;
		took =
		    (double)set->events * set->scenario->pipelines / figure[FIGURE_RATE];
		if (took > b->seconds / 4)
			break;
		set->events *= 10;
	}
	*ret_rate = figure[FIGURE_RATE];
	double events = (double)set->events * b->seconds / took;
	set->events = events < LEAST_EVENTS ? LEAST_EVENTS : (uint64_t)events;
	return true;
}

static bool
prepare(struct bench *b, const struct scenario *s, enum subject subject,
    struct scenario *full, struct setting *set, struct err *err)
{
	double best;

	*full = *s;
	full->load = LOAD_FULL;
	*set = (struct setting){.scenario = full,
	    .waits = s->source == SOURCE_CHEAP && s->alerts == ALERTS_MATCHES};
	if (s->load == LOAD_IDLE) {
		set->rate = IDLE_RATE;
	} else {
		if (!calibrate(b, set, subject, &best, err))
			return false;
		if (s->load != LOAD_FULL)
			set->rate = best * s->load / 100;
	}
	set->scenario = s;
	if (set->rate > 0)
		set->events = (uint64_t)(set->rate * b->seconds * 2);
	return true;
}

static const char *
why_not(const struct bench *b, const struct scenario *s, enum subject subject)
{
	switch (subject) {
	case SUBJECT_BARE:
		return s->load != LOAD_FULL || s->pipelines > 1 ||
			       s->alerts != ALERTS_MATCHES || s->tables != TABLES_NONE
			   ? ""
			   : NULL;
	case SUBJECT_PLAIN:
		return b->has_plain && s->load == LOAD_FULL ? NULL : "";
	case SUBJECT_UNCONFINED:
		return s->load == LOAD_FULL ? NULL : "";
	case SUBJECT_AGAINST:
		return b->against ? NULL : "";
	default:
		return NULL;
	}
}

static void
run_scenario(struct bench *b, struct row *row)
{
	const struct scenario *s = row->scenario;
	struct scenario full[SUBJECTS_N];
	struct setting set[SUBJECTS_N];
	bool runs[SUBJECTS_N];
	double figure[FIGURES_N];
	struct err err;

	fprintf(stderr, "%s\n", s->name);
	for (uint32_t i = 0; i < SUBJECTS_N; i++) {
		const char *why = why_not(b, s, i);
		runs[i] = !why && prepare(b, s, i, &full[i], &set[i], &err);
		if (!runs[i])
			snprintf(row->outcome[i].why, sizeof(row->outcome[i].why),
			    "%.199s", why ? why : err.msg);
	}
	for (uint32_t round = 0; round < b->rounds; round++) {
		for (uint32_t i = 0; i < SUBJECTS_N; i++) {
			if (!runs[i] || interrupted)
				continue;
			runs[i] = measure(b, &set[i], i, figure, &err);
			if (!runs[i])
				snprintf(row->outcome[i].why, sizeof(row->outcome[i].why),
				    "%.199s", err.msg);
			for (uint32_t f = 0; f < FIGURES_N; f++)
				row->outcome[i].figure[f][round] = figure[f];
		}
	}
	for (uint32_t i = 0; i < SUBJECTS_N; i++) {
		struct outcome *o = &row->outcome[i];
		if (!runs[i])
			continue;
		o->rounds = interrupted ? 0 : b->rounds;
		o->events = set[i].events;
	}
}

/* Setting up. */

static bool
find_places(struct places *p, const char *built, const char *real, struct err *err)
{
	const char *workspace = getenv("BUILD_WORKSPACE_DIRECTORY"),
		   *tmp = getenv("TMPDIR");
	char self[2048];
	static char here[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return err_sys(err, "/proc/self/exe");
	self[n] = '\0';
	/* .../tests/bench/bench */
	for (int i = 0; i < 3 && strrchr(self, '/'); i++)
		*strrchr(self, '/') = '\0';
	if (!workspace && !(workspace = realpath(".", here)))
		return err_sys(err, "the current folder");
	snprintf(p->mews, sizeof(p->mews), "%s/broker/mews", built ? built : self);
	snprintf(p->plugins, sizeof(p->plugins), "%s/tests/bench/plugins", self);
	snprintf(p->data, sizeof(p->data), "%s/tests/data", workspace);
	if (real)
		snprintf(p->real, sizeof(p->real), "%s", real);
	else
		snprintf(p->real, sizeof(p->real), "%s/tests/real/out", workspace);
	snprintf(p->tmp, sizeof(p->tmp), "%s/mews-bench.XXXXXX", tmp ? tmp : "/tmp");
	if (access(p->mews, X_OK) < 0)
		return err_sys(err, "%s", p->mews);
	if (!mkdtemp(p->tmp) || chmod(p->tmp, 0755) < 0)
		return err_sys(err, "%s", p->tmp);
	return true;
}

/* Whether mews knows a way to do without its own evaluator. */
static bool
has_plain(struct bench *b)
{
	char *argv[] = {(char *)"mews", (char *)"--config-schema", NULL};
	struct err err;

	b->process.wanted = "\"evaluator\"";
	if (process_start(&b->process, b->places.mews, argv, "/dev/null", &err))
		process_read(&b->process, 0, false, RUN_DEADLINE_S, &err);
	process_stop(&b->process);
	b->process.wanted = NULL;
	return b->process.found;
}

static void
clean_up(const struct bench *b)
{
	char *argv[] = {(char *)"rm", (char *)"-rf", (char *)b->places.tmp, NULL};
	struct process p = {0};
	struct err err;

	if (process_start(&p, "/bin/rm", argv, "/dev/null", &err))
		process_read(&p, 0, false, RUN_DEADLINE_S, &err);
	process_stop(&p);
}

static bool
options(
    struct bench *b, int argc, char **argv, const char **ret_built, const char **ret_real)
{
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (strcmp(argv[i], "--quick") == 0) {
			b->quick = true;
			continue;
		}
		if (strcmp(argv[i], "--json") == 0) {
			b->json = true;
			continue;
		}
		if (!value)
			return false;
		if (strcmp(argv[i], "--only") == 0)
			b->only = value;
		else if (strcmp(argv[i], "--against") == 0)
			b->against = value;
		else if (strcmp(argv[i], "--built") == 0)
			*ret_built = value;
		else if (strcmp(argv[i], "--real") == 0)
			*ret_real = value;
		else if (strcmp(argv[i], "--rounds") == 0)
			b->rounds = (uint32_t)strtoul(value, NULL, 10);
		else if (strcmp(argv[i], "--seconds") == 0)
			b->seconds = strtod(value, NULL);
		else
			return false;
		i++;
	}
	if (b->rounds == 0 || b->rounds > ROUNDS_MAX)
		b->rounds = b->quick ? QUICK_ROUNDS : ROUNDS;
	if (b->seconds <= 0)
		b->seconds = b->quick ? 0.2 : 1;
	return true;
}

static bool
is_chosen(const struct bench *b, const struct scenario *s)
{
	if (!setting_possible(&b->places, s)) {
		fprintf(stderr, "%s: its plugin is not built\n", s->name);
		return false;
	}
	return b->only ? fnmatch(b->only, s->name, 0) == 0 : s->quick || !b->quick;
}

int
main(int argc, char **argv)
{
	static struct bench b;
	static struct row row[SCENARIOS_N];
	const char *built = NULL, *real = NULL;
	uint32_t n = 0;
	struct err err;

	if (!options(&b, argc, argv, &built, &real)) {
		fputs("usage: bench [--quick] [--json] [--only PATTERN] [--against "
		      "FALCO]\n"
		      "             [--rounds N] [--seconds S] [--built FOLDER] [--real "
		      "FOLDER]\n",
		    stderr);
		return 2;
	}
	b.process.latency = calloc(PROCESS_LATENCIES, sizeof(*b.process.latency));
	if (!b.process.latency || !find_places(&b.places, built, real, &err)) {
		fprintf(stderr, "bench: %s\n", err.msg);
		return 1;
	}
	b.has_plain = has_plain(&b);
	const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	for (uint32_t i = 0; i < SCENARIOS_N && !interrupted; i++) {
		if (!is_chosen(&b, &scenarios[i]))
			continue;
		row[n].scenario = &scenarios[i];
		run_scenario(&b, &row[n++]);
	}
	if (b.json)
		report_json(row, n);
	else
		report_text(row, n);
	clean_up(&b);
	return n > 0 ? 0 : 1;
}
