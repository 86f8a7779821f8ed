/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules files have said so far: lists, macros, rules and requirements, in order of
 * first definition, after overrides and appends, before anything is expanded.
 *
 * Every definition, append and replace takes the next number: "index" is that of the
 * first definition, "visibility" that of the latest change. All memory is the arena's;
 * texts and lists grow in place, so a copy (collection_copy) may be changed and dropped,
 * but the original must not be changed while the copy is in use.
 */
#ifndef RULES_COLLECT_H
#define RULES_COLLECT_H

#include "base/arena.h"
#include "base/hash.h"
#include "rules/engine.h"
#include "rules/result.h"

/* A text that grows; a NUL follows it. */
struct text {
	char *s;
	size_t n, cap;
};

bool text_add(struct arena *arena, struct text *t, const char *s, size_t n);

/* Growing list of texts. */
struct text_list {
	const char **item;
	uint32_t n, cap;
};

bool text_list_add(struct arena *arena, struct text_list *l, const char *s);
/* Sorted bytewise, repeats removed. */
void text_list_sort(struct text_list *l);
/* Adds to a list that is sorted, unless it is there. */
bool text_list_insert(struct arena *arena, struct text_list *l, const char *s);

struct list_info {
	const char *name;
	struct text_list items;
	uint32_t index, visibility;
	const struct diag_context *context;
};

struct macro_info {
	const char *name;
	struct text condition;
	uint32_t index, visibility;
	const struct diag_context *context, *condition_context;
};

/* fields, comps and values of exceptions are texts or lists, lists of lists too. */
struct exception_entry {
	bool is_list;
	const char *text; /* "" for lists and for whatever is neither text nor list */
	struct exception_entry *item;
	uint32_t n;
};

struct exception_info {
	const char *name;
	struct exception_entry fields, comps;
	struct exception_entry *value;
	uint32_t n_value, cap_value;
	const struct diag_context *context;
};

struct exception_list {
	struct exception_info *item;
	uint32_t n, cap;
};

struct rule_info {
	const char *name, *source;
	struct text condition, output, desc;
	struct text_list tags; /* sorted */
	struct exception_list exceptions;
	enum priority priority;
	bool enabled, capture, warn_evttypes, skip_if_unknown_filter;
	bool unknown_source;
	uint32_t capture_duration_ms;
	uint32_t index, visibility;
	const struct diag_context *context, *condition_context, *output_context;
};

/* An append or a replace: what is given, by bit. */
enum rule_part {
	RULE_CONDITION = 1 << 0,
	RULE_OUTPUT = 1 << 1,
	RULE_DESC = 1 << 2,
	RULE_TAGS = 1 << 3,
	RULE_EXCEPTIONS = 1 << 4,
	RULE_PRIORITY = 1 << 5,
	RULE_CAPTURE = 1 << 6,
	RULE_CAPTURE_DURATION = 1 << 7,
	RULE_ENABLED = 1 << 8,
	RULE_WARN_EVTTYPES = 1 << 9,
	RULE_SKIP_UNKNOWN = 1 << 10,
};

struct rule_update {
	uint32_t parts;
	struct rule_info info; /* name, source ("": none) and the parts */
};

struct plugin_requirement {
	const char *name, *version;
};

/* Alternatives: the first is the one that the item names. */
struct plugin_requirements {
	struct plugin_requirement *alternative;
	uint32_t n;
};

struct version {
	uint32_t major, minor, patch;
};

/* Three numbers with dots; what follows them is ignored. */
bool version_parse(const char *text, struct version *ret_version);
/* Same major, and not older. */
bool version_compatible(struct version have, struct version required);

struct collection {
	struct arena *arena;
	struct list_info *list;
	struct macro_info *macro;
	struct rule_info *rule;
	struct plugin_requirements *requirement;
	uint32_t n_list, cap_list, n_macro, cap_macro, n_rule, cap_rule, n_requirement,
	    cap_requirement;
	struct map lists, macros, rules; /* name to position + 1 */
	uint32_t next;                   /* number of the next definition */
	struct version engine;           /* the newest that was required */
};

void collection_init(struct collection *c, struct arena *arena);
void collection_release(struct collection *c);
bool collection_copy(
    struct collection *copy, const struct collection *c, struct err *err);

/* NULL when absent. Valid until the next definition. */
struct list_info *collection_list(const struct collection *c, const char *name);
struct macro_info *collection_macro(const struct collection *c, const char *name);
struct rule_info *collection_rule(const struct collection *c, const char *name);

/* What collecting needs besides the item: where to report, and the fields that exist. */
struct collector {
	struct collection *c;
	struct load_result *result;
	const struct field_catalog *catalog;
};

/*
 * All report their mistakes into the result and return false then. Whatever the infos
 * point at is the arena's already; contexts are kept ones.
 */
bool collect_engine_version(
    struct collector *k, struct version v, const struct diag_context *context);
bool collect_requirement(struct collector *k, const struct plugin_requirements *r,
    const struct diag_context *context);
bool collect_list(struct collector *k, const struct list_info *info, bool append);
bool collect_macro(struct collector *k, const struct macro_info *info, bool append);
bool collect_rule(struct collector *k, struct rule_info *info);
bool collect_rule_append(struct collector *k, struct rule_update *update);
bool collect_rule_replace(struct collector *k, struct rule_update *update);
bool collect_rule_enable(struct collector *k, const char *name, bool enabled,
    const struct diag_context *context);

/*
 * Fills in missing comps and checks fields and comps (exception.c). source NULL: fields
 * are not checked.
 */
bool exception_validate(
    struct collector *k, const struct field_source *source, struct exception_info *e);
/* As above, of what a replace gave: missing comps are filled in, nothing else is checked
 * but that there are as many comps as fields. */
bool exception_default(struct collector *k, struct exception_info *e);

#endif
