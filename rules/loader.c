/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/loader.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rules/read.h"
#include "rules/schema.h"

/* Nodes are let go of when they are read, texts are not. */
struct rules_text {
	struct rules_text *next;
	const char *content;
	size_t len;
	struct arena nodes, texts;
	bool is_yaml;
	struct yaml_stream stream;
	struct yaml_mark mark; /* of the mistake, when it is none */
	struct err err;
	const char **schema;
	uint32_t n_schema;
	bool is_full;
};

struct rules_text *
rules_text_new(const char *content, size_t len)
{
	struct rules_text *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->content = content;
	t->len = len;
	arena_init(&t->nodes, LIMIT_RULES_MEMORY);
	arena_init(&t->texts, LIMIT_RULES_MEMORY);
	t->is_yaml = yaml_load_apart(
	    &t->nodes, &t->texts, content, len, &t->stream, &t->mark, &t->err);
	if (t->is_yaml)
		t->is_full =
		    !schema_check(&t->texts, &t->stream, &t->schema, &t->n_schema);
	return t;
}

void
rules_text_free(struct rules_text *t)
{
	if (!t)
		return;
	arena_release(&t->nodes);
	arena_release(&t->texts);
	free(t);
}

struct loader *
loader_new(const struct field_catalog *catalog, const struct rules_config *config,
    struct err *err)
{
	struct loader *l = calloc(1, sizeof(*l));

	if (!l) {
		err_nomem(err);
		return NULL;
	}
	l->catalog = catalog;
	l->config = config;
	arena_init(&l->arena, LIMIT_RULES_MEMORY);
	arena_init(&l->compiled_arena, LIMIT_RULES_MEMORY);
	arena_init(&l->tree_arena, LIMIT_RULES_MEMORY);
	collection_init(&l->collection, &l->arena);
	return l;
}

void
loader_free(struct loader *l)
{
	if (!l)
		return;
	loader_drop_compiled(l);
	collection_release(&l->collection);
	arena_release(&l->compiled_arena);
	arena_release(&l->tree_arena);
	arena_release(&l->arena);
	for (struct rules_text *t = l->texts, *next; t; t = next) {
		next = t->next;
		rules_text_free(t);
	}
	free(l);
}

static bool
add_file(struct loader *l, const char *name, const char *content, size_t len)
{
	struct rules_file *file = arena_alloc(&l->arena, sizeof(*file));

	if (!file)
		return false;
	file->name = arena_strdup(&l->arena, name);
	file->content = arena_strndup(&l->arena, content, len);
	file->len = len;
	file->next = l->files;
	l->files = file;
	return file->name && file->content;
}

/* Reads, then compiles what there is. A file whose lists and macros could not all be read
 * is not compiled: what uses them would only seem wrong. */
static bool
load(struct loader *l, struct load_result *r, struct rules_text *t, struct err *err)
{
	struct collector k = {&l->collection, r, l->catalog};
	struct diag_context file = diag_file(r->name), at;
	struct rules_rest rest = {0};
	bool ok;

	if (!t->is_yaml) {
		if (t->err.code == ERR_NOMEM)
			return loader_no_room(err);
		/* Falco's YAML library begins a new document where ours finds this
		 * mistake. */
		if (t->stream.n && t->stream.doc[0]->kind == YAML_MAP &&
		    strstr(t->err.msg, "<document start>"))
			rules_read(&k, &t->stream, &rest);
		if (rest.is_there)
			collection_release(&rest.all);
		at = diag_at(t->mark, PLACE_RULES_CONTENT_ITEM, "", &file);
		load_report(r, DIAG_ERR_YAML_PARSE, &at, "%s", t->err.msg);
		return true;
	}
	r->schema = t->schema;
	r->n_schema = t->n_schema;
	r->is_full |= t->is_full;
	if (rules_read(&k, &t->stream, &rest))
		return loader_compile(l, &l->collection, r, err);
	if (r->is_full || rest.definitions_lost || !rest.is_there) {
		ok = true;
	} else {
		ok = loader_compile(l, &rest.all, r, err);
		loader_drop_compiled(l);
	}
	if (rest.is_there)
		collection_release(&rest.all);
	return ok;
}

bool
loader_text(struct loader *l, const char *name, struct rules_text *text,
    const struct load_result **ret_result, struct err *err)
{
	struct load_result *r = arena_alloc(&l->arena, sizeof(*r));

	text->next = l->texts;
	l->texts = text;
	if (!r || !add_file(l, name, text->content, text->len))
		return loader_no_room(err);
	r->arena = &l->arena;
	r->name = l->files->name;
	r->files = l->files;
	bool ok = load(l, r, text, err);
	/* What was read from them has their texts, not themselves. */
	arena_release(&text->nodes);
	if (!ok)
		return false;
	if (r->is_full)
		return loader_no_room(err);
	*ret_result = r;
	return true;
}

bool
loader_file(struct loader *l, const char *name, const char *content, size_t len,
    const struct load_result **ret_result, struct err *err)
{
	struct rules_text *text = rules_text_new(content, len);

	return text ? loader_text(l, name, text, ret_result, err) : err_nomem(err);
}

/* -- required_plugin_versions -- */

static const struct rules_plugin *
loaded_plugin(const struct rules_config *config, const char *name)
{
	for (uint32_t i = 0; i < config->n_plugin; i++) {
		if (strcmp(config->plugin[i].name, name) == 0)
			return &config->plugin[i];
	}
	return NULL;
}

static bool
check_requirement(const struct rules_config *config, const struct plugin_requirements *r,
    struct err *err)
{
	struct buf names;

