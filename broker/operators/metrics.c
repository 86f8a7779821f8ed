/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/operators/metrics.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/sha256.h"
#include "broker/app/version.h"
#include "broker/http/prom.h"
#include "broker/operators/metrics_internal.h"
#include "broker/operators/own_alert.h"
#include "broker/operators/statistics.h"
#include "broker/pipeline/pipeline.h"
#include "broker/run/run.h"
#include "broker/settings/files.h"
#include "broker/supervisor/supervisor.h"

const char *
metrics_engine_name(const struct app_source *as)
{
	return as->origin ? "source_plugin" : "nodriver";
}

/* Files. */

static void
files_release(struct metrics_files *f)
{
	for (uint32_t i = 0; i < f->n; i++)
		free(f->file[i].name);
	free(f->file);
	*f = (struct metrics_files){0};
}

/* A file that cannot be read any more is left out: loading it was somebody else's. */
static void
files_add(struct metrics_files *f, const char *path)
{
	struct metrics_file *more = reallocarray(f->file, f->n + 1, sizeof(*more));
	const char *slash = strrchr(path, '/');
	struct sha256 sum;
	struct buf text;
	struct err err;

	if (!more)
		return;
	f->file = more;
	buf_init(&text, LIMIT_RULES_FILE_BYTES);
	if (file_read(path, &text, &err)) {
		struct metrics_file *file = &f->file[f->n];
		sha256_init(&sum);
		sha256_add(&sum, buf_str(&text), text.len);
		sha256_hex(&sum, file->sha256);
		file->name = strdup(slash ? slash + 1 : path);
		f->n += file->name != NULL;
	}
	buf_release(&text);
}

static void
sum_files(struct metrics *m)
{
	struct settings *s = m->app->settings;
	const char *const *path;
	struct err err;
	uint32_t n;

	files_release(&m->config);
	files_release(&m->rules);
	for (uint32_t i = 0; i < s->n_file; i++)
		files_add(&m->config, s->file[i].path);
	if (!settings_rules_files(s, &path, &n, &err))
		return;
	for (uint32_t i = 0; i < n; i++)
		files_add(&m->rules, path[i]);
}

/* Snapshots. */

/* As Falco makes a name part of a key. */
static void
add_name(struct buf *key, const char *name)
{
	prom_name(key, name);
	while (key->len && key->data[key->len - 1] == '_')
		key->data[--key->len] = '\0';
}

static void
add_files(struct own_fields *f, const char *prefix, const struct metrics_files *files)
{
	for (uint32_t i = 0; i < files->n; i++) {
		struct buf key;
		buf_init(&key, 4096);
		buf_adds(&key, prefix);
		add_name(&key, files->file[i].name);
		own_fields_text(f, buf_str(&key), files->file[i].sha256);
		buf_release(&key);
	}
}

static void
add_counter(const struct metrics *m, struct own_fields *f, const char *key, uint64_t n)
{
	if (n || m->app->settings->metrics.include_empty_values)
		own_fields_u64(f, key, n);
}

static void
add_rules(const struct metrics *m, struct own_fields *f)
{
	const struct statistics_row *const *row;
	struct buf key;
	uint32_t n;

	if (!m->app->settings->metrics.rules_counters)
		return;
	add_counter(
	    m, f, "falco.rules.matches_total", statistics_total(m->app->statistics));
	row = statistics_rows(m->app->statistics, &n);
	buf_init(&key, LIMIT_TEXT_BYTES);
	for (uint32_t i = 0; i < n; i++) {
		buf_clear(&key);
		buf_adds(&key, "falco.rules.");
		add_name(&key, row[i]->name);
		add_counter(m, f, buf_str(&key), row[i]->n);
	}
	buf_release(&key);
}

/* To a tenth, as Falco's. */
static void
add_rate(struct own_fields *f, const char *key, uint64_t n, double seconds)
{
	own_fields_double(f, key, round(10 * (double)n / seconds) / 10);
}

/* Of what Falco tells of sources that are plugins' the counters are there also when they
 * are 0; those of system calls, which are the same events here, only when not. */
