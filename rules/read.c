/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Longer than files here are: one function a kind of item, and the scalar decoding that
 * all share; the overridable properties of rules are one table.
 */
#include "rules/read.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "rules/lex.h"

static const char append_deprecated[] =
    "'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under "
    "'override' instead.";
static const char append_and_override[] =
    "Keys 'override' and 'append: true' cannot be used together. Add an 'append' entry "
    "(e.g. 'condition: append') under 'override' instead.";
static const char enabled_deprecated[] =
    "The standalone 'enabled' key usage is deprecated. The correct approach requires "
    "also a 'replace' entry under the 'override' key (i.e. 'enabled: replace').";

struct reader {
	struct collector *k;
	struct arena *arena;
	struct load_result *result;
};

#define invalid(r, context, ...)                                                         \
	load_report((r)->result, DIAG_ERR_YAML_VALIDATE, context, __VA_ARGS__)

static bool
out_of_memory(struct reader *r)
{
	r->result->is_full = true;
	return false;
}

/* -- scalars (engine.md 2.2) -- */

enum presence {
	REQUIRED,
	OPTIONAL
};

/* *ret_node: the scalar under key; NULL when it is absent and need not be there. */
static bool
scalar(struct reader *r, const struct yaml_node *map, const char *key,
    enum presence presence, const struct diag_context *context,
    const struct yaml_node **ret_node)
{
	const struct yaml_node *value = yaml_find(map, key);
	struct diag_context at;

	if (!value && presence == OPTIONAL) {
		*ret_node = NULL;
		return true;
	}
	if (!value)
		return invalid(r, context, "Item has no mapping for key '%s'", key);
	if (value->kind == YAML_NULL)
		return invalid(r, context, "Mapping for key '%s' is empty", key);
	at = diag_at(value->mark, PLACE_VALUE_FOR, key, context);
	if (value->kind != YAML_SCALAR)
		return invalid(r, &at, "Value is not a scalar value");
	if (value->len == 0)
		return invalid(r, &at, "Value must be non-empty");
	*ret_node = value;
	return true;
}

static bool
undecodable(struct reader *r, const struct yaml_node *value, const char *key,
    const struct diag_context *context)
{
	struct diag_context at = diag_at(value->mark, PLACE_VALUE_FOR, key, context);

	return invalid(r, &at, "Can't decode YAML scalar value");
}

/* The readers below leave *ret alone when an optional key is absent. */
static bool
read_text(struct reader *r, const struct yaml_node *map, const char *key,
    enum presence presence, const struct diag_context *context, const char **ret)
{
	const struct yaml_node *value;

	if (!scalar(r, map, key, presence, context, &value))
		return false;
	if (value)
		*ret = value->text;
	return true;
}

static bool
read_bool(struct reader *r, const struct yaml_node *map, const char *key,
    enum presence presence, const struct diag_context *context, bool *ret)
{
	const struct yaml_node *value;

	if (!scalar(r, map, key, presence, context, &value))
		return false;
	return !value || yaml_bool(value, ret) || undecodable(r, value, key, context);
}

static bool
read_u32(struct reader *r, const struct yaml_node *map, const char *key,
    enum presence presence, const struct diag_context *context, uint32_t *ret)
{
	const struct yaml_node *value;

	if (!scalar(r, map, key, presence, context, &value))
		return false;
	return !value || yaml_u32(value, ret) || undecodable(r, value, key, context);
}

static bool
read_long_text(struct reader *r, const struct yaml_node *map, const char *key,
    enum presence presence, const struct diag_context *context, struct text *ret)
{
	const struct yaml_node *value;
	struct text t = {0};

	if (!scalar(r, map, key, presence, context, &value))
		return false;
	if (!value)
		return true;
	if (!text_add(r->arena, &t, value->text, value->len)) {
		struct diag_context at =
		    diag_at(value->mark, PLACE_VALUE_FOR, key, context);
		return invalid(
		    r, &at, "Value has more than %u bytes", LIMIT_CONDITION_BYTES);
	}
	*ret = t;
	return true;
}

static bool
read_sequence(struct reader *r, const struct yaml_node *map, const char *key,
    enum presence presence, const struct diag_context *context, struct text_list *ret)
{
	const struct yaml_node *value = yaml_find(map, key);
	struct text_list list = {0};
	struct diag_context at;

