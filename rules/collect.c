/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/collect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* -- texts
 * ------------------------------------------------------------------------------------ */

bool
text_add(struct arena *arena, struct text *t, const char *s, size_t n)
{
	if (n > LIMIT_CONDITION_BYTES - t->n)
		return false;
	if (t->n + n + 1 > t->cap) {
		size_t cap = t->cap ? t->cap * 2 : n + 1;
		char *grown;

		if (cap < t->n + n + 1)
			cap = t->n + n + 1;
		grown = arena_alloc(arena, cap);
		if (!grown)
			return false;
		if (t->n)
			memcpy(grown, t->s, t->n);
		t->s = grown;
		t->cap = cap;
	}
	memcpy(t->s + t->n, s, n);
	t->n += n;
	t->s[t->n] = '\0';
	return true;
}

/* Room for one more; elements move. */
static bool
grow(struct arena *arena, void *array, uint32_t n, uint32_t *cap, size_t size)
{
	void *old, *grown;

	if (n < *cap)
		return true;
	memcpy(&old, array, sizeof(old));
	grown = arena_array(arena, *cap ? 2 * (size_t)*cap : 8, size);
	if (!grown)
		return false;
	if (n)
		memcpy(grown, old, n * size);
	*cap = *cap ? 2 * *cap : 8;
	memcpy(array, &grown, sizeof(grown));
	return true;
}

bool
text_list_add(struct arena *arena, struct text_list *l, const char *s)
{
	if (!grow(arena, &l->item, l->n, &l->cap, sizeof(*l->item)))
		return false;
	l->item[l->n++] = s;
	return true;
}

static int
text_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void
text_list_sort(struct text_list *l)
{
	uint32_t kept = 0;

	if (!l->n)
		return;
	qsort(l->item, l->n, sizeof(*l->item), text_order);
	for (uint32_t i = 1; i < l->n; i++) {
		if (strcmp(l->item[kept], l->item[i]) != 0)
			l->item[++kept] = l->item[i];
	}
	l->n = kept + 1;
}

bool
text_list_insert(struct arena *arena, struct text_list *l, const char *s)
{
	uint32_t from = 0, to = l->n;

	while (from < to) {
		uint32_t mid = from + (to - from) / 2;
		int order = strcmp(l->item[mid], s);
		if (order == 0)
			return true;
		if (order < 0)
			from = mid + 1;
		else
			to = mid;
	}
	if (!text_list_add(arena, l, s))
		return false;
	memmove(&l->item[from + 1], &l->item[from], (l->n - 1 - from) * sizeof(*l->item));
	l->item[from] = s;
	return true;
}

/* -- versions
 * --------------------------------------------------------------------------------- */

bool
version_parse(const char *text, struct version *ret_version)
{
	struct version v;

	if (sscanf(text, "%u.%u.%u", &v.major, &v.minor, &v.patch) != 3)
		return false;
	*ret_version = v;
	return true;
}

static bool
version_older(struct version a, struct version b)
{
	if (a.major != b.major)
		return a.major < b.major;
	return a.minor != b.minor ? a.minor < b.minor : a.patch < b.patch;
}

bool
version_compatible(struct version have, struct version required)
{
	return have.major == required.major && !version_older(have, required);
}

/* -- the collection
 * --------------------------------------------------------------------------- */

void
collection_init(struct collection *c, struct arena *arena)
{
	*c = (struct collection){.arena = arena};
	map_init(&c->lists);
	map_init(&c->macros);
	map_init(&c->rules);
}

void
collection_release(struct collection *c)
{
	map_release(&c->lists);
	map_release(&c->macros);
	map_release(&c->rules);
}

static void *
copy_array(struct arena *arena, const void *array, uint32_t n, size_t size)
{
	void *copy = arena_array(arena, n ? n : 1, size);

	if (copy && n)
		memcpy(copy, array, n * size);
	return copy;
}

static bool
copy_map(struct map *copy, const struct map *m)
{
	map_init(copy);
	for (size_t i = 0; i < m->n; i++) {
		if (!map_put(
			copy, m->entry[i].key, m->entry[i].key_len, m->entry[i].value))
			return false;
	}
	return true;
}

