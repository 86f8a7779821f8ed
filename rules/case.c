/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/case.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/yaml/yaml.h"
#include "rules/engine.h"
#include "rules/format.h"
#include "rules/result.h"
#include "rules/sample.h"

struct rule_case {
	const char *name;
	struct buf *report;
	bool as_expected;
	struct arena arena;
	struct field_catalog own;
	const struct field_catalog *catalog;
	const struct field_source *source;
	const char *rules;
	size_t rules_len;
	const struct yaml_node *event; /* sequence of maps */
	const struct yaml_node *expected, *errors, *warnings;
	struct rules_config config;
	struct sample sample;
};

static void __attribute__((format(printf, 2, 3)))
differs(struct rule_case *c, const char *fmt, ...)
{
	va_list ap;

	c->as_expected = false;
	buf_addf(c->report, "%s: ", c->name);
	va_start(ap, fmt);
	buf_vaddf(c->report, fmt, ap);
	va_end(ap);
	buf_addc(c->report, '\n');
}

/* -- reading -- */

/* Behind the next line "---", or NULL; *ret_end is where that line begins. */
static const char *
next_part(const char *s, const char *end, const char **ret_end)
{
	for (const char *line = s; line < end;) {
		const char *nl = memchr(line, '\n', (size_t)(end - line));
		const char *stop = nl ? nl : end;
		if (stop - line >= 3 && memcmp(line, "---", 3) == 0 &&
		    strspn(line + 3, " \t\r") >= (size_t)(stop - line - 3)) {
			*ret_end = line;
			return nl ? nl + 1 : end;
		}
		line = nl ? nl + 1 : end;
	}
	return NULL;
}

static bool
load_part(struct rule_case *c, const char *what, const char *text, size_t len,
    const struct yaml_node **ret_doc, struct err *err)
{
	struct yaml_stream stream;
	struct yaml_mark mark;

	if (!yaml_load(&c->arena, text, len, &stream, &mark, err))
		return err_wrap(err, "%s: %s", c->name, what);
	if (stream.n != 1)
		return err_set(
		    err, ERR_SYNTAX, "%s: %s: not one YAML document", c->name, what);
	*ret_doc = stream.doc[0];
	return true;
}

static bool
read_type(const char *words, struct field *f)
{
	static const struct {
		const char *word;
		enum value_type type;
		uint32_t flag;
	} known[] = {
	    {"string", VALUE_CHARBUF, 0},
	    {"uint64", VALUE_UINT64, 0},
	    {"bool", VALUE_BOOL, 0},
	    {"ipaddr", VALUE_IPADDR, 0},
	    {"ipnet", VALUE_IPNET, 0},
	    {"reltime", VALUE_RELTIME, 0},
	    {"abstime", VALUE_ABSTIME, 0},
	    {"list", VALUE_NONE, FIELD_LIST},
	    {"key", VALUE_NONE, FIELD_ARG_KEY | FIELD_ARG_ALLOWED},
	    {"index", VALUE_NONE, FIELD_ARG_INDEX | FIELD_ARG_ALLOWED},
	    {"required", VALUE_NONE, FIELD_ARG_REQUIRED},
	};

	for (words += strspn(words, " "); *words; words += strspn(words, " ")) {
		size_t n = strcspn(words, " "), i = 0;
		while (
		    i < sizeof(known) / sizeof(known[0]) &&
		    (strlen(known[i].word) != n || memcmp(known[i].word, words, n) != 0))
			i++;
		if (i == sizeof(known) / sizeof(known[0]))
			return false;
		if (known[i].type != VALUE_NONE)
			f->type = known[i].type;
		f->flags |= known[i].flag;
		words += n;
	}
	return f->type != VALUE_NONE;
}

static bool
read_fields(struct rule_case *c, const struct yaml_node *fields, const char *source,
    struct err *err)
{
	struct field_class klass = {.name = "case (plugin)", .plugin = true};
	struct field_source *s;

	if (!fields || fields->kind != YAML_MAP)
		return err_set(
		    err, ERR_SYNTAX, "%s: fields: not a map of names to types", c->name);
	if (!field_catalog_init(&c->own, err))
		return false;
	c->catalog = &c->own;
	klass.field = arena_array(&c->arena, fields->n + 1, sizeof(*klass.field));
	s = field_catalog_add_source(&c->own, source);
	if (!klass.field || !s)
		return err_nomem(err);
	for (uint32_t i = 0; i < fields->n; i++) {
		const struct yaml_node *name = fields->child[2 * i],
				       *type = fields->child[2 * i + 1];
		struct field *f = &klass.field[klass.n++];
		f->provider = PROVIDER_PLUGIN;
		f->name = name->text;
		if (name->kind != YAML_SCALAR || type->kind != YAML_SCALAR ||
		    !read_type(type->text, f))
			return err_set(err, ERR_SYNTAX,
			    "%s: fields: '%.100s' has no type that is known", c->name,
			    name->kind == YAML_SCALAR ? name->text : "");
	}
	return field_source_add_class(&c->own, s, &klass, err);
}

