/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that load rules: -V, the normal loading, -L and -l. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "base/log.h"
#include "broker/app/actions.h"

/* A step whose message does not fit into err says it itself, or keeps it for who wants
 * it, and leaves err empty. */
static enum step_rc
fail_with(struct app *app, const char *text, struct err *err)
{
	err->msg[0] = '\0';
	if (app->failure) {
		buf_adds(app->failure, text);
		return STEP_FAILED;
	}
	fflush(stdout);
	fprintf(stderr, "Error: %s\n", text);
	return STEP_FAILED;
}

/* What Falco, which stops at the first mistake of a file, does not say. */
static void
log_more_errors(const struct load_result *r)
{
	struct buf text;

	buf_init(&text, LIMIT_CONFIG_BYTES);
	load_result_more_errors_text(r, &text);
	if (text.len)
		log_text(LOG_LEVEL_ERROR, text.data + strspn(text.data, "\n"));
	buf_release(&text);
}

static void
log_warnings(const struct load_result *r)
{
	struct buf text;

	buf_init(&text, LIMIT_CONFIG_BYTES);
	load_result_text(r, true, &text);
	buf_addc(&text, '\n');
	log_text(LOG_LEVEL_WARNING, buf_str(&text));
	buf_release(&text);
}

static bool
wants_description(const struct options *o)
{
	return o->describe_all || o->describe_rule;
}

/* What only the loader finds out about -l is Falco's exception at the top. */
static bool
describe(struct app *app, bool json, struct buf *out, struct err *err)
{
	const char *rule = app->options->describe_rule;

	if (loader_describe(app->loader, rule, json, out, err))
		return true;
	log_error("Runtime error: %s. Exiting.", err->msg);
	err->msg[0] = '\0';
	return false;
}

/* -V */

struct validation {
	struct buf summary, json, description;
	bool successful;
};

static void
validation_add(struct validation *v, const struct load_result *r, bool json_output)
{
	bool ok = load_result_ok(r);

	v->successful &= ok;
	if (json_output) {
		if (v->json.len)
			buf_addc(&v->json, ',');
		load_result_json(r, &v->json);
	}
	if (v->summary.len)
		buf_addc(&v->summary, '\n');
	if (!ok || !load_result_has_warnings(r)) {
		load_result_text(r, true, &v->summary);
		log_more_errors(r);
		return;
	}
	buf_addf(&v->summary, "%s: Ok, with warnings", load_result_name(r));
	if (!json_output)
		log_warnings(r);
}

static bool
validation_print(const struct validation *v, bool json_output, struct err *err)
{
	struct buf out;

	buf_init(&out, SIZE_MAX / 2);
	if (json_output) {
		buf_addc(&out, '{');
		if (v->description.len)
			buf_addf(&out, "\"falco_describe_results\":%s,",
			    buf_str(&v->description));
		buf_addf(&out, "\"falco_load_results\":[%s]}\n", buf_str(&v->json));
	} else {
		buf_addf(&out, "%s\n%s", buf_str(&v->summary), buf_str(&v->description));
	}
	return action_print(&out, err) != STEP_FAILED;
}

static bool
validate_all(
    struct app *app, struct validation *v, struct rule_files *files, struct err *err)
{
	bool json = app->settings->json_output;

	v->successful = true;
	log_info("Validating rules file(s):");
	for (uint32_t i = 0; i < files->n; i++)
		log_info("   %s", files->path[i]);
	for (uint32_t i = 0; i < files->n; i++) {
		const struct load_result *r;
		if (!rule_files_load(files, i, app->loader, &r, err) ||
		    !loader_check_plugins(app->loader, err))
			return false;
		validation_add(v, r, json);
	}
	return !v->successful || !wants_description(app->options) ||
	       describe(app, json, &v->description, err);
}

enum step_rc
step_validate_rules(struct app *app, struct err *err)
{
	const struct option_list *given = &app->options->validate;
	struct rule_files files;
	struct validation v;

	if (given->n == 0)
		return STEP_NEXT;
	app->loader = loader_new(&app->catalog, &app->rules_config, err);
	if (!app->loader ||
	    !rule_files_read(&files, given->value, (uint32_t)given->n, err))
		return STEP_FAILED;
	buf_init(&v.summary, LIMIT_RULES_FILE_BYTES);
	buf_init(&v.json, LIMIT_RULES_FILE_BYTES);
	buf_init(&v.description, SIZE_MAX / 2);
	enum step_rc rc = STEP_FAILED;
	if (validate_all(app, &v, &files, err) &&
	    validation_print(&v, app->settings->json_output, err)) {
		rc = v.successful ? STEP_END : fail_with(app, buf_str(&v.summary), err);
	}
	buf_release(&v.summary);
	buf_release(&v.json);
	buf_release(&v.description);
	rule_files_release(&files);
	return rc;
}

