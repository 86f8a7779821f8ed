/* SPDX-License-Identifier: Apache-2.0 */
/* Plain values by config_keys.h, then what is one word of a set or needs a check. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "broker/settings/config.h"

const struct config_key config_keys[] = {
#define READ(path, type, member, fallback, help)                                         \
	{path, NULL, fallback, help, CONFIG_##type, CONFIG_READ,                         \
	    offsetof(struct settings, member)},
#define KEY(path, type, fallback, help)                                                  \
	{path, NULL, fallback, help, CONFIG_##type, CONFIG_CODE, 0},
#define WORD(path, words, fallback, help)                                                \
	{path, words, fallback, help, CONFIG_TEXT, CONFIG_CODE, 0},
#define KERNEL(path, type, fallback, help)                                               \
	{path, NULL, fallback, help, CONFIG_##type, CONFIG_KERNEL, 0},
#include "broker/settings/config_keys.h"
#undef READ
#undef KEY
#undef WORD
#undef KERNEL
};

const size_t config_keys_n = sizeof(config_keys) / sizeof(*config_keys);

const char *
config_fallback(const char *path)
{
	for (size_t i = 0; i < config_keys_n; i++) {
		if (strcmp(config_keys[i].path, path) == 0)
			return config_keys[i].fallback;
	}
	return "";
}

/* A key's text, or its fallback. */
static const char *
text_of(const struct settings *s, const char *path)
{
	return conf_text(s->root, path, config_fallback(path));
}

static uint64_t
uint_of(const struct settings *s, const struct config_key *k, uint64_t max)
{
	uint64_t fallback = strtoull(k->fallback, NULL, 10);
	uint64_t v = conf_uint(s->root, k->path, fallback);

	return v <= max ? v : fallback;
}

static void
read_key(struct settings *s, const struct config_key *k)
{
	void *member = (char *)s + k->offset;

	switch (k->type) {
	case CONFIG_BOOL:
		*(bool *)member =
		    conf_bool(s->root, k->path, strcmp(k->fallback, "true") == 0);
		break;
	case CONFIG_UINT16:
		*(uint16_t *)member = (uint16_t)uint_of(s, k, UINT16_MAX);
		break;
	case CONFIG_UINT32:
		*(uint32_t *)member = (uint32_t)uint_of(s, k, UINT32_MAX);
		break;
	case CONFIG_TEXT:
		*(const char **)member = conf_text(s->root, k->path, k->fallback);
		break;
	case CONFIG_ANY:
	case CONFIG_UINT:
	case CONFIG_NUMBER:
		break; /* not read by the table */
	}
}

static bool
read_engine(struct settings *s, const char *file, struct err *err)
{
	static const char *const kinds[] = {
	    [ENGINE_KMOD] = "kmod",
	    [ENGINE_MODERN_EBPF] = "modern_ebpf",
	    [ENGINE_REPLAY] = "replay",
	    [ENGINE_NODRIVER] = "nodriver",
	};
	const char *kind = text_of(s, "engine.kind");

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kind, kinds[i]) != 0)
			continue;
		s->engine = (enum engine_kind)i;
		if (s->engine == ENGINE_REPLAY && !*s->capture_file)
			return config_error(err, file,
			    "engine.kind is 'replay' but no engine.replay.capture_file "
			    "specified.");
		/* A replay is no service. */
		if (s->engine == ENGINE_REPLAY)
			s->webserver.enabled = false;
		return true;
	}
	return config_error(err, file, "engine.kind '%s' is not a valid kind.", kind);
}

static bool
read_rules_words(struct settings *s, struct err *err)
{
	const char *priority = text_of(s, "priority");
	const char *matching = text_of(s, "rule_matching");

	if (!priority_parse(priority, &s->rules.min_priority))
		return err_set(err, ERR_USAGE,
		    "Unknown priority \"%s\"--must be one of emergency, alert, critical, "
		    "error, warning, notice, informational, debug",
		    priority);
	if (strcasecmp(matching, "first") == 0)
		s->rules.matching = RULE_MATCHING_FIRST;
	else if (strcasecmp(matching, "all") == 0)
		s->rules.matching = RULE_MATCHING_ALL;
	else
		return err_set(err, ERR_USAGE,
		    "Unknown rule matching strategy \"%s\"--must be one of first, all",
		    matching);
	s->rules.json_output = s->json_output;
	s->rules.time_iso8601 = s->time_iso8601;
	return true;
}