	if (!value && presence == OPTIONAL)
		return true;
	if (!value)
		return invalid(r, context, "Item has no mapping for key '%s'", key);
	at = diag_at(value->mark, PLACE_VALUE_FOR, key, context);
	if (value->kind != YAML_SEQUENCE)
		return invalid(r, &at, "Value is not a sequence");
	for (uint32_t i = 0; i < value->n; i++) {
		const struct yaml_node *item = value->child[i];
		struct diag_context item_at =
		    diag_at(item->mark, PLACE_LIST_ITEM, "", &at);
		if (item->kind != YAML_SCALAR)
			return invalid(r, &item_at, "sequence value is not scalar");
		if (!text_list_add(r->arena, &list, item->text))
			return out_of_memory(r);
	}
	*ret = list;
	return true;
}

/* -- what an item is about -- */

/* The name under the key that makes the item what it is, and the item's kept context. */
static bool
read_name(struct reader *r, const struct yaml_node *item, const char *key,
    enum diag_place place, const struct diag_context *parent, const char **ret_name,
    const struct diag_context **ret_context)
{
	struct diag_context unnamed = diag_at(item->mark, place, "", parent), named;

	if (!read_text(r, item, key, REQUIRED, &unnamed, ret_name))
		return false;
	named = diag_at(item->mark, place, *ret_name, parent);
	*ret_context = diag_keep(r->arena, &named);
	return *ret_context || out_of_memory(r);
}

/* The kept context of a value that is there. */
static bool
value_context(struct reader *r, const struct yaml_node *item, const char *key,
    enum diag_place place, const struct diag_context *context,
    const struct diag_context **ret_context)
{
	struct diag_context at = diag_at(yaml_find(item, key)->mark, place, "", context);

	*ret_context = diag_keep(r->arena, &at);
	return *ret_context || out_of_memory(r);
}

/* -- overrides -- */

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

struct overridable {
	const char *key;
	uint32_t part;
	bool append;
};

static const struct overridable rule_overridable[] = {
#define OVERRIDE_ROW(key, part, append) {key, part, append},
    RULE_OVERRIDES(OVERRIDE_ROW)
#undef OVERRIDE_ROW
};
static const struct overridable list_overridable[] = {{"items", 1, true}};
static const struct overridable macro_overridable[] = {{"condition", 1, true}};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct overrides {
	uint32_t append, replace; /* parts */
};

/* One "key: operation" of the override map. */
static bool
read_override(struct reader *r, const struct overridable *table, size_t n,
    const struct yaml_node *key, const struct yaml_node *op,
    const struct diag_context *context, struct overrides *o)
{
	const char *name =
	    key->kind == YAML_SCALAR || key->kind == YAML_NULL ? key->text : "";
	const char *word =
	    op->kind == YAML_SCALAR || op->kind == YAML_NULL ? op->text : "";
	const struct overridable *row = NULL;
	struct diag_context at = diag_at(key->mark, PLACE_OVERRIDE, name, context);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(table[i].key, name) == 0)
			row = &table[i];
	}
	if (strcmp(word, "append") == 0) {
		if (!row || !row->append)
			return invalid(r, &at,
			    "Key '%s' cannot be appended to, use 'replace' instead",
			    name);
		o->append |= row->part;
		return true;
	}
	if (strcmp(word, "replace") == 0) {
		if (!row)
			return invalid(r, &at, "Key '%s' cannot be replaced", name);
		o->replace |= row->part;
		return true;
	}
	at = diag_at(op->mark, PLACE_VALUE_FOR, name, context);
	return invalid(r, &at,
	    "Invalid override operation for key '%s': '%s'. Allowed values are: %s%s",
	    name, word, row && row->append ? "append " : "", row ? "replace " : "");
}