bool
collection_copy(struct collection *copy, const struct collection *c, struct err *err)
{
	bool maps;

	*copy = *c;
	maps = copy_map(&copy->lists, &c->lists);
	maps = copy_map(&copy->macros, &c->macros) && maps;
	maps = copy_map(&copy->rules, &c->rules) && maps;
	copy->cap_list = c->n_list;
	copy->cap_macro = c->n_macro;
	copy->cap_rule = c->n_rule;
	copy->cap_requirement = c->n_requirement;
	copy->list = copy_array(c->arena, c->list, c->n_list, sizeof(*c->list));
	copy->macro = copy_array(c->arena, c->macro, c->n_macro, sizeof(*c->macro));
	copy->rule = copy_array(c->arena, c->rule, c->n_rule, sizeof(*c->rule));
	if (!maps || !copy->list || !copy->macro || !copy->rule) {
		collection_release(copy);
		return err_nomem(err);
	}
	/* What grows in place must not write behind the original's end. */
	for (uint32_t i = 0; i < copy->n_list; i++)
		copy->list[i].items.cap = copy->list[i].items.n;
	for (uint32_t i = 0; i < copy->n_macro; i++)
		copy->macro[i].condition.cap = copy->macro[i].condition.n;
	for (uint32_t i = 0; i < copy->n_rule; i++) {
		struct rule_info *r = &copy->rule[i];
		r->condition.cap = r->condition.n;
		r->output.cap = r->output.n;
		r->desc.cap = r->desc.n;
		r->tags.item =
		    copy_array(c->arena, r->tags.item, r->tags.n, sizeof(*r->tags.item));
		r->tags.cap = r->tags.n;
		r->exceptions.item = copy_array(c->arena, r->exceptions.item,
		    r->exceptions.n, sizeof(*r->exceptions.item));
		r->exceptions.cap = r->exceptions.n;
		if (!r->tags.item || !r->exceptions.item) {
			collection_release(copy);
			return err_nomem(err);
		}
		for (uint32_t k = 0; k < r->exceptions.n; k++)
			r->exceptions.item[k].cap_value = r->exceptions.item[k].n_value;
	}
	return true;
}

static uintptr_t
position(const struct map *m, const char *name)
{
	return (uintptr_t)map_gets(m, name);
}

struct list_info *
collection_list(const struct collection *c, const char *name)
{
	uintptr_t at = position(&c->lists, name);

	return at ? &c->list[at - 1] : NULL;
}

struct macro_info *
collection_macro(const struct collection *c, const char *name)
{
	uintptr_t at = position(&c->macros, name);

	return at ? &c->macro[at - 1] : NULL;
}

struct rule_info *
collection_rule(const struct collection *c, const char *name)
{
	uintptr_t at = position(&c->rules, name);

	return at ? &c->rule[at - 1] : NULL;
}

/* -- collecting
 * ------------------------------------------------------------------------------- */

static bool
out_of_memory(struct collector *k)
{
	k->result->is_full = true;
	return false;
}

/* The arena is full, or a text would grow past its bound: the latter is the file's
 * mistake. */
static bool
cannot_grow(struct collector *k, const struct text *t, const struct diag_context *context)
{
	if (t->n < LIMIT_CONDITION_BYTES / 2)
		return out_of_memory(k);
	return load_report(k->result, DIAG_ERR_VALIDATE, context,
	    "A condition or output grows past %u bytes", LIMIT_CONDITION_BYTES);
}

bool
collect_engine_version(
    struct collector *k, struct version v, const struct diag_context *context)
{
	struct version ours;

	if (!version_parse(RULES_ENGINE_VERSION, &ours) || !version_compatible(ours, v))
		return load_report(k->result, DIAG_ERR_VALIDATE, context,
		    "Rules require engine version %u.%u.%u, but engine version is %s",
		    v.major, v.minor, v.patch, RULES_ENGINE_VERSION);
	if (version_older(k->c->engine, v))
		k->c->engine = v;
	return true;
}

bool
collect_requirement(struct collector *k, const struct plugin_requirements *r,
    const struct diag_context *context)
{
	struct collection *c = k->c;
	struct version v;

	for (uint32_t i = 0; i < r->n; i++) {
		if (!version_parse(r->alternative[i].version, &v))
			return load_report(k->result, DIAG_ERR_VALIDATE, context,
			    "Invalid required version '%s' for plugin '%s'",
			    r->alternative[i].version, r->alternative[i].name);
		for (uint32_t j = 0; j < i; j++) {
			if (strcmp(r->alternative[i].name, r->alternative[j].name) == 0)
				return load_report(k->result, DIAG_ERR_VALIDATE, context,
				    "Defined multiple alternative version requirements "
				    "for plugin '%s'",
				    r->alternative[i].name);
		}
	}
	if (!grow(c->arena, &c->requirement, c->n_requirement, &c->cap_requirement,
		sizeof(*c->requirement)))
		return out_of_memory(k);
	c->requirement[c->n_requirement++] = *r;
	return true;
}

