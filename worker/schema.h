/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An init configuration against the plugin's JSON schema, as Falco checks it: strict
 * types, the first thing that is wrong is reported, with its place.
 *
 * Understood (draft 7, the rest is ignored): $ref inside the document, type, allOf,
 * anyOf, oneOf, not, const, enum, items, maximum, minimum and their exclusive forms
 * (number or boolean), maxItems, minItems, maxLength, minLength, maxProperties,
 * minProperties, pattern (as a POSIX extended regular expression, with \d \w \s and their
 * opposites), properties, patternProperties, additionalProperties, required, uniqueItems;
 * true and false as schemas.
 */
#ifndef WORKER_SCHEMA_H
#define WORKER_SCHEMA_H

#include <stdbool.h>

#include "base/err.h"

/* Errors are complete ("error in plugin <plugin> init config: In <root>[x], ..."),
 * ERR_PLUGIN. */
bool schema_check(
    const char *schema, const char *config, const char *plugin, struct err *err);

#endif