/* Both ways to say that an item changes an earlier one, and that they are not mixed. */
static bool
read_overrides(struct reader *r, const struct yaml_node *item,
    const struct overridable *table, size_t n, const struct diag_context *context,
    bool *ret_append_flag, struct overrides *ret)
{
	const struct yaml_node *map = yaml_find(item, "override");
	struct diag_context at = diag_at(item->mark, PLACE_OVERRIDE, "", context);
	struct overrides o = {0};
	bool append = false;

	if (!read_bool(r, item, "append", OPTIONAL, context, &append))
		return false;
	if (append && !load_report(r->result, DIAG_DEPRECATED_ITEM, context, "%s",
			  append_deprecated))
		return false;
	if (map && map->kind == YAML_SEQUENCE && map->n)
		return invalid(r, &at, "Value of override must be a mapping");
	for (uint32_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++) {
		if (!read_override(
			r, table, n, map->child[2 * i], map->child[2 * i + 1], &at, &o))
			return false;
	}
	if (append && (o.append || o.replace))
		return invalid(r, context, "%s", append_and_override);
	*ret_append_flag = append;
	*ret = o;
	return true;
}

/* -- requirements (engine.md 2.3, 2.4) -- */

static bool
read_engine_version(
    struct reader *r, const struct yaml_node *item, const struct diag_context *parent)
{
	static const char key[] = "required_engine_version";
	struct diag_context at =
	    diag_at(item->mark, PLACE_REQUIRED_ENGINE_VERSION, "", parent);
	const struct yaml_node *value;
	struct version v = {0};

	if (!scalar(r, item, key, REQUIRED, &at, &value))
		return false;
	if (!yaml_u32(value, &v.minor) && !version_parse(value->text, &v))
		return invalid(r, &at,
		    "Unable to parse engine version '%s' as a semver string. Expected "
		    "\"x.y.z\" semver format.",
		    value->text);
	return collect_engine_version(r->k, v, &at);
}

static bool
read_requirement(struct reader *r, const struct yaml_node *entry, enum diag_place place,
    const char *not_map, const struct diag_context *parent,
    struct plugin_requirement *ret, struct diag_context *ret_context)
{
	struct diag_context at = diag_at(entry->mark, place, "", parent);

	if (entry->kind != YAML_MAP)
		return invalid(r, &at, "%s", not_map);
	if (!read_text(r, entry, "name", REQUIRED, &at, &ret->name))
		return false;
	*ret_context = diag_at(entry->mark, place, ret->name, parent);
	return read_text(r, entry, "version", REQUIRED, ret_context, &ret->version);
}

static bool
read_plugin_entry(
    struct reader *r, const struct yaml_node *entry, const struct diag_context *parent)
{
	const struct yaml_node *more;
	struct plugin_requirements all = {.n = 1};
	struct plugin_requirement first;
	struct diag_context at, ignored;

	if (!read_requirement(r, entry, PLACE_REQUIRED_PLUGIN_ENTRY,
		"Plugin version must be a mapping", parent, &first, &at))
		return false;
	more = yaml_find(entry, "alternatives");
	if (more && more->kind != YAML_SEQUENCE)
		return invalid(
		    r, &at, "Value of plugin version alternatives must be a sequence");
	all.alternative = arena_array(r->arena, more ? more->n + 1 : 1, sizeof(first));
	if (!all.alternative)
		return out_of_memory(r);
	all.alternative[0] = first;
	for (uint32_t i = 0; more && i < more->n; i++) {
		if (!read_requirement(r, more->child[i],
			PLACE_REQUIRED_PLUGIN_ALTERNATIVE,
			"Plugin version alternative must be a mapping", &at,
			&all.alternative[all.n++], &ignored))
			return false;
	}
	return collect_requirement(r->k, &all, &at);
}

static bool
read_plugin_versions(
    struct reader *r, const struct yaml_node *item, const struct diag_context *parent)
{
	const struct yaml_node *value = yaml_find(item, "required_plugin_versions");
	struct diag_context at =
	    diag_at(value->mark, PLACE_REQUIRED_PLUGIN_VERSIONS, "", parent);

	if (value->kind != YAML_SEQUENCE)
		return invalid(
		    r, &at, "Value of required_plugin_versions must be a sequence");
	for (uint32_t i = 0; i < value->n; i++) {
		if (!read_plugin_entry(r, value->child[i], &at))
			return false;
	}
	return true;
}

/* -- lists and macros (engine.md 2.5) -- */

static bool
read_list(
    struct reader *r, const struct yaml_node *item, const struct diag_context *parent)
{
	struct list_info info = {0};
	struct overrides o;
	bool append;