bool
collect_list(struct collector *k, const struct list_info *info, bool append)
{
	struct collection *c = k->c;
	struct list_info *prev = collection_list(c, info->name);

	if (append) {
		if (!prev)
			return load_report(k->result, DIAG_ERR_VALIDATE, info->context,
			    "List uses 'append' or 'override.items: append' but no list "
			    "by that name already exists");
		for (uint32_t i = 0; i < info->items.n; i++) {
			if (!text_list_add(c->arena, &prev->items, info->items.item[i]))
				return out_of_memory(k);
		}
		prev->visibility = c->next++;
		return true;
	}
	if (!prev) {
		if (!grow(
			c->arena, &c->list, c->n_list, &c->cap_list, sizeof(*c->list)) ||
		    !map_puts(&c->lists, info->name, (void *)(uintptr_t)(c->n_list + 1)))
			return out_of_memory(k);
		prev = &c->list[c->n_list++];
		prev->index = c->next;
	}
	uint32_t index = prev->index;
	*prev = *info;
	prev->index = index;
	prev->visibility = c->next++;
	return true;
}

bool
collect_macro(struct collector *k, const struct macro_info *info, bool append)
{
	struct collection *c = k->c;
	struct macro_info *prev = collection_macro(c, info->name);

	if (append) {
		if (!prev)
			return load_report(k->result, DIAG_ERR_VALIDATE, info->context,
			    "Macro uses 'append' or 'override.condition: append' but no "
			    "macro by that name already exists");
		if (!text_add(c->arena, &prev->condition, " ", 1) ||
		    !text_add(
			c->arena, &prev->condition, info->condition.s, info->condition.n))
			return cannot_grow(k, &prev->condition, info->context);
		prev->visibility = c->next++;
		return true;
	}
	if (!prev) {
		if (!grow(c->arena, &c->macro, c->n_macro, &c->cap_macro,
			sizeof(*c->macro)) ||
		    !map_puts(
			&c->macros, info->name, (void *)(uintptr_t)(c->n_macro + 1)))
			return out_of_memory(k);
		prev = &c->macro[c->n_macro++];
		prev->index = c->next;
	}
	uint32_t index = prev->index;
	*prev = *info;
	prev->index = index;
	prev->visibility = c->next++;
	return true;
}

/* *ret_prev: the rule of that name or NULL. */
static bool
previous_rule(
    struct collector *k, const struct rule_info *info, struct rule_info **ret_prev)
{
	struct rule_info *prev = collection_rule(k->c, info->name);

	if (prev && *prev->source && *info->source &&
	    strcmp(prev->source, info->source) != 0)
		return load_report(k->result, DIAG_ERR_VALIDATE, info->context,
		    "Rule has been re-defined with a different source");
	*ret_prev = prev;
	return true;
}

bool
collect_rule(struct collector *k, struct rule_info *info)
{
	struct collection *c = k->c;
	const struct field_source *source =
	    field_catalog_source(k->catalog, info->source);
	struct rule_info *prev;

	if (!previous_rule(k, info, &prev))
		return false;
	info->unknown_source = !source;
	if (!source && !load_report(k->result, DIAG_UNKNOWN_SOURCE, info->context,
			   "Unknown source %s, skipping", info->source))
		return false;
	for (uint32_t i = 0; i < info->exceptions.n; i++) {
		struct exception_info *e = &info->exceptions.item[i];
		if (!e->fields.n && !*e->fields.text)
			return load_report(k->result, DIAG_ERR_VALIDATE, e->context,
			    "Rule exception item must have fields property with a list "
			    "of fields");
		if (!exception_validate(k, source, e))
			return false;
	}
	if (!prev) {
		if (!grow(
			c->arena, &c->rule, c->n_rule, &c->cap_rule, sizeof(*c->rule)) ||
		    !map_puts(&c->rules, info->name, (void *)(uintptr_t)(c->n_rule + 1)))
			return out_of_memory(k);
		prev = &c->rule[c->n_rule++];
		prev->index = c->next;
	}
	info->index = prev->index;
	info->visibility = c->next++;
	*prev = *info;
	return true;
}

static bool
append_exception(struct collector *k, const struct field_source *source,
    struct rule_info *rule, struct exception_info *e)
{
	struct arena *arena = k->c->arena;
	struct exception_info *prev = NULL;

