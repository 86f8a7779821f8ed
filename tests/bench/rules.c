/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rules engine costs: compile time and memory, ns per event for both evaluators
 * at growing numbers of rules and several shares of matching events, and the growth.
 *
 *   bazel run -c opt //tests/bench:rules [-- [--json] [--fast] [--rounds N]]
 *
 * All configurations are measured in turn, round after round, so that what disturbs the
 * machine disturbs all; medians with the least and the most. --json prints one object;
 * --fast leaves the plain evaluator out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json_write.h"
#include "rules/engine.h"
#include "rules/fast.h"
#include "tests/bench/rules_gen.h"

enum {
	CHUNKS = 32,
	PASSES = 4, /* over them in one measurement of the fast evaluator */
	ROUNDS = 7,
	ROUNDS_MAX = 101,
	SIZES = 5,
	RATES = 3,
	/* The plain evaluator is given this many events times rules, and no more rules.
	 */
	PLAIN_PAIRS = 1 << 18,
	PLAIN_RULES = 1000,
};

static const uint32_t sizes[SIZES] = {1, 10, 100, 1000, 10000};
static const uint32_t permille[RATES] = {0, 1, 100};

enum {
	FAST,
	PLAIN,
	KINDS
};
static const char *const kind_name[KINDS] = {"fast", "plain"};

struct summary {
	double median, min, max;
};

/* One ruleset with both evaluators and events for each rate. */
struct subject {
	struct field_catalog catalog;
	struct rules_config config;
	struct loader *loader;
	const struct ruleset *rs;
	struct evaluator *ev[KINDS];
	struct arena arena;
	struct bench_chunk chunk[RATES][CHUNKS];
	double load_ms, graph_ms;
	size_t file_bytes, graph_bytes;
	uint32_t n_chunk[KINDS];
	double matched[RATES]; /* the share of events */
	double ns[RATES][KINDS][ROUNDS_MAX];
};

static struct subject subjects[SIZES];

static double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static bool
subject_load(struct subject *s, uint32_t n_rule, struct err *err)
{
	const struct load_result *result;
	struct buf text, log;
	double start;
	bool ok;

	s->config = (struct rules_config){
	    .min_priority = PRIORITY_DEBUG, .matching = RULE_MATCHING_FIRST};
	if (!bench_catalog_init(&s->catalog, err))
		return false;
	buf_init(&text, LIMIT_RULES_FILE_BYTES);
	buf_init(&log, 1 << 20);
	bench_rules_write(&text, n_rule);
	s->file_bytes = text.len;
	start = now_ns();
	s->loader = loader_new(&s->catalog, &s->config, err);
	ok = s->loader &&
	     loader_file(s->loader, "bench.yaml", buf_str(&text), text.len, &result, err);
	if (ok && !load_result_ok(result)) {
		load_result_text(result, true, &log);
		ok = err_set(err, ERR_SYNTAX, "%s", buf_str(&log));
	}
	ok = ok && loader_finish(s->loader, &log, err);
	s->load_ms = (now_ns() - start) / 1e6;
	buf_release(&text);
	buf_release(&log);
	return ok;
}

static bool
subject_init(struct subject *s, uint32_t n_rule, bool plain, struct err *err)
{
	static const struct eval_config config = {0};
	double start;

	if (!subject_load(s, n_rule, err))
		return false;
	s->rs =
	    loader_ruleset(s->loader, field_catalog_source(&s->catalog, "audit")->index);
	if (s->rs->n_rule != n_rule)
		return err_set(err, ERR_SYNTAX, "%u of %u rules", s->rs->n_rule, n_rule);
	start = now_ns();
	s->ev[FAST] = evaluator_new(s->rs, &config, err);
	s->graph_ms = (now_ns() - start) / 1e6;
	s->ev[PLAIN] = evaluator_new_plain(s->rs, &config, err);
	if (!s->ev[FAST] || !s->ev[PLAIN])
		return false;
	s->graph_bytes = fast_memory_bytes(s->ev[FAST]);
	s->n_chunk[FAST] = CHUNKS;
	s->n_chunk[PLAIN] = PLAIN_PAIRS / LIMIT_CHUNK_EVENTS / n_rule;
	if (!plain)
		s->n_chunk[PLAIN] = 0;
	else if (s->n_chunk[PLAIN] > CHUNKS)
		s->n_chunk[PLAIN] = CHUNKS;
	else if (s->n_chunk[PLAIN] == 0)
		s->n_chunk[PLAIN] = n_rule <= PLAIN_RULES;
	arena_init(&s->arena, 1u << 30);
	for (uint32_t r = 0; r < RATES; r++) {
		uint64_t seed = 1;
		for (uint32_t i = 0; i < CHUNKS; i++) {
			if (!bench_chunk_make(&s->chunk[r][i], &s->arena, s->rs->slots,
				n_rule, permille[r], &seed))
				return err_nomem(err);
		}
	}
	return true;
}

