/* SPDX-License-Identifier: Apache-2.0 */
/* -L and -l: what is loaded, as text and as JSON. */
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "rules/evttype.h"
#include "rules/format.h"
#include "rules/loader.h"
#include "rules/wrap.h"

enum {
	NAME_COLUMNS = 50,
	TEXT_COLUMNS = 110,
};

/* -- JSON pieces -- */

static void
add_texts(struct json_writer *w, const char *key, const struct text_list *l)
{
	json_key(w, key);
	json_begin_array(w);
	for (uint32_t i = 0; i < l->n; i++)
		json_str(w, l->item[i]);
	json_end_array(w);
}

static void
add_ast(struct json_writer *w, const char *key, const struct ast *ast)
{
	struct buf text;

	buf_init(&text, LIMIT_CONDITION_BYTES);
	ast_print(&text, ast);
	json_key(w, key);
	json_str_n(w, buf_str(&text), text.len);
	buf_release(&text);
}

/* A rule sees asynchronous events whatever its condition says, a macro does not. */
static void
add_types(struct json_writer *w, const struct ast *ast, bool is_rule)
{
	struct evttype_set set;

	evttypes_of(ast, &set);
	for (uint32_t i = 0; evttype_name(i); i++) {
		if (evttype_set_has(&set, i) ||
		    (is_rule && strcmp(evttype_name(i), "asyncevent") == 0))
			json_str(w, evttype_name(i));
	}
}

/* -- what a condition names -- */

struct names {
	struct arena *arena;
	const struct loader *l;
	struct text_list macros, lists;               /* as the text says them */
	struct text_list operators, fields, evttypes; /* of the complete tree */
	bool is_full;
};

static void
note(struct names *n, struct text_list *l, const char *s)
{
	if (!s || !text_list_add(n->arena, l, s))
		n->is_full = true;
}

static void
note_printed(struct names *n, struct text_list *l, const struct ast *node)
{
	struct buf text;

	buf_init(&text, LIMIT_CONDITION_BYTES);
	ast_print(&text, node);
	note(n, l, arena_strdup(n->arena, buf_str(&text)));
	buf_release(&text);
}

/* Lists and macros by name. */
static void
note_reference(const struct ast *node, void *arg)
{
	struct names *n = arg;
	const struct ast *rhs =
	    node->kind == AST_CHECK && node->n > 1 ? node->child[1] : NULL;

	if (node->kind == AST_IDENTIFIER)
		note(n, &n->macros, node->text.s);
	for (uint32_t i = 0; rhs && rhs->kind == AST_LIST && i < rhs->n; i++) {
		const char *value = rhs->child[i]->text.s;
		if (collection_list(&n->l->collection, value))
			note(n, &n->lists, value);
	}
}

static void
note_node(const struct ast *node, void *arg)
{
	struct names *n = arg;
	char op[40];

	if (node->kind == AST_FIELD)
		note_printed(n, &n->fields, node);
	if (node->kind != AST_CHECK)
		return;
	snprintf(op, sizeof(op), "%s%s%s",
	    node->op_double_equal ? "==" : rel_op_text(node->op),
	    node->modifier == MODIFIER_NONE ? "" : " ",
	    node->modifier == MODIFIER_NONE ? "" : rel_modifier_text(node->modifier));
	note(n, &n->operators, arena_strdup(n->arena, op));
	if (node->n > 1 && node->child[1]->kind == AST_VALUE &&
	    node->child[0]->kind == AST_FIELD &&
	    strcmp(node->child[0]->text.s, "evt.type") == 0)
		note(n, &n->evttypes, node->child[1]->text.s);
}

static bool
names_of(const struct loader *l, struct arena *arena, const struct text *condition,
    const struct ast *complete, struct names *ret)
{
	struct names n = {.arena = arena, .l = l};
	const struct ast *ast;
	struct ast_pos pos;
	struct err err;

	/* Some texts parse only with their lists put in; then nothing is known of names.
	 */
	if (ast_parse(arena, condition->s, condition->n, LIMIT_CONDITION_DEPTH, &ast,
		&pos, &err))
		ast_walk(ast, note_reference, &n);
	ast_walk(complete, note_node, &n);
	text_list_sort(&n.macros);
	text_list_sort(&n.lists);
	text_list_sort(&n.operators);
	text_list_sort(&n.fields);
	*ret = n;
	return !n.is_full;
}

