/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that print something and end the run: what needs no rules, and --support. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"
#include "broker/app.h"
#include "broker/files.h"
#include "broker/version.h"
#include "proto/plugin_api.h"
#include "rules/listing.h"
#include "rules/schema.h"

static enum step_rc
print_and_end(struct buf *text, struct err *err)
{
	enum step_rc rc = STEP_END;

	if (text->failed) {
		err_nomem(err);
		rc = STEP_FAILED;
	} else {
		fwrite(buf_str(text), 1, text->len, stdout);
		fflush(stdout);
	}
	buf_release(text);
	return rc;
}

/* The command line as a whole: it is judged before anything is done. */
enum step_rc
step_help(struct app *app, struct err *err)
{
	struct buf out;

	if (!options_check(app->options, err))
		return STEP_FAILED;
	if (app->options->markdown)
		fputs("WARNING: --markdown is deprecated, use --format markdown "
		      "instead.\n",
		    stderr);
	if (!app->options->help)
		return STEP_NEXT;
	buf_init(&out, LIMIT_TEXT_BYTES);
	options_help(&out);
	return print_and_end(&out, err);
}

enum step_rc
step_config_schema(struct app *app, struct err *err)
{
	struct buf out;

	if (!app->options->config_schema)
		return STEP_NEXT;
	buf_init(&out, LIMIT_CONFIG_BYTES);
	settings_schema(&out);
	return print_and_end(&out, err);
}

enum step_rc
step_rule_schema(struct app *app, struct err *err)
{
	struct buf out;

	if (!app->options->rule_schema)
		return STEP_NEXT;
	buf_init(&out, LIMIT_CONFIG_BYTES);
	schema_print(&out);
	buf_addc(&out, '\n');
	return print_and_end(&out, err);
}

/* No event of a plugin is ever left out: the list is empty. */
enum step_rc
step_ignored_events(struct app *app, struct err *err)
{
	if (!app->options->ignored_events)
		return STEP_NEXT;
	puts("Ignored syscall(s):");
	fflush(stdout);
	return STEP_END;
}

/* --list-events: the events that plugins make. Those of system calls come from a kernel
 * driver, which there is none of. */

struct event_row {
	const char *name;
	const char *param[3][2]; /* type and name */
};

static const struct event_row event_rows[] = {
    {"pluginevent", {{"UINT32", "plugin_id"}, {"BYTEBUF", "event_data"}}},
    {"asyncevent", {{"UINT32", "plugin_id"}, {"CHARBUF", "name"}, {"BYTEBUF", "data"}}},
};

enum {
	N_EVENT_ROWS = sizeof(event_rows) / sizeof(*event_rows),
	N_EVENT_PARAMS = sizeof(event_rows[0].param) / sizeof(event_rows[0].param[0]),
};

