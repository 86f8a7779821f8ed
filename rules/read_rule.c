/* SPDX-License-Identifier: Apache-2.0 */
/* Rules, their exceptions and what later items change in them. */
#include <ctype.h>
#include <string.h>

#include "base/limits.h"
#include "rules/read_value.h"

static const char enabled_deprecated[] =
    "The standalone 'enabled' key usage is deprecated. The correct approach requires "
    "also a 'replace' entry under the 'override' key (i.e. 'enabled: replace').";

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* OVERRIDE(key, part, may it be appended to); all may be replaced. Bytewise order. */
/* clang-format off */
#define RULE_OVERRIDES(OVERRIDE) \
	OVERRIDE("capture",                RULE_CAPTURE,          false) \
	OVERRIDE("capture_duration",       RULE_CAPTURE_DURATION, false) \
	OVERRIDE("condition",              RULE_CONDITION,        true)  \
	OVERRIDE("desc",                   RULE_DESC,             true)  \
	OVERRIDE("enabled",                RULE_ENABLED,          false) \
	OVERRIDE("exceptions",             RULE_EXCEPTIONS,       true)  \
	OVERRIDE("output",                 RULE_OUTPUT,           true)  \
	OVERRIDE("priority",               RULE_PRIORITY,         false) \
	OVERRIDE("skip-if-unknown-filter", RULE_SKIP_UNKNOWN,     false) \
	OVERRIDE("tags",                   RULE_TAGS,             true)  \
	OVERRIDE("warn_evttypes",          RULE_WARN_EVTTYPES,    false)
/* clang-format on */

static const struct overridable rule_overridable[] = {
#define OVERRIDE_ROW(key, part, append) {key, part, append},
    RULE_OVERRIDES(OVERRIDE_ROW)
#undef OVERRIDE_ROW
};

/* -- exceptions -- */

/* A text, a list or a list of lists; recursion is as deep as YAML is. */
static bool
read_entry(struct reader *r, const struct yaml_node *value, const char *key,
    const struct diag_context *context, struct exception_entry *ret)
{
	struct diag_context at;

	*ret = (struct exception_entry){.text = ""};
	if (value->kind == YAML_NULL)
		return reader_invalid(r, context, "Mapping for key '%s' is empty", key);
	at = diag_at(value->mark, PLACE_VALUE_FOR, key, context);
	if (value->kind == YAML_SCALAR) {
		ret->text = value->text;
		return value->len || reader_invalid(r, &at, "Value must be non-empty");
	}
	if (value->kind != YAML_SEQUENCE)
		return true;
	ret->is_list = true;
	ret->item = arena_array(r->arena, value->n ? value->n : 1, sizeof(*ret->item));
	if (!ret->item)
		return reader_is_full(r);
	for (uint32_t i = 0; i < value->n; i++) {
		struct diag_context item_at =
		    diag_at(value->child[i]->mark, PLACE_EXCEPTION_VALUE, "", &at);
		if (!read_entry(r, value->child[i], "", &item_at, &ret->item[i]))
			return false;
		ret->n++;
	}
	return true;
}

static bool
read_exception_values(struct reader *r, const struct yaml_node *values,
    const struct diag_context *context, struct exception_info *e)
{
	struct diag_context at =
	    diag_at(values->mark, PLACE_EXCEPTION_VALUES, "", context);

	if (values->kind != YAML_SEQUENCE)
		return reader_invalid(r, &at, "Rule exception values must be a sequence");
	e->value = arena_array(r->arena, values->n ? values->n : 1, sizeof(*e->value));
	if (!e->value)
		return reader_is_full(r);
	e->cap_value = values->n;
	for (uint32_t i = 0; i < values->n; i++) {
		struct diag_context value_at =
		    diag_at(values->child[i]->mark, PLACE_EXCEPTION_VALUE, "", &at);
		if (!read_entry(r, values->child[i], "", &value_at, &e->value[i]))
			return false;
		e->n_value++;
	}
	return true;
}

