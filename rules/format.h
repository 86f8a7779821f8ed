/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output formats: "%field" templates, rendered as text and as typed JSON. A compiled
 * format is immutable and lives in the compiler's arena.
 */
#ifndef RULES_FORMAT_H
#define RULES_FORMAT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json_write.h"
#include "rules/compile.h"
#include "rules/eval.h"

struct format;

/* Fields become slots of c->use. Errors have Falco's texts ("unknown filter: …"). */
bool format_compile(struct compiler *c, const char *text,
    const struct format **ret_format, struct err *err);

/* The distinct slots it prints, in order of first appearance. */
const uint32_t *format_slots(const struct format *f, uint32_t *ret_n);

/* Appends the text; missing values print <NA>. */
void format_text(const struct format *f, const struct event_view *view, struct buf *out);

/* The plain fields it names, those inside transformers too, in order of first appearance
 * without repeats: key (the AST text) and a typed value. */
uint32_t format_n_fields(const struct format *f);
const char *format_field_key(const struct format *f, uint32_t i);
void format_field_json(const struct format *f, uint32_t i, const struct event_view *view,
    struct json_writer *w);
/* What its tokens name, in order and with repeats: fields, and transformers after the
 * fields inside them. For describing rules. */
const char *const *format_names(const struct format *f, uint32_t *ret_n);

#endif
