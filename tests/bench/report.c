/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"

const char *const subject_name[SUBJECTS_N] = {
#define SUBJECT(id, name) name,
    SUBJECTS(SUBJECT)
#undef SUBJECT
};
const char *const figure_name[FIGURES_N] = {
#define FIGURE(id, name) name,
    FIGURES(FIGURE)
#undef FIGURE
};

struct summary {
	double median, min, max;
};

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of those that are numbers; all NAN when none is. */
static struct summary
summary_of(const double *v, uint32_t n)
{
	double sorted[ROUNDS_MAX];
	uint32_t k = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (!isnan(v[i]))
			sorted[k++] = v[i];
	}
	if (k == 0)
		return (struct summary){NAN, NAN, NAN};
	qsort(sorted, k, sizeof(*sorted), by_value);
	return (struct summary){
	    .median = sorted[k / 2], .min = sorted[0], .max = sorted[k - 1]};
}

static struct summary
summary(const struct row *r, enum subject s, enum figure f)
{
	return summary_of(r->outcome[s].figure[f], r->outcome[s].rounds);
}

static double
median(const struct row *r, enum subject s, enum figure f)
{
	return summary(r, s, f).median;
}

/* Of two figures of the same rounds, which had the same disturbances. */
static struct summary
ratio(const struct outcome *above, const struct outcome *below, enum figure f)
{
	double v[ROUNDS_MAX];
	uint32_t n = above->rounds < below->rounds ? above->rounds : below->rounds;

	for (uint32_t i = 0; i < n; i++)
		v[i] = above->figure[f][i] / below->figure[f][i];
	return summary_of(v, n);
}

static const struct row *
row_of(const struct row *row, uint32_t n, const char *name)
{
	for (uint32_t i = 0; i < n; i++) {
		if (strcmp(row[i].scenario->name, name) == 0)
			return &row[i];
	}
	return NULL;
}

/* JSON. */

static void
add_number(struct json_writer *w, const char *key, double v)
{
	char text[40];

	json_key(w, key);
	if (isnan(v)) {
		json_write_null(w);
		return;
	}
	json_raw(w, text, (size_t)snprintf(text, sizeof(text), "%.3f", v));
}

static void
add_outcome(struct json_writer *w, const struct outcome *o)
{
	json_key(w, "rounds");
	json_u64(w, o->rounds);
	json_key(w, "events");
	json_u64(w, o->events);
	if (o->rounds == 0) {
		json_key(w, "why");
		json_str(w, o->why);
		return;
	}
	for (uint32_t f = 0; f < FIGURES_N; f++) {
		struct summary v = summary_of(o->figure[f], o->rounds);
		if (isnan(v.median))
			continue;
		json_key(w, figure_name[f]);
		json_begin_object(w);
		add_number(w, "median", v.median);
		add_number(w, "min", v.min);
		add_number(w, "max", v.max);
		json_end_object(w);
	}
}

void
report_json(const struct row *row, uint32_t n)
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, 1 << 24);
	json_init(&w, &out);
	json_begin_array(&w);
	for (uint32_t i = 0; i < n * SUBJECTS_N; i++) {
		const struct scenario *s = row[i / SUBJECTS_N].scenario;
		const struct outcome *o = &row[i / SUBJECTS_N].outcome[i % SUBJECTS_N];
		if (o->rounds == 0 && !o->why[0])
			continue;
		json_begin_object(&w);
		json_key(&w, "scenario");
		json_str(&w, s->name);
		json_key(&w, "subject");
		json_str(&w, subject_name[i % SUBJECTS_N]);
		json_key(&w, "payload_bytes");
		json_u64(&w, s->payload);
		json_key(&w, "batch");
		json_u64(&w, s->batch);
		json_key(&w, "rules");
		json_u64(&w, s->rules);
		json_key(&w, "match_permille");
		json_u64(&w, s->match_permille);
		json_key(&w, "pipelines");
		json_u64(&w, s->pipelines);
		add_outcome(&w, o);
		json_end_object(&w);
	}
	json_end_array(&w);
	puts(buf_str(&out));
	buf_release(&out);
}

/* Text. */

static void
print_number(double v, int width, int digits)
{
	if (isnan(v))
		printf(" %*s", width, "-");
	else
		printf(" %*.*f", width, digits, v);
}

/* The bare loop's CPU time over that of the slower side: the share of its rate that is
 * left when every process has a CPU of its own. Disturbed by neighbours less than the
 * rate. */