static bool
read_exception(struct reader *r, const struct yaml_node *node, bool append,
    const struct diag_context *list, const struct diag_context *rule,
    const struct exception_list *before, struct exception_info *ret)
{
	struct diag_context at = diag_at(node->mark, PLACE_EXCEPTION, "", list);
	const struct yaml_node *fields, *comps, *values;
	struct exception_info e = {.fields.text = "", .comps.text = ""};

	if (node->kind != YAML_MAP)
		return reader_invalid(r, &at, "Rule exception must be a mapping");
	if (!read_text(r, node, "name", REQUIRED, &at, &e.name))
		return false;
	at = diag_at(node->mark, PLACE_EXCEPTION, e.name, rule);
	e.context = diag_keep(r->arena, &at);
	if (!e.context)
		return reader_is_full(r);
	for (uint32_t i = 0; i < before->n; i++) {
		if (strcmp(before->item[i].name, e.name) == 0 &&
		    !load_report(r->result, DIAG_EXCEPTION_NAME_NOT_UNIQUE, e.context,
			"Multiple definitions of exception '%s' in the same rule",
			e.name))
			return false;
	}
	fields = yaml_find(node, "fields");
	comps = yaml_find(node, "comps");
	values = yaml_find(node, "values");
	if (!fields && !append)
		return reader_invalid(
		    r, e.context, "Item has no mapping for key 'fields'");
	if (fields && !read_entry(r, fields, "fields", e.context, &e.fields))
		return false;
	if (comps && !read_entry(r, comps, "comps", e.context, &e.comps))
		return false;
	if (values && !read_exception_values(r, values, e.context, &e))
		return false;
	if (!values && append &&
	    !load_report(r->result, DIAG_APPEND_NO_VALUES, e.context,
		"Overriding/appending exception with no values"))
		return false;
	*ret = e;
	return true;
}

static bool
read_exceptions(struct reader *r, const struct yaml_node *item, bool append,
    const struct diag_context *context, struct exception_list *ret)
{
	const struct yaml_node *node = yaml_find(item, "exceptions");
	struct exception_list list = {0};
	struct diag_context at;

	if (!node || node->kind == YAML_NULL)
		return true;
	at = diag_at(node->mark, PLACE_EXCEPTIONS, "", context);
	if (node->kind != YAML_SEQUENCE)
		return reader_invalid(r, &at, "Rule exceptions must be a sequence");
	if (node->n > LIMIT_EXCEPTIONS)
		return reader_invalid(
		    r, &at, "Rule has more than %u exceptions", LIMIT_EXCEPTIONS);
	list.item = arena_array(r->arena, node->n ? node->n : 1, sizeof(*list.item));
	if (!list.item)
		return reader_is_full(r);
	list.cap = node->n;
	for (uint32_t i = 0; i < node->n; i++) {
		if (!read_exception(
			r, node->child[i], append, &at, context, &list, &list.item[i]))
			return false;
		list.n++;
	}
	*ret = list;
	return true;
}

/* -- rules -- */

static bool
read_priority(struct reader *r, const struct yaml_node *item,
    const struct diag_context *context, enum priority *ret)
{
	struct diag_context at;
	const char *word = "";

	if (!read_text(r, item, "priority", REQUIRED, context, &word))
		return false;
	at = diag_at(yaml_find(item, "priority")->mark, PLACE_RULE_PRIORITY, "", context);
	return priority_parse(word, ret) || reader_invalid(r, &at, "Invalid priority");
}

static bool
read_tags(struct reader *r, const struct yaml_node *item,
    const struct diag_context *context, struct text_list *ret)
{
	if (!read_sequence(r, item, "tags", OPTIONAL, context, ret))
		return false;
	text_list_sort(ret);
	return true;
}

