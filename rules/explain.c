/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/explain.h"

#include <string.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "rules/eval_private.h"
#include "rules/sample.h"

enum {
	SHOWN_BYTES = 300,  /* of a check's text, and of a value */
	REASONS_SHOWN = 20, /* a long "or" has as many */
	INDENT_MAX = 40,
};

/* -- verdicts; depth is bounded by the parser's -- */

static bool
holds(const struct event_view *view, const struct cond *c)
{
	bool verdict;

	switch (c->kind) {
	case COND_CHECK:
		verdict = eval_check(view->ev, view->event, c->check);
		event_view_done(view);
		return verdict;
	case COND_NOT:
		return !holds(view, c->child[0]);
	case COND_AND:
	case COND_OR:
		for (uint32_t i = 0; i < c->n; i++) {
			if (holds(view, c->child[i]) == (c->kind == COND_OR))
				return c->kind == COND_OR;
		}
		return c->kind == COND_AND;
	}
	return false;
}

typedef void reason_fn(
    void *arg, const struct event_view *view, const struct check *k, bool verdict);

/* The checks because of which c is what it is. */
static void
each_reason(
    const struct event_view *view, const struct cond *c, reason_fn *give, void *arg)
{
	bool verdict = holds(view, c);

	if (c->kind == COND_CHECK)
		give(arg, view, c->check, verdict);
	for (uint32_t i = 0; i < c->n; i++) {
		if (c->kind == COND_NOT || holds(view, c->child[i]) == verdict)
			each_reason(view, c->child[i], give, arg);
	}
}

/* -- values -- */

typedef void value_fn(void *arg, const char *name, enum value_type type, bool list,
    const struct value_view *v);

static void
each_value_of(const struct event_view *view, const struct operand *o, bool top,
    value_fn *give, void *arg)
{
	struct value_view v;

	if (!o)
		return;
	if (o->kind == OPERAND_SLOT) {
		const struct slot *slot = &evaluator_slots(view->ev)->slot[o->slot];
		eval_slot(view->ev, view->event, o->slot, &v);
		give(arg, slot->ref.text, slot->ref.field->type,
		    slot->ref.field->flags & FIELD_LIST, &v);
		return;
	}
	for (uint32_t i = 0; i < o->n; i++)
		each_value_of(view, o->arg[i], false, give, arg);
	if (top) {
		eval_operand(view->ev, view->event, o, &v);
		give(arg, "transformed", o->type, o->list, &v);
	}
}

/* The fields that a check compares, and what transformers made of them. */
static void
each_value(
    const struct event_view *view, const struct check *k, value_fn *give, void *arg)
{
	each_value_of(view, k->lhs, true, give, arg);
	each_value_of(view, k->rhs, true, give, arg);
	event_view_done(view);
}

/* -- text -- */

static void
add_shown(struct buf *out, const char *s, size_t n)
{
	size_t shown = n < SHOWN_BYTES ? n : SHOWN_BYTES;

	utf8_escape_except(out, s, shown, "\\");
	if (shown < n)
		buf_adds(out, "...");
}

static void
value_text(void *arg, const char *name, enum value_type type, bool list,
    const struct value_view *v)
{
	struct buf *out = arg, json;
	struct json_writer w;

	buf_adds(out, "   ");
	add_shown(out, name, strlen(name));
	if (!v->present) {
		buf_adds(out, " has no value");
		return;
	}
	buf_init(&json, LIMIT_OUTPUT_LINE_BYTES);
	json_init(&w, &json);
	sample_write_value(&w, type, list, v);
	buf_adds(out, ": ");
	add_shown(out, buf_str(&json), json.len);
	buf_release(&json);
}

