/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "mews run": a whole configuration with Falco's flags, or one plugin by its path. The
 * latter prints every event with its fields, or the alerts of rules given with -r.
 */
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "base/log.h"
#include "broker/commands.h"
#include "broker/run.h"
#include "broker/single.h"
#include "rules/ast.h"
#include "rules/format.h"
#include "rules/time_text.h"

static const char usage[] =
    "mews run -c falco.yaml [FALCO'S FLAGS]\n"
    "mews run PLUGIN.so [--init-config TEXT] [--open-params TEXT] [--fields a,b[c],…]\n"
    "         [-r RULES]… [-n EVENTS] [--sandbox '{profile: …}'] [-o key=value]…\n"
    "\n"
    "The first form is what falco does with the same configuration, each plugin "
    "confined.\n"
    "The second needs no configuration: it prints each event with its fields as a line "
    "of\n"
    "JSON, or the alerts of RULES. The plugin may do nothing but compute, unless "
    "--sandbox\n"
    "says more, as the sandbox: block of its entry in falco.yaml would.\n"
    "\n"
    "  mews run libdummy.so --open-params '{\"start\": 1, \"maxEvents\": 5}'\n"
    "  mews run libk8saudit.so --init-config '{}' --open-params /var/log/audit.json \\\n"
    "      --sandbox '{profile: file-reader, read: [/var/log/audit.json]}' -r "
    "rules.yaml\n";

/* An event as a line: what printing needs is the output of the one rule there is. */
static void
show_event(struct app *app, const struct rule *rule, const struct event_view *view,
    struct buf *ret_line, struct buf *scratch)
{
	const struct event_meta *meta = event_view_meta(view);
	struct json_writer w;
	char when[64];

	json_init(&w, ret_line);
	json_begin_object(&w);
	json_key(&w, "num");
	json_u64(&w, meta->num);
	json_key(&w, "time");
	time_text_iso8601(when, sizeof(when), meta->ts_ns, "Z");
	json_str(&w, when);
	json_key(&w, "source");
	json_str(&w, rule->source);
	json_key(&w, "fields");
	json_begin_object(&w);
	for (uint32_t i = 0; i < format_n_fields(rule->output); i++) {
		json_key(&w, format_field_key(rule->output, i));
		format_field_json(rule->output, i, view, &w);
	}
	json_end_object(&w);
	json_end_object(&w);
	event_view_done(view);
}

static const struct plugin *
only_plugin(const struct app *app)
{
	return &app->plugins.plugin[0];
}

/* The end of the field that starts at p: a comma outside brackets. */
static const char *
field_end(const char *p)
{
	bool inside = false;

	for (; *p && (*p != ',' || inside); p++) {
		if (*p == '[' || *p == ']')
			inside = *p == '[';
	}
	return p;
}

/* "%a %b[c]": the fields asked for, or all that need no argument, and the plugin's text.
 */
static void
add_fields(const struct app *app, const char *fields, struct buf *out)
{
	const struct plugin *p = only_plugin(app);

	while (fields && *fields) {
		const char *end = field_end(fields);
		buf_addf(out, " %%%.*s", (int)(end - fields), fields);
		fields = *end ? end + 1 : end;
	}
	if (out->len > 0)
		return;
	if (p->has_event_to_string)
		buf_adds(out, " %evt.plugininfo");
	for (uint32_t i = 0; plugin_extracts_for(p, p->source) && i < p->n_field; i++) {
		if (!(p->field[i].flags & (FIELD_ARG_REQUIRED | FIELD_TABLE_ONLY)))
			buf_addf(out, " %%%s", p->field[i].name);
	}
}

/* Does the field exist, with that argument? Says so of the field itself, before it is
 * part of a rule. */
static bool
check_field(const struct app *app, const char *text, size_t n, struct err *err)
{
	const struct field_source *source =
	    field_catalog_source(&app->catalog, only_plugin(app)->source);
	struct arena arena;
	struct field_ref ref;
	struct ast_pos pos;
	const struct ast *ast;
	size_t used;
	bool done;

	arena_init(&arena, LIMIT_RULES_FILE_BYTES);
	done = ast_parse_operand(
	    &arena, text, n, LIMIT_FORMAT_DEPTH, &ast, &used, &pos, err);
	if (done && used != n)
		done = err_set(err, ERR_USAGE, "there is more behind it");
	if (done && ast->kind == AST_FIELD)
		done = field_resolve(source, &arena, ast->text.s, ast->text.n, ast->arg.s,
		    ast->arg.n, ast->has_arg, &ref, err);
	arena_release(&arena);
	return done || err_wrap(err, "--fields %.*s", (int)n, text);
}