static double
share_by_cpu(const struct row *r, enum subject s)
{
	double broker = median(r, s, FIGURE_BROKER_NS),
	       worker = median(r, s, FIGURE_WORKER_NS),
	       bare = median(r, SUBJECT_BARE, FIGURE_WORKER_NS);

	if (s == SUBJECT_BARE || r->scenario->pipelines > 1)
		return NAN;
	return bare / (broker > worker ? broker : worker);
}

static void
print_throughput(const struct row *r, enum subject s)
{
	const struct outcome *o = &r->outcome[s];
	char range[64];

	printf("%-22s %-10s", r->scenario->name, subject_name[s]);
	if (o->rounds == 0) {
		printf("  %s\n", o->why);
		return;
	}
	struct summary rate = summary(r, s, FIGURE_RATE);
	snprintf(range, sizeof(range), "(%.0f .. %.0f)", rate.min / 1e3, rate.max / 1e3);
	printf(" %8.1f %-16s", rate.median / 1e3, range);
	print_number(ratio(o, &r->outcome[SUBJECT_BARE], FIGURE_RATE).median, 6, 2);
	print_number(share_by_cpu(r, s), 7, 2);
	print_number(ratio(o, &r->outcome[SUBJECT_AGAINST], FIGURE_RATE).median, 8, 1);
	print_number(median(r, s, FIGURE_BROKER_NS), 7, 0);
	print_number(median(r, s, FIGURE_WORKER_NS), 7, 0);
	print_number(median(r, s, FIGURE_SWITCHES), 7, 2);
	print_number(median(r, s, FIGURE_BROKER_MIB), 6, 1);
	print_number(median(r, s, FIGURE_WORKER_MIB), 6, 1);
	print_number(median(r, s, FIGURE_START_MS), 7, 1);
	putchar('\n');
}

static void
print_latency(const struct row *r, enum subject s)
{
	static const enum figure shown[] = {FIGURE_P50_US, FIGURE_P99_US, FIGURE_MAX_US};
	const struct outcome *o = &r->outcome[s];

	printf("%-22s %-10s", r->scenario->name, subject_name[s]);
	if (o->rounds == 0) {
		printf("  %s\n", o->why);
		return;
	}
	print_number(median(r, s, FIGURE_RATE) / 1e3, 8, 1);
	for (uint32_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
		char text[64];
		struct summary v = summary(r, s, shown[i]);
		snprintf(
		    text, sizeof(text), "%.0f (%.0f .. %.0f)", v.median, v.min, v.max);
		printf(" %-24s", text);
	}
	print_number(median(r, s, FIGURE_IDLE_PERCENT), 6, 2);
	putchar('\n');
}

/* What can be told from outside: CPU times, and the differences between scenarios. */
static void
print_ways(const struct row *r, const struct row *empty)
{
	double next = median(r, SUBJECT_BARE, FIGURE_NEXT_NS),
	       bare = median(r, SUBJECT_BARE, FIGURE_WORKER_NS),
	       worker = median(r, SUBJECT_CONFINED, FIGURE_WORKER_NS),
	       broker = median(r, SUBJECT_CONFINED, FIGURE_BROKER_NS),
	       frames = empty && r->scenario->source == SOURCE_CHEAP
			    ? median(empty, SUBJECT_CONFINED, FIGURE_BROKER_NS)
			    : NAN;

	if (isnan(bare) || isnan(worker))
		return;
	printf("%-22s", r->scenario->name);
	print_number(next, 10, 0);
	print_number(bare - next, 8, 0);
	print_number(worker - bare, 8, 0);
	print_number(frames, 8, 0);
	print_number(isnan(frames) ? broker : broker - frames, 8, 0);
	print_number(worker + broker, 8, 0);
	print_number(1e9 / median(r, SUBJECT_CONFINED, FIGURE_RATE), 8, 0);
	putchar('\n');
}

/* An alert's price: what a scenario of one per event takes beyond one without. */
static void
print_alerts(const struct row *r, const struct row *without)
{
	double broker = median(r, SUBJECT_CONFINED, FIGURE_BROKER_NS),
	       worker = median(r, SUBJECT_CONFINED, FIGURE_WORKER_NS);

	if (r->scenario->alerts == ALERTS_MATCHES || isnan(broker) || !without)
		return;
	printf("an alert of %-10s broker %+.0f ns (format, output), worker %+.0f ns\n",
	    r->scenario->name,
	    broker - median(without, SUBJECT_CONFINED, FIGURE_BROKER_NS),
	    worker - median(without, SUBJECT_CONFINED, FIGURE_WORKER_NS));
}

