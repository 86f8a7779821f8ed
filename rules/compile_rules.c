/* SPDX-License-Identifier: Apache-2.0 */
/* Rules from the collection to conditions and formats, in order of definition. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "rules/evttype.h"
#include "rules/exception.h"
#include "rules/format.h"
#include "rules/loader.h"

enum {
	EVTTYPES_FEW = 50
}; /* a syscall rule for more types, each two events, costs much */

static const char *const deprecated_fields[] = {"evt.dir", "evt.latency",
    "evt.latency.human", "evt.latency.ns", "evt.latency.s", "evt.wait_latency", NULL};

enum {
	DEPRECATED_FIELDS_N = sizeof(deprecated_fields) / sizeof(deprecated_fields[0])
};

/* A warning waits until it is known that the rule is not left out. */
struct pending {
	struct pending *next;
	const char *text;
	struct ast_pos pos;
};

struct rule_job {
	struct loader *l;
	struct load_result *result;
	struct arena *arena;
	const struct rule_info *info;
	const struct field_source *source;
	struct loaded_rule *out;
	struct pending *pending, **pending_end;
	struct compiler compiler;
};

static bool
out_of_memory(struct rule_job *j)
{
	j->result->is_full = true;
	return false;
}

static bool
is_unknown_name(const char *text)
{
	return strstr(text, "nonexistent field") ||
	       strstr(text, "invalid formatting token") ||
	       strstr(text, "unknown event type") || strstr(text, "unknown filter:");
}

/* False in any case: the rule is left out, with a warning or an error. */
static bool
leave_out(struct rule_job *j, enum diag_code code, const struct diag_context *context,
    const struct err *err)
{
	if (err->code == ERR_NOMEM)
		return out_of_memory(j);
	if (j->info->skip_if_unknown_filter && is_unknown_name(err->msg))
		code = DIAG_UNKNOWN_FILTER;
	load_report(j->result, code, context, "%s", err->msg);
	return false;
}

/* -- output -- */

bool
append_output_applies(const struct append_output *a, const struct rule_info *info)
{
	if (a->source && *a->source && strcmp(a->source, info->source) != 0)
		return false;
	if (a->rule && *a->rule && strcmp(a->rule, info->name) != 0)
		return false;
	for (uint32_t i = 0; i < a->n_tag; i++) {
		uint32_t k = 0;
		while (k < info->tags.n && strcmp(info->tags.item[k], a->tag[i]) != 0)
			k++;
		if (k == info->tags.n)
			return false;
	}
	return true;
}

static void
add_suggested(const struct field_source *source, struct buf *out)
{
	for (uint32_t i = 0; i < source->n_class; i++) {
		for (uint32_t k = 0; k < source->klass[i]->n; k++) {
			const struct field *f = &source->klass[i]->field[k];
			if (!(f->flags & FIELD_ADD_OUTPUT) &&
			    f->provider != PROVIDER_STATIC)
				continue;
			buf_addc(out, ' ');
			for (const char *p = f->name; *p; p++)
				buf_addc(out, *p == '.' ? '_' : *p);
			buf_addf(out, "=%%%s", f->name);
		}
	}
}

/* The container token is gone from Falco's fields; it warns and takes it out. */
static bool
drop_container_info(struct rule_job *j, struct buf *text)
{
	static const char token[] = "%container.info";
	const char *from = buf_str(text), *at = strstr(from, token);
	struct buf rest;

	if (!at)
		return true;
	buf_init(&rest, text->limit_bytes);
	for (; at; at = strstr(from, token)) {
		buf_add(&rest, from, (size_t)(at - from));
		from = at + sizeof(token) - 1;
	}
	buf_adds(&rest, from);
	buf_release(text);
	*text = rest;
	return load_report(j->result, DIAG_DEPRECATED_ITEM, j->info->context,
	    "%s is deprecated and no more useful, and will be dropped by Falco 1.0.0. "
	    "The container plugin will automatically add required fields to the output "
	    "message.",
	    token);
}

static bool
make_output_text(struct rule_job *j)
{
	const struct rules_config *config = j->l->config;
	struct buf text;
	bool ok;

	buf_init(&text, 2 * LIMIT_CONDITION_BYTES);
	buf_add(&text, j->info->output.s, j->info->output.n);
	for (uint32_t i = 0; i < config->n_append_output; i++) {
		const struct append_output *a = &config->append_output[i];
		if (!append_output_applies(a, j->info))
			continue;
		if (a->extra_output && *a->extra_output)
			buf_addf(&text, " %s", a->extra_output);
		if (a->suggested_output)
			add_suggested(j->source, &text);
	}
	ok = drop_container_info(j, &text);
	j->out->output = arena_strdup(j->arena, buf_str(&text));
	if (text.failed || !j->out->output)
		ok = out_of_memory(j);
	buf_release(&text);
	return ok;
}