static bool
read_events(struct rule_case *c, const struct yaml_node *doc, struct err *err)
{
	const struct yaml_node *source = yaml_find(doc, "source"),
			       *matching = yaml_find(doc, "rule_matching");

	if (!source || source->kind != YAML_SCALAR)
		return err_set(err, ERR_SYNTAX, "%s: events: no 'source'", c->name);
	if ((!c->catalog || yaml_find(doc, "fields")) &&
	    !read_fields(c, yaml_find(doc, "fields"), source->text, err))
		return false;
	c->source = field_catalog_source(c->catalog, source->text);
	if (!c->source)
		return err_set(err, ERR_SYNTAX, "%s: events: no source '%.100s'", c->name,
		    source->text);
	c->event = yaml_find(doc, "events");
	if (c->event && c->event->kind == YAML_NULL)
		c->event = NULL;
	if (c->event &&
	    (c->event->kind != YAML_SEQUENCE || c->event->n > LIMIT_CHUNK_EVENTS))
		return err_set(err, ERR_SYNTAX, "%s: events: not a list of at most %u",
		    c->name, LIMIT_CHUNK_EVENTS);
	c->config.min_priority = PRIORITY_DEBUG;
	c->config.matching = RULE_MATCHING_ALL;
	if (matching && matching->kind == YAML_SCALAR &&
	    strcmp(matching->text, "first") == 0)
		c->config.matching = RULE_MATCHING_FIRST;
	return true;
}

static bool
read_expected(struct rule_case *c, const struct yaml_node *doc, struct err *err)
{
	c->expected = doc;
	if (doc->kind == YAML_MAP) {
		c->expected = yaml_find(doc, "events");
		c->errors = yaml_find(doc, "errors");
		c->warnings = yaml_find(doc, "warnings");
	}
	if (c->expected && c->expected->kind == YAML_NULL)
		c->expected = NULL;
	if (c->expected && c->expected->kind != YAML_SEQUENCE)
		return err_set(err, ERR_SYNTAX, "%s: expected: not a list", c->name);
	if ((c->expected ? c->expected->n : 0) != (c->event ? c->event->n : 0))
		return err_set(
		    err, ERR_SYNTAX, "%s: expected: not as many as events", c->name);
	return true;
}

/* -- comparing -- */

/* "CODE" or "CODE: beginning of the message". */
static bool
is_diag(const struct diag *d, const char *expected)
{
	const char *code = diag_code_text(d->code);
	size_t n = strlen(code);

	if (strncmp(expected, code, n) != 0)
		return false;
	if (!expected[n])
		return true;
	return strncmp(expected + n, ": ", 2) == 0 &&
	       strncmp(d->text, expected + n + 2, strlen(expected + n + 2)) == 0;
}

static void
compare_diags(struct rule_case *c, const char *what, const struct yaml_node *expected,
    const struct diag_list *first, const struct diag_list *more)
{
	const struct diag *d = first->first;
	uint32_t at = 0,
		 n = expected && expected->kind == YAML_SEQUENCE ? expected->n : 0;

	if (!d && more)
		d = more->first;
	for (; d; at++) {
		const struct yaml_node *e = at < n ? expected->child[at] : NULL;
		if (!e)
			differs(c, "unexpected %s %s: %s", what, diag_code_text(d->code),
			    d->text);
		else if (e->kind != YAML_SCALAR || !is_diag(d, e->text))
			differs(c, "%s %u: expected '%s', have '%s: %s'", what, at + 1,
			    e->kind == YAML_SCALAR ? e->text : "",
			    diag_code_text(d->code), d->text);
		d = !d->next && more && d == first->last ? more->first : d->next;
	}
	for (; at < n; at++)
		differs(c, "no %s '%s'", what,
		    expected->child[at]->kind == YAML_SCALAR ? expected->child[at]->text
							     : "");
}

