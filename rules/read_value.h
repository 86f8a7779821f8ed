/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of rules files as C has them, with the checks and error texts that all items
 * share, and the "override" map. Inside of read.c and read_rule.c.
 */
#ifndef RULES_READ_VALUE_H
#define RULES_READ_VALUE_H

#include "base/yaml/yaml.h"
#include "rules/collect.h"

struct reader {
	struct collector *k;
	struct arena *arena;
	struct load_result *result;
};

/* Reports a mistake in the form of an item; false. */
#define reader_invalid(r, context, ...)                                                  \
	load_report((r)->result, DIAG_ERR_YAML_VALIDATE, context, __VA_ARGS__)

/* Notes that the arena is full; false. */
bool reader_is_full(struct reader *r);

enum presence {
	REQUIRED,
	OPTIONAL
};

/* The value of a key. False: reported. *ret is left alone when an optional key is absent.
 */
bool read_scalar(struct reader *r, const struct yaml_node *map, const char *key,
    enum presence presence, const struct diag_context *context,
    const struct yaml_node **ret_node);
bool read_text(struct reader *r, const struct yaml_node *map, const char *key,
    enum presence presence, const struct diag_context *context, const char **ret);
bool read_bool(struct reader *r, const struct yaml_node *map, const char *key,
    enum presence presence, const struct diag_context *context, bool *ret);
bool read_u32(struct reader *r, const struct yaml_node *map, const char *key,
    enum presence presence, const struct diag_context *context, uint32_t *ret);
bool read_long_text(struct reader *r, const struct yaml_node *map, const char *key,
    enum presence presence, const struct diag_context *context, struct text *ret);
bool read_sequence(struct reader *r, const struct yaml_node *map, const char *key,
    enum presence presence, const struct diag_context *context, struct text_list *ret);

/* The name under the key that makes an item what it is, and the item's kept context. */
bool read_name(struct reader *r, const struct yaml_node *item, const char *key,
    enum diag_place place, const struct diag_context *parent, const char **ret_name,
    const struct diag_context **ret_context);
/* The kept context of a value that is there. */
bool read_context(struct reader *r, const struct yaml_node *item, const char *key,
    enum diag_place place, const struct diag_context *context,
    const struct diag_context **ret_context);

/* What an item lets others override: all of it may be replaced. */
struct overridable {
	const char *key;
	uint32_t part;
	bool append;
};

struct overrides {
	uint32_t append, replace; /* parts */
};

/* Both ways to say that an item changes an earlier one, and that they are not mixed. */
bool read_overrides(struct reader *r, const struct yaml_node *item,
    const struct overridable *table, size_t n, const struct diag_context *context,
    bool *ret_append_flag, struct overrides *ret);

/* read_rule.c: an item of kind "rule". */
bool read_rule(
    struct reader *r, const struct yaml_node *item, const struct diag_context *parent);

#endif
