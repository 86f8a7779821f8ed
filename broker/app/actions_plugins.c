/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that print what plugins say of themselves, and their fields. */
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "broker/app/actions.h"
#include "broker/tables/tables.h"

/* A plugin's text for a terminal: nothing that moves the cursor, and backslashes as they
 * are. keep: control characters that stay. */
static void
add_text(struct buf *out, const char *text, const char *keep)
{
	utf8_escape_except(out, text, strlen(text), keep);
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
	return action_print(&out, err);
}

static bool
add_open_params(struct app *app, const struct plugin *p, struct buf *out, struct err *err)
{
	const struct plugin_open_param *param;
	uint32_t n;

	/* It may look for what Falco has, the table of threads. */
	app->tables = table_registry_new(app->supervisor, err);
	if (!app->tables || !table_registry_join(app->tables, p->worker, err))
		return false;
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
	if (action_print(&out, err) == STEP_FAILED)
		return STEP_FAILED;
	buf_init(&out, LIMIT_CONFIG_BYTES);
	if (!add_open_params(app, p, &out, err)) {
		buf_release(&out);
		return STEP_FAILED;
	}
	return action_print(&out, err);
}

/* --list */

enum step_rc
step_list_fields(struct app *app, struct err *err)
{
	const struct options *o = app->options;
	const struct listing_options how = {
	    .source = o->list && *o->list ? o->list : NULL,
	    .format = action_format(o),
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
	return action_print(&out, err);
}