static bool
compile_output(struct rule_job *j)
{
	struct err err;

	j->compiler.use = SLOT_OUTPUT;
	if (!make_output_text(j))
		return false;
	if (!format_compile(&j->compiler, j->out->output, &j->out->rule.output, &err))
		return leave_out(
		    j, DIAG_ERR_COMPILE_OUTPUT, j->info->output_context, &err);
	for (const char *const *f = deprecated_fields; *f; f++) {
		char text[120];
		snprintf(text, sizeof(text),
		    "usage of deprecated field '%s' has been detected in the rule output",
		    *f);
		if (strstr(j->out->output, *f) &&
		    !load_report_deprecated(j->result, *f, j->info->context, text))
			return false;
	}
	return true;
}

static bool
compile_extra_field(
    struct rule_job *j, const struct append_field *field, struct rule_extra_field *ret)
{
	struct buf text;
	struct err err;
	bool ok;

	*ret = (struct rule_extra_field){.key = field->key, .raw = !field->format};
	buf_init(&text, LIMIT_CONDITION_BYTES);
	buf_addf(
	    &text, "%s%s", ret->raw ? "%" : "", ret->raw ? field->key : field->format);
	ok = format_compile(&j->compiler, buf_str(&text), &ret->format, &err);
	buf_release(&text);
	if (ok)
		return true;
	if (err.code == ERR_NOMEM)
		return out_of_memory(j);
	return load_report(
	    j->result, DIAG_ERR_COMPILE_OUTPUT, j->info->output_context, "%s", err.msg);
}

static bool
compile_extra_fields(struct rule_job *j)
{
	const struct rules_config *config = j->l->config;
	struct rule_extra_field *extra;
	uint32_t n = 0;

	for (uint32_t i = 0; i < config->n_append_output; i++)
		n += config->append_output[i].n_extra_field;
	extra = arena_array(j->arena, n ? n : 1, sizeof(*extra));
	if (!extra)
		return out_of_memory(j);
	n = 0;
	for (uint32_t i = 0; i < config->n_append_output; i++) {
		const struct append_output *a = &config->append_output[i];
		if (!append_output_applies(a, j->info))
			continue;
		for (uint32_t k = 0; k < a->n_extra_field; k++) {
			if (!compile_extra_field(j, &a->extra_field[k], &extra[n++]))
				return false;
		}
	}
	j->out->rule.extra = extra;
	j->out->rule.n_extra = n;
	/* One more is the time of the event. */
	if (format_n_fields(j->out->rule.output) + n + 1 <= LIMIT_OUTPUT_FIELDS)
		return true;
	return load_report(j->result, DIAG_ERR_COMPILE_OUTPUT, j->info->output_context,
	    "more than %u different fields in one output", LIMIT_OUTPUT_FIELDS);
}

/* The distinct slots of the output and the extra fields. */
static bool
collect_output_slots(struct rule_job *j)
{
	struct rule *rule = &j->out->rule;
	uint32_t n = 0, n_format, *slot;

	format_slots(rule->output, &n);
	for (uint32_t i = 0; i < rule->n_extra; i++) {
		format_slots(rule->extra[i].format, &n_format);
		n += n_format;
	}
	slot = arena_array(j->arena, n ? n : 1, sizeof(*slot));
	if (!slot)
		return out_of_memory(j);
	n = 0;
	for (uint32_t i = 0; i <= rule->n_extra; i++) {
		const struct format *f = i ? rule->extra[i - 1].format : rule->output;
		const uint32_t *from = format_slots(f, &n_format);
		for (uint32_t k = 0; k < n_format; k++) {
			uint32_t seen = 0;
			while (seen < n && slot[seen] != from[k])
				seen++;
			if (seen == n)
				slot[n++] = from[k];
		}
	}
	rule->output_slot = slot;
	rule->n_output_slot = n;
	return true;
}

/* -- condition -- */

static void
note_warning(const char *text, void *arg)
{
	struct rule_job *j = arg;
	struct pending *p = arena_alloc(j->arena, sizeof(*p));

	if (!p || !(p->text = arena_strdup(j->arena, text))) {
		j->result->is_full = true;
		return;
	}
	p->pos = j->compiler.warn_pos;
	*j->pending_end = p;
	j->pending_end = &p->next;
}

