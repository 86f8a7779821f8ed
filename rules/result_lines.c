/* SPDX-License-Identifier: Apache-2.0 */
/* What loading found, as compilers say it. */
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "rules/result.h"

static void
add_text(struct buf *out, const char *s)
{
	utf8_escape_except(out, s, strlen(s), "\\");
}

void
diag_place_in_file(const struct diag_context *context, struct buf *out)
{
	/* Places inside a condition count from its beginning: lines that YAML folded are
	 * not known any more. Its own place is exact. */
	while (context->place == PLACE_CONDITION_EXPRESSION && context->parent)
		context = context->parent;
	add_text(out, context->name);
	buf_addf(out, ":%u:%u", context->at.line + 1, context->at.column + 1);
}

/* "rule 'A', rule condition": the places between the file and the one that is meant. */
static void
add_inside(const struct diag_context *context, struct buf *out)
{
	const struct diag_context *inside[8];
	uint32_t n = 0;

	for (; context && context->parent; context = context->parent) {
		if (context->place == PLACE_CONDITION_EXPRESSION ||
		    context->place == PLACE_RULES_CONTENT_ITEM)
			continue;
		if (n == sizeof(inside) / sizeof(*inside))
			memmove(inside, inside + 1, --n * sizeof(*inside));
		inside[n++] = context;
	}
	if (n)
		buf_adds(out, "    in ");
	for (uint32_t i = n; i-- > 0;) {
		buf_adds(out, diag_place_text(inside[i]->place));
		if (*inside[i]->item) {
			buf_adds(out, " '");
			add_text(out, inside[i]->item);
			buf_addc(out, '\'');
		}
		buf_adds(out, i ? ", " : "\n");
	}
}

static void
add_snippet(
    const struct load_result *r, const struct diag_context *context, struct buf *out)
{
	struct buf text;
	char *rest, *line;

	buf_init(&text, LIMIT_TEXT_BYTES);
	load_result_snippet(r, context, &text);
	for (rest = text.data; rest && (line = strsep(&rest, "\n"));) {
		if (!*line)
			continue;
		buf_adds(out, "    ");
		add_text(out, line);
		buf_addc(out, '\n');
	}
	buf_release(&text);
}

static bool
is_among(const struct diag *d, const struct diag_list *list)
{
	for (const struct diag *o = list->first; o; o = o->next) {
		if (o->context->at.offset == d->context->at.offset &&
		    o->code == d->code && strcmp(o->text, d->text) == 0 &&
		    strcmp(o->context->name, d->context->name) == 0)
			return true;
	}
	return false;
}

static uint32_t
add_diags(const struct load_result *r, const struct load_result *before,
    const struct diag_list *list, const char *what, struct buf *out)
{
	uint32_t n = 0;

	for (const struct diag *d = list->first; d; d = d->next) {
		if (before &&
		    (is_among(d, &before->errors) || is_among(d, &before->more) ||
			is_among(d, &before->warnings)))
			continue;
		n++;
		diag_place_in_file(d->context, out);
		buf_addf(out, ": %s: ", what);
		add_text(out, *d->text ? d->text : diag_code_short(d->code));
		buf_addf(out, " (%s)\n", diag_code_text(d->code));
		add_inside(d->context, out);
		add_snippet(r, d->context, out);
	}
	return n;
}

void
load_result_lines(const struct load_result *r, const struct load_result *before,
    struct buf *out, uint32_t *ret_errors, uint32_t *ret_warnings)
{
	*ret_errors = add_diags(r, before, &r->errors, "error", out);
	*ret_errors += add_diags(r, before, &r->more, "error", out);
	*ret_warnings = add_diags(r, before, &r->warnings, "warning", out);
	/* What the schema says of a file with mistakes are mostly these again. */
	if (r->failed || strcmp(load_result_schema_status(r), "ok") == 0)
		return;
	*ret_warnings += r->n_schema;
	for (uint32_t i = 0; i < r->n_schema; i++) {
		add_text(out, r->name);
		buf_adds(out, ": warning: schema: ");
		add_text(out, r->schema[i]);
		buf_addc(out, '\n');
	}
}