/* Of one table operation: what a run with ten times the operations takes longer. */
static void
print_table_op(const struct row *row, uint32_t n, const char *few, const char *many)
{
	const struct row *a = row_of(row, n, few), *b = row_of(row, n, many);

	if (!a || !b)
		return;
	double ops = (double)(b->scenario->table_rounds - a->scenario->table_rounds) *
		     TABLE_ROUND_OPS,
	       ns = 1e9 / median(b, SUBJECT_CONFINED, FIGURE_RATE) -
		    1e9 / median(a, SUBJECT_CONFINED, FIGURE_RATE);
	if (!isnan(ns))
		printf("a table operation, %s to %-26s %8.2f us, %.0f/s\n", few, many,
		    ns / ops / 1e3, ops * 1e9 / ns);
}

static void
print_ratio(const struct row *row, uint32_t n, const char *what, const char *above,
    enum subject above_subject, const char *below, enum subject below_subject,
    enum figure figure)
{
	const struct row *a = row_of(row, n, above), *b = row_of(row, n, below);

	if (!a || !b)
		return;
	struct summary v =
	    ratio(&a->outcome[above_subject], &b->outcome[below_subject], figure);
	if (!isnan(v.median))
		printf("%-56s %8.3f (%.3f .. %.3f)\n", what, v.median, v.min, v.max);
}

void
report_text(const struct row *row, uint32_t n)
{
	static const char *const head[2][11] = {
	    {"throughput", "", "1000/s", "(min .. max)", "/bare", "by cpu", "/against",
		"broker", "worker", "sleeps", "broker worker   start"},
	    {"", "", "", "", "", "", "", "ns/ev", "ns/ev", "/1000",
		"   MiB    MiB      ms"},
	};

	for (int i = 0; i < 2; i++)
		printf("%-22s %-10s %8s %-16s %6s %7s %8s %7s %7s %7s %s\n", head[i][0],
		    head[i][1], head[i][2], head[i][3], head[i][4], head[i][5],
		    head[i][6], head[i][7], head[i][8], head[i][9], head[i][10]);
	for (uint32_t i = 0; i < n * SUBJECTS_N; i++) {
		const struct row *r = &row[i / SUBJECTS_N];
		if (r->scenario->load == LOAD_FULL &&
		    (r->outcome[i % SUBJECTS_N].rounds ||
			r->outcome[i % SUBJECTS_N].why[0]))
			print_throughput(r, i % SUBJECTS_N);
	}
	printf("\n%-22s %-10s %8s %-24s %-24s %-24s %6s\n", "event to alert, us", "",
	    "1000/s", "p50 (min .. max)", "p99", "max", "idle %");
	for (uint32_t i = 0; i < n * SUBJECTS_N; i++) {
		const struct row *r = &row[i / SUBJECTS_N];
		if (r->scenario->load != LOAD_FULL &&
		    (r->outcome[i % SUBJECTS_N].rounds ||
			r->outcome[i % SUBJECTS_N].why[0]))
			print_latency(r, i % SUBJECTS_N);
	}
	printf("\n%-22s %10s %8s %8s %8s %8s %8s %8s\n", "where it goes, ns/event",
	    "next_batch", "extract", "publish", "frames", "evaluate", "all CPU", "wall");
	for (uint32_t i = 0; i < n; i++)
		print_ways(&row[i], row_of(row, n, "no-fields"));
	for (uint32_t i = 0; i < n; i++)
		print_alerts(&row[i], row_of(row, n, "cheap-1"));
	print_table_op(row, n, "tables-threads-4", "tables-threads-40");
	print_table_op(row, n, "tables-other-4", "tables-other-40");
	putchar('\n');
#define RATIO(...) print_ratio(row, n, __VA_ARGS__)
	RATIO("confined / unconfined, events/s, 100 rules", "cheap-100", SUBJECT_CONFINED,
	    "cheap-100", SUBJECT_UNCONFINED, FIGURE_RATE);
	RATIO("mews / bare loop, events/s, 100 rules", "cheap-100", SUBJECT_CONFINED,
	    "cheap-100", SUBJECT_BARE, FIGURE_RATE);
	RATIO("1,000 rules / 10 rules, broker's CPU per event", "cheap-1000",
	    SUBJECT_CONFINED, "cheap-10", SUBJECT_CONFINED, FIGURE_BROKER_NS);
	RATIO("1,000 rules / 10 rules, worker's CPU per event", "cheap-1000",
	    SUBJECT_CONFINED, "cheap-10", SUBJECT_CONFINED, FIGURE_WORKER_NS);
#undef RATIO
}
