/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts that settings_load is made of. Each reads the merged tree in settings.root
 * and fills what it is named for; memory is the settings' arena. "file" is the main
 * configuration file as messages name it, "" when there is none.
 */
#ifndef BROKER_SETTINGS_CONFIG_H
#define BROKER_SETTINGS_CONFIG_H

#include "broker/settings/settings.h"

enum config_type {
	CONFIG_ANY,
	CONFIG_BOOL,
	CONFIG_UINT,
	CONFIG_UINT16,
	CONFIG_UINT32,
	CONFIG_NUMBER,
	CONFIG_TEXT,
};

enum config_use {
	CONFIG_READ, /* a member of struct settings at offset */
	CONFIG_CODE, /* read by code of its own */
	CONFIG_KERNEL,
};

/* One row of config_keys.h. */
struct config_key {
	const char *path, *words, *fallback, *help;
	enum config_type type;
	enum config_use use;
	size_t offset;
};

extern const struct config_key config_keys[];
extern const size_t config_keys_n;
/* The fallback of a key; the path must be in the table. */
const char *config_fallback(const char *path);

/* Does the tree of one file hold known keys with fitting values alone? Says what the
 * first misfit is and where. */
bool config_schema_check(const struct conf_node *root, struct buf *reterr_text);

/* Main file, included files and -o options into settings.root; path may be NULL. */
bool config_load_tree(
    struct settings *s, const struct options *o, const char *path, struct err *err);
/* Plain values, and those that are one word of a set. */
bool config_read_values(struct settings *s, const char *file, struct err *err);
/* plugins and load_plugins */
bool config_read_plugins(struct settings *s, const char *file, struct err *err);
/* rules_files, rules, append_output (with -p), static_fields */
bool config_read_rules(
    struct settings *s, const struct options *o, const char *file, struct err *err);

/* A list of texts as Falco takes it: a scalar is a list of one, null is empty. */
bool config_texts(struct settings *s, const char *key, const struct conf_node *node,
    const char *file, const char ***ret_text, uint32_t *ret_n, struct err *err);
/* Keeps a line for settings.notice. */
bool config_notice(struct settings *s, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "Error reading config file (FILE): …" */
bool config_error(struct err *err, const char *file, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
