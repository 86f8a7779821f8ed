/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read_value.h"

#include <string.h>

#include "base/limits.h"

static const char append_deprecated[] =
    "'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under "
    "'override' instead.";
static const char append_and_override[] =
    "Keys 'override' and 'append: true' cannot be used together. Add an 'append' entry "
    "(e.g. 'condition: append') under 'override' instead.";

bool
reader_is_full(struct reader *r)
{
	r->result->is_full = true;
	return false;
}

/* *ret_node: the scalar under key; NULL when it is absent and need not be there. */
bool
read_scalar(struct reader *r, const struct yaml_node *map, const char *key,
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
		return reader_invalid(
		    r, context, "Item has no mapping for key '%s'", key);
	if (value->kind == YAML_NULL)
		return reader_invalid(r, context, "Mapping for key '%s' is empty", key);
	at = diag_at(value->mark, PLACE_VALUE_FOR, key, context);
	if (value->kind != YAML_SCALAR)
		return reader_invalid(r, &at, "Value is not a scalar value");
	if (value->len == 0)
		return reader_invalid(r, &at, "Value must be non-empty");
	*ret_node = value;
	return true;
}

static bool
undecodable(struct reader *r, const struct yaml_node *value, const char *key,
    const struct diag_context *context)
{
	struct diag_context at = diag_at(value->mark, PLACE_VALUE_FOR, key, context);

	return reader_invalid(r, &at, "Can't decode YAML scalar value");
}

/* The readers below leave *ret alone when an optional key is absent. */
bool
read_text(struct reader *r, const struct yaml_node *map, const char *key,
    enum presence presence, const struct diag_context *context, const char **ret)
{
	const struct yaml_node *value;

	if (!read_scalar(r, map, key, presence, context, &value))
		return false;
	if (value)
		*ret = value->text;
	return true;
}

bool
read_bool(struct reader *r, const struct yaml_node *map, const char *key,
    enum presence presence, const struct diag_context *context, bool *ret)
{
	const struct yaml_node *value;

	if (!read_scalar(r, map, key, presence, context, &value))
		return false;
	return !value || yaml_bool(value, ret) || undecodable(r, value, key, context);
}

bool
read_u32(struct reader *r, const struct yaml_node *map, const char *key,
    enum presence presence, const struct diag_context *context, uint32_t *ret)
{
	const struct yaml_node *value;

	if (!read_scalar(r, map, key, presence, context, &value))
		return false;
	return !value || yaml_u32(value, ret) || undecodable(r, value, key, context);
}

bool
read_long_text(struct reader *r, const struct yaml_node *map, const char *key,
    enum presence presence, const struct diag_context *context, struct text *ret)
{
	const struct yaml_node *value;
	struct text t = {0};

	if (!read_scalar(r, map, key, presence, context, &value))
		return false;
	if (!value)
		return true;
	if (!text_add(r->arena, &t, value->text, value->len)) {
		struct diag_context at =
		    diag_at(value->mark, PLACE_VALUE_FOR, key, context);
		return reader_invalid(
		    r, &at, "Value has more than %u bytes", LIMIT_CONDITION_BYTES);
	}
	*ret = t;
	return true;
}

bool
read_sequence(struct reader *r, const struct yaml_node *map, const char *key,
    enum presence presence, const struct diag_context *context, struct text_list *ret)
{
	const struct yaml_node *value = yaml_find(map, key);
	struct text_list list = {0};
	struct diag_context at;

	if (!value && presence == OPTIONAL)
		return true;
	if (!value)
		return reader_invalid(
		    r, context, "Item has no mapping for key '%s'", key);
	at = diag_at(value->mark, PLACE_VALUE_FOR, key, context);
	if (value->kind != YAML_SEQUENCE)
		return reader_invalid(r, &at, "Value is not a sequence");
	for (uint32_t i = 0; i < value->n; i++) {
		const struct yaml_node *item = value->child[i];
		struct diag_context item_at =
		    diag_at(item->mark, PLACE_LIST_ITEM, "", &at);
		if (item->kind != YAML_SCALAR)
			return reader_invalid(
			    r, &item_at, "sequence value is not scalar");
		if (!text_list_add(r->arena, &list, item->text))
			return reader_is_full(r);
	}
	*ret = list;
	return true;
}

/* -- what an item is about -- */

/* The name under the key that makes the item what it is, and the item's kept context. */
bool
read_name(struct reader *r, const struct yaml_node *item, const char *key,
    enum diag_place place, const struct diag_context *parent, const char **ret_name,
    const struct diag_context **ret_context)
{
	struct diag_context unnamed = diag_at(item->mark, place, "", parent), named;

	if (!read_text(r, item, key, REQUIRED, &unnamed, ret_name))
		return false;
	named = diag_at(item->mark, place, *ret_name, parent);
	*ret_context = diag_keep(r->arena, &named);
	return *ret_context || reader_is_full(r);
}

/* The kept context of a value that is there. */
bool
read_context(struct reader *r, const struct yaml_node *item, const char *key,
    enum diag_place place, const struct diag_context *context,
    const struct diag_context **ret_context)
{
	struct diag_context at = diag_at(yaml_find(item, key)->mark, place, "", context);

	*ret_context = diag_keep(r->arena, &at);
	return *ret_context || reader_is_full(r);
}

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
			return reader_invalid(r, &at,
			    "Key '%s' cannot be appended to, use 'replace' instead",
			    name);
		o->append |= row->part;
		return true;
	}
	if (strcmp(word, "replace") == 0) {
		if (!row)
			return reader_invalid(
			    r, &at, "Key '%s' cannot be replaced", name);
		o->replace |= row->part;
		return true;
	}
	at = diag_at(op->mark, PLACE_VALUE_FOR, name, context);
	return reader_invalid(r, &at,
	    "Invalid override operation for key '%s': '%s'. Allowed values are: %s%s",
	    name, word, row && row->append ? "append " : "", row ? "replace " : "");
}

/* Both ways to say that an item changes an earlier one, and that they are not mixed. */
bool
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
		return reader_invalid(r, &at, "Value of override must be a mapping");
	for (uint32_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++) {
		if (!read_override(
			r, table, n, map->child[2 * i], map->child[2 * i + 1], &at, &o))
			return false;
	}
	if (append && (o.append || o.replace))
		return reader_invalid(r, context, "%s", append_and_override);
	*ret_append_flag = append;
	*ret = o;
	return true;
}
