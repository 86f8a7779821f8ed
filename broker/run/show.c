/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/run/show.h"

#include "base/json_write.h"
#include "base/limits.h"
#include "rules/ast.h"
#include "rules/format.h"
#include "rules/time_text.h"

/* An event as a line: what printing needs is the output of the one rule there is. */
void
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

/* The plugin whose events are shown: the first that has some. */
static const struct plugin *
source_plugin(const struct app *app)
{
	for (uint32_t i = 0; i < app->plugins.n; i++) {
		const struct plugin *p = &app->plugins.plugin[i];
		if ((p->caps & PLUGIN_CAP_SOURCING) && p->id != 0)
			return p;
	}
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
	const struct plugin *p = source_plugin(app);

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
	    field_catalog_source(&app->catalog, source_plugin(app)->source);
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
enum step_rc
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
	    source_plugin(app)->source, buf_str(&escaped));
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

app_step_fn *
show_unless_rules(struct app *app, const char *fields)
{
	if (app->options->rules.n > 0)
		return step_load_rules;
	app->show_fields = fields;
	app->show_match = show_event;
	app->no_statistics = true;
	return step_show_rule;
}