static void
add_rates(struct metrics *m, struct own_fields *f, const struct app_source *as,
    struct metrics_last *last, uint64_t now)
{
	const struct pipeline_counts *c = &as->pipeline->counts;
	double seconds = (double)(now - last->ts_ns) / 1e9;
	uint64_t n = c->events, more = n - last->events,
		 lost = c->dropped_large - last->dropped;

	own_fields_u64(f, "falco.num_evts", n);
	own_fields_u64(f, "falco.num_evts_prev", last->events);
	add_counter(m, f, "scap.n_evts", n);
	add_counter(m, f, "scap.n_evts_prev", last->events);
	add_counter(m, f, "scap.n_drops", c->dropped_large);
	own_fields_double(f, "scap.n_drops_perc",
	    more + lost ? 100.0 * (double)lost / (double)(more + lost) : 0);
	if (last->is_there && seconds > 0) {
		add_rate(f, "falco.evts_rate_sec", more, seconds);
		add_rate(f, "scap.evts_rate_sec", more, seconds);
	}
	*last = (struct metrics_last){
	    .events = n, .dropped = c->dropped_large, .ts_ns = now, .is_there = true};
}

static void
add_process(const struct metrics *m, struct own_fields *f)
{
	double unit = m->app->settings->metrics.convert_memory_to_mb ? 1 << 20 : 1 << 10;
	struct process_usage u;

	if (!m->app->settings->metrics.resource_utilization || !process_usage(0, &u))
		return;
	double up = (double)(clock_mono_ns() - m->start_mono_ns) / 1e9;
	own_fields_double(f, "falco.cpu_usage_perc", up > 0 ? 100 * u.cpu_s / up : 0);
	own_fields_double(f, "falco.memory_rss", (double)u.rss_bytes / unit);
	own_fields_double(f, "falco.memory_vsz", (double)u.virtual_bytes / unit);
}

static void
add_all(struct metrics *m, struct own_fields *f, const struct app_source *as,
    struct metrics_last *last, uint64_t now)
{
	struct outputs_counts c;

	own_fields_u64(f, "evt.time", now);
	own_fields_text(f, "evt.hostname", m->hostname);
	own_fields_text(f, "evt.source", as->source->name);
	own_fields_text(f, "falco.version", MEWS_FALCO_VERSION);
	own_fields_u64(f, "falco.start_ts", m->start_wall_ns);
	own_fields_u64(f, "falco.reload_ts", m->reload_wall_ns);
	own_fields_u64(
	    f, "falco.duration_sec", (clock_mono_ns() - m->start_mono_ns) / 1000000000);
	own_fields_text(f, "falco.kernel_release", m->kernel);
	own_fields_u64(f, "falco.host_boot_ts", m->boot_wall_ns);
	own_fields_u64(f, "falco.host_num_cpus", m->n_cpus);
	outputs_counts(m->app->outputs, &c);
	own_fields_u64(f, "falco.outputs_queue_num_drops", c.dropped);
	own_fields_text(f, "scap.engine_name", metrics_engine_name(as));
	add_files(f, "falco.sha256_config_file.", &m->config);
	add_files(f, "falco.sha256_rules_file.", &m->rules);
	add_rates(m, f, as, last, now);
	add_process(m, f);
	add_rules(m, f);
	metrics_net_fields(f);
	metrics_plugin_fields(as, m->app->settings->metrics.include_empty_values, f);
}

static void
append_to_file(struct metrics *m, struct own_fields *f)
{
	const char *path = m->app->settings->metrics.output_file;
	struct buf line;
	int fd;

	buf_init(&line, LIMIT_OUTPUT_LINE_BYTES);
	buf_adds(&line, "{\"output_fields\":{");
	own_fields_json(f, &line);
	buf_addf(&line, "},\"sample\":%llu}\n", (unsigned long long)m->ticks);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
	ssize_t n = fd < 0 ? -1 : write(fd, buf_str(&line), line.len);
	if (n != (ssize_t)line.len) {
		/* Told once; the next one that is written says how many are missing. */
		if (m->n_unwritten++ == 0)
			log_error("metrics.output_file %s: %s", path,
			    n < 0 ? strerror(errno) : "a snapshot was cut short");
	} else if (m->n_unwritten > 0) {
		log_warning("metrics.output_file %s: written again; %llu snapshots are "
			    "missing",
		    path, (unsigned long long)m->n_unwritten);
		m->n_unwritten = 0;
	}
	if (fd >= 0)
		close(fd);
	buf_release(&line);
}

