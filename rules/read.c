/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read.h"

#include <string.h>

#include "rules/lex.h"
#include "rules/read_value.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* -- requirements -- */

static bool
read_engine_version(
    struct reader *r, const struct yaml_node *item, const struct diag_context *parent)
{
	static const char key[] = "required_engine_version";
	struct diag_context at =
	    diag_at(item->mark, PLACE_REQUIRED_ENGINE_VERSION, "", parent);
	const struct yaml_node *value;
	struct version v = {0};

	if (!read_scalar(r, item, key, REQUIRED, &at, &value))
		return false;
	if (!yaml_u32(value, &v.minor) && !version_parse(value->text, &v))
		return reader_invalid(r, &at,
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
		return reader_invalid(r, &at, "%s", not_map);
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
		return reader_invalid(
		    r, &at, "Value of plugin version alternatives must be a sequence");
	all.alternative = arena_array(r->arena, more ? more->n + 1 : 1, sizeof(first));
	if (!all.alternative)
		return reader_is_full(r);
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
		return reader_invalid(
		    r, &at, "Value of required_plugin_versions must be a sequence");
	for (uint32_t i = 0; i < value->n; i++) {
		if (!read_plugin_entry(r, value->child[i], &at))
			return false;
	}
	return true;
}

/* -- lists and macros -- */

static const struct overridable list_overridable[] = {{"items", 1, true}};
static const struct overridable macro_overridable[] = {{"condition", 1, true}};

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
	       read_context(r, item, "condition", PLACE_MACRO_CONDITION, info.context,
		   &info.condition_context) &&
	       read_overrides(r, item, macro_overridable, COUNT(macro_overridable),
		   info.context, &append, &o) &&
	       collect_macro(r->k, &info, append || o.append);
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
	bool named, defines; /* defines: a mistake makes what follows look wrong */
} item_kinds[] = {
    {engine_keys, PLACE_REQUIRED_ENGINE_VERSION, read_engine_version, false, true},
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
		return reader_invalid(r, &at,
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
    struct collector *k, const struct yaml_stream *stream, struct rules_rest *ret_rest)
{
	struct reader r = {.k = k, .arena = k->c->arena, .result = k->result};
	struct diag_context file = diag_file(k->result->name);
	struct collection *original = k->c;
	bool lost = false;
	struct err err;

	*ret_rest = (struct rules_rest){0};

	for (uint32_t d = 0; d < stream->n && !r.result->is_full; d++) {
		const struct yaml_node *doc = stream->doc[d];
		if (doc->kind == YAML_NULL)
			continue;
		if (doc->kind != YAML_SEQUENCE) {
			reader_invalid(&r, &file,
			    doc->kind == YAML_MAP
				? "Rules content is not yaml array of objects"
				: "Rules content is not yaml");
			ret_rest->definitions_lost = true;
			continue;
		}
		for (uint32_t i = 0; i < doc->n && !r.result->is_full; i++) {
			if (read_item(&r, doc->child[i], &file, &lost))
				continue;
			ret_rest->definitions_lost |= lost;
			if (ret_rest->is_there)
				continue;
			ret_rest->is_there =
			    collection_copy(&ret_rest->all, original, &err);
			if (!ret_rest->is_there)
				r.result->is_full = true;
			else
				k->c = &ret_rest->all;
		}
	}
	k->c = original;
	return !r.result->failed && !r.result->is_full;
}
