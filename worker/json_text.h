/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as plugins write it, read leniently: what jsoncpp takes, as Falco uses it, is
 * taken here too. Comments are dropped, invalid UTF-8 is repaired, whatever follows the
 * first value is ignored, and a number past 64 bits becomes a real.
 *
 * The text is bounded by LIMIT_PLUGIN_JSON_BYTES and its nesting by LIMIT_JSON_DEPTH. No
 * other code of the worker parses JSON.
 */
#ifndef WORKER_JSON_TEXT_H
#define WORKER_JSON_TEXT_H

#include <jansson.h>
#include <stddef.h>

/* Before confinement: the seed of its hash tables, which would otherwise be looked for in
 * a file that is not there. */
void json_text_seed(void);

/* NULL when it is not JSON (or too large or deep, or memory is gone). The caller's, by
 * json_decref. */
json_t *json_text_parse(const char *text, size_t n);

/*
 * A scalar as text, the way jsoncpp converts one: a string itself, true and false, a
 * number in decimal, "" for null and for NULL. NULL for arrays and objects. buf holds a
 * converted number.
 */
const char *json_text_scalar(const json_t *v, char *buf, size_t size);

/* The keys of an object in byte order, then NULL; freed by the caller. NULL: no memory.
 */
const char **json_text_sorted_keys(const json_t *object);

/* What a reference inside a document leads to: "#", "#/definitions/x", "#/a~1b/0". NULL
 * when it leads nowhere. */
const json_t *json_text_follow(const json_t *root, const char *ref);

#endif