	for (uint32_t i = 0; i < r->n; i++) {
		const struct plugin_requirement *want = &r->alternative[i];
		const struct rules_plugin *plugin = loaded_plugin(config, want->name);
		struct version have, required;
		if (!plugin)
			continue;
		if (version_parse(plugin->version, &have) &&
		    version_parse(want->version, &required) &&
		    version_compatible(have, required))
			return true;
		return err_set(err, ERR_USAGE,
		    "Plugin '%s' version '%s' is not compatible with required plugin "
		    "version '%s'",
		    plugin->name, plugin->version, want->version);
	}
	buf_init(&names, LIMIT_TEXT_BYTES);
	for (uint32_t i = 0; i < r->n; i++)
		buf_addf(&names, "%s%s (>= %s)", i ? ", " : "", r->alternative[i].name,
		    r->alternative[i].version);
	err_set(err, ERR_USAGE, "Plugin requirement not satisfied, must load one of: %s",
	    buf_str(&names));
	buf_release(&names);
	return false;
}

bool
loader_check_plugins(const struct loader *l, struct err *err)
{
	for (uint32_t i = 0; i < l->collection.n_requirement; i++) {
		if (!check_requirement(l->config, &l->collection.requirement[i], err))
			return false;
	}
	return true;
}

/* -- selection and rulesets -- */

/* "*" stands for any text; nothing else is special. */
static bool
wildcard_match(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			resume = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static bool
has_tag(const struct rule *rule, const char *tag)
{
	for (uint32_t i = 0; i < rule->n_tag; i++) {
		if (strcmp(rule->tag[i], tag) == 0)
			return true;
	}
	return false;
}

/* Enabling what is disabled moves it to the end of the evaluation order. */
static void
select_rules(struct loader *l, bool enable, const char *pattern, const char *tag,
    uint64_t *order, struct buf *log)
{
	buf_addf(log, "%s rules with %s: %s\n", enable ? "Enabling" : "Disabling",
	    pattern ? "name" : "tag", pattern ? pattern : tag);
	for (uint32_t i = 0; i < l->compiled.n_rule; i++) {
		struct loaded_rule *r = &l->compiled.rule[i];
		if (pattern ? !wildcard_match(pattern, r->rule.name)
			    : !has_tag(&r->rule, tag))
			continue;
		if (enable && !r->is_enabled)
			r->order = (*order)++;
		r->is_enabled = enable;
	}
}

static int
by_order(const void *a, const void *b)
{
	const struct rule *x = *(const struct rule *const *)a,
			  *y = *(const struct rule *const *)b;
	uint64_t p = ((const struct loaded_rule *)x)->order,
		 q = ((const struct loaded_rule *)y)->order;

	return p < q ? -1 : p > q;
}

static bool
make_ruleset(struct loader *l, uint32_t source)
{
	struct compiled *k = &l->compiled;
	struct ruleset *rs = &k->ruleset[source];
	const struct rule **rule =
	    arena_array(&l->compiled_arena, k->n_rule + 1, sizeof(struct rule *));

	if (!rule)
		return false;
	for (uint32_t i = 0; i < k->n_rule; i++) {
		const struct loaded_rule *r = &k->rule[i];
		if (r->is_enabled && r->rule.priority <= l->config->min_priority &&
		    strcmp(r->rule.source, l->catalog->source[source].name) == 0)
			rule[rs->n_rule++] = &r->rule;
	}
	qsort(rule, rs->n_rule, sizeof(*rule), by_order);
	rs->source = &l->catalog->source[source];
	rs->config = l->config;
	rs->rule = rule;
	rs->slots = &k->slots[source];
	return true;
}

bool
loader_finish(struct loader *l, struct buf *log, struct err *err)
{
	struct compiled *k = &l->compiled;
	uint64_t order = 0;
	bool ok = true;

	/* No file at all: the empty collection compiles to empty rulesets. */
	if (!l->has_compiled) {
		struct load_result none = {.arena = &l->arena, .name = ""};
		if (!loader_compile(l, &l->collection, &none, err))
			return false;
	}
	for (uint32_t i = 0; i < k->n_rule; i++)
		k->rule[i].order = order++;
	for (uint32_t i = 0; i < l->config->n_selection; i++) {
		const struct rule_selection *s = &l->config->selection[i];
		if (s->rule)
			select_rules(l, s->enable, s->rule, NULL, &order, log);
		if (s->tag)
			select_rules(l, s->enable, NULL, s->tag, &order, log);
	}
	k->ruleset =
	    arena_array(&l->compiled_arena, l->catalog->n_source, sizeof(*k->ruleset));
	k->all = arena_array(&l->compiled_arena, k->n_rule + 1, sizeof(*k->all));
	ok = k->ruleset && k->all;
	for (uint32_t i = 0; ok && i < l->catalog->n_source; i++)
		ok = make_ruleset(l, i);
	for (uint32_t i = 0; ok && i < k->n_rule; i++)
		k->all[i] = &k->rule[i].rule;
	return ok || loader_no_room(err);
}

void
loader_forget_trees(struct loader *l)
{
	struct compiled *k = &l->compiled;

	for (uint32_t i = 0; i < k->n_rule; i++)
		k->rule[i].ast = NULL;
	resolution_release(&k->resolution);
	k->resolution = (struct resolution){.c = &l->collection};
	arena_release(&l->tree_arena);
}

const struct ruleset *
loader_ruleset(const struct loader *l, uint32_t source_index)
{
	return &l->compiled.ruleset[source_index];
}

void
rule_place(const struct rule *rule, struct buf *out)
{
	diag_place_in_file(((const struct loaded_rule *)rule)->info->context, out);
}

const struct rule *const *
loader_rules(const struct loader *l, uint32_t *ret_n)
{
	*ret_n = l->compiled.n_rule;
	return l->compiled.all;
}
