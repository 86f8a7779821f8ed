/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration, read and interpreted once: falco.yaml with its included files, the
 * environment and -o options. Everything points into one arena and stays
 * until settings_free; a reload makes a second one beside the first.
 */
#ifndef BROKER_SETTINGS_SETTINGS_H
#define BROKER_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/conf/conf.h"
#include "base/err.h"
#include "base/log.h"
#include "broker/options/options.h"
#include "rules/engine.h"

/* One entry of "plugins", chosen by load_plugins, in load order. */
struct plugin_setting {
	const char *name;         /* as configured */
	const char *library_path; /* resolved */
	const char *init_config;  /* text as the plugin gets it; "" when there is none */
	const char *open_params;  /* "" when there are none */
	/* The entry's sandbox block, or NULL. */
	const struct conf_node *sandbox;
	const char *file; /* where the entry stands, for messages */
};

enum engine_kind {
	ENGINE_KMOD,
	ENGINE_MODERN_EBPF,
	ENGINE_REPLAY,
	ENGINE_NODRIVER,
};

/* A configuration file that was read, and what the schema check said ("ok", "failed for
 * …", "none"). */
struct settings_file {
	const char *path, *schema_status;
};

struct http_settings {
	bool enabled, insecure, mtls, echo, compress_uploads, keep_alive;
	const char *url, *user_agent, *ca_cert, *ca_bundle, *ca_path, *client_cert,
	    *client_key;
	uint32_t max_consecutive_timeouts;
	const char *spool_dir; /* ours; "": alerts wait in memory alone */
	uint32_t spool_mb;
};

struct webserver_settings {
	bool enabled, ssl_enabled, prometheus_metrics_enabled;
	uint32_t threadiness; /* 0: number of CPUs */
	uint16_t listen_port;
	const char *listen_address, *k8s_healthz_endpoint, *ssl_certificate;
};

struct metrics_settings {
	bool enabled, output_rule, rules_counters, resource_utilization, state_counters,
	    kernel_event_counters, libbpf_stats, plugins_metrics, jemalloc_stats,
	    convert_memory_to_mb, include_empty_values;
	uint64_t interval_ms;
	const char *output_file; /* "": none */
};

struct settings {
	struct arena arena;
	struct conf_node *root; /* the merged tree, for --support and later readers */
	struct settings_file *file;
	uint32_t n_file;

	struct plugin_setting *plugin; /* selected, in load order */
	uint32_t n_plugin;

	const char **rules_file; /* entries as given: files or directories */
	uint32_t n_rules_file;
	bool rules_from_options; /* they are -r's: each must be there */
	struct rules_config
	    rules; /* all but rules.plugin, which the plugin set fills in */
	/* static_fields, in order. */
	const char **static_key, **static_value;
	uint32_t n_static;

	enum engine_kind engine;
	const char *capture_file; /* engine.replay.capture_file */
	bool json_output, json_include_output, json_include_tags,
	    json_include_output_fields, json_include_message;
	bool time_iso8601, buffered_outputs, watch_config_files, plugins_hostinfo;
	uint32_t output_timeout_ms;
	uint32_t queue_capacity; /* 0: unbounded as Falco says; bounded by memory here */
	bool stdout_enabled, syslog_enabled, file_enabled, file_keep_alive,
	    program_enabled, program_keep_alive;
	const char *file_name, *program;
	struct http_settings http;
	struct webserver_settings webserver;
	struct metrics_settings metrics;
	struct log_config log;
	bool libs_logger_enabled;
	int libs_logger_severity; /* plugin ABI numbers: 1 fatal … 8 trace */
	bool capture_enabled, capture_all_rules;
	bool plain_evaluator;
	const char *capture_path_prefix;
	uint32_t capture_default_duration_ms;
	uint64_t capture_max_bytes; /* 0: unlimited */

	/* Top-level "sandbox" block of ours, or NULL. */
	const struct conf_node *sandbox;

	/* Lines to log once logging is configured (deprecations, keys that do not apply).
	 */
	const char **notice;
	uint32_t n_notice;
};

/*
 * Reads what options name: -c FILE, or /etc/falco/falco.yaml when it is there, or nothing
 * (settings then hold the defaults and n_file is 0). With cmd_rules (-r) they replace the
 * files of the configuration. Error texts are Falco's, complete with file and key.
 */
bool settings_load(
    const struct options *o, struct settings **ret_settings, struct err *err);
/* Defaults and -o options alone: "mews run PLUGIN.so". */
bool settings_default(
    const struct options *o, struct settings **ret_settings, struct err *err);
void settings_free(struct settings *s);

/* The JSON schema of falco.yaml with our own keys (--config-schema), compact. */
void settings_schema(struct buf *out);

/* Rules files to load, directories expanded and sorted as Falco does; paths live in
 * the settings' arena. */
bool settings_rules_files(
    struct settings *s, const char *const **ret_path, uint32_t *ret_n, struct err *err);

#endif