	if (!read_name(r, item, "list", PLACE_LIST, parent, &info.name, &info.context))
		return false;
	if (!lex_is_bare_str(info.name, strlen(info.name)) &&
	    !load_report(r->result, DIAG_INVALID_LIST_NAME, info.context,
		"List has an invalid name. List names should match a regular expression: "
		"([^()\"'[:space:]=,]+)"))
		return false;
	return read_sequence(r, item, "items", REQUIRED, info.context, &info.items) &&
	       read_overrides(r, item, list_overridable, COUNT(list_overridable),
		   info.context, &append, &o) &&
	       collect_list(r->k, &info, append || o.append);
}

static bool
read_macro(
    struct reader *r, const struct yaml_node *item, const struct diag_context *parent)
{
	struct macro_info info = {0};
	struct overrides o;
	bool append;

	if (!read_name(r, item, "macro", PLACE_MACRO, parent, &info.name, &info.context))
		return false;
	if (!lex_is_identifier(info.name, strlen(info.name)) &&
	    !load_report(r->result, DIAG_INVALID_MACRO_NAME, info.context,
		"Macro has an invalid name. Macro names should match a regular "
		"expression: ([a-zA-Z]+[a-zA-Z0-9_]*)"))
		return false;
	return read_long_text(
		   r, item, "condition", REQUIRED, info.context, &info.condition) &&
	       value_context(r, item, "condition", PLACE_MACRO_CONDITION, info.context,
		   &info.condition_context) &&
	       read_overrides(r, item, macro_overridable, COUNT(macro_overridable),
		   info.context, &append, &o) &&
	       collect_macro(r->k, &info, append || o.append);
}

/* -- exceptions (engine.md 2.7) -- */