static bool
read_log(struct settings *s, struct err *err)
{
	/* In the order of the plugin ABI's numbers, from 1. */
	static const char *const severities[] = {
	    "fatal", "critical", "error", "warning", "notice", "info", "debug", "trace"};
	const char *level = text_of(s, "log_level");
	const char *severity = text_of(s, "libs_logger.severity");

	s->log.iso8601 = s->time_iso8601;
	if (!log_level_parse(level, &s->log.max_level))
		return err_set(err, ERR_USAGE, "Unknown log level %s", level);
	for (size_t i = 0; i < sizeof(severities) / sizeof(*severities); i++) {
		if (strcasecmp(severity, severities[i]) == 0) {
			s->libs_logger_severity = (int)i + 1;
			return true;
		}
	}
	return err_set(err, ERR_USAGE, "Unknown sinsp log severity %s", severity);
}

static bool
read_capture(struct settings *s, const char *file, struct err *err)
{
	const char *mode = text_of(s, "capture.mode");

	s->capture_all_rules = strcmp(mode, "all_rules") == 0;
	if (!s->capture_all_rules && strcmp(mode, "rules") != 0)
		return config_error(
		    err, file, "capture.mode '%s' is not a valid mode.", mode);
	if (__builtin_mul_overflow(conf_uint(s->root, "capture.max_file_size_mb", 0),
		(uint64_t)1 << 20, &s->capture_max_bytes))
		s->capture_max_bytes = 0;
	return true;
}

static bool
read_evaluator(struct settings *s, const char *file, struct err *err)
{
	const char *name = text_of(s, "sandbox.evaluator");

	s->plain_evaluator = strcmp(name, "plain") == 0;
	return s->plain_evaluator || strcmp(name, "fast") == 0 ||
	       config_error(
		   err, file, "sandbox.evaluator '%s' is neither fast nor plain.", name);
}

static bool
check_outputs(struct settings *s, const char *file, struct err *err)
{
	static const char missing[] =
	    "%s output enabled but no %s in configuration block";
	size_t n = strlen(s->http.url);

	if (n > 1 && strchr("'\"", s->http.url[0]) &&
	    s->http.url[n - 1] == s->http.url[0] &&
	    !(s->http.url = arena_strndup(&s->arena, s->http.url + 1, n - 2)))
		return err_nomem(err);
	if (s->file_enabled && !*s->file_name)
		return config_error(err, file, missing, "file", "filename");
	if (s->program_enabled && !*s->program)
		return config_error(err, file, missing, "program", "program");
	if (s->http.enabled && !*s->http.url)
		return config_error(err, file, missing, "http", "url");
	return true;
}

static bool
check_webserver(const struct settings *s, const char *file, struct err *err)
{
	const char *address = s->webserver.listen_address;
	struct in6_addr ignored;

	if (inet_pton(AF_INET, address, &ignored) == 1 ||
	    inet_pton(AF_INET6, address, &ignored) == 1)
		return true;
	return config_error(err, file,
	    "webserver listen address \"%s\" is not a valid IP address", address);
}

/* Prometheus' notation, units from the largest down. False when text is none. */
static bool
parse_duration(const char *text, uint64_t *ret_ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {{"y", 31536000000u}, {"w", 604800000u}, {"d", 86400000u},
	    {"h", 3600000u}, {"m", 60000u}, {"s", 1000u}, {"ms", 1u}};
	uint64_t total = 0;
	size_t at = 0, n_units = sizeof(units) / sizeof(*units);

	if (!*text)
		return false;
	while (*text) {
		char *unit;
		if (*text < '0' || *text > '9')
			return false;
		errno = 0;
		uint64_t v = strtoull(text, &unit, 10);
		size_t len = strspn(unit, "abcdefghijklmnopqrstuvwxyz");
		while (at < n_units && (strlen(units[at].unit) != len ||
					   memcmp(units[at].unit, unit, len) != 0))
			at++;
		if (errno || at == n_units ||
		    __builtin_mul_overflow(v, units[at].ms, &v) ||
		    __builtin_add_overflow(total, v, &total))
			return false;
		at++;
		text = unit + len;
	}
	*ret_ms = total;
	return true;
}

