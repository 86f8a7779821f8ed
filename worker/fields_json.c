/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/fields_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "proto/plugin_api.h"
#include "worker/json_text.h"

enum {
	NUMBER_BYTES = 40
};

static bool refuse(struct err *err, const char *plugin, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static bool
refuse(struct err *err, const char *plugin, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(err, ERR_PLUGIN, "error in plugin %s: %s", plugin, text);
}

static json_t *
parse_array(const char *text)
{
	json_t *v = json_text_parse(text, strlen(text));

	if (json_is_array(v))
		return v;
	json_decref(v);
	return NULL;
}

/* The member as text in the arena, cut to max bytes; "" when it is not there. */
static char *
member_text(const json_t *entry, const char *key, size_t max, struct arena *arena)
{
	char number[NUMBER_BYTES];
	const char *s =
	    json_text_scalar(json_object_get(entry, key), number, sizeof(number));

	return s ? arena_strndup(arena, s, strnlen(s, max)) : arena_strdup(arena, "");
}

/* Fields. */

/* clang-format off */
static const struct {
	const char *name;
	enum plugin_field_type type;
} field_types[] = {
	{"string",  PLUGIN_FIELD_STRING},
	{"uint64",  PLUGIN_FIELD_UINT64},
	{"reltime", PLUGIN_FIELD_RELTIME},
	{"abstime", PLUGIN_FIELD_ABSTIME},
	{"bool",    PLUGIN_FIELD_BOOL},
	{"ipaddr",  PLUGIN_FIELD_IPADDR},
	{"ipnet",   PLUGIN_FIELD_IPNET},
};
/* clang-format on */

static bool
parse_type(Control__Field *f, const char *type)
{
	for (size_t i = 0; i < sizeof(field_types) / sizeof(*field_types); i++) {
		if (strcmp(field_types[i].name, type) == 0) {
			f->has_type = true;
			f->type = field_types[i].type;
			return true;
		}
	}
	return false;
}

/* Absent and null are false. */
static bool
parse_flag(const json_t *entry, const char *key, protobuf_c_boolean *ret_flag)
{
	const json_t *v = json_object_get(entry, key);

	if (v && !json_is_null(v) && !json_is_boolean(v))
		return false;
	*ret_flag = json_is_true(v);
	return true;
}

static bool
parse_arg(const json_t *arg, Control__Field *f, const char *plugin, struct err *err)
{
	const struct {
		const char *key;
		protobuf_c_boolean *flag;
	} flags[] = {
	    {"isRequired", &f->arg_required},
	    {"isIndex", &f->arg_index},
	    {"isKey", &f->arg_key},
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		if (!parse_flag(arg, flags[i].key, flags[i].flag))
			return refuse(err, plugin, "field %s %s property is not boolean",
			    f->name, flags[i].key);
	}
	if (f->arg_required && !f->arg_index && !f->arg_key)
		return refuse(err, plugin,
		    "field %s arg has isRequired true, but none of isKey nor isIndex is "
		    "true",
		    f->name);
	return true;
}

static bool
parse_properties(
    const json_t *list, Control__Field *f, const char *plugin, struct err *err)
{
	size_t i;
	json_t *v;

	if (!list || json_is_null(list))
		return true;
	/* The blanks at the ends of these and of "not boolean " are Falco's. */
	if (!json_is_array(list))
		return refuse(
		    err, plugin, "field %s properties property is not array ", f->name);
	json_array_foreach(list, i, v)
	{
		if (!json_is_string(v))
			return refuse(err, plugin,
			    "field %s properties value is not string ", f->name);
		if (strcmp(json_string_value(v), "hidden") == 0)
			f->hidden = true;
	}
	return true;
}

static bool
parse_field(const json_t *entry, Control__Field *f, const char *plugin,
    struct arena *arena, struct err *err)
{
	char *type = member_text(entry, "type", LIMIT_NAME_BYTES, arena);

	f->name = member_text(entry, "name", LIMIT_NAME_BYTES, arena);
	f->desc = member_text(entry, "desc", LIMIT_TEXT_BYTES, arena);
	f->display = member_text(entry, "display", LIMIT_TEXT_BYTES, arena);
	if (!type || !f->name || !f->desc || !f->display)
		return err_nomem(err);
	if (!*type)
		return refuse(err, plugin, "field JSON entry has no type");
	if (!*f->name)
		return refuse(err, plugin, "field JSON entry has no name");
	if (!*f->desc)
		return refuse(err, plugin, "field JSON entry has no desc");
	if (!parse_type(f, type))
		return refuse(err, plugin, "invalid field type %s", type);
	if (!parse_flag(entry, "isList", &f->is_list))
		return refuse(
		    err, plugin, "field %s isList property is not boolean ", f->name);
	if (!parse_flag(entry, "addOutput", &f->add_output))
		return refuse(
		    err, plugin, "field %s addOutput property is not boolean ", f->name);
	if (!parse_arg(json_object_get(entry, "arg"), f, plugin, err) ||
	    !parse_properties(json_object_get(entry, "properties"), f, plugin, err))
		return false;
	f->has_is_list = f->has_add_output = f->has_arg_required = true;
	f->has_arg_index = f->has_arg_key = f->has_hidden = true;
	return true;
}

static bool
parse_fields(const json_t *root, const char *plugin, struct arena *arena,
    Control__Field ***ret_field, size_t *ret_n, struct err *err)
{
	size_t n = json_array_size(root);

	if (n == 0)
		return refuse(err, plugin,
		    "plugins with extraction capability must export at least one field");
	if (n > LIMIT_PLUGIN_FIELDS)
		return refuse(err, plugin, "get_fields returned more than %u fields",
		    LIMIT_PLUGIN_FIELDS);
	Control__Field **field = arena_array(arena, n, sizeof(*field));
	Control__Field *each = arena_array(arena, n, sizeof(*each));
	if (!field || !each)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		field[i] = &each[i];
		control__field__init(field[i]);
		if (!parse_field(json_array_get(root, i), field[i], plugin, arena, err))
			return false;
	}
	*ret_field = field;
	*ret_n = n;
	return true;
}