	for (uint32_t i = 0; i < rule->exceptions.n && !prev; i++) {
		if (strcmp(rule->exceptions.item[i].name, e->name) == 0)
			prev = &rule->exceptions.item[i];
	}
	bool has_fields = e->fields.n || *e->fields.text,
	     has_comps = e->comps.n || *e->comps.text;
	if (!prev) {
		if (!has_fields)
			return load_report(k->result, DIAG_ERR_VALIDATE, e->context,
			    "Rule exception must have fields property with a list of "
			    "fields");
		if (!e->n_value)
			return load_report(k->result, DIAG_ERR_VALIDATE, e->context,
			    "Rule exception must have values property with a list of "
			    "values");
		if (!exception_validate(k, source, e))
			return false;
		if (rule->exceptions.n == LIMIT_EXCEPTIONS)
			return load_report(k->result, DIAG_ERR_VALIDATE, e->context,
			    "Rule has more than %u exceptions", LIMIT_EXCEPTIONS);
		if (!grow(arena, &rule->exceptions.item, rule->exceptions.n,
			&rule->exceptions.cap, sizeof(*e)))
			return out_of_memory(k);
		rule->exceptions.item[rule->exceptions.n++] = *e;
		return true;
	}
	if (has_fields)
		return load_report(k->result, DIAG_ERR_VALIDATE, e->context,
		    "Can not append exception fields to existing exception, only values");
	if (has_comps)
		return load_report(k->result, DIAG_ERR_VALIDATE, e->context,
		    "Can not append exception comps to existing exception, only values");
	for (uint32_t i = 0; i < e->n_value; i++) {
		if (!grow(arena, &prev->value, prev->n_value, &prev->cap_value,
			sizeof(*prev->value)))
			return out_of_memory(k);
		prev->value[prev->n_value++] = e->value[i];
	}
	return true;
}

static bool
append_text(struct collector *k, struct text *t, const struct text *more,
    const struct diag_context *context)
{
	if (!more->n)
		return true;
	if (!text_add(k->c->arena, t, " ", 1) ||
	    !text_add(k->c->arena, t, more->s, more->n))
		return cannot_grow(k, t, context);
	return true;
}

bool
collect_rule_append(struct collector *k, struct rule_update *update)
{
	const struct rule_info *info = &update->info;
	struct arena *arena = k->c->arena;
	const struct field_source *source;
	struct rule_info *prev;

	if (!previous_rule(k, info, &prev))
		return false;
	if (!prev)
		return load_report(k->result, DIAG_ERR_VALIDATE, info->context,
		    "Rule uses 'append' or 'override.<key>: append' but no rule by that "
		    "name already exists");
	if (!update->parts)
		return load_report(k->result, DIAG_ERR_VALIDATE, info->context,
		    "Appended rule must have exceptions or condition property");
	source =
	    prev->unknown_source ? NULL : field_catalog_source(k->catalog, prev->source);
	if (update->parts & RULE_CONDITION &&
	    !append_text(k, &prev->condition, &info->condition, info->context))
		return false;
	if (update->parts & RULE_OUTPUT &&
	    !append_text(k, &prev->output, &info->output, info->context))
		return false;
	if (update->parts & RULE_DESC &&
	    !append_text(k, &prev->desc, &info->desc, info->context))
		return false;
	for (uint32_t i = 0; i < info->tags.n; i++) {
		if (!text_list_insert(arena, &prev->tags, info->tags.item[i]))
			return out_of_memory(k);
	}
	for (uint32_t i = 0; i < info->exceptions.n; i++) {
		if (!append_exception(k, source, prev, &info->exceptions.item[i]))
			return false;
	}
	prev->visibility = k->c->next++;
	return true;
}

bool
collect_rule_replace(struct collector *k, struct rule_update *update)
{
	const struct rule_info *info = &update->info;
	struct rule_info *prev;

	if (!previous_rule(k, info, &prev))
		return false;
	if (!prev)
		return load_report(k->result, DIAG_ERR_VALIDATE, info->context,
		    "An 'override.<key>: replace' to a rule was requested but no rule by "
		    "that name already exists");
	if (!update->parts)
		return load_report(k->result, DIAG_ERR_VALIDATE, info->context,
		    "The rule must have at least one field that can be replaced");
	for (uint32_t i = 0; i < info->exceptions.n; i++) {
		if (!exception_default(k, &info->exceptions.item[i]))
			return false;
	}
#define REPLACE(part, member)                                                            \
	if (update->parts & (part))                                                      \
	prev->member = info->member
	REPLACE(RULE_CONDITION, condition);
	REPLACE(RULE_OUTPUT, output);
	REPLACE(RULE_DESC, desc);
	REPLACE(RULE_TAGS, tags);
	REPLACE(RULE_EXCEPTIONS, exceptions);
	REPLACE(RULE_PRIORITY, priority);
	REPLACE(RULE_CAPTURE, capture);
	REPLACE(RULE_CAPTURE_DURATION, capture_duration_ms);
	REPLACE(RULE_ENABLED, enabled);
	REPLACE(RULE_WARN_EVTTYPES, warn_evttypes);
	REPLACE(RULE_SKIP_UNKNOWN, skip_if_unknown_filter);
#undef REPLACE
	prev->visibility = k->c->next++;
	return true;
}

bool
collect_rule_enable(struct collector *k, const char *name, bool enabled,
    const struct diag_context *context)
{
	struct rule_info *prev = collection_rule(k->c, name);

	if (!prev)
		return load_report(k->result, DIAG_ERR_VALIDATE, context,
		    "Rule has 'enabled' key but no rule by that name already exists");
	prev->enabled = enabled;
	return true;
}
