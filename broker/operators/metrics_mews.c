/* SPDX-License-Identifier: Apache-2.0 */
/* Our own metrics: workers, sources, outputs. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "broker/http/prom.h"
#include "broker/operators/health.h"
#include "broker/operators/metrics_internal.h"
#include "broker/pipeline/pipeline.h"
#include "broker/run/capture.h"
#include "broker/supervisor/supervisor.h"

static void
worker_labels(const struct worker *w, struct buf *labels)
{
	buf_clear(labels);
	prom_label(labels, "plugin", w->plugin->setting->name);
	prom_label(labels, "source", w->source);
}

/* Each family's samples stand together: one walk over the workers per family. */
#define EACH_WORKER(...)                                                                 \
	TAILQ_FOREACH (w, &s->workers, link) {                                           \
		worker_labels(w, labels);                                                \
		__VA_ARGS__;                                                             \
	}

static void
plain_counters(const struct supervisor *s, struct buf *labels, struct buf *out)
{
	const struct worker *w;

#define WORKER(name, type, value, help)                                                  \
	prom_family(out, #name, #type, help);                                            \
	EACH_WORKER(prom_sample_u64(out, #name, buf_str(labels), (uint64_t)(value)))
#define SOURCE(name, type, value, help)
#define OUTPUT(name, type, value, help)
#include "broker/operators/metrics_names.h"
#undef WORKER
#undef SOURCE
#undef OUTPUT
}

static void
states(const struct supervisor *s, struct buf *labels, struct buf *out)
{
	const struct worker *w;

	prom_family(out, "mews_worker_state", "gauge",
	    "1 for the state that the plugin's worker is in");
	EACH_WORKER({
		prom_label(labels, "state", worker_state_name(w->state));
		prom_sample_u64(out, "mews_worker_state", buf_str(labels), 1);
	})
}

static void
restarts(const struct supervisor *s, struct buf *labels, struct buf *out)
{
	const struct worker *w;

	prom_family(out, "mews_worker_ends_total", "counter",
	    "Ends of the plugin's process by cause, each followed by a restart within "
	    "the budget");
	EACH_WORKER({
		const struct {
			const char *cause;
			uint64_t n;
		} row[] = {{"crash", w->counts.crashes}, {"breach", w->counts.breaches},
		    {"deadline", w->counts.deadlines}, {"asked", w->counts.asked}};
		for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
			worker_labels(w, labels);
			prom_label(labels, "cause", row[i].cause);
			prom_sample_u64(
			    out, "mews_worker_ends_total", buf_str(labels), row[i].n);
		}
	})
}

static void
usage(const struct supervisor *s, struct buf *labels, struct buf *out)
{
	struct process_usage u[LIMIT_WORKERS];
	const struct worker *w;
	uint32_t n = 0, i;

	TAILQ_FOREACH (w, &s->workers, link) {
		if (n == LIMIT_WORKERS)
			break;
		if (!w->alive || !process_usage(w->pid, &u[n]))
			u[n] = (struct process_usage){0};
		n++;
	}
	prom_family(out, "mews_worker_cpu_seconds", "gauge",
	    "CPU time of the plugin's present process");
	i = 0;
	EACH_WORKER(if (i < n) prom_sample_double(
	    out, "mews_worker_cpu_seconds", buf_str(labels), u[i++].cpu_s))
	prom_family(out, "mews_worker_resident_bytes", "gauge",
	    "Memory of the plugin's present process, rings included");
	i = 0;
	EACH_WORKER(if (i < n) prom_sample_u64(
	    out, "mews_worker_resident_bytes", buf_str(labels), u[i++].rss_bytes))
}

static void
denials(const struct supervisor *s, struct buf *labels, struct buf *out)
{
	const struct worker *w;

	prom_family(out, "mews_worker_denials_total", "counter",
	    "Things that the plugin tried and was refused, by the key of its sandbox "
	    "block that would allow them");
	EACH_WORKER(for (int kind = 0; kind < WORKER_DENIAL_KIND_N; kind++) {
		worker_labels(w, labels);
		prom_label(labels, "kind",
		    worker_denial_kind_name((enum worker_denial_kind)kind));
		prom_sample_u64(
		    out, "mews_worker_denials_total", buf_str(labels), w->denied[kind]);
	})
}

/* Of those that may connect somewhere. */
#define EACH_CLIENT(...)                                                                 \
	EACH_WORKER(const struct profile *p = w->plugin->confinement->profile;           \
		    if (profile_connects(p) || p->n_unix_socket > 0) { __VA_ARGS__; })

static void
egress(const struct supervisor *s, struct buf *labels, struct buf *out)
{
	const struct worker *w;

	prom_family(out, "mews_egress_queries_total", "counter",
	    "Names that the plugin asked for");
	EACH_CLIENT(prom_sample_u64(
	    out, "mews_egress_queries_total", buf_str(labels), w->egress.queries))
	prom_family(out, "mews_egress_connections_total", "counter",
	    "Connections that the plugin made, refused ones included");
	EACH_CLIENT(prom_sample_u64(
	    out, "mews_egress_connections_total", buf_str(labels), w->egress.connections))
	prom_family(out, "mews_egress_bytes_total", "counter",
	    "Bytes that went to the plugin's servers (up) and came from them (down)");
	EACH_CLIENT({
		prom_label(labels, "direction", "up");
		prom_sample_u64(
		    out, "mews_egress_bytes_total", buf_str(labels), w->egress.bytes_up);
		worker_labels(w, labels);
		prom_label(labels, "direction", "down");
		prom_sample_u64(out, "mews_egress_bytes_total", buf_str(labels),
		    w->egress.bytes_down);
	})
	prom_family(out, "mews_egress_refused_total", "counter",
	    "Names and connections that the plugin did not get, by reason");
	EACH_CLIENT(for (int i = 0; i < EGRESS_N_REASONS; i++) {
		worker_labels(w, labels);
		prom_label(labels, "reason", egress_reason_label((enum egress_reason)i));
		prom_sample_u64(out, "mews_egress_refused_total", buf_str(labels),
		    w->egress.refused[i]);
	})
}

static void
latency(const struct supervisor *s, struct buf *labels, struct buf *out)
{
	static const char name[] = "mews_worker_extract_seconds";
	const struct worker *w;
	char bound[32];

	prom_family(out, name, "histogram",
	    "Extracting fields of up to a chunk of events: those of the first stage in "
	    "the "
	    "worker, others from the request to its answer");
	EACH_WORKER({
		const struct worker_latency *l = &w->counts.latency;
		uint64_t sum = 0;
		for (uint32_t i = 0; i < WORKER_LATENCY_BUCKETS; i++) {
			sum += l->bucket[i];
			worker_labels(w, labels);
			if (worker_latency_us[i])
				snprintf(bound, sizeof(bound), "%g",
				    (double)worker_latency_us[i] / 1e6);
			else
				snprintf(bound, sizeof(bound), "+Inf");
			prom_label(labels, "le", bound);
			prom_sample_u64(out, "mews_worker_extract_seconds_bucket",
			    buf_str(labels), sum);
		}
		worker_labels(w, labels);
		prom_sample_double(out, "mews_worker_extract_seconds_sum",
		    buf_str(labels), (double)l->sum_ns / 1e9);
		prom_sample_u64(
		    out, "mews_worker_extract_seconds_count", buf_str(labels), sum);
	})
}

static double
events_per_s(struct metrics_rate *r, uint64_t events, uint64_t since_ns)
{
	uint64_t now = clock_mono_ns(), from = r->at_ns ? r->at_ns : since_ns;

	/* Two who look must not make it jump. */
	if (now - from >= 1000000000) {
		r->per_s = (double)(events - r->events) * 1e9 / (double)(now - from);
		r->events = events;
		r->at_ns = now;
	}
	return r->per_s;
}

static void
sources(const struct metrics *m, struct buf *labels, struct buf *out)
{
	const struct app *app = m->app;

#define EACH_SOURCE(...)                                                                 \
	for (uint32_t i = 0; i < app->n_source; i++) {                                   \
		const struct app_source *as = &app->source[i];                           \
		if (!as->pipeline)                                                       \
			continue;                                                        \
		buf_clear(labels);                                                       \
		prom_label(labels, "source", as->source->name);                          \
		__VA_ARGS__;                                                             \
	}
#define WORKER(name, type, value, help)
#define SOURCE(name, type, value, help)                                                  \
	prom_family(out, #name, #type, help);                                            \
	EACH_SOURCE(const struct pipeline_counts *c = &as->pipeline->counts;             \
		    prom_sample_u64(out, #name, buf_str(labels), value))
#define OUTPUT(name, type, value, help)
#include "broker/operators/metrics_names.h"
#undef WORKER
#undef SOURCE
#undef OUTPUT
	prom_family(out, "mews_source_events_per_s", "gauge",
	    "Events evaluated per second, between the last two looks at least a second "
	    "apart");
	EACH_SOURCE(prom_sample_double(out, "mews_source_events_per_s", buf_str(labels),
	    events_per_s(&m->rate[i], as->pipeline->counts.events, m->start_mono_ns)))
	prom_family(out, "mews_source_ready", "gauge",
	    "1 while events of the source can flow, as /readyz tells");
	EACH_SOURCE(prom_sample_u64(
	    out, "mews_source_ready", buf_str(labels), health_source_is_ready(as)))
}

static void
outputs(const struct app *app, struct buf *labels, struct buf *out)
{
	struct outputs_counts counts;
	struct outputs_sink sink, *k = &sink;

#define EACH_SINK(...)                                                                   \
	for (uint32_t i = 0; outputs_sink(app->outputs, i, &sink); i++) {                \
		buf_clear(labels);                                                       \
		prom_label(labels, "sink", sink.name);                                   \
		__VA_ARGS__;                                                             \
	}
#define WORKER(name, type, value, help)
#define SOURCE(name, type, value, help)
#define OUTPUT(name, type, value, help)                                                  \
	prom_family(out, #name, #type, help);                                            \
	EACH_SINK(prom_sample_u64(out, #name, buf_str(labels), value))
#include "broker/operators/metrics_names.h"
#undef WORKER
#undef SOURCE
#undef OUTPUT
	prom_family(out, "mews_outputs_dropped_total", "counter",
	    "Alerts that did not reach a sink, by what was in the way");
	EACH_SINK(for (int why = 0; why < OUTPUTS_LOSS_N; why++) {
		buf_clear(labels);
		prom_label(labels, "sink", sink.name);
		prom_label(labels, "reason", outputs_loss_name((enum outputs_loss)why));
		prom_sample_u64(
		    out, "mews_outputs_dropped_total", buf_str(labels), sink.lost[why]);
	})
	outputs_counts(app->outputs, &counts);
	prom_family(out, "mews_outputs_queued_total", "counter",
	    "Alerts, each counted once for all sinks");
	prom_sample_u64(out, "mews_outputs_queued_total", "", counts.queued);
	prom_family(out, "mews_log_lines_lost_total", "counter",
	    "Lines of the log that were not taken");
	prom_sample_u64(
	    out, "mews_log_lines_lost_total", "to=\"syslog\"", log_syslog_lost());
	prom_sample_u64(
	    out, "mews_log_lines_lost_total", "to=\"stderr\"", log_stderr_lost());
}

static void
captures(const struct app *app, struct buf *out)
{
	struct capture_counts c;

	capture_counts(app->capture, &c);
	prom_family(out, "mews_capture_files_total", "counter", "Capture files begun");
	prom_sample_u64(out, "mews_capture_files_total", "", c.files);
	prom_family(out, "mews_capture_files_failed_total", "counter",
	    "Capture files that could not be written");
	prom_sample_u64(out, "mews_capture_files_failed_total", "", c.failed);
	prom_family(
	    out, "mews_capture_events_total", "counter", "Events in capture files");
	prom_sample_u64(out, "mews_capture_events_total", "", c.events);
	prom_family(out, "mews_capture_dropped_total", "counter",
	    "Events missing in capture files: the disk was too slow, or no block holds "
	    "them");
	prom_sample_u64(
	    out, "mews_capture_dropped_total", "reason=\"queue_full\"", c.dropped_full);
	prom_sample_u64(
	    out, "mews_capture_dropped_total", "reason=\"size\"", c.dropped_large);
}

void
metrics_mews_text(const struct metrics *m, struct buf *out)
{
	const struct supervisor *s = m->app->supervisor;
	struct buf labels;

	buf_init(&labels, LIMIT_TEXT_BYTES);
	plain_counters(s, &labels, out);
	states(s, &labels, out);
	restarts(s, &labels, out);
	usage(s, &labels, out);
	denials(s, &labels, out);
	egress(s, &labels, out);
	latency(s, &labels, out);
	sources(m, &labels, out);
	outputs(m->app, &labels, out);
	captures(m->app, out);
	buf_release(&labels);
}