bool
fields_json_parse(const char *text, const char *plugin, struct arena *arena,
    Control__Field ***ret_field, size_t *ret_n, struct err *err)
{
	if (!text)
		return refuse(err, plugin, "get_fields returned a null string");
	json_t *root = parse_array(text);
	if (!root)
		return refuse(err, plugin, "get_fields returned an invalid JSON");
	bool ok = parse_fields(root, plugin, arena, ret_field, ret_n, err);
	json_decref(root);
	return ok;
}

/* Lists of names. */

bool
name_list_has(const struct name_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->name[i], name) == 0)
			return true;
	}
	return false;
}

bool
name_list_add(struct name_list *l, struct arena *arena, const char *name, struct err *err)
{
	if (name_list_has(l, name))
		return true;
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 8;
		char **grown = arena_array(arena, cap, sizeof(*grown));
		if (!grown)
			return err_nomem(err);
		if (l->n)
			memcpy(grown, l->name, l->n * sizeof(*grown));
		l->name = grown;
		l->cap = cap;
	}
	char *copy = arena_strndup(arena, name, strnlen(name, LIMIT_NAME_BYTES));
	if (!copy)
		return err_nomem(err);
	l->name[l->n++] = copy;
	return true;
}

static bool
fill_list(const json_t *root, struct name_list *l, const char *plugin, const char *symbol,
    struct arena *arena, struct err *err)
{
	size_t i;
	json_t *v;

	json_array_foreach(root, i, v)
	{
		char number[NUMBER_BYTES];
		const char *s = json_text_scalar(v, number, sizeof(number));
		if (!s)
			return refuse(
			    err, plugin, "'%s' did not return a json array", symbol);
		if (l->n == LIMIT_PLUGIN_NAMES)
			return refuse(err, plugin, "'%s' returned more than %u names",
			    symbol, LIMIT_PLUGIN_NAMES);
		if (*s && !name_list_add(l, arena, s, err))
			return false;
	}
	return true;
}

bool
name_list_parse(const char *text, const char *plugin, const char *symbol, bool required,
    struct arena *arena, struct name_list *ret_list, struct err *err)
{
	struct name_list l = {0};

	if (!text || !*text) {
		if (required)
			return refuse(err, plugin,
			    "'%s' did not return a json array but it should", symbol);
		*ret_list = l;
		return true;
	}
	json_t *root = parse_array(text);
	if (!root)
		return refuse(err, plugin, "'%s' did not return a json array", symbol);
	bool ok = fill_list(root, &l, plugin, symbol, arena, err);
	json_decref(root);
	if (ok)
		*ret_list = l;
	return ok;
}

/* Open parameters. */

static bool
fill_params(const json_t *root, const char *plugin, struct arena *arena,
    Control__OpenParam **param, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *entry = json_array_get(root, i);
		Control__OpenParam *p = arena_alloc(arena, sizeof(*p));
		if (!p)
			return err_nomem(err);
		control__open_param__init(p);
		p->value = member_text(entry, "value", LIMIT_TEXT_BYTES, arena);
		p->desc = member_text(entry, "desc", LIMIT_TEXT_BYTES, arena);
		p->separator = member_text(entry, "separator", LIMIT_NAME_BYTES, arena);
		if (!p->value || !p->desc || !p->separator)
			return err_nomem(err);
		if (!*p->value)
			return refuse(
			    err, plugin, "list_open_params has entry with no value");
		param[i] = p;
	}
	return true;
}

bool
open_params_parse(const char *text, const char *plugin, struct arena *arena,
    Control__OpenParam ***ret_param, size_t *ret_n, struct err *err)
{
	*ret_n = 0;
	*ret_param = NULL;
	if (!text || !*text)
		return true;
	json_t *root = parse_array(text);
	if (!root)
		return refuse(err, plugin, "list_open_params returned a non-array JSON");
	size_t n = json_array_size(root);
	Control__OpenParam **param = n ? arena_array(arena, n, sizeof(*param)) : NULL;
	bool ok = n == 0 || param || err_nomem(err);
	ok = ok && fill_params(root, plugin, arena, param, n, err);
	json_decref(root);
	if (ok) {
		*ret_param = param;
		*ret_n = n;
	}
	return ok;
}