/* The normal loading. */

static bool
read_rules(struct app *app, struct err *err)
{
	const char *const *path;
	uint32_t n;

	return settings_rules_files(app->settings, &path, &n, err) &&
	       rule_files_read(&app->rule_files, path, n, err);
}

/* What is wrong is told when it is the rules' turn, which it may never be. */
enum step_rc
step_begin_rules(struct app *app, struct err *err)
{
	const struct options *o = app->options;
	struct err later;

	if (o->validate.n > 0 || o->plugin_info || o->list_plugins || o->list_given)
		return STEP_NEXT;
	app->has_rule_files = read_rules(app, &later);
	if (app->has_rule_files)
		rule_files_begin(&app->rule_files);
	return STEP_NEXT;
}

/* Before the process gives anything up: that is for each of its threads to do. */
enum step_rc
step_await_rules(struct app *app, struct err *err)
{
	if (app->has_rule_files)
		rule_files_await(&app->rule_files);
	return STEP_NEXT;
}

/* *ret_text: what is wrong, as the message of the failure; empty when all is well. */
static bool
load_all(struct app *app, struct buf *ret_text, struct err *err)
{
	struct rule_files *files = &app->rule_files;

	for (uint32_t i = 0; i < files->n; i++) {
		const struct load_result *r;
		const char *path = files->path[i];
		if (!rule_files_load(files, i, app->loader, &r, err))
			return false;
		const char *status = load_result_schema_status(r);
		if (strcmp(status, "ok") == 0)
			log_info("   %s | schema validation: %s", path, status);
		else
			log_warning("   %s | schema validation: %s", path, status);
		if (!load_result_ok(r)) {
			load_result_text(r, true, ret_text);
			log_more_errors(r);
			break;
		}
		if (load_result_has_warnings(r))
			log_warnings(r);
	}
	/* A plugin that is missing is why fields are: it is told instead. */
	if (!loader_check_plugins(app->loader, err)) {
		buf_clear(ret_text);
		buf_adds(ret_text, err->msg);
	}
	return true;
}

static void
log_enabled_rules(const struct app *app)
{
	for (uint32_t i = 0; i < app->catalog.n_source; i++) {
		const struct ruleset *rules = loader_ruleset(app->loader, i);
		if (rules->n_rule == 0)
			continue;
		log_debug("Enabled rules:");
		for (uint32_t k = 0; k < rules->n_rule; k++)
			log_debug("   %s", rules->rule[k]->name);
		log_debug("(%u) enabled rules in total", rules->n_rule);
	}
}

static bool
finish(struct app *app, struct err *err)
{
	struct buf log;

	buf_init(&log, LIMIT_CONFIG_BYTES);
	bool ok = loader_finish(app->loader, &log, err);
	for (char *p = log.data, *line; ok && p && (line = strsep(&p, "\n"));) {
		if (*line)
			log_info("%s", line);
	}
	buf_release(&log);
	if (ok)
		log_enabled_rules(app);
	return ok;
}

enum step_rc
step_load_rules(struct app *app, struct err *err)
{
	enum step_rc rc = STEP_FAILED;
	struct buf text;

	if (app->options->print && *app->options->print)
		log_warning(
		    "The -p/--print option is deprecated and will be removed. Use "
		    "-o append_output=... instead.");
	if (!app->has_rule_files && !read_rules(app, err))
		return STEP_FAILED;
	buf_init(&text, LIMIT_RULES_FILE_BYTES);
	app->loader = loader_new(&app->catalog, &app->rules_config, err);
	if (app->loader) {
		log_info("Loading rules from:");
		if (!load_all(app, &text, err))
			rc = STEP_FAILED;
		else if (text.len)
			rc = fail_with(app, buf_str(&text), err);
		else
			rc = finish(app, err) ? STEP_NEXT : STEP_FAILED;
	}
	rule_files_release(&app->rule_files);
	app->has_rule_files = false;
	buf_release(&text);
	return rc;
}

enum step_rc
step_describe_rules(struct app *app, struct err *err)
{
	bool json = app->settings->json_output;
	struct buf out;

	if (!wants_description(app->options))
		return STEP_NEXT;
	buf_init(&out, SIZE_MAX / 2);
	if (!describe(app, json, &out, err)) {
		buf_release(&out);
		return STEP_FAILED;
	}
	if (json)
		buf_addc(&out, '\n');
	return action_print(&out, err);
}