static void
snapshot(struct metrics *m, const struct app_source *as, struct metrics_last *last)
{
	uint64_t now = clock_wall_ns();
	struct own_fields f;

	own_fields_init(&f);
	add_all(m, &f, as, last, now);
	if (f.failed)
		log_error("no memory for a metrics snapshot");
	else if (m->app->settings->metrics.output_rule)
		run_own_alert(m->app, OWN_ALERT_SNAPSHOT, PRIORITY_INFORMATIONAL,
		    "Falco metrics snapshot", &f);
	if (!f.failed && m->app->settings->metrics.output_file[0])
		append_to_file(m, &f);
	own_fields_release(&f);
}

/* No event, no snapshot, as in Falco. */
static void
on_tick(int fd, short what, void *arg)
{
	struct metrics *m = arg;

	m->ticks++;
	for (uint32_t i = 0; i < m->app->n_source; i++) {
		const struct app_source *as = &m->app->source[i];

		if (as->pipeline && as->pipeline->counts.events != m->last[i].events)
			snapshot(m, as, &m->last[i]);
	}
}

static void
start_ticks(struct metrics *m)
{
	const struct metrics_settings *s = &m->app->settings->metrics;
	uint64_t ms = s->interval_ms;
	struct timeval tv = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

	event_del(m->on_tick);
	if (!s->enabled || (!s->output_rule && !s->output_file[0]))
		return;
	log_info("Setting metrics interval to %s, equivalent to %llu (ms)",
	    conf_text(m->app->settings->root, "metrics.interval", "5000ms"),
	    (unsigned long long)ms);
	event_add(m->on_tick, &tv);
}

/* Life. */

static uint64_t
boot_time(void)
{
	struct timespec up;

	clock_gettime(CLOCK_BOOTTIME, &up);
	return clock_wall_ns() - (uint64_t)up.tv_sec * 1000000000u - (uint64_t)up.tv_nsec;
}

struct metrics *
metrics_new(struct app *app, struct err *err)
{
	struct metrics *m = calloc(1, sizeof(*m));
	struct utsname u;

	if (!m) {
		err_nomem(err);
		return NULL;
	}
	m->app = app;
	m->start_wall_ns = m->reload_wall_ns = clock_wall_ns();
	m->start_mono_ns = clock_mono_ns();
	m->boot_wall_ns = boot_time();
	m->n_cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	run_hostname(app, m->hostname, sizeof(m->hostname));
	if (uname(&u) == 0)
		strncpy(m->kernel, u.release, sizeof(m->kernel) - 1);
	m->last = calloc(app->n_source + 1, sizeof(*m->last));
	m->on_tick = event_new(app->supervisor->base, -1, EV_PERSIST, on_tick, m);
	m->rate = calloc(app->n_source + 1, sizeof(*m->rate));
	if (!m->last || !m->rate || !m->on_tick) {
		metrics_free(m);
		err_nomem(err);
		return NULL;
	}
	if (app->settings->metrics.enabled)
		sum_files(m);
	start_ticks(m);
	return m;
}

void
metrics_free(struct metrics *m)
{
	if (!m)
		return;
	if (m->on_tick)
		event_free(m->on_tick);
	files_release(&m->config);
	files_release(&m->rules);
	free(m->last);
	free(m->rate);
	free(m);
}

void
metrics_reload(struct metrics *m)
{
	m->reload_wall_ns = clock_wall_ns();
	if (m->app->settings->metrics.enabled)
		sum_files(m);
	start_ticks(m);
}

void
metrics_prometheus(const struct metrics *m, struct buf *out)
{
	metrics_falco_text(m, out);
	metrics_mews_text(m, out);
	metrics_plugins_text(m, out);
}
