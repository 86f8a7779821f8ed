/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front of the room: rules files in, rulesets and reports out.
 *
 * A loader collects files one after the other (each load compiles everything collected so
 * far) and reports on each. When all are loaded it gives one ruleset per
 * source. A loader and what it gave are one arena and live until loader_free.
 */
#ifndef RULES_ENGINE_H
#define RULES_ENGINE_H

#include "base/buf.h"
#include "base/err.h"
#include "rules/eval.h"
#include "rules/field.h"
#include "rules/slot.h"

#define RULES_ENGINE_VERSION "0.63.0"

enum priority {
	PRIORITY_EMERGENCY,
	PRIORITY_ALERT,
	PRIORITY_CRITICAL,
	PRIORITY_ERROR,
	PRIORITY_WARNING,
	PRIORITY_NOTICE,
	PRIORITY_INFORMATIONAL,
	PRIORITY_DEBUG,
	PRIORITY_N,
};

/* "Informational" as alerts print it. */
const char *priority_name(enum priority p);
/* "INFO" as the statistics at exit print it. */
const char *priority_short_name(enum priority p);
bool priority_parse(const char *text, enum priority *ret_priority);

/* A plugin as rules see it: required_plugin_versions, and "plugins" of -L. */
struct rules_plugin {
	const char *name, *version;
	const char *source;                /* its own event source; NULL: none */
	const char *const *extract_source; /* compatible sources; none means all */
	uint32_t n_extract_source;
	bool extracts;
	const char *const *async_name;
	uint32_t n_async_name;
};

enum rule_matching {
	RULE_MATCHING_FIRST,
	RULE_MATCHING_ALL
};

/* One entry of append_output. Absent texts are NULL. */
struct append_output {
	const char *source, *rule;
	const char *const *tag;
	uint32_t n_tag;
	const char *extra_output;
	struct append_field {
		const char *key;
		const char *format; /* NULL: raw, the key is the field */
	} const *extra_field;
	uint32_t n_extra_field;
	bool suggested_output;
};

/* One step of "rules:", in order. */
struct rule_selection {
	bool enable;
	const char *rule; /* wildcard pattern, or NULL */
	const char *tag;  /* or NULL */
};

struct rules_config {
	enum priority min_priority;
	enum rule_matching matching;
	bool json_output, time_iso8601, buffer_base64;
	const struct append_output *append_output;
	uint32_t n_append_output;
	const struct rule_selection *selection;
	uint32_t n_selection;
	const struct rules_plugin *plugin;
	uint32_t n_plugin;
};

struct cond;   /* rules/compile.h */
struct format; /* rules/format.h */

/* A raw or formatted extra field of an output. */
struct rule_extra_field {
	const char *key;
	const struct format *format; /* formatted: a string value */
	bool raw;                    /* raw: one typed value under key */
};

struct rule {
	const char *name, *desc, *source;
	enum priority priority;
	const char *const *tag; /* sorted bytewise, unique */
	uint32_t n_tag;
	bool capture;
	uint32_t capture_duration_ms;
	const struct cond *cond;
	const struct format *output;
	const struct rule_extra_field *extra;
	uint32_t n_extra;
	uint32_t index;              /* among all rules of the loader: definition order */
	const uint32_t *output_slot; /* slots that its outputs print */
	uint32_t n_output_slot;
};

/* What one source evaluates: enabled rules only, in evaluation order. */
struct ruleset {
	const struct field_source *source;
	const struct rules_config *config;
	const struct rule *const *rule;
	uint32_t n_rule;
	const struct slot_set *slots;
};

struct loader;

struct loader *loader_new(const struct field_catalog *catalog,
    const struct rules_config *config, struct err *err);
void loader_free(struct loader *l);

/* What loading a file found. Opaque; rendered by the functions below. */
struct load_result;

/* A file's content, its YAML taken apart: needs no loader, and any thread may do it. The
 * content must be there until it is loaded. NULL: no memory. */
struct rules_text;
struct rules_text *rules_text_new(const char *content, size_t len);
void rules_text_free(struct rules_text *t);

/* Loads one file's content on top of what is there. Never fails otherwise than by memory:
 * mistakes are in the result, which lives as long as the loader. */
bool loader_file(struct loader *l, const char *name, const char *content, size_t len,
    const struct load_result **ret_result, struct err *err);
/* The same; the text is the loader's from then on, whatever is returned. */
bool loader_text(struct loader *l, const char *name, struct rules_text *text,
    const struct load_result **ret_result, struct err *err);
bool load_result_ok(const struct load_result *r);
bool load_result_has_warnings(const struct load_result *r);
const char *load_result_name(const struct load_result *r);
/* "ok", "none" or "failed for …". */
const char *load_result_schema_status(const struct load_result *r);
/* One line of JSON, the verbose text, the summary text. */
void load_result_json(const struct load_result *r, struct buf *out);
/* The same with all mistakes: those beyond the first are "more_errors". */
void load_result_json_all(const struct load_result *r, struct buf *out);
void load_result_text(const struct load_result *r, bool verbose, struct buf *out);
/*
 * Everything that was found, as compilers say it: "file:line:column: error: …", safe for
 * a terminal; and how much it is. Not what the load before, of the same loader, told
 * already (NULL: there was none).
 */
void load_result_lines(const struct load_result *r, const struct load_result *before,
    struct buf *out, uint32_t *ret_errors, uint32_t *ret_warnings);
/* "file:line:column" of a rule's definition. */
void rule_place(const struct rule *rule, struct buf *out);
/* The mistakes beyond the first, at which Falco stops; nothing when there are none. */
void load_result_more_errors_text(const struct load_result *r, struct buf *out);

/* required_plugin_versions of all files against config.plugin. */
bool loader_check_plugins(const struct loader *l, struct err *err);

/* After the last file: selection applied, one ruleset per source (by source index; NULL
 * where no rule is enabled is not used: an empty ruleset instead). Log lines about the
 * selection ("Enabling rules with name: W") are appended to log, one per line. */
bool loader_finish(struct loader *l, struct buf *log, struct err *err);
/* Lets go of what loader_describe and further files need, and rulesets do not. */
void loader_forget_trees(struct loader *l);
const struct ruleset *loader_ruleset(const struct loader *l, uint32_t source_index);
/* Every rule that was loaded (enabled or not), by definition order, unknown sources left
 * out. */
const struct rule *const *loader_rules(const struct loader *l, uint32_t *ret_n);

/* -L and -l: rule NULL describes everything. */
bool loader_describe(const struct loader *l, const char *rule, bool json, struct buf *out,
    struct err *err);

#endif
