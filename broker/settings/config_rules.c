/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules engine is told: files, selection, appended outputs, static fields. */
#include <string.h>

#include "base/limits.h"
#include "broker/settings/config.h"

static bool
read_rules_files(
    struct settings *s, const struct options *o, const char *file, struct err *err)
{
	const struct conf_node *files = conf_get(s->root, "rules_files");
	const struct conf_node *old = conf_get(s->root, "rules_file");

	if (files && old)
		return config_error(
		    err, file, "both 'rules_files' and 'rules_file' keys set");
	if (old && !config_notice(s, err,
		       "Using deprecated config key 'rules_file' (singular form). Please "
		       "use new 'rules_files' config key (plural form)."))
		return false;
	if (o->rules.n) {
		s->rules_from_options = true;
		s->n_rules_file = (uint32_t)o->rules.n;
		s->rules_file =
		    arena_array(&s->arena, o->rules.n, sizeof(*s->rules_file));
		if (!s->rules_file)
			return err_nomem(err);
		memcpy(
		    s->rules_file, o->rules.value, o->rules.n * sizeof(*s->rules_file));
		return true;
	}
	return config_texts(s, "rules_files", files ? files : old, file, &s->rules_file,
	    &s->n_rules_file, err);
}

static bool
read_selection(struct settings *s, const char *file, struct err *err)
{
	const struct conf_node *list = conf_get(s->root, "rules");
	size_t n = list && list->kind == CONF_SEQ ? list->n : 0;
	struct rule_selection *selection;

	selection = arena_array(&s->arena, n + 1, sizeof(*selection));
	if (!selection)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const struct conf_node *enable = conf_get(list->child[i], "enable");
		const struct conf_node *what =
		    enable ? enable : conf_get(list->child[i], "disable");
		selection[i] = (struct rule_selection){
		    .enable = enable != NULL,
		    .rule = conf_text(what, "rule", NULL),
		    .tag = conf_text(what, "tag", NULL),
		};
		if (!what)
			return config_error(err, file,
			    "rules: entry %zu has neither 'enable' nor 'disable'", i + 1);
		if (!selection[i].rule && !selection[i].tag)
			return config_error(err, file,
			    "rules: entry %zu has neither 'rule' nor 'tag'", i + 1);
	}
	s->rules.selection = selection;
	s->rules.n_selection = (uint32_t)n;
	return true;
}

static bool
read_extra_fields(struct settings *s, const struct conf_node *list, const char *file,
    struct append_output *out, struct err *err)
{
	struct append_field *field;
	uint32_t n = 0;
	size_t room = 0;

	if (!list || list->kind == CONF_NULL)
		return true;
	if (list->kind != CONF_SEQ)
		return config_error(err, file,
		    "append_output: extra_fields is no list (line %u)", list->line);
	for (size_t i = 0; i < list->n; i++)
		room += list->child[i]->kind == CONF_MAP ? list->child[i]->n : 1;
	field = arena_array(&s->arena, room + 1, sizeof(*field));
	if (!field)
		return err_nomem(err);
	for (size_t i = 0; i < list->n; i++) {
		const struct conf_node *item = list->child[i];
		if (item->kind == CONF_SCALAR)
			field[n++] = (struct append_field){.key = item->text};
		for (size_t k = 0; item->kind == CONF_MAP && k < item->n; k++) {
			if (item->child[k]->kind != CONF_SCALAR)
				return config_error(err, file,
				    "append_output: the text of extra field '%s' is no "
				    "scalar (line %u)",
				    item->key[k], item->line);
			field[n++] = (struct append_field){
			    .key = item->key[k], .format = item->child[k]->text};
		}
		if (item->kind != CONF_SCALAR && item->kind != CONF_MAP)
			return config_error(err, file,
			    "append_output: an extra field is neither text nor a map "
			    "(line %u)",
			    item->line);
	}
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (strcmp(field[i].key, field[k].key) == 0)
				return config_error(err, file,
				    "append_output: extra field '%s' is there twice",
				    field[i].key);
		}
	}
	out->extra_field = field;
	out->n_extra_field = n;
	return true;
}

