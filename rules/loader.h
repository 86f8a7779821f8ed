/* SPDX-License-Identifier: Apache-2.0 */
/* The loader from inside: what loader.c, compile_rules.c and describe.c share. */
#ifndef RULES_LOADER_H
#define RULES_LOADER_H

#include "rules/collect.h"
#include "rules/compile.h"
#include "rules/resolve.h"

/* A rule that compiled, with what describing it needs. */
struct loaded_rule {
	struct rule rule;
	const struct rule_info *info;
	const struct ast *ast;   /* lists and macros put in; NULL once forgotten */
	struct ast_str expanded; /* exceptions put in, nothing else */
	const char *output;      /* with what was appended */
	struct text_list exception_fields;
	bool is_enabled;
	uint64_t order; /* of evaluation, among the enabled */
};

/* What one load compiled: everything is in the loader's "compiled" arena, but for the
 * resolution and the trees. */
struct compiled {
	struct resolution resolution;
	struct loaded_rule *rule;
	uint32_t n_rule;
	struct slot_set *slots; /* by source */
	struct regex_list *regexes;
	struct ruleset *ruleset; /* by source, after loader_finish */
	const struct rule **all; /* for loader_rules */
};

struct loader {
	const struct field_catalog *catalog;
	const struct rules_config *config;
	struct arena arena;          /* collection and results: as long as the loader */
	struct arena compiled_arena; /* as long as the newest load */
	/* Trees of conditions, lists and macros put in: until loader_forget_trees. */
	struct arena tree_arena;
	struct collection collection;
	const struct rules_file *files;
	struct rules_text *texts; /* what was read has their words */
	struct compiled compiled;
	bool has_compiled;
};

/*
 * Compiles everything in c. Mistakes are in the result; false only
 * when memory is gone. What it made refers to c.
 */
bool loader_compile(struct loader *l, const struct collection *c,
    struct load_result *result, struct err *err);
/* Says that the arena is full; false. */
bool loader_no_room(struct err *err);
void loader_drop_compiled(struct loader *l);
bool append_output_applies(const struct append_output *a, const struct rule_info *info);

#endif