/* -- plugins of a rule -- */

static bool
has_text(const char *const *list, uint32_t n, const char *s)
{
	for (uint32_t i = 0; i < n; i++) {
		if (strcmp(list[i], s) == 0)
			return true;
	}
	return false;
}

/* The class of a plugin is called "<plugin> (plugin)". */
static bool
gives_field(
    const struct rules_plugin *p, const struct field_source *source, const char *text)
{
	size_t n = strlen(p->name);

	for (uint32_t i = 0; i < source->n_class; i++) {
		const struct field_class *k = source->klass[i];
		if (!k->plugin || strncmp(k->name, p->name, n) != 0 || k->name[n] != ' ')
			continue;
		for (uint32_t f = 0; f < k->n; f++) {
			if (strncmp(text, k->field[f].name, strcspn(text, "[")) == 0 &&
			    strlen(k->field[f].name) == strcspn(text, "["))
				return true;
		}
	}
	return false;
}

static bool
is_used(const struct rules_plugin *p, const struct loader *l, const struct loaded_rule *r,
    const struct names *names)
{
	const struct field_source *source =
	    field_catalog_source(l->catalog, r->rule.source);
	uint32_t n_output;
	const char *const *output = format_names(r->rule.output, &n_output);

	if (p->source && strcmp(p->source, r->rule.source) == 0)
		return true;
	if (p->extracts &&
	    (!p->n_extract_source ||
		has_text(p->extract_source, p->n_extract_source, r->rule.source))) {
		for (uint32_t i = 0; i < names->fields.n; i++) {
			if (gives_field(p, source, names->fields.item[i]))
				return true;
		}
		for (uint32_t i = 0; i < n_output; i++) {
			if (gives_field(p, source, output[i]))
				return true;
		}
	}
	for (uint32_t i = 0; i < names->evttypes.n; i++) {
		if (has_text(p->async_name, p->n_async_name, names->evttypes.item[i]))
			return true;
	}
	return false;
}

static void
add_no_plugins(struct json_writer *w)
{
	json_key(w, "plugins");
	json_begin_array(w);
	json_end_array(w);
}

/* -- rules -- */

static void
note_comps(struct names *n, struct text_list *l, const struct exception_entry *comps)
{
	if (!comps->is_list)
		note(n, l, comps->text);
	for (uint32_t i = 0; comps->is_list && i < comps->n; i++)
		note(n, l, comps->item[i].text);
}

static void
add_exceptions(struct json_writer *w, const struct loaded_rule *r, struct names *n)
{
	struct text_list names = {0}, operators = {0};

	for (uint32_t i = 0; i < r->info->exceptions.n; i++) {
		const struct exception_info *e = &r->info->exceptions.item[i];
		note(n, &names, e->name);
		note_comps(n, &operators, &e->comps);
	}
	text_list_sort(&names);
	text_list_sort(&operators);
	add_texts(w, "exception_fields", &r->exception_fields);
	add_texts(w, "exception_names", &names);
	add_texts(w, "exception_operators", &operators);
}

static void
add_extra_formats(
    struct json_writer *w, const struct loader *l, const struct rule_info *info)
{
	bool any = false;

	for (uint32_t i = 0; i < l->config->n_append_output; i++) {
		const struct append_output *a = &l->config->append_output[i];
		for (uint32_t k = 0;
		     append_output_applies(a, info) && k < a->n_extra_field; k++) {
			if (!a->extra_field[k].format)
				continue;
			if (!any) {
				json_key(w, "extra_output_formatted_fields");
				json_begin_object(w);
				any = true;
			}
			json_key(w, a->extra_field[k].key);
			json_str(w, a->extra_field[k].format);
		}
	}
	if (any)
		json_end_object(w);
}

