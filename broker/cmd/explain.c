/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "mews explain": why a rule matches an event or not, and what rules cost.
 *
 * The event is text, or the N-th of a run of the configuration: then one more rule, in a
 * loader of its own, matches just that event, its output names all fields that the rule
 * in question reads, and what is seen there becomes the text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "broker/app/actions.h"
#include "broker/app/author.h"
#include "broker/cmd/commands.h"
#include "broker/run/run.h"
#include "rules/explain.h"
#include "rules/fast.h"
#include "rules/graph_cost.h"
#include "rules/sample.h"

static const char usage[] =
    "mews explain RULE --event EVENT [-r RULES]… [-c falco.yaml | --plugin FILE…] "
    "[--json]\n"
    "mews explain [RULE] --cost [-r RULES]… [-c falco.yaml | --plugin FILE…] [--json]\n"
    "\n"
    "The first form shows every term of the rule's condition, the values it saw, whether "
    "it\n"
    "holds, and why the rule matches or not. EVENT is a map from fields to values as "
    "YAML "
    "or\n"
    "JSON, @FILE with such, or a line that 'mews run PLUGIN.so' printed; or a number: "
    "then\n"
    "the plugins run (--init-config, --open-params, --sandbox are those of the first\n"
    "--plugin) until that event of the rule's source. The second form shows what a rule, "
    "or\n"
    "each, adds to the work per event.\n"
    "\n"
    "  mews explain 'Secret read' -r rules.yaml --plugin libk8saudit.so --plugin "
    "libjson.so \\\n"
    "      --event '{ka.verb: get, ka.target.resource: secrets}'\n"
    "  mews explain 'Secret read' -c falco.yaml --event 17\n"
    "  mews explain --cost -c falco.yaml\n";

struct explanation {
	struct author author; /* first: steps are given its app, which is first there */
	struct field_catalog catalog; /* outlives the app's, as the loader does */
	struct loader *loader;
	const struct rule *rule;
	struct arena arena;
	struct buf out;
	bool has_catalog, seen, failed;
	bool partial;   /* of the event only what the rule itself reads is known */
	struct err err; /* of a callback */
};

static struct explanation *
of_app(struct app *app)
{
	return (struct explanation *)app;
}

static const struct eval_config eval_config = {0};

/* Rules. */

static enum step_rc
step_explained_rules(struct app *app, struct err *err)
{
	struct explanation *x = of_app(app);
	const struct option_list *word = &app->options->word;
	const struct rule *const *rule;
	uint32_t n;

	if (!plugin_set_catalog(&app->plugins, app->settings, &x->catalog, err))
		return STEP_FAILED;
	x->has_catalog = true;
	if (author_load_rules(&x->author, &x->catalog, &x->loader, err) == STEP_FAILED)
		return STEP_FAILED;
	if (!word->n)
		return STEP_NEXT;
	rule = loader_rules(x->loader, &n);
	for (uint32_t i = 0; i < n && !x->rule; i++) {
		if (strcmp(rule[i]->name, word->value[0]) == 0)
			x->rule = rule[i];
	}
	if (x->rule)
		return STEP_NEXT;
	err_set(err, ERR_USAGE, "there is no rule '%s' among the %u that were loaded",
	    word->value[0], n);
	return STEP_FAILED;
}

static const struct field_source *
source_of(const struct explanation *x)
{
	return field_catalog_source(&x->catalog, x->rule->source);
}

/* A ruleset of the one rule, enabled or not. */
static struct ruleset
alone(const struct explanation *x)
{
	struct ruleset rs = *loader_ruleset(x->loader, source_of(x)->index);

	rs.rule = &x->rule;
	rs.n_rule = 1;
	return rs;
}

/* One event. */

/* What keeps the rule from firing, though it matches: the rule that comes first; "" when
 * it is not evaluated at all; NULL: nothing. */
static bool
find_obstacle(
    struct explanation *x, struct sample *s, const char **ret_first, struct err *err)
{
	const struct ruleset *rs = loader_ruleset(x->loader, source_of(x)->index);
	const struct eval_match *match;
	struct evaluator *ev;
	uint32_t n, at = 0;
	bool ok;