static bool
read_condition(struct reader *r, const struct yaml_node *item, enum presence presence,
    struct rule_info *info)
{
	if (!read_long_text(
		r, item, "condition", presence, info->context, &info->condition))
		return false;
	return !info->condition.s ||
	       read_context(r, item, "condition", PLACE_RULE_CONDITION, info->context,
		   &info->condition_context);
}

/* The properties in "parts", all of which are there. */
static bool
read_parts(struct reader *r, const struct yaml_node *item, bool append,
    struct rule_update *update)
{
	struct rule_info *info = &update->info;
	const struct diag_context *at = info->context;
	uint32_t parts = update->parts;

	return (!(parts & RULE_CONDITION) || read_condition(r, item, REQUIRED, info)) &&
	       (!(parts & RULE_EXCEPTIONS) ||
		   read_exceptions(r, item, append, at, &info->exceptions)) &&
	       (!(parts & RULE_OUTPUT) ||
		   read_long_text(r, item, "output", REQUIRED, at, &info->output)) &&
	       (!(parts & RULE_DESC) ||
		   read_long_text(r, item, "desc", REQUIRED, at, &info->desc)) &&
	       (!(parts & RULE_TAGS) || read_tags(r, item, at, &info->tags)) &&
	       (!(parts & RULE_PRIORITY) ||
		   read_priority(r, item, at, &info->priority)) &&
	       (!(parts & RULE_CAPTURE) ||
		   read_bool(r, item, "capture", REQUIRED, at, &info->capture)) &&
	       (!(parts & RULE_CAPTURE_DURATION) ||
		   read_u32(r, item, "capture_duration", REQUIRED, at,
		       &info->capture_duration_ms)) &&
	       (!(parts & RULE_ENABLED) ||
		   read_bool(r, item, "enabled", REQUIRED, at, &info->enabled)) &&
	       (!(parts & RULE_WARN_EVTTYPES) ||
		   read_bool(
		       r, item, "warn_evttypes", REQUIRED, at, &info->warn_evttypes)) &&
	       (!(parts & RULE_SKIP_UNKNOWN) ||
		   read_bool(r, item, "skip-if-unknown-filter", REQUIRED, at,
		       &info->skip_if_unknown_filter));
}

/* Every overridden key is there. */
static bool
check_overridden(struct reader *r, const struct yaml_node *item, uint32_t parts,
    const char *operation, const struct diag_context *context)
{
	for (size_t i = 0; i < COUNT(rule_overridable); i++) {
		const struct overridable *row = &rule_overridable[i];
		if (parts & row->part && !yaml_find(item, row->key))
			return reader_invalid(r, context,
			    "An %s override for '%s' was specified but '%s' is not "
			    "defined",
			    operation, row->key, row->key);
	}
	return true;
}

static bool
read_rule_overrides(struct reader *r, const struct yaml_node *item,
    const struct overrides *o, const struct rule_update *named)
{
	const struct diag_context *context = named->info.context;
	struct rule_update append = *named, replace = *named;

	append.parts = o->append;
	replace.parts = o->replace & ~o->append;
	if (append.parts &&
	    (!check_overridden(r, item, append.parts, "append", context) ||
		!read_parts(r, item, true, &append) ||
		!collect_rule_append(r->k, &append)))
		return false;
	if (replace.parts &&
	    (!check_overridden(r, item, replace.parts, "replace", context) ||
		!read_parts(r, item, false, &replace) ||
		!collect_rule_replace(r->k, &replace)))
		return false;
	for (size_t i = 0; i < COUNT(rule_overridable); i++) {
		const struct overridable *row = &rule_overridable[i];
		const struct yaml_node *value = yaml_find(item, row->key);
		struct diag_context at;
		if (!value || (o->append | o->replace) & row->part)
			continue;
		at = diag_at(value->mark, PLACE_OVERRIDE, row->key, context);
		return reader_invalid(r, &at,
		    "Unexpected key '%s': no corresponding entry under 'override' is "
		    "defined.",
		    row->key);
	}
	return true;
}