/* One expected rule: its name, or a pair of its name and its message. */
static void
compare_match(struct rule_case *c, uint32_t event, const struct yaml_node *expected,
    const struct rule *rule, const struct event_view *view)
{
	const struct yaml_node *name = expected, *message = NULL;
	struct buf text;

	if (expected->kind == YAML_MAP && expected->n == 1) {
		name = expected->child[0];
		message = expected->child[1];
	}
	if (name->kind != YAML_SCALAR || strcmp(name->text, rule->name) != 0) {
		differs(c, "event %u: expected rule '%s', '%s' matches", event + 1,
		    name->kind == YAML_SCALAR ? name->text : "", rule->name);
		return;
	}
	if (!message)
		return;
	buf_init(&text, LIMIT_CONDITION_BYTES);
	format_text(rule->output, view, &text);
	if (message->kind != YAML_SCALAR || strcmp(message->text, buf_str(&text)) != 0)
		differs(c, "event %u: message of '%s' is '%s'", event + 1, rule->name,
		    buf_str(&text));
	event_view_done(view);
	buf_release(&text);
}

static void
compare_matches(struct rule_case *c, const struct ruleset *rs, struct evaluator *ev)
{
	uint32_t n, at = 0;
	const struct eval_match *match = evaluator_matches(ev, &n);

	for (uint32_t e = 0; e < c->event->n; e++) {
		const struct yaml_node *want = c->expected->child[e];
		bool one = want->kind == YAML_SCALAR || want->kind == YAML_MAP;
		uint32_t n_want = want->kind == YAML_SEQUENCE ? want->n : one, i = 0;
		for (; at < n && match[at].event == e; at++, i++) {
			const struct rule *rule = rs->rule[match[at].rule];
			struct event_view view = {ev, e};
			if (i < n_want)
				compare_match(
				    c, e, one ? want : want->child[i], rule, &view);
			else
				differs(
				    c, "event %u: '%s' matches, too", e + 1, rule->name);
		}
		if (i < n_want)
			differs(c, "event %u: %u rules match, %u are expected", e + 1, i,
			    n_want);
	}
}

static bool
run_rules(struct rule_case *c, struct loader *l, struct err *err)
{
	static const struct eval_config eval_config = {.hostname = "case"};
	const struct load_result *r;
	struct evaluator *ev;
	struct buf log;
	bool ok;

	if (!loader_file(l, c->name, c->rules, c->rules_len, &r, err))
		return false;
	compare_diags(c, "error", c->errors, &r->errors, &r->more);
	if (c->warnings)
		compare_diags(c, "warning", c->warnings, &r->warnings, NULL);
	if (!load_result_ok(r) || !c->event || !c->event->n)
		return true;
	if (!sample_init(
		&c->sample, &c->arena, c->source, c->event->child, c->event->n, err))
		return err_wrap(err, "%s: events", c->name);
	buf_init(&log, LIMIT_TEXT_BYTES);
	ok = loader_finish(l, &log, err);
	buf_release(&log);
	if (!ok)
		return false;
	const struct ruleset *rs = loader_ruleset(l, c->source->index);
	ev = evaluator_new(rs, &eval_config, err);
	if (!ev)
		return false;
	ok = sample_evaluate(&c->sample, ev, err) || err_wrap(err, "%s: events", c->name);
	if (ok)
		compare_matches(c, rs, ev);
	evaluator_free(ev);
	return ok;
}

static bool
read_case(struct rule_case *c, const char *text, size_t len, struct err *err)
{
	const char *end = text + len, *rules_end, *events_end, *events, *expected;
	const struct yaml_node *doc;

	events = next_part(text, end, &rules_end);
	expected = events ? next_part(events, end, &events_end) : NULL;
	if (!expected)
		return err_set(err, ERR_SYNTAX,
		    "%s: a case has three parts: rules, events, expected", c->name);
	c->rules = text;
	c->rules_len = (size_t)(rules_end - text);
	return load_part(c, "events", events, (size_t)(events_end - events), &doc, err) &&
	       read_events(c, doc, err) &&
	       load_part(c, "expected", expected, (size_t)(end - expected), &doc, err) &&
	       read_expected(c, doc, err);
}

bool
case_run(const char *name, const char *text, size_t len,
    const struct field_catalog *catalog, bool *ret_as_expected, struct buf *report,
    struct err *err)
{
	struct rule_case *c = calloc(1, sizeof(*c));
	struct loader *l = NULL;
	bool ok;

	if (!c)
		return err_nomem(err);
	c->name = name;
	c->report = report;
	c->as_expected = true;
	c->catalog = catalog;
	arena_init(&c->arena, LIMIT_RULES_MEMORY);
	ok = read_case(c, text, len, err);
	if (ok)
		ok = (l = loader_new(c->catalog, &c->config, err)) != NULL;
	ok = ok && run_rules(c, l, err);
	if (ok)
		*ret_as_expected = c->as_expected;
	loader_free(l);
	if (c->own.source)
		field_catalog_release(&c->own);
	arena_release(&c->arena);
	free(c);
	return ok;
}
