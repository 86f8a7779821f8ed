/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text, appended piece by piece; no tree. The caller writes keys in the order that
 * it wants (Falco's objects have them in byte order). Commas are put in by the writer.
 * Output is compact; errors show in buf.failed.
 */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct json_writer {
	struct buf *out;
	bool need_comma;
};

void json_init(struct json_writer *w, struct buf *out);

void json_begin_object(struct json_writer *w);
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w);
void json_end_array(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_key_n(struct json_writer *w, const char *key, size_t n);

void json_str(struct json_writer *w, const char *s);
void json_str_n(struct json_writer *w, const char *s, size_t n);
void json_u64(struct json_writer *w, uint64_t v);
void json_i64(struct json_writer *w, int64_t v);
void json_bool(struct json_writer *w, bool v);
void json_write_null(struct json_writer *w); /* "json_null" is Jansson's */
/* Text that already is JSON. */
void json_raw(struct json_writer *w, const char *s, size_t n);

/* Compact JSON text, again, over many lines: two blanks a level. */
void json_indent(struct buf *out, const char *json, size_t n);

/*
 * The inside of a JSON string: quote, backslash and control characters escaped (\b \f \n
 * \r \t, else \u00XX in lower case), invalid UTF-8 as U+FFFD, other text as it is.
 */
void json_escape(struct buf *out, const char *s, size_t n);

#endif
