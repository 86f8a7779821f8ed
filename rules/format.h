/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output formats: "%field" templates, rendered as text and as typed JSON (engine.md 3.1 to 3.4).
 */
#ifndef RULES_FORMAT_H
#define RULES_FORMAT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json_write.h"
#include "rules/eval.h"
#include "rules/slot.h"

struct format;

struct format_options {
	bool buffer_base64;
};

/*
 * Compiles a template; the fields it names become slots of use SLOT_OUTPUT. Everything is
 * made in the arena. Errors have Falco's texts ("unknown filter: …").
 */
bool format_compile(struct arena *arena, const struct field_source *source,
    struct slot_set *slots, const struct format_options *options, const char *text,
    const struct format **ret_format, struct err *err);

/* The distinct slots it prints, in order of first appearance. */
const uint32_t *format_slots(const struct format *f, uint32_t *ret_n);

/* Appends the text; missing values print <NA>. */
void format_text(const struct format *f, const struct event_view *view, struct buf *out);

/*
 * The plain fields it names, in order of first appearance without repeats: key (the AST
 * text, engine.md 3.5) and a typed value. The caller merges and orders keys.
 */
uint32_t format_n_fields(const struct format *f);
const char *format_field_key(const struct format *f, uint32_t i);
void format_field_json(const struct format *f, uint32_t i, const struct event_view *view,
    struct json_writer *w);

/* One value of a slot by its type: as text (lists as "(a,b)", missing as <NA>), as JSON. */
void value_text(const struct event_view *view, uint32_t slot, const struct format_options *options,
    const struct slot_set *slots, struct buf *out);
void value_json(const struct event_view *view, uint32_t slot, const struct format_options *options,
    const struct slot_set *slots, struct json_writer *w);

/*
 * An alert's two renderings (engine.md 3.5) for one match. Keys in byte order.
 */
struct alert_options {
	bool json_include_output, json_include_tags, json_include_output_fields,
	    json_include_message, time_iso8601;
	const char *hostname;
	struct format_options format;
};

struct rule;

/* The text line (without newline), escaped as Falco does. */
void alert_text(const struct rule *rule, const struct event_view *view,
    const struct alert_options *options, struct buf *out);
/* The JSON object (without newline). scratch is used and cleared. */
void alert_json(const struct rule *rule, const struct event_view *view,
    const struct slot_set *slots, const struct alert_options *options, struct buf *scratch,
    struct buf *out);

/* "HH:MM:SS.nnnnnnnnn" and its kin for evt.time & co; size >= 48. utc_offset_s as eval_config. */
void time_text(char *out, size_t size, uint64_t ts_ns, int64_t utc_offset_s, bool date, bool fraction);
void time_text_iso8601(char *out, size_t size, uint64_t ts_ns, const char *suffix);

#endif