static bool
read_rule_append(
    struct reader *r, const struct yaml_node *item, struct rule_update *update)
{
	if (!read_condition(r, item, OPTIONAL, &update->info) ||
	    !read_exceptions(
		r, item, true, update->info.context, &update->info.exceptions))
		return false;
	if (update->info.condition.s)
		update->parts |= RULE_CONDITION;
	if (update->info.exceptions.n)
		update->parts |= RULE_EXCEPTIONS;
	return collect_rule_append(r->k, update);
}

static void
trim(struct text *t)
{
	while (t->n && isspace((unsigned char)t->s[t->n - 1]))
		t->s[--t->n] = '\0';
	size_t blank = 0;
	while (blank < t->n && isspace((unsigned char)t->s[blank]))
		blank++;
	memmove(t->s, t->s + blank, t->n - blank + 1);
	t->n -= blank;
}

static bool
read_rule_definition(
    struct reader *r, const struct yaml_node *item, struct rule_info *info)
{
	const struct diag_context *at = info->context;

	info->source = "syscall";
	info->enabled = info->warn_evttypes = true;
	if (!read_condition(r, item, REQUIRED, info) ||
	    !read_long_text(r, item, "output", REQUIRED, at, &info->output) ||
	    !read_context(
		r, item, "output", PLACE_RULE_OUTPUT, at, &info->output_context) ||
	    !read_long_text(r, item, "desc", REQUIRED, at, &info->desc) ||
	    !read_priority(r, item, at, &info->priority) ||
	    !read_text(r, item, "source", OPTIONAL, at, &info->source) ||
	    !read_bool(r, item, "enabled", OPTIONAL, at, &info->enabled) ||
	    !read_bool(r, item, "capture", OPTIONAL, at, &info->capture) ||
	    !read_u32(
		r, item, "capture_duration", OPTIONAL, at, &info->capture_duration_ms) ||
	    !read_bool(r, item, "warn_evttypes", OPTIONAL, at, &info->warn_evttypes) ||
	    !read_bool(r, item, "skip-if-unknown-filter", OPTIONAL, at,
		&info->skip_if_unknown_filter) ||
	    !read_tags(r, item, at, &info->tags) ||
	    !read_exceptions(r, item, false, at, &info->exceptions))
		return false;
	trim(&info->output);
	return collect_rule(r->k, info);
}

/* The source of an append or replace counts only when it is there and not empty. */
static bool
read_update_source(struct reader *r, const struct yaml_node *item, struct rule_info *info)
{
	const struct yaml_node *value = yaml_find(item, "source");

	if (!value || value->kind == YAML_NULL ||
	    (value->kind == YAML_SCALAR && !value->len))
		return true;
	return read_text(r, item, "source", REQUIRED, info->context, &info->source);
}

bool
read_rule(
    struct reader *r, const struct yaml_node *item, const struct diag_context *parent)
{
	struct rule_update update = {.info = {.source = ""}};
	struct rule_info *info = &update.info;
	struct overrides o;
	bool append, enabled;

	if (!read_name(
		r, item, "rule", PLACE_RULE, parent, &info->name, &info->context) ||
	    !read_overrides(r, item, rule_overridable, COUNT(rule_overridable),
		info->context, &append, &o))
		return false;
	if (append || (o.append | o.replace) & RULE_CONDITION) {
		if (!read_update_source(r, item, info))
			return false;
	}
	if (o.append | o.replace)
		return read_rule_overrides(r, item, &o, &update);
	if (append)
		return read_rule_append(r, item, &update);
	if (yaml_find(item, "condition") || yaml_find(item, "output") ||
	    yaml_find(item, "desc") || yaml_find(item, "priority"))
		return read_rule_definition(r, item, info);
	return read_bool(r, item, "enabled", REQUIRED, info->context, &enabled) &&
	       load_report(r->result, DIAG_DEPRECATED_ITEM, info->context, "%s",
		   enabled_deprecated) &&
	       collect_rule_enable(r->k, info->name, enabled, info->context);
}