static void
add_rule_details(struct json_writer *w, const struct loader *l,
    const struct loaded_rule *r, struct names *n)
{
	uint32_t n_output;
	const char *const *output = format_names(r->rule.output, &n_output);

	json_key(w, "details");
	json_begin_object(w);
	add_ast(w, "condition_compiled", r->ast);
	add_texts(w, "condition_fields", &n->fields);
	add_texts(w, "condition_operators", &n->operators);
	json_key(w, "events");
	json_begin_array(w);
	if (strcmp(r->rule.source, "syscall") == 0) {
		add_types(w, r->ast, true);
	} else {
		json_str(w, "asyncevent");
		json_str(w, "pluginevent");
	}
	json_end_array(w);
	add_exceptions(w, r, n);
	add_extra_formats(w, l, r->info);
	add_texts(w, "lists", &n->lists);
	add_texts(w, "macros", &n->macros);
	json_key(w, "output_compiled");
	json_str(w, r->output);
	json_key(w, "output_fields");
	json_begin_array(w);
	for (uint32_t i = 0; i < n_output; i++)
		json_str(w, output[i]);
	json_end_array(w);
	json_key(w, "plugins");
	json_begin_array(w);
	for (uint32_t i = 0; i < l->config->n_plugin; i++) {
		if (is_used(&l->config->plugin[i], l, r, n))
			json_str(w, l->config->plugin[i].name);
	}
	json_end_array(w);
	json_end_object(w);
}

static bool
add_rule(struct json_writer *w, const struct loader *l, const struct loaded_rule *r)
{
	const struct rule_info *info = r->info;
	struct arena scratch;
	struct names names;
	bool ok;

	arena_init(&scratch, LIMIT_RULES_MEMORY);
	ok = names_of(l, &scratch, &info->condition, r->ast, &names);
	json_begin_object(w);
	if (ok)
		add_rule_details(w, l, r, &names);
	json_key(w, "info");
	json_begin_object(w);
	json_key(w, "capture");
	json_bool(w, info->capture);
	json_key(w, "capture_duration");
	json_u64(w, info->capture_duration_ms);
	json_key(w, "condition");
	json_str_n(w, info->condition.s, info->condition.n);
	json_key(w, "description");
	json_str_n(w, info->desc.s, info->desc.n);
	json_key(w, "enabled");
	json_bool(w, info->enabled);
	json_key(w, "name");
	json_str(w, info->name);
	json_key(w, "output");
	json_str_n(w, info->output.s, info->output.n);
	json_key(w, "priority");
	json_str(w, priority_name(info->priority));
	json_key(w, "source");
	json_str(w, info->source);
	add_texts(w, "tags", &info->tags);
	json_end_object(w);
	json_end_object(w);
	arena_release(&scratch);
	return ok;
}

/* -- macros, lists, requirements -- */

static bool
add_macro(struct json_writer *w, const struct loader *l, uint32_t at)
{
	const struct macro_info *info = &l->collection.macro[at];
	const struct resolved_macro *m = &l->compiled.resolution.macro[at];
	struct arena scratch;
	struct names names;
	bool ok;

	if (!m->ast)
		return true;
	arena_init(&scratch, LIMIT_RULES_MEMORY);
	ok = names_of(l, &scratch, &info->condition, m->ast, &names);
	json_begin_object(w);
	json_key(w, "details");
	json_begin_object(w);
	add_ast(w, "condition_compiled", m->ast);
	if (ok) {
		add_texts(w, "condition_fields", &names.fields);
		add_texts(w, "condition_operators", &names.operators);
	}
	json_key(w, "events");
	json_begin_array(w);
	add_types(w, m->ast, false);
	json_end_array(w);
	if (ok) {
		add_texts(w, "lists", &names.lists);
		add_texts(w, "macros", &names.macros);
	}
	add_no_plugins(w);
	json_key(w, "used");
	json_bool(w, m->used);
	json_end_object(w);
	json_key(w, "info");
	json_begin_object(w);
	json_key(w, "condition");
	json_str_n(w, info->condition.s, info->condition.n);
	json_key(w, "name");
	json_str(w, info->name);
	json_end_object(w);
	json_end_object(w);
	arena_release(&scratch);
	return ok;
}

/* Items that are left after lists were put in, or those that are not: names of lists. */
static void
add_items(struct json_writer *w, const char *key, const struct list_info *info,
    const struct map *left, bool lists)
{
	json_key(w, key);
	json_begin_array(w);
	for (uint32_t i = 0; i < info->items.n; i++) {
		if (lists != !!map_gets(left, info->items.item[i]))
			json_str(w, info->items.item[i]);
	}
	json_end_array(w);
}