static bool
check_fields(const struct app *app, struct err *err)
{
	for (const char *p = app->show_fields; p && *p;) {
		const char *end = field_end(p);
		if (!check_field(app, p, (size_t)(end - p), err))
			return false;
		p = *end ? end + 1 : end;
	}
	return true;
}

/* A rule that every event matches; its output holds the fields to be shown. */
static enum step_rc
step_show_rule(struct app *app, struct err *err)
{
	const struct load_result *result;
	struct buf fields, text, escaped, why;
	bool done;

	if (!check_fields(app, err))
		return STEP_FAILED;
	buf_init(&fields, LIMIT_RULES_FILE_BYTES);
	buf_init(&text, LIMIT_RULES_FILE_BYTES);
	buf_init(&escaped, LIMIT_RULES_FILE_BYTES);
	add_fields(app, app->show_fields, &fields);
	json_escape(&escaped, buf_str(&fields), fields.len);
	buf_addf(&text,
	    "- rule: event\n  desc: every event\n  condition: evt.num > 0\n  priority: "
	    "DEBUG\n"
	    "  source: %s\n  output: \"event%s\"\n",
	    only_plugin(app)->source, buf_str(&escaped));
	app->loader = loader_new(&app->catalog, &app->rules_config, err);
	done = app->loader && loader_file(app->loader, "--fields", buf_str(&text),
				  text.len, &result, err);
	if (done && !load_result_ok(result)) {
		buf_init(&why, sizeof(err->msg));
		load_result_text(result, false, &why);
		done = err_set(err, ERR_USAGE, "%s", buf_str(&why));
		buf_release(&why);
	}
	buf_clear(&text);
	done = done && loader_finish(app->loader, &text, err);
	buf_release(&fields);
	buf_release(&text);
	buf_release(&escaped);
	return done ? STEP_NEXT : STEP_FAILED;
}

static enum step_rc
step_require_source(struct app *app, struct err *err)
{
	const struct plugin *p = only_plugin(app);

	if ((p->caps & PLUGIN_CAP_SOURCING) && p->id != 0)
		return STEP_NEXT;
	err_set(err, ERR_USAGE,
	    "plugin '%s' has no event source of its own: put it beside one into a "
	    "falco.yaml and use mews run -c",
	    p->name);
	return STEP_FAILED;
}

/* Its own source alone. */
static enum step_rc
step_select_own_source(struct app *app, struct err *err)
{
	for (uint32_t i = 0; i < app->n_source; i++)
		app->source[i].enabled = app->source[i].origin != NULL;
	return STEP_NEXT;
}

static int
run_plugin(struct app *app, const struct own_options *own)
{
	app_step_fn *const with_rules[] = {step_start_workers, step_load_plugins,
	    step_require_source, step_init_sources, step_select_own_source,
	    step_load_rules, step_outputs, step_process_events};
	app_step_fn *const with_fields[] = {step_start_workers, step_load_plugins,
	    step_require_source, step_init_sources, step_select_own_source,
	    step_show_rule, step_outputs, step_process_events};
	struct err err;

	if (!single_settings(app, own, app->options->word.value, 1, &err)) {
		fprintf(stderr, "Error: %s\n", err.msg);
		settings_free(app->settings);
		return 1;
	}
	log_configure(&app->settings->log);
	app->max_events = own->max_events;
	app->show_fields = own->fields;
	if (app->options->rules.n > 0)
		return app_run_steps(
		    app, with_rules, sizeof(with_rules) / sizeof(*with_rules));
	app->show_match = show_event;
	app->no_statistics = true;
	return app_run_steps(
	    app, with_fields, sizeof(with_fields) / sizeof(*with_fields));
}

int
cmd_run(int argc, char **argv)
{
	struct own_options own;
	struct options options;
	struct app app = {.options = &options};
	struct err err;
	int status;

	if (!own_options_take(&own, OWN_RUN, &argc, argv, &err) ||
	    !options_parse(&options, argc, argv, &err)) {
		fprintf(stderr, "Error: %s\n", err.msg);
		return 1;
	}
	if (own.help) {
		fputs(usage, stdout);
		status = 0;
	} else if (options.word.n > 1 || (options.word.n == 1 && options.config)) {
		fprintf(stderr,
		    "Error: one plugin or one configuration, not both or several\n");
		status = 1;
	} else {
		status = options.word.n == 1 ? run_plugin(&app, &own) : app_run(&options);
	}
	options_release(&options);
	return status;
}