	*ret_first = NULL;
	while (at < rs->n_rule && rs->rule[at] != x->rule)
		at++;
	if (at == rs->n_rule)
		*ret_first = "";
	if (at == rs->n_rule || x->partial)
		return true;
	ev = evaluator_new(rs, &eval_config, err);
	if (!ev)
		return false;
	ok = sample_evaluate(s, ev, err);
	match = evaluator_matches(ev, &n);
	if (ok && rs->config->matching == RULE_MATCHING_FIRST && n > 0 &&
	    match[0].rule != at)
		*ret_first = rs->rule[match[0].rule]->name;
	evaluator_free(ev);
	return ok;
}

static void
say_obstacle(struct buf *out, const char *first)
{
	if (!first)
		return;
	if (!*first) {
		buf_adds(out, "but it does not fire: it is disabled, or of too low a "
			      "priority\n");
		return;
	}
	buf_adds(out, "but it does not fire: rule '");
	utf8_escape_except(out, first, strlen(first), "\\");
	buf_adds(out, "' comes first (rule_matching: first)\n");
}

static bool
explain_event(struct explanation *x, const struct yaml_node *event, struct err *err)
{
	const struct ruleset rs = alone(x);
	struct evaluator *ev;
	struct sample sample;
	const char *first = NULL;
	bool ok, matches;

	if (!sample_init(&sample, &x->arena, rs.source, &event, 1, err))
		return false;
	ev = evaluator_new_plain(&rs, &eval_config, err);
	if (!ev)
		return false;
	ok = sample_evaluate(&sample, ev, err);
	if (ok) {
		const struct event_view view = {ev, 0};
		if (x->author.line.own.json) {
			explain_json(x->rule, &view, &x->out);
			buf_addc(&x->out, '\n');
		} else {
			matches = explain_text(x->rule, &view, &x->out);
			ok = !matches || find_obstacle(x, &sample, &first, err);
			say_obstacle(&x->out, first);
		}
	}
	evaluator_free(ev);
	return ok;
}

static bool
explain_text_event(struct explanation *x, const char *text, size_t len, struct err *err)
{
	struct yaml_stream stream;
	struct yaml_mark mark;

	if (!yaml_load(&x->arena, text, len, &stream, &mark, err))
		return err_wrap(err, "--event");
	if (stream.n != 1)
		return err_set(err, ERR_USAGE, "--event: not one event");
	return explain_event(x, stream.doc[0], err) || err_wrap(err, "--event");
}

static enum step_rc
step_explain_text(struct app *app, struct err *err)
{
	struct explanation *x = of_app(app);
	const char *event = x->author.line.own.event;
	struct buf text;
	bool ok = true;

	buf_init(&text, LIMIT_CONFIG_BYTES);
	if (event[0] == '@')
		ok = file_read(event + 1, &text, err) ||
		     err_wrap(err, "--event: %s", event + 1);
	else
		buf_adds(&text, event);
	ok = ok && explain_text_event(x, buf_str(&text), text.len, err);
	buf_release(&text);
	return ok ? STEP_END : STEP_FAILED;
}

/* An event of a run. */