static void
subject_release(struct subject *s)
{
	evaluator_free(s->ev[FAST]);
	evaluator_free(s->ev[PLAIN]);
	arena_release(&s->arena);
	loader_free(s->loader);
	field_catalog_release(&s->catalog);
}

/* The number of matches. */
static uint32_t
evaluate(struct evaluator *ev, const struct bench_chunk *c)
{
	uint32_t n;

	evaluator_begin(ev, c->n, c->meta);
	while (evaluator_run(ev) == EVAL_NEED) {
		const struct eval_need *need = evaluator_needs(ev, &n);
		for (uint32_t i = 0; i < n; i++)
			evaluator_supply(
			    ev, need[i].slot, &c->column[need[i].slot], &need[i].events);
	}
	evaluator_matches(ev, &n);
	return n;
}

static void
measure(struct subject *s, uint32_t rate, uint32_t kind, uint32_t round)
{
	uint64_t matches = 0, events = 0;
	uint32_t n = s->n_chunk[kind] * (kind == FAST ? PASSES : 1);

	if (n == 0)
		return;
	double start = now_ns();
	for (uint32_t i = 0; i < n; i++) {
		const struct bench_chunk *c = &s->chunk[rate][i % s->n_chunk[kind]];
		matches += evaluate(s->ev[kind], c);
		events += c->n;
	}
	s->ns[rate][kind][round] = (now_ns() - start) / (double)events;
	if (kind == FAST)
		s->matched[rate] = (double)matches / (double)events;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct summary
summary_of(double *v, uint32_t n)
{
	qsort(v, n, sizeof(*v), by_size);
	return (struct summary){.median = v[n / 2], .min = v[0], .max = v[n - 1]};
}

static void
add_number(struct json_writer *w, const char *key, double v)
{
	char text[40];
	int n = snprintf(text, sizeof(text), "%.3f", v);

	json_key(w, key);
	json_raw(w, text, (size_t)n);
}

static void
report_json(struct summary sum[SIZES][RATES][KINDS])
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, 1 << 20);
	json_init(&w, &out);
	json_begin_object(&w);
	json_key(&w, "compile");
	json_begin_array(&w);
	for (uint32_t i = 0; i < SIZES; i++) {
		json_begin_object(&w);
		json_key(&w, "rules");
		json_u64(&w, sizes[i]);
		add_number(&w, "load_ms", subjects[i].load_ms);
		add_number(&w, "graph_ms", subjects[i].graph_ms);
		json_key(&w, "file_bytes");
		json_u64(&w, subjects[i].file_bytes);
		json_key(&w, "graph_bytes");
		json_u64(&w, subjects[i].graph_bytes);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_key(&w, "cost");
	json_begin_array(&w);
	for (uint32_t i = 0; i < SIZES * RATES * KINDS; i++) {
		uint32_t size = i / (RATES * KINDS), rate = i / KINDS % RATES,
			 kind = i % KINDS;
		const struct summary *s = &sum[size][rate][kind];
		if (subjects[size].n_chunk[kind] == 0)
			continue;
		json_begin_object(&w);
		json_key(&w, "evaluator");
		json_str(&w, kind_name[kind]);
		json_key(&w, "rules");
		json_u64(&w, sizes[size]);
		add_number(&w, "match_percent", permille[rate] / 10.0);
		add_number(&w, "ns_per_event", s->median);
		add_number(&w, "min", s->min);
		add_number(&w, "max", s->max);
		add_number(&w, "ns_per_event_and_rule", s->median / sizes[size]);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_key(&w, "growth");
	json_begin_array(&w);
	for (uint32_t r = 0; r < RATES; r++) {
		json_begin_object(&w);
		add_number(&w, "match_percent", permille[r] / 10.0);
		add_number(&w, "cost_1000_over_10",
		    sum[3][r][FAST].median / sum[1][r][FAST].median);
		add_number(&w, "cost_10000_over_10",
		    sum[4][r][FAST].median / sum[1][r][FAST].median);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_end_object(&w);
	puts(buf_str(&out));
	buf_release(&out);
}

static void
print_summary(char *out, size_t size, const struct summary *s)
{
	snprintf(out, size, "%.1f (%.1f .. %.1f)", s->median, s->min, s->max);
}

static void
report_text(struct summary sum[SIZES][RATES][KINDS])
{
	printf("compile\n%8s %12s %10s %10s %12s\n", "rules", "file bytes", "load ms",
	    "graph ms", "graph bytes");
	for (uint32_t i = 0; i < SIZES; i++)
		printf("%8u %12zu %10.2f %10.2f %12zu\n", sizes[i],
		    subjects[i].file_bytes, subjects[i].load_ms, subjects[i].graph_ms,
		    subjects[i].graph_bytes);
	printf("\nevaluation: ns per event, median (least .. most); fast, per rule\n"
	       "%8s %6s %8s  %-28s %-32s %s\n",
	    "rules", "match", "matched", "fast", "plain", "fast/rule");
	for (uint32_t i = 0; i < SIZES; i++) {
		for (uint32_t r = 0; r < RATES; r++) {
			const struct summary *f = &sum[i][r][FAST];
			char fast[64], plain[64] = "-";
			print_summary(fast, sizeof(fast), f);
			if (subjects[i].n_chunk[PLAIN])
				print_summary(plain, sizeof(plain), &sum[i][r][PLAIN]);
			printf("%8u %5.1f%% %7.2f%%  %-28s %-32s %.3f\n", sizes[i],
			    permille[r] / 10.0, 100.0 * subjects[i].matched[r], fast,
			    plain, f->median / sizes[i]);
		}
	}
	printf("\ngrowth of the fast evaluator\n");
	for (uint32_t r = 0; r < RATES; r++)
		printf("%6.1f%% match: cost(1,000)/cost(10) = %.2f, "
		       "cost(10,000)/cost(10) = %.2f\n",
		    permille[r] / 10.0, sum[3][r][FAST].median / sum[1][r][FAST].median,
		    sum[4][r][FAST].median / sum[1][r][FAST].median);
}

int
main(int argc, char **argv)
{
	static struct summary sum[SIZES][RATES][KINDS];
	uint32_t rounds = ROUNDS;
	bool json = false, plain = true;
	struct err err;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			json = true;
		} else if (strcmp(argv[i], "--fast") == 0) {
			plain = false;
		} else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
			rounds = (uint32_t)strtoul(argv[++i], NULL, 10);
		} else {
			fprintf(stderr, "usage: rules [--json] [--fast] [--rounds N]\n");
			return 2;
		}
	}
	if (rounds < 1 || rounds > ROUNDS_MAX)
		rounds = ROUNDS;
	for (uint32_t i = 0; i < SIZES; i++) {
		if (!subject_init(&subjects[i], sizes[i], plain, &err)) {
			fprintf(stderr, "rules: %s\n", err.msg);
			return 1;
		}
	}
	/* The first round warms up and is overwritten. */
	for (uint32_t round = 0; round <= rounds; round++) {
		for (uint32_t i = 0; i < SIZES * RATES * KINDS; i++)
			measure(&subjects[i / (RATES * KINDS)], i / KINDS % RATES,
			    i % KINDS, round ? round - 1 : 0);
	}
	for (uint32_t i = 0; i < SIZES * RATES * KINDS; i++) {
		uint32_t size = i / (RATES * KINDS), rate = i / KINDS % RATES,
			 kind = i % KINDS;
		sum[size][rate][kind] = summary_of(subjects[size].ns[rate][kind], rounds);
	}
	if (json)
		report_json(sum);
	else
		report_text(sum);
	for (uint32_t i = 0; i < SIZES; i++)
		subject_release(&subjects[i]);
	return 0;
}