/* Asynchronous events have names of their own, which their plugins declare. */
static bool
is_evttype(const char *name, void *arg)
{
	const struct rules_config *config = arg;

	for (uint32_t i = 0; i < config->n_plugin; i++) {
		for (uint32_t k = 0; k < config->plugin[i].n_async_name; k++) {
			if (strcmp(config->plugin[i].async_name[k], name) == 0)
				return true;
		}
	}
	return evttype_known(name);
}

struct ast_findings {
	bool unsafe_na;
	bool deprecated[DEPRECATED_FIELDS_N];
};

static bool
is_na(const struct ast *value)
{
	return value->text.n == 4 && memcmp(value->text.s, "<NA>", 4) == 0;
}

static void
find_in_check(const struct ast *check, struct ast_findings *found)
{
	const struct ast *field = check->child[0],
			 *rhs = check->n > 1 ? check->child[1] : NULL;
	bool na = false;

	if (field->kind != AST_FIELD || !rhs ||
	    (strncmp(field->text.s, "ka.", 3) != 0 &&
		strncmp(field->text.s, "jevt.", 5) != 0))
		return;
	if (check->op != REL_EQ && check->op != REL_NE && check->op != REL_IN &&
	    check->op != REL_INTERSECTS && check->op != REL_PMATCH)
		return;
	if (rhs->kind == AST_VALUE)
		na = is_na(rhs);
	for (uint32_t i = 0; rhs->kind == AST_LIST && i < rhs->n; i++)
		na = na || is_na(rhs->child[i]);
	found->unsafe_na |= na;
}

static void
find_in_node(const struct ast *node, void *arg)
{
	struct ast_findings *found = arg;

	if (node->kind == AST_CHECK)
		find_in_check(node, found);
	for (int i = 0; node->kind == AST_FIELD && deprecated_fields[i]; i++) {
		if (strcmp(node->text.s, deprecated_fields[i]) == 0)
			found->deprecated[i] = true;
	}
}

static bool
warn_about_ast(struct rule_job *j)
{
	struct ast_findings found = {0};

	ast_walk(j->out->ast, find_in_node, &found);
	if (found.unsafe_na &&
	    !load_report(j->result, DIAG_UNSAFE_NA_CHECK, j->info->context, "%s", ""))
		return false;
	for (int i = 0; deprecated_fields[i]; i++) {
		char text[120];
		snprintf(text, sizeof(text),
		    "usage of deprecated field '%s' has been detected in the rule "
		    "condition",
		    deprecated_fields[i]);
		if (found.deprecated[i] &&
		    !load_report_deprecated(
			j->result, deprecated_fields[i], j->info->context, text))
			return false;
	}
	return true;
}

static bool
parse_condition(struct rule_job *j, struct ast_str *ret_text)
{
	const struct rule_info *info = j->info;
	struct resolution *resolution = &j->l->compiled.resolution;
	const struct ast *ast;
	struct ast_pos pos = {0};
	struct err err;
	struct diag_context at;

	if (!resolution_lists(
		resolution, j->out->expanded, info->condition_context, ret_text))
		return false;
	if (!ast_parse(&j->l->tree_arena, ret_text->s, ret_text->n, LIMIT_CONDITION_DEPTH,
		&ast, &pos, &err)) {
		at = diag_expression(j->arena, &pos, *ret_text, info->condition_context);
		return load_report(
		    j->result, DIAG_ERR_COMPILE_CONDITION, &at, "%s", err.msg);
	}
	/* Falco shows the text without lists put in here. */
	return resolution_macros(
	    resolution, ast, UINT32_MAX, j->out->expanded, info->context, &j->out->ast);
}

static bool
compile_condition(struct rule_job *j)
{
	const struct rule_info *info = j->info;
	struct ast_str text;
	struct diag_context at;
	struct err err;
	uint32_t n_type;

	if (!parse_condition(j, &text) || !warn_about_ast(j))
		return false;
	j->compiler.use = SLOT_CONDITION;
	if (!cond_compile(&j->compiler, j->out->ast, &j->out->rule.cond, &err)) {
		at = diag_expression(j->arena, &j->compiler.pos, j->out->expanded,
		    info->condition_context);
		return leave_out(j, DIAG_ERR_COMPILE_CONDITION, &at, &err);
	}
	for (const struct pending *p = j->pending; p; p = p->next) {
		at = diag_expression(
		    j->arena, &p->pos, j->out->expanded, info->condition_context);
		if (!load_report(j->result, DIAG_COMPILE_CONDITION, &at, "%s", p->text))
			return false;
	}
	if (j->source->index != 0 || !info->warn_evttypes)
		return true;
	n_type = evttypes_of(j->out->ast, NULL);
	if (n_type == 0 || n_type > EVTTYPES_FEW)
		return load_report(j->result, DIAG_NO_EVTTYPE, info->context,
		    "Rule matches too many evt.type values. This has a significant "
		    "performance penalty.");
	return true;
}