static bool
is_number(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

/* " %a %b[c]": every field that evaluating the rules of the source may ask for; only
 * those of the rule when they are too many for one output. */
static bool
add_fields(struct explanation *x, struct buf *text, struct err *err)
{
	const struct ruleset rs = alone(x);
	struct evaluator *ev = evaluator_new_plain(&rs, &eval_config, err);
	const uint32_t *own;
	uint32_t n;

	if (!ev)
		return false;
	own = evaluator_condition_slots(ev, &n);
	x->partial = rs.slots->n > LIMIT_OUTPUT_FIELDS - 1;
	if (!x->partial)
		n = rs.slots->n;
	for (uint32_t i = 0; i < n; i++) {
		const struct slot *s = &rs.slots->slot[x->partial ? own[i] : i];
		/* What is not the plugins' is known when the event is evaluated again. */
		if (s->ref.field->provider == PROVIDER_PLUGIN ||
		    s->ref.field->provider == PROVIDER_EVENT_TEXT)
			buf_addf(text, " %%%s", s->ref.text);
	}
	evaluator_free(ev);
	return true;
}

/* Its output has every field that evaluating the rule may ask for. */
static bool
load_recorder(struct explanation *x, struct err *err)
{
	struct app *app = &x->author.app;
	const struct load_result *result;
	struct buf output, text;
	bool ok;

	buf_init(&output, LIMIT_RULES_FILE_BYTES);
	buf_init(&text, LIMIT_RULES_FILE_BYTES);
	ok = add_fields(x, &output, err);
	buf_addf(&text,
	    "- rule: event\n  desc: the event that is asked for\n  condition: evt.num = "
	    "%s\n  priority: DEBUG\n  source: %s\n  output: \"event",
	    x->author.line.own.event, x->rule->source);
	json_escape(&text, buf_str(&output), output.len);
	buf_adds(&text, "\"\n");
	ok = ok && (app->loader = loader_new(&app->catalog, &app->rules_config, err)) &&
	     loader_file(app->loader, "--event", buf_str(&text), text.len, &result, err);
	if (ok && !load_result_ok(result)) {
		buf_clear(&text);
		load_result_text(result, false, &text);
		ok = err_set(err, ERR_USAGE, "%s", buf_str(&text));
	}
	buf_clear(&text);
	ok = ok && loader_finish(app->loader, &text, err);
	buf_release(&output);
	buf_release(&text);
	return ok;
}

static void
record_event(struct app *app, const struct rule *rule, const struct event_view *view,
    struct buf *ret_line, struct buf *scratch)
{
	struct explanation *x = of_app(app);
	const struct slot_set *slots = evaluator_slots(view->ev);
	const struct event_meta *meta = event_view_meta(view);
	struct json_writer w;
	struct value_view v;
	struct buf text;

	if (x->seen)
		return;
	x->seen = true;
	buf_init(&text, LIMIT_CONFIG_BYTES);
	json_init(&w, &text);
	json_begin_object(&w);
	json_key(&w, "evt.rawtime");
	json_u64(&w, meta->ts_ns);
	for (uint32_t i = 0; i < rule->n_output_slot; i++) {
		const struct field_ref *ref = &slots->slot[rule->output_slot[i]].ref;
		event_view_slot(view, rule->output_slot[i], &v);
		json_key(&w, ref->text);
		sample_write_value(
		    &w, ref->field->type, ref->field->flags & FIELD_LIST, &v);
	}
	json_end_object(&w);
	event_view_done(view);
	x->failed = text.failed
			? !err_nomem(&x->err)
			: !explain_text_event(x, buf_str(&text), text.len, &x->err);
	buf_release(&text);
}

static enum step_rc
step_record(struct app *app, struct err *err)
{
	struct explanation *x = of_app(app);

	for (uint32_t i = 0; i < app->n_source; i++)
		app->source[i].enabled =
		    strcmp(app->source[i].source->name, x->rule->source) == 0;
	app->show_match = record_event;
	app->max_events = strtoull(x->author.line.own.event, NULL, 10);
	return load_recorder(x, err) ? STEP_NEXT : STEP_FAILED;
}

/* Costs. */

static bool
add_cost(struct explanation *x, const struct evaluator *ev, const struct ruleset *rs,
    uint32_t at, struct json_writer *w, struct err *err)
{
	struct graph_cost cost;
	struct buf json;

	if (!evaluator_rule_cost(ev, at, &x->arena, &cost, err))
		return false;
	if (!x->author.line.own.json) {
		buf_adds(&x->out, "rule '");
		utf8_escape_except(
		    &x->out, rs->rule[at]->name, strlen(rs->rule[at]->name), "\\");
		buf_adds(&x->out, "': ");
		graph_cost_text(fast_graph(ev), &cost, &x->out);
		return true;
	}
	buf_init(&json, LIMIT_CONFIG_BYTES);
	graph_cost_json(fast_graph(ev), &cost, &json);
	json_begin_object(w);
	json_key(w, "cost");
	json_raw(w, buf_str(&json), json.len);
	json_key(w, "rule");
	json_str(w, rs->rule[at]->name);
	json_key(w, "source");
	json_str(w, rs->source->name);
	json_end_object(w);
	buf_release(&json);
	return true;
}

static bool
add_costs_of(struct explanation *x, const struct ruleset *rs, uint32_t *n_shown,
    struct json_writer *w, struct err *err)
{
	struct evaluator *ev;
	bool ok = true;

	if (rs->n_rule == 0)
		return true;
	ev = evaluator_new(rs, &eval_config, err);
	if (!ev)
		return false;
	for (uint32_t i = 0; ok && i < rs->n_rule; i++) {
		if (x->rule && x->rule != rs->rule[i])
			continue;
		ok = add_cost(x, ev, rs, i, w, err);
		++*n_shown;
	}
	evaluator_free(ev);
	return ok;
}

static enum step_rc
step_cost(struct app *app, struct err *err)
{
	struct explanation *x = of_app(app);
	struct json_writer w;
	uint32_t n = 0;
	bool ok = true;

	json_init(&w, &x->out);
	if (x->author.line.own.json)
		json_begin_array(&w);
	for (uint32_t i = 0; ok && i < x->catalog.n_source; i++)
		ok = add_costs_of(x, loader_ruleset(x->loader, i), &n, &w, err);
	if (ok && x->rule && n == 0)
		ok = err_set(err, ERR_USAGE,
		    "rule '%s' is disabled, or of too low a priority", x->rule->name);
	if (x->author.line.own.json) {
		json_end_array(&w);
		buf_addc(&x->out, '\n');
	}
	return ok ? STEP_END : STEP_FAILED;
}

/* All of it. */

static int
run(struct explanation *x)
{
	app_step_fn *const with_text[] = {step_explained_rules, step_explain_text};
	app_step_fn *const with_run[] = {step_explained_rules, step_init_sources,
	    step_record, step_outputs, step_process_events};
	app_step_fn *const with_cost[] = {step_explained_rules, step_cost};

	if (x->author.line.own.cost)
		return author_run(&x->author, with_cost, 2);
	if (is_number(x->author.line.own.event))
		return author_run(&x->author, with_run, 5);
	return author_run(&x->author, with_text, 2);
}

static int
explain(struct explanation *x)
{
	const char *event = x->author.line.own.event;
	bool by_number = event && is_number(event);
	struct err err;
	int status;

	arena_init(&x->arena, LIMIT_RULES_MEMORY);
	buf_init(&x->out, SIZE_MAX / 2);
	status = run(x);
	if (status == 0 && by_number && (x->failed || !x->seen)) {
		if (!x->seen)
			err_set(&x->err, ERR_USAGE, "the run has no event %s", event);
		fprintf(stderr, "Error: %s\n", x->err.msg);
		status = 1;
	}
	if (status == 0)
		status = action_print(&x->out, &err) == STEP_FAILED;
	else
		buf_release(&x->out);
	loader_free(x->loader);
	if (x->has_catalog)
		field_catalog_release(&x->catalog);
	arena_release(&x->arena);
	return status;
}

int
cmd_explain(int argc, char **argv)
{
	struct explanation x = {0};
	const struct own_options *own = &x.author.line.own;
	const struct option_list *word = &x.author.line.options.word;
	int status;

	if (!author_begin(&x.author, OWN_EXPLAIN, usage, argc, argv, &status))
		return status;
	if (own->cost == (own->event != NULL))
		return author_misused(
		    &x.author, "explain", "either --event or --cost is needed");
	if (word->n > 1 || (word->n == 0 && !own->cost))
		return author_misused(
		    &x.author, "explain", "one rule is explained: quote its name");
	if (own->event && is_number(own->event) && strtoull(own->event, NULL, 10) == 0)
		return author_misused(&x.author, "explain", "events count from 1");
	return explain(&x);
}