static bool
add_list(struct json_writer *w, const struct loader *l, uint32_t at)
{
	const struct list_info *info = &l->collection.list[at];
	const struct resolved_list *list = &l->compiled.resolution.list[at];
	struct map left;
	bool ok = true;

	map_init(&left);
	for (uint32_t i = 0; ok && i < list->items.n; i++)
		ok = map_puts(&left, list->items.item[i], (void *)list->items.item[i]);
	json_begin_object(w);
	json_key(w, "details");
	json_begin_object(w);
	add_texts(w, "items_compiled", &list->items);
	add_items(w, "lists", info, &left, true);
	add_no_plugins(w);
	json_key(w, "used");
	json_bool(w, list->used);
	json_end_object(w);
	json_key(w, "info");
	json_begin_object(w);
	add_items(w, "items", info, &left, false);
	json_key(w, "name");
	json_str(w, info->name);
	json_end_object(w);
	json_end_object(w);
	map_release(&left);
	return ok;
}

static void
add_requirement(struct json_writer *w, const struct plugin_requirements *r)
{
	json_begin_object(w);
	json_key(w, "alternatives");
	json_begin_array(w);
	for (uint32_t i = 1; i < r->n; i++) {
		json_begin_object(w);
		json_key(w, "name");
		json_str(w, r->alternative[i].name);
		json_key(w, "version");
		json_str(w, r->alternative[i].version);
		json_end_object(w);
	}
	json_end_array(w);
	json_key(w, "name");
	json_str(w, r->alternative[0].name);
	json_key(w, "version");
	json_str(w, r->alternative[0].version);
	json_end_object(w);
}

/* -- all of it -- */

static bool
describe_json(const struct loader *l, const struct loaded_rule *only, struct buf *out)
{
	const struct collection *c = &l->collection;
	struct json_writer w;
	char engine[40];
	bool ok = true;

	json_init(&w, out);
	json_begin_object(&w);
	if (!only) {
		json_key(&w, "lists");
		json_begin_array(&w);
		for (uint32_t i = 0; ok && i < c->n_list; i++)
			ok = add_list(&w, l, i);
		json_end_array(&w);
		json_key(&w, "macros");
		json_begin_array(&w);
		for (uint32_t i = 0; ok && i < c->n_macro; i++)
			ok = add_macro(&w, l, i);
		json_end_array(&w);
		snprintf(engine, sizeof(engine), "%u.%u.%u", c->engine.major,
		    c->engine.minor, c->engine.patch);
		json_key(&w, "required_engine_version");
		json_str(&w, engine);
		json_key(&w, "required_plugin_versions");
		json_begin_array(&w);
		for (uint32_t i = 0; i < c->n_requirement; i++)
			add_requirement(&w, &c->requirement[i]);
		json_end_array(&w);
	}
	json_key(&w, "rules");
	json_begin_array(&w);
	for (uint32_t i = 0; ok && i < l->compiled.n_rule; i++) {
		if (!only || only == &l->compiled.rule[i])
			ok = add_rule(&w, l, &l->compiled.rule[i]);
	}
	json_end_array(&w);
	json_end_object(&w);
	return ok;
}

static void
describe_text(const struct loader *l, const struct loaded_rule *only, struct buf *out)
{
	buf_addf(out, "%-*s %s\n", NAME_COLUMNS, "Rule", "Description");
	buf_addf(out, "%-*s %s\n", NAME_COLUMNS, "----", "-----------");
	for (uint32_t i = 0; i < l->compiled.n_rule; i++) {
		const struct loaded_rule *r = &l->compiled.rule[i];
		if (only && only != r)
			continue;
		buf_addf(out, "%-*s ", NAME_COLUMNS, r->rule.name);
		wrap_text(out, r->rule.desc, NAME_COLUMNS + 1, TEXT_COLUMNS);
		buf_adds(out, "\n\n");
	}
}

bool
loader_describe(
    const struct loader *l, const char *rule, bool json, struct buf *out, struct err *err)
{
	const struct loaded_rule *only = NULL;

	for (uint32_t i = 0; rule && i < l->compiled.n_rule; i++) {
		if (strcmp(l->compiled.rule[i].rule.name, rule) == 0)
			only = &l->compiled.rule[i];
	}
	if (rule && !only)
		return err_set(err, ERR_USAGE, "Rule \"%s\" is not loaded", rule);
	if (!json) {
		describe_text(l, only, out);
		return true;
	}
	return describe_json(l, only, out) || err_nomem(err);
}
