/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/result.h"

#include <string.h>

#include "base/json_write.h"
#include "base/limits.h"

bool
load_report(struct load_result *r, enum diag_code code,
    const struct diag_context *context, const char *fmt, ...)
{
	struct buf text;
	struct diag_list *list = &r->warnings;
	va_list ap;

	if (diag_code_is_error(code)) {
		list = r->failed ? &r->more : &r->errors;
		r->failed = true;
	} else if (r->failed) {
		return true;
	}
	buf_init(&text, LIMIT_CONDITION_BYTES + LIMIT_TEXT_BYTES);
	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (text.failed || !diag_add(r->arena, list, code, buf_str(&text), context))
		r->is_full = true;
	buf_release(&text);
	return !diag_code_is_error(code) && !r->is_full;
}

bool
load_report_deprecated(struct load_result *r, const char *field,
    const struct diag_context *context, const char *text)
{
	if (r->failed)
		return true;
	if (!load_report(r, DIAG_DEPRECATED_ITEM, context, "%s", text))
		return false;
	r->warnings.last->deprecated_field = field;
	return true;
}

bool
load_result_ok(const struct load_result *r)
{
	return !r->failed;
}

bool
load_result_has_warnings(const struct load_result *r)
{
	return r->warnings.n > 0;
}

const char *
load_result_name(const struct load_result *r)
{
	return r->name;
}

const char *
load_result_schema_status(const struct load_result *r)
{
	return r->n_schema ? r->schema[0] : "none";
}

static bool
schema_is_valid(const struct load_result *r)
{
	return strcmp(load_result_schema_status(r), "ok") == 0;
}

void
load_result_snippet(
    const struct load_result *r, const struct diag_context *context, struct buf *out)
{
	const struct rules_file *f = r->files;

	while (f && strcmp(f->name, context->name) != 0)
		f = f->next;
	diag_snippet(context, f ? f->content : NULL, f ? f->len : 0, out);
}

/* -- JSON
 * ----------------------------------------------------------------------------------- */

/* Outermost first: chains are as short as YAML is deep. */
static void
locations_json(struct json_writer *w, const struct diag_context *context, unsigned depth)
{
	if (context->parent && depth < 2 * LIMIT_YAML_DEPTH)
		locations_json(w, context->parent, depth + 1);
	json_begin_object(w);
	json_key(w, "item_name");
	json_str(w, context->item);
	json_key(w, "item_type");
	json_str(w, diag_place_text(context->place));
	json_key(w, "position");
	json_begin_object(w);
	json_key(w, "column");
	json_u64(w, context->at.column);
	json_key(w, "line");
	json_u64(w, context->at.line);
	json_key(w, "name");
	json_str(w, context->name);
	json_key(w, "offset");
	json_u64(w, context->at.offset);
	json_end_object(w);
	json_end_object(w);
}

static void
diags_json(
    const struct load_result *r, struct json_writer *w, const struct diag_list *list)
{
	json_begin_array(w);
	for (const struct diag *d = list->first; d; d = d->next) {
		struct buf text;

		json_begin_object(w);
		json_key(w, "code");
		json_str(w, diag_code_text(d->code));
		json_key(w, "codedesc");
		json_str(w, diag_code_long(d->code));
		json_key(w, "context");
		json_begin_object(w);
		json_key(w, "locations");
		json_begin_array(w);
		locations_json(w, d->context, 0);
		json_end_array(w);
		json_key(w, "snippet");
		buf_init(&text, LIMIT_TEXT_BYTES);
		load_result_snippet(r, d->context, &text);
		json_str_n(w, buf_str(&text), text.len);
		buf_release(&text);
		json_end_object(w);
		if (d->deprecated_field) {
			json_key(w, "deprecated_field");
			json_str(w, d->deprecated_field);
		}
		json_key(w, "message");
		json_str(w, d->text);
		json_end_object(w);
	}
	json_end_array(w);
}

static void
result_json(const struct load_result *r, bool all, struct buf *out)
{
	struct json_writer w;

	json_init(&w, out);
	json_begin_object(&w);
	json_key(&w, "errors");
	diags_json(r, &w, &r->errors);
	if (all) {
		json_key(&w, "more_errors");
		diags_json(r, &w, &r->more);
	}
	json_key(&w, "name");
	json_str(&w, r->name);
	if (r->n_schema) {
		json_key(&w, "schema_valid");
		json_bool(&w, schema_is_valid(r));
		json_key(&w, "schema_warnings");
		json_begin_array(&w);
		for (uint32_t i = 0; !schema_is_valid(r) && i < r->n_schema; i++)
			json_str(&w, r->schema[i]);
		json_end_array(&w);
	}
	json_key(&w, "successful");
	json_bool(&w, !r->failed);
	json_key(&w, "warnings");
	diags_json(r, &w, &r->warnings);
	json_end_object(&w);
}

void
load_result_json(const struct load_result *r, struct buf *out)
{
	result_json(r, false, out);
}

void
load_result_json_all(const struct load_result *r, struct buf *out)
{
	result_json(r, true, out);
}

/* -- text
 * ----------------------------------------------------------------------------------- */

static void
short_text(const struct diag *d, struct buf *out)
{
	buf_addf(out, "%s (%s", diag_code_text(d->code), diag_code_short(d->code));
	if (d->deprecated_field)
		buf_addf(out, ": field '%s'", d->deprecated_field);
	buf_addc(out, ')');
}

static void
diags_text(const struct load_result *r, const struct diag_list *list, const char *what,
    struct buf *out)
{
	if (!list->n)
		return;
	buf_addf(out, "\n%u %s:\n", list->n, what);
	for (const struct diag *d = list->first; d; d = d->next) {
		diag_locations_text(d->context, out);
		buf_adds(out, "------\n");
		load_result_snippet(r, d->context, out);
		buf_adds(out, "------\n");
		short_text(d, out);
		buf_addf(out, ": %s\n", d->text);
	}
}

static void
diags_summary(const struct diag_list *list, const char *what, struct buf *out)
{
	if (!list->n)
		return;
	buf_addf(out, "\n %u %s: [", list->n, what);
	for (const struct diag *d = list->first; d; d = d->next) {
		if (d != list->first)
			buf_addc(out, ' ');
		short_text(d, out);
	}
	buf_addc(out, ']');
}

static void
schema_text(const struct load_result *r, bool verbose, struct buf *out)
{
	if (!r->n_schema || schema_is_valid(r))
		return;
	buf_addf(out, verbose ? "\n%u Schema warnings:\n" : "\n %u schema warnings: [",
	    r->n_schema);
	for (uint32_t i = 0; i < r->n_schema; i++) {
		if (verbose)
			buf_addf(out, "------\n%s\n", r->schema[i]);
		else
			buf_addf(out, "%s%s", i ? " " : "", r->schema[i]);
	}
	buf_adds(out, verbose ? "------\n" : "]");
}

void
load_result_text(const struct load_result *r, bool verbose, struct buf *out)
{
	if (*r->name)
		buf_addf(out, "%s: ", r->name);
	buf_adds(out, r->failed ? "Invalid" : r->warnings.n ? "Ok, with warnings" : "Ok");
	schema_text(r, verbose, out);
	if (verbose) {
		diags_text(r, &r->errors, "Errors", out);
		diags_text(r, &r->warnings, "Warnings", out);
	} else {
		diags_summary(&r->errors, "errors", out);
		diags_summary(&r->warnings, "warnings", out);
	}
}

void
load_result_more_errors_text(const struct load_result *r, struct buf *out)
{
	diags_text(r, &r->more, "More errors", out);
}
