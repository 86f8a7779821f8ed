/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plugin says about itself in JSON: its fields, its lists of names, its suggested
 * open parameters. Parsed in the worker, so that a parser's mistake is the plugin's own
 * misfortune; what comes out are control messages' parts, in the caller's arena.
 *
 * Messages are Falco's ("error in plugin <name>: ..."), ERR_PLUGIN. A text that is NULL
 * is what a plugin returned.
 */
#ifndef WORKER_FIELDS_JSON_H
#define WORKER_FIELDS_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "proto/control.pb-c.h"

/* get_fields: at least one field. The position in the array is the field's id. */
bool fields_json_parse(const char *text, const char *plugin, struct arena *arena,
    Control__Field ***ret_field, size_t *ret_n, struct err *err);

struct name_list {
	char **name;
	size_t n, cap;
};

bool name_list_has(const struct name_list *l, const char *name);
/* symbol returned text. Empty names and doubles are dropped. An empty text is an empty
 * list, or an error when required. */
bool name_list_parse(const char *text, const char *plugin, const char *symbol,
    bool required, struct arena *arena, struct name_list *ret_list, struct err *err);
/* Adds a name that is not there. */
bool name_list_add(
    struct name_list *l, struct arena *arena, const char *name, struct err *err);

bool open_params_parse(const char *text, const char *plugin, struct arena *arena,
    Control__OpenParam ***ret_param, size_t *ret_n, struct err *err);

#endif
