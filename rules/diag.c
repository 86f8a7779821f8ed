/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/diag.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"

enum {
	SNIPPET_SIDE_BYTES = 80,    /* of a line, shown on either side of the place */
	EXPRESSION_NAME_BYTES = 20, /* a longer condition is cut in names */
};

struct diag_context
diag_file(const char *name)
{
	return (struct diag_context){
	    .place = PLACE_RULES_CONTENT, .item = "", .name = name};
}

struct diag_context
diag_at(struct yaml_mark at, enum diag_place place, const char *item,
    const struct diag_context *parent)
{
	return (struct diag_context){.place = place,
	    .item = item,
	    .name = parent->name,
	    .at = at,
	    .parent = parent};
}

struct diag_context
diag_expression(struct arena *arena, const struct ast_pos *pos, struct ast_str condition,
    const struct diag_context *parent)
{
	char name[EXPRESSION_NAME_BYTES + 3];
	bool cut = condition.n > EXPRESSION_NAME_BYTES;
	int shown = cut ? EXPRESSION_NAME_BYTES - 3 : (int)condition.n;
	const char *copy;

	snprintf(name, sizeof(name), "\"%.*s%s\"", shown, condition.n ? condition.s : "",
	    cut ? "..." : "");
	for (char *p = name; *p; p++) {
		if (*p == '\n')
			*p = ' ';
	}
	copy = arena_strdup(arena, name);
	return (struct diag_context){
	    .place = PLACE_CONDITION_EXPRESSION,
	    .item = "",
	    .name = copy ? copy : "",
	    .at = {parent->at.offset + pos->idx, parent->at.line + pos->line,
		parent->at.column + pos->col},
	    .condition = condition,
	    .parent = parent,
	};
}

const struct diag_context *
diag_keep(struct arena *arena, const struct diag_context *context)
{
	struct diag_context *copy = arena_alloc(arena, sizeof(*copy)), *first = copy;

	for (; copy; context = context->parent) {
		*copy = *context;
		copy->item = arena_strdup(arena, context->item);
		copy->name = arena_strdup(arena, context->name);
		if (context->condition.s)
			copy->condition.s = arena_strndup(
			    arena, context->condition.s, context->condition.n);
		if (!copy->item || !copy->name ||
		    (context->condition.s && !copy->condition.s))
			return NULL;
		if (!context->parent)
			return first;
		copy->parent = arena_alloc(arena, sizeof(*copy));
		copy = (struct diag_context *)copy->parent;
	}
	return NULL;
}

bool
diag_add(struct arena *arena, struct diag_list *list, enum diag_code code,
    const char *text, const struct diag_context *context)
{
	struct diag *d = arena_alloc(arena, sizeof(*d));

	if (!d)
		return false;
	d->code = code;
	d->text = arena_strdup(arena, text);
	d->context = diag_keep(arena, context);
	if (!d->text || !d->context)
		return false;
	if (list->last)
		list->last->next = d;
	else
		list->first = d;
	list->last = d;
	list->n++;
	return true;
}

const char *
diag_place_text(enum diag_place place)
{
	static const char *const texts[] = {
#define DIAG_PLACE_TEXT(id, text) text,
	    DIAG_PLACES(DIAG_PLACE_TEXT)
#undef DIAG_PLACE_TEXT
	};

	return texts[place];
}

static const struct {
	const char *code, *shortly, *longer;
	bool error;
} codes[] = {
#define DIAG_CODE_ROW(id, error, text, longer) {"LOAD_" #id, text, longer, error},
    DIAG_CODES(DIAG_CODE_ROW)
#undef DIAG_CODE_ROW
};

const char *
diag_code_text(enum diag_code code)
{
	return codes[code].code;
}

const char *
diag_code_short(enum diag_code code)
{
	return codes[code].shortly;
}

const char *
diag_code_long(enum diag_code code)
{
	return codes[code].longer;
}

bool
diag_code_is_error(enum diag_code code)
{
	return codes[code].error;
}

void
diag_snippet(
    const struct diag_context *context, const char *content, size_t len, struct buf *out)
{
	size_t at = context->at.offset, from, to;

	if (context->condition.s) {
		content = context->condition.s;
		len = context->condition.n;
	}
	if (!content) {
		buf_addf(out, "<No context for file + %s>\n", context->name);
		return;
	}
	if (!len) {
		buf_adds(out, "<No context available>\n");
		return;
	}
	/* Marks of empty values stand on the next token, or behind the end. */
	while (at > 0 && (at >= len || content[at] == '\n'))
		at--;
	for (from = at;
	     from > 0 && content[from - 1] != '\n' && at - from < SNIPPET_SIDE_BYTES;)
		from--;
	for (to = at; to < len && content[to] != '\n' && to - at <= SNIPPET_SIDE_BYTES;)
		to++;
	if (from == to) {
		buf_adds(out, "<No context available>\n");
		return;
	}
	bool cut_left = at - from >= SNIPPET_SIDE_BYTES,
	     cut_right = to - at > SNIPPET_SIDE_BYTES;
	size_t start = out->len;
	buf_add(out, content + from, to - from);
	if (cut_left)
		buf_splice(out, start, 3, "...", 3);
	if (cut_right)
		buf_splice(out, out->len - 3, 3, "...", 3);
	buf_addc(out, '\n');
	for (size_t i = from; i < at; i++)
		buf_addc(out, ' ');
	buf_adds(out, "^\n");
}

/* Outermost first: chains are as short as YAML is deep. */
static void
location_text(const struct diag_context *context, unsigned depth, struct buf *out)
{
	if (context->parent && depth < 2 * LIMIT_YAML_DEPTH)
		location_text(context->parent, depth + 1, out);
	buf_addf(out, "%s%s", context->parent ? "    " : "In ",
	    diag_place_text(context->place));
	if (*context->item)
		buf_addf(out, " '%s'", context->item);
	buf_addf(
	    out, ": (%s:%u:%u)\n", context->name, context->at.line, context->at.column);
}

void
diag_locations_text(const struct diag_context *context, struct buf *out)
{
	location_text(context, 0, out);
}
