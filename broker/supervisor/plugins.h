/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugins of a configuration, as their workers describe them.
 *
 * Each selected plugin is loaded once in a worker of its own that is never opened
 * (Falco's "offline instance"): what it says of itself has been checked (limits, UTF-8,
 * no control characters in names) and copied here. Numbers of plugins are positions in
 * load order.
 */
#ifndef BROKER_SUPERVISOR_PLUGINS_H
#define BROKER_SUPERVISOR_PLUGINS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "broker/settings/settings.h"
#include "policy/confinement.h"
#include "policy/profile.h"
#include "policy/profile_auto.h"
#include "rules/engine.h"
#include "rules/field.h"

enum plugin_capability {
	PLUGIN_CAP_SOURCING = 1,
	PLUGIN_CAP_EXTRACTION = 2,
	PLUGIN_CAP_PARSING = 4,
	PLUGIN_CAP_ASYNC = 8,
	PLUGIN_CAP_LISTENING = 16,
};

struct plugin_open_param {
	const char *value, *desc, *separator; /* desc and separator: "" when absent */
};

struct plugin {
	uint32_t index;
	const struct plugin_setting *setting;
	const struct profile *profile;
	const struct confinement *confinement;

	/* As reported by get_name and so on. */
	const char *name, *description, *contact, *version, *required_api_version;
	uint32_t id;        /* 0: none, or system events */
	const char *source; /* "" when it has none */
	uint32_t caps;      /* enum plugin_capability */
	struct field *field;
	uint32_t n_field;
	/* Compatible sources; none means all. The plugin's own source is among them. */
	const char **extract_source, **parse_source, **async_source, **async_event;
	uint32_t n_extract_source, n_parse_source, n_async_source, n_async_event;
	bool has_schema; /* a JSON schema of init_config */
	const char *schema;
	bool has_open_params, has_event_to_string, has_progress, has_metrics,
	    has_set_config;

	struct arena *arena;       /* the set's, where all this lives */
	uint64_t description_hash; /* 0: not described yet */
	struct worker *worker;     /* loaded, and not yet given to a pipeline; or NULL */
};

struct plugin_set {
	struct arena arena;
	struct supervisor *sup;
	struct profile_set profiles; /* of sandbox.profiles_dir */
	struct plugin *plugin;
	uint32_t n;
};

struct supervisor;

/*
 * Loads the plugins of the settings, in order; with "only" just the one of that
 * configured name or library path, or none when there is no such entry. The first failure
 * ends it with the text that Falco prints.
 */
bool plugin_set_load(struct plugin_set *set, const struct settings *s,
    struct supervisor *sup, const char *only, struct err *err);
void plugin_set_release(struct plugin_set *set);

/* Profile, confinement and a worker for p, whose setting is there; into arena, which
 * outlives p. */
bool plugin_set_prepare(
    struct plugin_set *set, struct plugin *p, struct arena *arena, struct err *err);

/* What decides which profile it gets, as its entry says; borrows from ps. */
struct profile_subject plugin_subject(const struct plugin_setting *ps);

/* By configured name or by library path; NULL when there is none. */
const struct plugin *plugin_set_find(
    const struct plugin_set *set, const char *name_or_path);

/* Does the plugin extract (parse, inject async events) for that source? */
bool plugin_extracts_for(const struct plugin *p, const char *source);
bool plugin_parses_for(const struct plugin *p, const char *source);
bool plugin_injects_for(const struct plugin *p, const char *source);

/*
 * Sources in load order and the fields of each: built-in classes, static fields,
 * plugins'. Unused plugins and overlapping fields are errors.
 */
bool plugin_set_catalog(const struct plugin_set *set, const struct settings *s,
    struct field_catalog *ret_catalog, struct err *err);
/* The view of plugins that the rules engine has; in the set's arena. */
bool plugin_set_for_rules(
    struct plugin_set *set, struct rules_config *ret_config, struct err *err);

/*
 * Initialises one plugin in a worker and asks for its open parameters (--plugin-info).
 * *ret_param is in the set's arena; n 0 when it suggests none.
 */
bool plugin_open_params(struct plugin_set *set, const struct plugin *p,
    const struct plugin_open_param **ret_param, uint32_t *ret_n, struct err *err);

/* A worker for one more (pipeline, plugin): the loaded one that the set keeps, while
 * nobody has it, else a new one. It stays the supervisor's. */
struct worker *plugin_set_worker(
    struct plugin_set *set, const struct plugin *p, struct err *err);

#endif