static bool
read_metrics(struct settings *s, struct err *err)
{
	enum {
		SHORTEST_MS = 100
	};
	const char *interval = text_of(s, "metrics.interval");
	bool ok = parse_duration(interval, &s->metrics.interval_ms);

	if (!s->metrics.enabled)
		return true;
	if (*interval && strspn(interval, "0123456789") == strlen(interval))
		return err_set(err, ERR_USAGE,
		    "Metrics interval was passed as numeric value without Prometheus "
		    "time "
		    "unit. Please specify a time unit");
	if (!ok || s->metrics.interval_ms < SHORTEST_MS)
		return err_set(err, ERR_USAGE,
		    "Metrics interval must have a minimum value of 100ms and reflect a "
		    "Prometheus compliant time duration format: "
		    "https://prometheus.io/docs/prometheus/latest/querying/basics/"
		    "#time-durations. ");
	if (!s->metrics.output_rule && !*s->metrics.output_file &&
	    !(s->webserver.enabled && s->webserver.prometheus_metrics_enabled))
		return err_set(err, ERR_USAGE,
		    "Metrics are enabled with no output configured. Please enable at "
		    "least one output channel ('metrics.output_rule', "
		    "'metrics.output_file' or 'webserver.prometheus_metrics_enabled')");
	return true;
}

/* What has no effect here is checked all the same: the file may be shared with Falco. */
static bool
check_kernel_values(struct settings *s, const char *file, struct err *err)
{
	static const char *const known[] = {"ignore", "log", "alert", "exit"};
	const struct conf_node *node = conf_at(s->root, "syscall_event_drops.actions");
	double threshold = conf_double(s->root, "syscall_event_drops.threshold", 0.1);
	const char **action;
	uint32_t n;
	bool ignore = false;

	if (conf_uint(s->root, "syscall_event_timeouts.max_consecutives", 1000) == 0)
		return err_set(err, ERR_USAGE,
		    "Error reading config file(%s): the maximum consecutive timeouts "
		    "without an event must be an unsigned integer > 0",
		    file);
	if (threshold < 0 || threshold > 1)
		return config_error(err, file,
		    "syscall event drops threshold must be a double in the range [0, 1]");
	if (!config_texts(s, "syscall_event_drops.actions", node, file, &action, &n, err))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		size_t k = 0;
		while (k < sizeof(known) / sizeof(*known) &&
		       strcmp(action[i], known[k]) != 0)
			k++;
		if (k == sizeof(known) / sizeof(*known))
			return config_error(err, file,
			    "available actions for syscall event drops are \"ignore\", "
			    "\"log\", \"alert\", and \"exit\"");
		ignore |= k == 0;
	}
	if (ignore && n > 1)
		return config_error(err, file,
		    "syscall event drop action \"%s\" does not make sense with the "
		    "\"ignore\" action",
		    strcmp(action[0], "ignore") ? action[0] : action[1]);
	return true;
}

/* How much of a kernel key's path stands for it in the notice: its group, where all of
 * that is a kernel driver's. */
static size_t
group_length(const struct config_key *k)
{
	size_t n = (size_t)(strrchr(k->path, '.') - k->path);

	for (size_t i = 0; i < config_keys_n; i++) {
		if (config_keys[i].use != CONFIG_KERNEL &&
		    strncmp(config_keys[i].path, k->path, n + 1) == 0)
			return strcspn(k->path, "[");
	}
	return n;
}

/* One line for all keys of kernel drivers that are there. */
static bool
notice_kernel_keys(struct settings *s, struct err *err)
{
	char last[128] = "";
	struct buf names;
	bool ok = true;

	buf_init(&names, LIMIT_TEXT_BYTES);
	for (size_t i = 0; i < config_keys_n; i++) {
		const struct config_key *k = &config_keys[i];
		char path[128] = "", group[128] = "";
		if (k->use != CONFIG_KERNEL)
			continue;
		strncat(path, k->path, strcspn(k->path, "["));
		strncat(group, k->path, group_length(k));
		if (!conf_at(s->root, path) || strcmp(group, last) == 0)
			continue;
		buf_addf(&names, "%s%s", names.len ? ", " : "", group);
		memcpy(last, group, sizeof(last));
	}
	if (names.len)
		ok = config_notice(s, err,
		    "Keys of kernel drivers have no effect here: %s", buf_str(&names));
	buf_release(&names);
	return ok;
}

bool
config_read_values(struct settings *s, const char *file, struct err *err)
{
	for (size_t i = 0; i < config_keys_n; i++) {
		if (config_keys[i].use == CONFIG_READ)
			read_key(s, &config_keys[i]);
	}
	s->sandbox = conf_get(s->root, "sandbox");
	return read_engine(s, file, err) && read_rules_words(s, err) &&
	       read_log(s, err) && read_capture(s, file, err) &&
	       read_evaluator(s, file, err) && check_outputs(s, file, err) &&
	       check_webserver(s, file, err) && read_metrics(s, err) &&
	       check_kernel_values(s, file, err) && notice_kernel_keys(s, err);
}