static void
events_json(struct buf *out)
{
	struct json_writer w;

	json_init(&w, out);
	json_begin_object(&w);
	json_key(&w, "events");
	json_begin_array(&w);
	for (size_t i = 0; i < N_EVENT_ROWS; i++) {
		json_begin_object(&w);
		json_key(&w, "dir");
		json_str(&w, ">");
		json_key(&w, "name");
		json_str(&w, event_rows[i].name);
		json_key(&w, "params");
		json_begin_array(&w);
		for (size_t k = 0; k < N_EVENT_PARAMS && event_rows[i].param[k][0]; k++) {
			json_begin_object(&w);
			json_key(&w, "name");
			json_str(&w, event_rows[i].param[k][1]);
			json_key(&w, "type");
			json_str(&w, event_rows[i].param[k][0]);
			json_end_object(&w);
		}
		json_end_array(&w);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_end_object(&w);
	buf_addc(out, '\n');
}

static void
events_text(struct buf *out, bool markdown)
{
	if (markdown)
		buf_adds(
		    out, "Default | Dir | Name | Params\n:-------|:----|:-----|:-----\n");
	for (size_t i = 0; i < N_EVENT_ROWS; i++) {
		const struct event_row *e = &event_rows[i];
		buf_addf(out, markdown ? "Yes | `>` | `%s` | " : "> %s(", e->name);
		for (size_t k = 0; k < N_EVENT_PARAMS && e->param[k][0]; k++)
			buf_addf(out, markdown ? "%s%s **%s**" : "%s%s %s", k ? ", " : "",
			    e->param[k][0], e->param[k][1]);
		buf_adds(out, markdown ? "\n" : ")\n");
	}
}

/* options_check has seen to it that the word is one. */
static enum listing_format
format_of(const struct options *o)
{
	enum listing_format format = o->markdown ? LISTING_MARKDOWN : LISTING_TEXT;

	if (o->format)
		listing_format_parse(o->format, &format);
	return format;
}

enum step_rc
step_list_events(struct app *app, struct err *err)
{
	struct buf out;

	if (!app->options->list_events)
		return STEP_NEXT;
	buf_init(&out, LIMIT_TEXT_BYTES);
	if (format_of(app->options) == LISTING_JSON)
		events_json(&out);
	else
		events_text(&out, format_of(app->options) == LISTING_MARKDOWN);
	return print_and_end(&out, err);
}

/* Versions. */

static const struct {
	const char *key, *value;
} version_rows[] = {
    {"default_driver_version", MEWS_DRIVER_VERSION},
    {"driver_api_version", MEWS_DRIVER_API_VERSION},
    {"driver_schema_version", MEWS_DRIVER_SCHEMA_VERSION},
    {"engine_version", MEWS_ENGINE_VERSION_MINOR},
    {"engine_version_semver", RULES_ENGINE_VERSION},
    {"falco_version", MEWS_FALCO_VERSION},
    {"libs_version", MEWS_LIBS_VERSION},
    {"plugin_api_version", PLUGIN_API_VERSION},
};

static void
versions_json(struct json_writer *w, const struct plugin_set *plugins)
{
	json_begin_object(w);
	for (size_t i = 0; i < sizeof(version_rows) / sizeof(*version_rows); i++) {
		json_key(w, version_rows[i].key);
		json_str(w, version_rows[i].value);
	}
	if (plugins) {
		json_key(w, "plugin_versions");
		json_begin_object(w);
		for (uint32_t i = 0; i < plugins->n; i++) {
			json_key(w, plugins->plugin[i].name);
			json_str(w, plugins->plugin[i].version);
		}
		json_end_object(w);
	}
	json_end_object(w);
}

enum step_rc
step_version(struct app *app, struct err *err)
{
	struct json_writer w;
	struct buf out;

	if (!app->options->version)
		return STEP_NEXT;
	buf_init(&out, LIMIT_TEXT_BYTES);
	if (app->settings->json_output) {
		json_init(&w, &out);
		versions_json(&w, NULL);
		buf_addc(&out, '\n');
	} else {
		buf_adds(&out, "Falco version: " MEWS_FALCO_VERSION "\n"
			       "Libs version:  " MEWS_LIBS_VERSION "\n"
			       "Plugin API:    " PLUGIN_API_VERSION "\n"
			       "Engine:        " RULES_ENGINE_VERSION "\n"
			       "Driver:\n"
			       "  API version:    " MEWS_DRIVER_API_VERSION "\n"
			       "  Schema version: " MEWS_DRIVER_SCHEMA_VERSION "\n"
			       "  Default driver: " MEWS_DRIVER_VERSION "\n");
	}
	return print_and_end(&out, err);
}

enum step_rc
step_page_size(struct app *app, struct err *err)
{
	if (!app->options->page_size)
		return STEP_NEXT;
	log_info("Your system page size is: %ld bytes", sysconf(_SC_PAGESIZE));
	return STEP_END;
}

/* Plugins. */

/* A plugin's text for a terminal: nothing that moves the cursor, and backslashes as they
 * are. keep: control characters that stay. */
static void
add_text(struct buf *out, const char *text, const char *keep)
{
	while (*text) {
		size_t n = strcspn(text, keep);
		utf8_escape(out, text, n, n);
		text += n;
		for (n = strspn(text, keep); n; n--)
			buf_addc(out, *text++);
	}
}

static void
add_line(struct buf *out, const char *label, const char *text)
{
	buf_adds(out, label);
	add_text(out, text, "\\");
	buf_addc(out, '\n');
}

static void
describe_plugin(struct buf *out, const struct plugin *p)
{
	static const struct {
		enum plugin_capability cap;
		const char *name;
	} rows[] = {
	    {PLUGIN_CAP_EXTRACTION, "Field Extraction"},
	    {PLUGIN_CAP_PARSING, "Event Parsing"},
	    {PLUGIN_CAP_ASYNC, "Async Events"},
	};

	add_line(out, "Name: ", p->name);
	add_line(out, "Description: ", p->description);
	add_line(out, "Contact: ", p->contact);
	add_line(out, "Version: ", p->version);
	buf_adds(out, "Capabilities: \n");
	if ((p->caps & PLUGIN_CAP_SOURCING) && p->id) {
		buf_addf(out, "  - Event Sourcing (ID=%u, source='", p->id);
		add_text(out, p->source, "\\");
		buf_adds(out, "')\n");
	} else if (p->caps & PLUGIN_CAP_SOURCING) {
		buf_adds(out, "  - Event Sourcing (system events)\n");
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (p->caps & rows[i].cap)
			buf_addf(out, "  - %s\n", rows[i].name);
	}
	buf_addc(out, '\n');
}

enum step_rc
step_list_plugins(struct app *app, struct err *err)
{
	struct buf out;

	if (!app->options->list_plugins)
		return STEP_NEXT;
	app->has_plugins = true;
	if (!plugin_set_load(&app->plugins, app->settings, app->supervisor, NULL, err))
		return STEP_FAILED;
	buf_init(&out, LIMIT_CONFIG_BYTES);
	buf_addf(&out, "%u Plugins Loaded:\n\n", app->plugins.n);
	for (uint32_t i = 0; i < app->plugins.n; i++)
		describe_plugin(&out, &app->plugins.plugin[i]);
	buf_addc(&out, '\n');
	return print_and_end(&out, err);
}

static bool
add_open_params(struct app *app, const struct plugin *p, struct buf *out, struct err *err)
{
	const struct plugin_open_param *param;
	uint32_t n;

	if (!plugin_open_params(&app->plugins, p, &param, &n, err))
		return false;
	if (!(p->caps & PLUGIN_CAP_SOURCING))
		return true;
	buf_adds(out, n ? "Suggested open params:\n"
			: "No suggested open params available: plugin has not been "
			  "configured, or it does not implement the open params "
			  "suggestion functionality\n");
	for (uint32_t i = 0; i < n; i++) {
		add_text(out, param[i].value, "\\");
		if (*param[i].desc) {
			buf_adds(out, ": ");
			add_text(out, param[i].desc, "\\");
		}
		buf_addc(out, '\n');
	}
	buf_addc(out, '\n');
	return true;
}

/* What is known is printed before the plugin is initialised: that may fail. */
enum step_rc
step_plugin_info(struct app *app, struct err *err)
{
	const char *which = app->options->plugin_info;
	struct buf out;

	if (!which)
		return STEP_NEXT;
	app->has_plugins = true;
	if (!plugin_set_load(&app->plugins, app->settings, app->supervisor, which, err))
		return STEP_FAILED;
	const struct plugin *p = plugin_set_find(&app->plugins, which);
	if (!p) {
		err_set(
		    err, ERR_USAGE, "can't find plugin and print its info: %s", which);
		return STEP_FAILED;
	}
	buf_init(&out, LIMIT_CONFIG_BYTES);
	describe_plugin(&out, p);
	buf_addf(&out, "Init config schema type: %s\n",
	    p->has_schema ? "JSON"
			  : "Not available, plugin does not implement the init config "
			    "schema functionality");
	add_text(&out, p->has_schema ? p->schema : "", "\\\n\t");
	buf_adds(&out, "\n\n");
	if (print_and_end(&out, err) == STEP_FAILED)
		return STEP_FAILED;
	buf_init(&out, LIMIT_CONFIG_BYTES);
	if (!add_open_params(app, p, &out, err)) {
		buf_release(&out);
		return STEP_FAILED;
	}
	return print_and_end(&out, err);
}

/* --list */

enum step_rc
step_list_fields(struct app *app, struct err *err)
{
	const struct options *o = app->options;
	const struct listing_options how = {
	    .source = o->list && *o->list ? o->list : NULL,
	    .format = format_of(o),
	    .names_only = o->names_only,
	    .types = o->verbose,
	};
	struct buf out;

	if (!o->list_given)
		return STEP_NEXT;
	buf_init(&out, LIMIT_CONFIG_BYTES);
	if (!listing_print(&app->catalog, &how, &out, err)) {
		buf_release(&out);
		return STEP_FAILED;
	}
	return print_and_end(&out, err);
}

/* --support */

static void
add_system(struct json_writer *w)
{
	struct utsname u;

	if (uname(&u) != 0)
		memset(&u, 0, sizeof(u));
	json_key(w, "system_info");
	json_begin_object(w);
	json_key(w, "machine");
	json_str(w, u.machine);
	json_key(w, "nodename");
	json_str(w, u.nodename);
	json_key(w, "release");
	json_str(w, u.release);
	json_key(w, "sysname");
	json_str(w, u.sysname);
	json_key(w, "version");
	json_str(w, u.version);
	json_end_object(w);
}

static bool
add_rules_files(struct app *app, struct json_writer *w, struct err *err)
{
	const char *const *path;
	uint32_t n;

	if (!settings_rules_files(app->settings, &path, &n, err))
		return false;
	json_key(w, "rules_files");
	json_begin_array(w);
	for (uint32_t i = 0; i < n; i++) {
		struct buf text;
		buf_init(&text, LIMIT_RULES_FILE_BYTES);
		if (!file_read(path[i], &text, err)) {
			buf_release(&text);
			return false;
		}
		json_begin_object(w);
		json_key(w, "name");
		json_str(w, path[i]);
		json_key(w, "variants");
		json_begin_array(w);
		json_begin_object(w);
		json_key(w, "content");
		json_str_n(w, buf_str(&text), text.len);
		json_end_object(w);
		json_end_array(w);
		json_end_object(w);
		buf_release(&text);
	}
	json_end_array(w);
	return true;
}

enum step_rc
step_support(struct app *app, struct err *err)
{
	const struct options *o = app->options;
	struct json_writer w;
	struct buf out, text;

	if (!o->support)
		return STEP_NEXT;
	buf_init(&out, SIZE_MAX / 2);
	buf_init(&text, LIMIT_CONFIG_BYTES);
	json_init(&w, &out);
	json_begin_object(&w);
	json_key(&w, "cmdline");
	for (int i = 0; i < o->argc; i++)
		buf_addf(&text, "%s%s", i ? " " : "", o->argv[i]);
	json_str_n(&w, buf_str(&text), text.len);
	json_key(&w, "config");
	buf_clear(&text);
	conf_flow(app->settings->root, &text);
	json_str_n(&w, buf_str(&text), text.len);
	buf_release(&text);
	json_key(&w, "engine_info");
	versions_json(&w, &app->plugins);
	if (!add_rules_files(app, &w, err)) {
		buf_release(&out);
		return STEP_FAILED;
	}
	add_system(&w);
	json_key(&w, "version");
	json_str(&w, MEWS_FALCO_VERSION);
	json_end_object(&w);
	buf_addc(&out, '\n');
	return print_and_end(&out, err);
}