static bool
notice_rule_and_tags(struct settings *s, const struct append_output *out, struct err *err)
{
	struct buf tags;

	buf_init(&tags, LIMIT_TEXT_BYTES);
	for (uint32_t i = 0; i < out->n_tag; i++)
		buf_addf(&tags, "%s%s", i ? ", " : "", out->tag[i]);
	bool ok = config_notice(s, err,
	    "An append_output entry specifies both a rule (%s) and a list of tags (%s). "
	    "This "
	    "means that output will be appended only to the %s rule and only if it has "
	    "all "
	    "the tags: %s.",
	    out->rule, buf_str(&tags), out->rule, buf_str(&tags));
	buf_release(&tags);
	return ok;
}

static bool
read_append_entry(struct settings *s, const struct conf_node *node, const char *file,
    struct append_output *out, struct err *err)
{
	const struct conf_node *match = conf_get(node, "match");
	const char **tag;

	if (node->kind != CONF_MAP)
		return config_error(
		    err, file, "append_output: an entry is no map (line %u)", node->line);
	out->source = conf_text(match, "source", NULL);
	out->rule = conf_text(match, "rule", NULL);
	out->extra_output = conf_text(node, "extra_output", NULL);
	out->suggested_output = conf_bool(node, "suggested_output", false);
	if (!config_texts(s, "append_output.match.tags", conf_get(match, "tags"), file,
		&tag, &out->n_tag, err))
		return false;
	out->tag = tag;
	if (out->rule && out->n_tag && !notice_rule_and_tags(s, out, err))
		return false;
	return read_extra_fields(s, conf_get(node, "extra_fields"), file, out, err);
}

/* Values of -p that once chose a set of fields do nothing now. */
static bool
print_appends(const char *print)
{
	static const char *const presets[] = {"c", "container", "k", "kubernetes"};

	if (!print || !*print)
		return false;
	for (size_t i = 0; i < sizeof(presets) / sizeof(*presets); i++) {
		if (strcmp(print, presets[i]) == 0)
			return false;
	}
	return true;
}

static bool
read_append_output(
    struct settings *s, const struct options *o, const char *file, struct err *err)
{
	const struct conf_node *list = conf_get(s->root, "append_output");
	/* -o append_output.x=y makes a map of it: that turns it off. */
	size_t n = list && list->kind == CONF_SEQ ? list->n : 0;
	struct append_output *out = arena_array(&s->arena, n + 1, sizeof(*out));

	if (!out)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		if (!read_append_entry(s, list->child[i], file, &out[i], err))
			return false;
	}
	if (print_appends(o->print))
		out[n++].extra_output = o->print;
	s->rules.append_output = out;
	s->rules.n_append_output = (uint32_t)n;
	return true;
}

static bool
read_static_fields(struct settings *s, const char *file, struct err *err)
{
	const struct conf_node *map = conf_get(s->root, "static_fields");
	size_t n = map && map->kind == CONF_MAP ? map->n : 0;

	s->static_key = arena_array(&s->arena, n + 1, sizeof(*s->static_key));
	s->static_value = arena_array(&s->arena, n + 1, sizeof(*s->static_value));
	if (!s->static_key || !s->static_value)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const struct conf_node *value = map->child[i];
		if (value->kind != CONF_SCALAR)
			return config_error(
			    err, file, "static_fields: '%s' is no text", map->key[i]);
		s->static_key[i] = map->key[i];
		s->static_value[i] = value->text;
	}
	s->n_static = (uint32_t)n;
	return true;
}

bool
config_read_rules(
    struct settings *s, const struct options *o, const char *file, struct err *err)
{
	return read_rules_files(s, o, file, err) && read_selection(s, file, err) &&
	       read_append_output(s, o, file, err) && read_static_fields(s, file, err);
}