static void
cond_text(
    const struct event_view *view, const struct cond *c, uint32_t depth, struct buf *out)
{
	static const char *const word[] = {
	    [COND_AND] = "and", [COND_OR] = "or", [COND_NOT] = "not"};
	int indent = 2 * (int)(depth < INDENT_MAX ? depth : INDENT_MAX);

	buf_addf(out, "  %-5s %*s", holds(view, c) ? "true" : "false", indent, "");
	if (c->kind == COND_CHECK) {
		add_shown(out, c->check->text, strlen(c->check->text));
		each_value(view, c->check, value_text, out);
	} else {
		buf_adds(out, word[c->kind]);
	}
	buf_addc(out, '\n');
	for (uint32_t i = 0; i < c->n; i++)
		cond_text(view, c->child[i], depth + 1, out);
}

struct reasons {
	struct buf *out;
	uint32_t n;
};

static void
reason_text(void *arg, const struct event_view *view, const struct check *k, bool verdict)
{
	struct reasons *r = arg;

	if (r->n++ >= REASONS_SHOWN)
		return;
	buf_adds(r->out, "  ");
	add_shown(r->out, k->text, strlen(k->text));
	buf_adds(r->out, verdict ? " is true:" : " is false:");
	each_value(view, k, value_text, r->out);
	buf_addc(r->out, '\n');
}

bool
explain_text(const struct rule *rule, const struct event_view *view, struct buf *out)
{
	struct reasons r = {.out = out};
	bool matches = holds(view, rule->cond);

	buf_adds(out, "rule '");
	add_shown(out, rule->name, strlen(rule->name));
	buf_adds(out, matches ? "' matches\n\n" : "' does not match\n\n");
	cond_text(view, rule->cond, 0, out);
	buf_adds(out, "\nbecause\n");
	each_reason(view, rule->cond, reason_text, &r);
	if (r.n > REASONS_SHOWN)
		buf_addf(out, "  and %u more\n", r.n - REASONS_SHOWN);
	event_view_done(view);
	return matches;
}

/* -- JSON -- */

static void
value_json(void *arg, const char *name, enum value_type type, bool list,
    const struct value_view *v)
{
	struct json_writer *w = arg;

	json_begin_object(w);
	json_key(w, "name");
	json_str(w, name);
	json_key(w, "value");
	sample_write_value(w, type, list, v);
	json_end_object(w);
}

static void
check_json(struct json_writer *w, const struct event_view *view, const struct check *k)
{
	json_key(w, "check");
	json_str(w, k->text);
	json_key(w, "values");
	json_begin_array(w);
	each_value(view, k, value_json, w);
	json_end_array(w);
}

static void
cond_json(struct json_writer *w, const struct event_view *view, const struct cond *c)
{
	static const char *const kind[] = {[COND_AND] = "and",
	    [COND_OR] = "or",
	    [COND_NOT] = "not",
	    [COND_CHECK] = "check"};

	json_begin_object(w);
	json_key(w, "kind");
	json_str(w, kind[c->kind]);
	json_key(w, "holds");
	json_bool(w, holds(view, c));
	if (c->kind == COND_CHECK) {
		check_json(w, view, c->check);
	} else {
		json_key(w, "terms");
		json_begin_array(w);
		for (uint32_t i = 0; i < c->n; i++)
			cond_json(w, view, c->child[i]);
		json_end_array(w);
	}
	json_end_object(w);
}

static void
reason_json(void *arg, const struct event_view *view, const struct check *k, bool verdict)
{
	struct json_writer *w = arg;

	json_begin_object(w);
	json_key(w, "holds");
	json_bool(w, verdict);
	check_json(w, view, k);
	json_end_object(w);
}

bool
explain_json(const struct rule *rule, const struct event_view *view, struct buf *out)
{
	bool matches = holds(view, rule->cond);
	struct json_writer w;

	json_init(&w, out);
	json_begin_object(&w);
	json_key(&w, "rule");
	json_str(&w, rule->name);
	json_key(&w, "matches");
	json_bool(&w, matches);
	json_key(&w, "condition");
	cond_json(&w, view, rule->cond);
	json_key(&w, "why");
	json_begin_array(&w);
	each_reason(view, rule->cond, reason_json, &w);
	json_end_array(&w);
	json_end_object(&w);
	event_view_done(view);
	return matches;
}