/* A text, a list or a list of lists; recursion is as deep as YAML is. */
static bool
read_entry(struct reader *r, const struct yaml_node *value, const char *key,
    const struct diag_context *context, struct exception_entry *ret)
{
	struct diag_context at;

	*ret = (struct exception_entry){.text = ""};
	if (value->kind == YAML_NULL)
		return invalid(r, context, "Mapping for key '%s' is empty", key);
	at = diag_at(value->mark, PLACE_VALUE_FOR, key, context);
	if (value->kind == YAML_SCALAR) {
		ret->text = value->text;
		return value->len || invalid(r, &at, "Value must be non-empty");
	}
	if (value->kind != YAML_SEQUENCE)
		return true;
	ret->is_list = true;
	ret->item = arena_array(r->arena, value->n ? value->n : 1, sizeof(*ret->item));
	if (!ret->item)
		return out_of_memory(r);
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
		return invalid(r, &at, "Rule exception values must be a sequence");
	e->value = arena_array(r->arena, values->n ? values->n : 1, sizeof(*e->value));
	if (!e->value)
		return out_of_memory(r);
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
		return invalid(r, &at, "Rule exception must be a mapping");
	if (!read_text(r, node, "name", REQUIRED, &at, &e.name))
		return false;
	at = diag_at(node->mark, PLACE_EXCEPTION, e.name, rule);
	e.context = diag_keep(r->arena, &at);
	if (!e.context)
		return out_of_memory(r);
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
		return invalid(r, e.context, "Item has no mapping for key 'fields'");
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
		return invalid(r, &at, "Rule exceptions must be a sequence");
	if (node->n > LIMIT_EXCEPTIONS)
		return invalid(
		    r, &at, "Rule has more than %u exceptions", LIMIT_EXCEPTIONS);
	list.item = arena_array(r->arena, node->n ? node->n : 1, sizeof(*list.item));
	if (!list.item)
		return out_of_memory(r);
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

/* -- rules (engine.md 2.6) -- */

static bool
read_priority(struct reader *r, const struct yaml_node *item,
    const struct diag_context *context, enum priority *ret)
{
	struct diag_context at;
	const char *word = "";

	if (!read_text(r, item, "priority", REQUIRED, context, &word))
		return false;
	at = diag_at(yaml_find(item, "priority")->mark, PLACE_RULE_PRIORITY, "", context);
	return priority_parse(word, ret) || invalid(r, &at, "Invalid priority");
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
	       value_context(r, item, "condition", PLACE_RULE_CONDITION, info->context,
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
			return invalid(r, context,
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
		return invalid(r, &at,
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
	    !value_context(
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

static bool
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

/* -- items -- */

static const char *const engine_keys[] = {"required_engine_version", NULL};
static const char *const plugin_keys[] = {"required_plugin_versions", NULL};
static const char *const list_keys[] = {"list", "items", "append", "override", NULL};
static const char *const macro_keys[] = {
    "macro", "condition", "append", "override", NULL};
static const char *const rule_keys[] = {"rule", "condition", "output", "desc", "priority",
    "source", "enabled", "capture", "capture_duration", "warn_evttypes",
    "skip-if-unknown-filter", "tags", "exceptions", "override", "append", NULL};

/* The first key that an item has decides, in this order. */
static const struct item_kind {
	const char *const *keys; /* all that it may have; the first is its own */
	enum diag_place place;
	bool (*read)(struct reader *r, const struct yaml_node *item,
	    const struct diag_context *parent);
	bool named, defines;
} item_kinds[] = {
    {engine_keys, PLACE_REQUIRED_ENGINE_VERSION, read_engine_version, false, false},
    {plugin_keys, PLACE_REQUIRED_PLUGIN_VERSIONS, read_plugin_versions, false, false},
    {list_keys, PLACE_LIST, read_list, true, true},
    {macro_keys, PLACE_MACRO, read_macro, true, true},
    {rule_keys, PLACE_RULE, read_rule, true, false},
};

static bool
warn_unknown_keys(struct reader *r, const struct yaml_node *item,
    const struct item_kind *kind, const struct diag_context *parent)
{
	const struct yaml_node *own = yaml_find(item, kind->keys[0]);
	struct diag_context at =
	    diag_at(item->mark, kind->place, kind->named ? own->text : "", parent);

	for (uint32_t i = 0; i < item->n; i++) {
		const struct yaml_node *key = item->child[2 * i];
		const char *text =
		    key->kind == YAML_SCALAR || key->kind == YAML_NULL ? key->text : "";
		const char *const *known = kind->keys;
		while (*known && strcmp(*known, text) != 0)
			known++;
		if (!*known && !load_report(r->result, DIAG_UNKNOWN_KEY, &at,
				   "Unknown key '%s'. The key will be ignored.", text))
			return false;
	}
	return true;
}

static bool
read_item(struct reader *r, const struct yaml_node *item,
    const struct diag_context *parent, bool *lost)
{
	struct diag_context at =
	    diag_at(item->mark, PLACE_RULES_CONTENT_ITEM, "", parent);

	if (item->kind == YAML_NULL)
		return true;
	*lost = true;
	if (item->kind != YAML_MAP)
		return invalid(r, &at,
		    "Unexpected element type. Each element should be a yaml associative "
		    "array.");
	for (size_t i = 0; i < COUNT(item_kinds); i++) {
		const struct item_kind *kind = &item_kinds[i];
		if (!yaml_find(item, kind->keys[0]))
			continue;
		*lost = kind->defines;
		return kind->read(r, item, parent) &&
		       warn_unknown_keys(r, item, kind, parent);
	}
	return load_report(r->result, DIAG_UNKNOWN_ITEM, &at, "Unknown top level item");
}

bool
rules_read(
    struct collector *k, const struct yaml_stream *stream, bool *ret_definitions_lost)
{
	struct reader r = {.k = k, .arena = k->c->arena, .result = k->result};
	struct diag_context file = diag_file(k->result->name);
	struct collection *original = k->c, copy;
	bool lost = false, all_lost = false;
	struct err err;

	for (uint32_t d = 0; d < stream->n && !r.result->is_full; d++) {
		const struct yaml_node *doc = stream->doc[d];
		if (doc->kind == YAML_NULL)
			continue;
		if (doc->kind != YAML_SEQUENCE) {
			invalid(&r, &file,
			    doc->kind == YAML_MAP
				? "Rules content is not yaml array of objects"
				: "Rules content is not yaml");
			all_lost = true;
			continue;
		}
		for (uint32_t i = 0; i < doc->n && !r.result->is_full; i++) {
			if (read_item(&r, doc->child[i], &file, &lost))
				continue;
			all_lost |= lost;
			if (k->c == original) {
				if (!collection_copy(&copy, original, &err))
					r.result->is_full = true;
				else
					k->c = &copy;
			}
		}
	}
	if (k->c == &copy)
		collection_release(&copy);
	k->c = original;
	*ret_definitions_lost = all_lost;
	return !r.result->failed && !r.result->is_full;
}
