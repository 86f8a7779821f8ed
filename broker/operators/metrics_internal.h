/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of struct metrics: metrics.c (files, ticks, snapshots),
 * metrics_text.c (Falco's names), metrics_mews.c (our names), metrics_proc.c (/proc),
 * metrics_net.c (addresses), metrics_plugins.c (those of plugins). */
#ifndef BROKER_OPERATORS_METRICS_INTERNAL_H
#define BROKER_OPERATORS_METRICS_INTERNAL_H

#include <sys/types.h>

#include "broker/operators/metrics.h"

/* A configuration or rules file as it was read. */
struct metrics_file {
	char *name; /* without folders */
	char sha256[65];
};

struct metrics_files {
	struct metrics_file *file;
	uint32_t n;
};

/* One source at its last snapshot. */
struct metrics_last {
	uint64_t events, dropped, ts_ns;
	bool is_there;
};

/* One source's rate between two looks of a scraper that are a second apart or more. */
struct metrics_rate {
	uint64_t events, at_ns;
	double per_s;
};

struct metrics {
	struct app *app;
	uint64_t start_wall_ns, reload_wall_ns, start_mono_ns, boot_wall_ns;
	char hostname[256], kernel[128];
	uint32_t n_cpus;
	struct metrics_files config, rules;
	struct event *on_tick;
	uint64_t ticks;
	uint64_t n_unwritten;      /* snapshots that output_file did not take, in a row */
	struct metrics_last *last; /* by source */
	struct metrics_rate *rate; /* by source */
};

struct own_fields;

struct process_usage {
	double cpu_s;
	uint64_t rss_bytes, virtual_bytes;
};

/* False when the process is not there. pid 0: this one. */
bool process_usage(pid_t pid, struct process_usage *ret_usage);

void metrics_falco_text(const struct metrics *m, struct buf *out);
void metrics_mews_text(const struct metrics *m, struct buf *out);
/* metrics_plugins.c: those of plugins' own, which are asked for anew with each look. */
void metrics_plugins_text(const struct metrics *m, struct buf *out);
void metrics_plugin_fields(
    const struct app_source *as, bool include_zeros, struct own_fields *f);
void metrics_net_fields(struct own_fields *f);

/* "source_plugin", or "nodriver" for system calls. */
const char *metrics_engine_name(const struct app_source *as);

#endif
