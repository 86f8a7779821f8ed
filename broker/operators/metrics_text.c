/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics under the names that Falco gives them. */
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "broker/app/version.h"
#include "broker/http/prom.h"
#include "broker/operators/metrics_internal.h"
#include "broker/operators/statistics.h"

#define FALCO_HELP "https://falco.org/docs/metrics/"

static void
family(struct buf *out, const char *name, const char *type)
{
	prom_family(out, name, type, FALCO_HELP);
}

static void
one(struct buf *out, const char *name, const char *type, uint64_t value)
{
	family(out, name, type);
	prom_sample_u64(out, name, "", value);
}

/* A text as a metric: a label, and 1. */
static void
info(struct buf *out, const char *name, const char *label, const char *value)
{
	struct buf labels;

	buf_init(&labels, LIMIT_TEXT_BYTES);
	prom_label(&labels, label, value);
	family(out, name, "gauge");
	prom_sample_u64(out, name, buf_str(&labels), 1);
	buf_release(&labels);
}

static void
files(struct buf *out, const char *name, const struct metrics_files *f)
{
	struct buf labels;

	if (f->n == 0)
		return;
	family(out, name, "gauge");
	for (uint32_t i = 0; i < f->n; i++) {
		buf_init(&labels, LIMIT_TEXT_BYTES);
		prom_label(&labels, "file_name", f->file[i].name);
		prom_label(&labels, "sha256", f->file[i].sha256);
		prom_sample_u64(out, name, buf_str(&labels), 1);
		buf_release(&labels);
	}
}

static void
rules(const struct app *app, struct buf *out)
{
	static const char name[] = "falcosecurity_falco_rules_matches_total";
	const struct statistics_row *const *row;
	bool any = false;
	uint32_t n;

	row = statistics_rows(app->statistics, &n);
	for (uint32_t i = 0; i < n; i++) {
		if (row[i]->n == 0)
			continue;
		if (!any)
			family(out, name, "counter");
		any = true;
		prom_sample_u64(out, name, row[i]->labels, row[i]->n);
	}
}

static void
engines(const struct app *app, struct buf *out)
{
	static const char name[] = "falcosecurity_scap_engine_name_info";
	struct buf labels;

	family(out, name, "gauge");
	for (uint32_t i = 0; i < app->n_source; i++) {
		const struct app_source *as = &app->source[i];
		if (!as->enabled)
			continue;
		buf_init(&labels, LIMIT_TEXT_BYTES);
		prom_label(&labels, "engine_name", metrics_engine_name(as));
		prom_label(&labels, "evt_source", as->source->name);
		prom_sample_u64(out, name, buf_str(&labels), 1);
		buf_release(&labels);
	}
}

static void
process(const struct metrics *m, struct buf *out)
{
	struct process_usage u;
	double up = (double)(clock_mono_ns() - m->start_mono_ns) / 1e9;

	if (!process_usage(0, &u))
		return;
	one(out, "falcosecurity_falco_memory_rss_bytes", "gauge", u.rss_bytes);
	one(out, "falcosecurity_falco_memory_vsz_bytes", "gauge", u.virtual_bytes);
	family(out, "falcosecurity_falco_cpu_usage_ratio", "gauge");
	prom_sample_double(
	    out, "falcosecurity_falco_cpu_usage_ratio", "", up > 0 ? u.cpu_s / up : 0);
}

void
metrics_falco_text(const struct metrics *m, struct buf *out)
{
	const struct app *app = m->app;
	struct outputs_counts c;

	info(out, "falcosecurity_falco_version_info", "version", MEWS_FALCO_VERSION);
	files(out, "falcosecurity_falco_sha256_rules_files_info", &m->rules);
	files(out, "falcosecurity_falco_sha256_config_files_info", &m->config);
	outputs_counts(app->outputs, &c);
	one(out, "falcosecurity_falco_outputs_queue_num_drops_total", "counter",
	    c.dropped);
	one(out, "falcosecurity_falco_reload_timestamp_nanoseconds", "gauge",
	    m->reload_wall_ns);
	if (app->settings->metrics.rules_counters)
		rules(app, out);
	engines(app, out);
	info(out, "falcosecurity_falco_kernel_release_info", "kernel_release", m->kernel);
	info(out, "falcosecurity_evt_hostname_info", "hostname", m->hostname);
	one(out, "falcosecurity_falco_start_timestamp_nanoseconds", "gauge",
	    m->start_wall_ns);
	one(out, "falcosecurity_falco_duration_seconds_total", "counter",
	    (clock_mono_ns() - m->start_mono_ns) / 1000000000);
	one(out, "falcosecurity_falco_host_boot_timestamp_nanoseconds", "gauge",
	    m->boot_wall_ns);
	one(out, "falcosecurity_falco_host_num_cpus_total", "gauge", m->n_cpus);
	if (app->settings->metrics.resource_utilization)
		process(m, out);
}
