/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that print something and end the run: what needs no rules, and --support. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "base/log.h"
#include "broker/app/actions.h"
#include "broker/app/version.h"
#include "broker/settings/files.h"
#include "proto/plugin_api.h"
#include "rules/schema.h"

/* Two blanks a level and a newline at the end, as Falco prints JSON for people. */
static void
indent_json(struct buf *text)
{
	struct buf out;
	int level = 0;
	bool quoted = false;

	buf_init(&out, text->limit_bytes * 4);
	for (const char *p = buf_str(text); *p; p++) {
		bool empty = (*p == '{' && p[1] == '}') || (*p == '[' && p[1] == ']');
		if (quoted) {
			quoted = *p != '"';
			buf_addc(&out, *p);
			if (*p == '\\')
				buf_addc(&out, *++p);
		} else if (empty) {
			buf_add(&out, p++, 2);
		} else if (strchr("]}", *p)) {
			buf_addf(&out, "\n%*s%c", 2 * --level, "", *p);
		} else {
			quoted = *p == '"';
			buf_addc(&out, *p);
			if (strchr("[{,", *p))
				level += *p != ',';
			if (strchr("[{,", *p))
				buf_addf(&out, "\n%*s", 2 * level, "");
			else if (*p == ':')
				buf_addc(&out, ' ');
		}
	}
	buf_addc(&out, '\n');
	out.failed |= text->failed;
	buf_release(text);
	*text = out;
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
	return action_print(&out, err);
}

enum step_rc
step_config_schema(struct app *app, struct err *err)
{
	struct buf out;

	if (!app->options->config_schema)
		return STEP_NEXT;
	buf_init(&out, LIMIT_CONFIG_BYTES);
	settings_schema(&out);
	indent_json(&out);
	return action_print(&out, err);
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
	return action_print(&out, err);
}

/* No event of a plugin is ever left out: the list is empty. */
enum step_rc
step_ignored_events(struct app *app, struct err *err)
{
	if (!app->options->ignored_events)
		return STEP_NEXT;
	puts("Ignored syscall(s):\n");
	fflush(stdout);
	return STEP_END;
}

/* --list-events: those that plugins make. The other categories are a kernel driver's, and
 * there is none. */

struct event_row {
	const char *category, *name;
	const char *param[3][2]; /* type and name */
};

static const struct event_row event_rows[] = {
    {"Plugin events", "pluginevent",
	{{"UINT32", "plugin_id"}, {"BYTEBUF", "event_data"}}},
    {"Plugin events", "asyncevent",
	{{"UINT32", "plugin_id"}, {"CHARBUF", "name"}, {"BYTEBUF", "data"}}},
};

static const char *const event_categories[] = {
    "Syscall events", "Tracepoint events", "Plugin events", "Metaevents"};

enum {
	N_EVENTS = sizeof(event_rows) / sizeof(*event_rows),
	N_PARAMS = sizeof(event_rows[0].param) / sizeof(event_rows[0].param[0]),
	N_CATEGORIES = sizeof(event_categories) / sizeof(*event_categories),
};

static void
event_json(struct json_writer *w, const struct event_row *e)
{
	json_begin_object(w);
	json_key(w, "available");
	json_bool(w, true);
	json_key(w, "dir");
	json_str(w, ">");
	json_key(w, "name");
	json_str(w, e->name);
	json_key(w, "params");
	json_begin_array(w);
	for (size_t k = 0; k < N_PARAMS && e->param[k][0]; k++) {
		json_begin_object(w);
		json_key(w, "name");
		json_str(w, e->param[k][1]);
		json_key(w, "type");
		json_str(w, e->param[k][0]);
		json_end_object(w);
	}
	json_end_array(w);
	json_end_object(w);
}

static void
events_json(struct buf *out)
{
	/* Keys in byte order. */
	static const size_t order[N_CATEGORIES] = {3, 2, 0, 1};
	struct json_writer w;

	json_init(&w, out);
	json_begin_object(&w);
	for (size_t c = 0; c < N_CATEGORIES; c++) {
		const char *category = event_categories[order[c]];
		json_key(&w, category);
		json_begin_array(&w);
		for (size_t i = 0; i < N_EVENTS; i++) {
			if (strcmp(event_rows[i].category, category) == 0)
				event_json(&w, &event_rows[i]);
		}
		json_end_array(&w);
	}
	json_key(&w, "schema_version");
	json_str(&w, MEWS_DRIVER_SCHEMA_VERSION);
	json_end_object(&w);
}

static void
events_text(struct buf *out, bool markdown)
{
	buf_adds(out, "The events below are valid for Falco *Schema "
		      "Version*: " MEWS_DRIVER_SCHEMA_VERSION "\n");
	for (size_t c = 0; c < N_CATEGORIES; c++) {
		buf_addf(out, "## %s\n\n", event_categories[c]);
		if (markdown)
			buf_adds(out, "Default | Dir | Name | Params \n"
				      ":-------|:----|:-----|:-----\n");
		for (size_t i = 0; i < N_EVENTS; i++) {
			const struct event_row *e = &event_rows[i];
			if (strcmp(e->category, event_categories[c]) != 0)
				continue;
			buf_addf(
			    out, markdown ? "Yes | `>` | `%s` | " : "> %s(", e->name);
			for (size_t k = 0; k < N_PARAMS && e->param[k][0]; k++)
				buf_addf(out, "%s%s **%s**", k ? ", " : "",
				    e->param[k][0], e->param[k][1]);
			buf_adds(out, markdown ? "\n" : ")\n");
		}
		buf_addc(out, '\n');
	}
}

enum step_rc
step_list_events(struct app *app, struct err *err)
{
	enum listing_format format;
	struct buf out;

	if (!app->options->list_events)
		return STEP_NEXT;
	buf_init(&out, LIMIT_TEXT_BYTES);
	format = action_format(app->options);
	if (format == LISTING_JSON)
		events_json(&out);
	else
		events_text(&out, format == LISTING_MARKDOWN);
	if (format == LISTING_JSON)
		indent_json(&out);
	return action_print(&out, err);
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

void
action_versions_json(struct json_writer *w, const struct plugin_set *plugins)
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
		action_versions_json(&w, NULL);
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
	return action_print(&out, err);
}

enum step_rc
step_page_size(struct app *app, struct err *err)
{
	if (!app->options->page_size)
		return STEP_NEXT;
	log_info("Your system page size is: %ld bytes", sysconf(_SC_PAGESIZE));
	return STEP_END;
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
			return err_wrap(err, "%s", path[i]);
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
	action_versions_json(&w, &app->plugins);
	if (!add_rules_files(app, &w, err)) {
		buf_release(&out);
		return STEP_FAILED;
	}
	add_system(&w);
	json_key(&w, "version");
	json_str(&w, MEWS_FALCO_VERSION);
	json_end_object(&w);
	buf_addc(&out, '\n');
	return action_print(&out, err);
}