/* -- rules -- */

static bool
compile_rule(struct rule_job *j)
{
	const struct rule_info *info = j->info;
	struct loaded_rule *out = j->out;

	*out = (struct loaded_rule){.info = info};
	j->pending = NULL;
	j->pending_end = &j->pending;
	if (!exception_expand(
		j->arena, j->result, info, &out->expanded, &out->exception_fields) ||
	    !compile_output(j) || !compile_extra_fields(j) || !collect_output_slots(j) ||
	    !compile_condition(j))
		return false;
	out->is_enabled = info->enabled && info->priority <= j->l->config->min_priority;
	out->rule.name = info->name;
	out->rule.desc = info->desc.s;
	out->rule.source = info->source;
	out->rule.priority = info->priority;
	out->rule.tag = info->tags.item;
	out->rule.n_tag = info->tags.n;
	out->rule.capture = info->capture;
	out->rule.capture_duration_ms = info->capture_duration_ms;
	return true;
}

static bool
warn_unused(struct loader *l, struct load_result *result)
{
	const struct resolution *s = &l->compiled.resolution;
	const struct collection *c = s->c;

	for (uint32_t i = 0; i < c->n_macro; i++) {
		if (!s->macro[i].used &&
		    !load_report(result, DIAG_UNUSED_MACRO, c->macro[i].context,
			"Macro not referred to by any other rule/macro"))
			return false;
	}
	for (uint32_t i = 0; i < c->n_list; i++) {
		if (!s->list[i].used &&
		    !load_report(result, DIAG_UNUSED_LIST, c->list[i].context,
			"List not referred to by any other rule/macro"))
			return false;
	}
	return true;
}

static bool
compile_all(struct loader *l, struct load_result *result)
{
	struct compiled *k = &l->compiled;
	const struct collection *c = k->resolution.c;
	struct arena *arena = &l->compiled_arena;
	uint32_t n_source = l->catalog->n_source;

	k->slots = arena_array(arena, n_source, sizeof(*k->slots));
	k->rule = arena_array(arena, c->n_rule + 1, sizeof(*k->rule));
	if (!k->slots || !k->rule || !resolution_definitions(&k->resolution))
		return false;
	for (uint32_t i = 0; i < n_source; i++)
		slot_set_init(&k->slots[i], arena);
	for (uint32_t i = 0; i < c->n_rule && !result->is_full; i++) {
		struct rule_job j = {.l = l, .result = result, .arena = arena};
		j.info = &c->rule[i];
		j.out = &k->rule[k->n_rule];
		j.source = field_catalog_source(l->catalog, j.info->source);
		if (!j.source)
			continue;
		j.compiler = (struct compiler){
		    .arena = arena,
		    .source = j.source,
		    .slots = &k->slots[j.source->index],
		    .regexes = &k->regexes,
		    .warn = note_warning,
		    .is_evttype = is_evttype,
		    .is_evttype_arg = (void *)l->config,
		};
		j.compiler.warn_arg = &j;
		if (!compile_rule(&j))
			continue;
		j.out->rule.index = k->n_rule++;
	}
	return warn_unused(l, result);
}

bool
loader_no_room(struct err *err)
{
	return err_set(err, ERR_LIMIT, "rules need more than %lu bytes of memory",
	    LIMIT_RULES_MEMORY);
}

void
loader_drop_compiled(struct loader *l)
{
	struct compiled *k = &l->compiled;

	if (!l->has_compiled)
		return;
	for (uint32_t i = 0; k->slots && i < l->catalog->n_source; i++)
		slot_set_release(&k->slots[i]);
	resolution_release(&k->resolution);
	regex_list_free(k->regexes);
	arena_reset(&l->compiled_arena);
	arena_reset(&l->tree_arena);
	l->compiled = (struct compiled){0};
	l->has_compiled = false;
}

bool
loader_compile(struct loader *l, const struct collection *c, struct load_result *result,
    struct err *err)
{
	loader_drop_compiled(l);
	l->has_compiled =
	    resolution_init(&l->compiled.resolution, &l->tree_arena, result, c);
	if (l->has_compiled && compile_all(l, result) && !result->is_full)
		return true;
	return loader_no_room(err);
}
