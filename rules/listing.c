/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "rules/wrap.h"

enum {
	NAME_COLUMNS = 30,
	TEXT_COLUMNS = 90,
};

/* TAG(flag, text), bytewise sorted. */
/* clang-format off */
#define FIELD_TAGS(TAG) \
	TAG(FIELD_ARG_ALLOWED,    "ARG_ALLOWED") \
	TAG(FIELD_ARG_INDEX,      "ARG_INDEX") \
	TAG(FIELD_ARG_KEY,        "ARG_KEY") \
	TAG(FIELD_ARG_REQUIRED,   "ARG_REQUIRED") \
	TAG(FIELD_LIST,           "EPF_IS_LIST") \
	TAG(FIELD_NO_RHS,         "EPF_NO_RHS") \
	TAG(FIELD_NO_TRANSFORMER, "EPF_NO_TRANSFORMER") \
	TAG(FIELD_TABLE_ONLY,     "EPF_TABLE_ONLY") \
	TAG(FIELD_FILTER_ONLY,    "FILTER_ONLY")
/* clang-format on */

static const struct {
	uint32_t flag;
	const char *text;
} tags[] = {
#define FIELD_TAG_ROW(flag, text) {flag, text},
    FIELD_TAGS(FIELD_TAG_ROW)
#undef FIELD_TAG_ROW
};

static const char *const format_words[] = {
    [LISTING_TEXT] = "text", [LISTING_MARKDOWN] = "markdown", [LISTING_JSON] = "json"};

bool
listing_format_parse(const char *word, enum listing_format *ret_format)
{
	for (size_t i = 0; i < sizeof(format_words) / sizeof(format_words[0]); i++) {
		if (strcasecmp(word, format_words[i]) == 0) {
			*ret_format = (enum listing_format)i;
			return true;
		}
	}
	return false;
}

/* A class once, with all the sources that know it, sorted by name. */
struct listed_class {
	const struct field_class *klass;
	const char **source;
	uint32_t n_source;
};

static bool
is_listed(const struct field *f)
{
	return !(f->flags & (FIELD_TABLE_ONLY | FIELD_DEPRECATED | FIELD_PRINT_ONLY));
}

static bool
any_listed(const struct field_class *k)
{
	for (uint32_t i = 0; i < k->n; i++) {
		if (is_listed(&k->field[i]))
			return true;
	}
	return false;
}

static int
text_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* -- text -- */

static void
field_text(const struct field *f, bool types, struct buf *scratch, struct buf *out)
{
	uint32_t n = 0;

	buf_clear(scratch);
	if (types)
		buf_addf(scratch, "(Type: %s) ", value_type_name(f->type));
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (f->flags & tags[i].flag)
			buf_addf(scratch, "%c%s", n++ ? ',' : '(', tags[i].text);
	}
	buf_addf(scratch, "%s%s", n ? ") " : "", f->desc);
	buf_addf(out, "%-*s", NAME_COLUMNS, f->name);
	if (strlen(f->name) > NAME_COLUMNS)
		buf_addf(out, "\n%*s", NAME_COLUMNS, "");
	wrap_text(out, buf_str(scratch), NAME_COLUMNS, TEXT_COLUMNS);
	buf_addc(out, '\n');
}

static void
sources_text(const struct listed_class *c, struct buf *out)
{
	for (uint32_t i = 0; i < c->n_source; i++)
		buf_addf(out, "%s ", c->source[i]);
	buf_addc(out, '\n');
}

static void
class_text(const struct listed_class *c, bool types, struct buf *scratch, struct buf *out)
{
	const struct field_class *k = c->klass;

	if (!any_listed(k)) {
		buf_addc(out, '\n');
		return;
	}
	buf_adds(out, "-------------------------------\n");
	buf_addf(out, "%-*s%s", NAME_COLUMNS, "Field Class:", k->name);
	if (*k->short_desc)
		buf_addf(out, " (%s)", k->short_desc);
	buf_addc(out, '\n');
	if (*k->desc) {
		buf_addf(out, "%-*s", NAME_COLUMNS, "Description:");
		wrap_text(out, k->desc, NAME_COLUMNS, TEXT_COLUMNS);
		buf_addc(out, '\n');
	}
	buf_addf(out, "%-*s", NAME_COLUMNS, "Event Sources:");
	sources_text(c, out);
	buf_addc(out, '\n');
	for (uint32_t i = 0; i < k->n; i++) {
		if (is_listed(&k->field[i]))
			field_text(&k->field[i], types, scratch, out);
	}
	buf_addc(out, '\n');
}

/* -- markdown -- */

static void
class_markdown(const struct listed_class *c, struct buf *out)
{
	const struct field_class *k = c->klass;

	if (!any_listed(k))
		return;
	buf_addf(out, "## Field Class: %s\n\n", k->name);
	if (*k->desc)
		buf_addf(out, "%s\n\n", k->desc);
	buf_adds(out, "Event Sources: ");
	sources_text(c, out);
	buf_adds(out, "\nName | Type | Description\n:----|:-----|:-----------\n");
	for (uint32_t i = 0; i < k->n; i++) {
		const struct field *f = &k->field[i];
		bool list = f->flags & FIELD_LIST;
		if (is_listed(f))
			buf_addf(out, "`%s` | %s%s%s | %s\n", f->name,
			    list ? "LIST(" : "", value_type_name(f->type),
			    list ? ")" : "", f->desc);
	}
	buf_addc(out, '\n');
}

/* -- JSON -- */

static void
argument_json(const struct field *f, struct json_writer *w)
{
	json_key(w, "argument");
	if (!(f->flags & (FIELD_ARG_REQUIRED | FIELD_ARG_ALLOWED))) {
		json_write_null(w);
		return;
	}
	json_begin_object(w);
	json_key(w, "required");
	json_bool(w, f->flags & FIELD_ARG_REQUIRED);
	json_key(w, "type");
	json_begin_array(w);
	if (f->flags & FIELD_ARG_INDEX)
		json_str(w, "INDEX");
	if (f->flags & FIELD_ARG_KEY)
		json_str(w, "KEY");
	json_end_array(w);
	json_end_object(w);
}

static void
class_json(const struct listed_class *c, struct json_writer *w)
{
	const struct field_class *k = c->klass;

	if (!any_listed(k))
		return;
	json_begin_object(w);
	if (*k->desc) {
		json_key(w, "desc");
		json_str(w, k->desc);
	}
	json_key(w, "event_sources");
	json_begin_array(w);
	for (uint32_t i = 0; i < c->n_source; i++)
		json_str(w, c->source[i]);
	json_end_array(w);
	json_key(w, "fields");
	json_begin_array(w);
	for (uint32_t i = 0; i < k->n; i++) {
		const struct field *f = &k->field[i];
		if (!is_listed(f))
			continue;
		json_begin_object(w);
		argument_json(f, w);
		json_key(w, "desc");
		json_str(w, f->desc);
		json_key(w, "is_list");
		json_bool(w, f->flags & FIELD_LIST);
		json_key(w, "name");
		json_str(w, f->name);
		json_key(w, "type");
		json_str(w, value_type_name(f->type));
		json_end_object(w);
	}
	json_end_array(w);
	json_key(w, "name");
	json_str(w, k->name);
	json_end_object(w);
}

static void
print_json(const struct listed_class *list, uint32_t n, bool names_only,
    struct buf *scratch, struct buf *out)
{
	struct json_writer w;

	buf_clear(scratch);
	json_init(&w, scratch);
	json_begin_object(&w);
	json_key(&w, names_only ? "fieldnames" : "fieldclasses");
	json_begin_array(&w);
	for (uint32_t i = 0; i < n; i++) {
		const struct field_class *k = list[i].klass;
		if (!names_only)
			class_json(&list[i], &w);
		for (uint32_t f = 0; names_only && f < k->n; f++) {
			if (is_listed(&k->field[f]))
				json_str(&w, k->field[f].name);
		}
	}
	json_end_array(&w);
	json_end_object(&w);
	json_indent(out, buf_str(scratch), scratch->len);
	buf_addc(out, '\n');
}

static void
print_names(const struct field_class *k, struct buf *out)
{
	for (uint32_t i = 0; i < k->n; i++) {
		if (is_listed(&k->field[i]))
			buf_addf(out, "%s\n", k->field[i].name);
	}
}

/* -- all classes -- */

static bool
add_class(struct arena *arena, const struct field_catalog *catalog, const char *source,
    const struct field_class *k, struct listed_class *list, uint32_t *n)
{
	uint32_t i = 0;

	while (i < *n && (strcmp(list[i].klass->name, k->name) != 0 ||
			     strcmp(list[i].klass->short_desc, k->short_desc) != 0))
		i++;
	if (i == *n) {
		list[i].klass = k;
		list[i].source =
		    arena_array(arena, catalog->n_source, sizeof(*list[i].source));
		if (!list[i].source)
			return false;
		++*n;
	}
	list[i].source[list[i].n_source++] = source;
	return true;
}

static void
print(const struct listed_class *list, uint32_t n, const struct listing_options *o,
    struct buf *out)
{
	struct buf scratch;

	buf_init(&scratch, LIMIT_RULES_FILE_BYTES);
	if (o->format == LISTING_JSON)
		print_json(list, n, o->names_only, &scratch, out);
	for (uint32_t i = 0; o->format != LISTING_JSON && i < n; i++) {
		if (o->names_only)
			print_names(list[i].klass, out);
		else if (o->format == LISTING_MARKDOWN)
			class_markdown(&list[i], out);
		else
			class_text(&list[i], o->types, &scratch, out);
	}
	buf_release(&scratch);
}

bool
listing_print(const struct field_catalog *catalog, const struct listing_options *options,
    struct buf *out, struct err *err)
{
	struct arena arena;
	struct listed_class *list;
	uint32_t n = 0, most = 0;
	bool ok;

	if (options->source && !field_catalog_source(catalog, options->source))
		return err_set(
		    err, ERR_USAGE, "Value for --list must be a valid source type");
	arena_init(&arena, LIMIT_RULES_MEMORY);
	for (uint32_t i = 0; i < catalog->n_source; i++)
		most += catalog->source[i].n_class;
	list = arena_array(&arena, most + 1, sizeof(*list));
	ok = list != NULL;
	for (uint32_t i = 0; ok && i < catalog->n_source; i++) {
		const struct field_source *s = &catalog->source[i];
		if (options->source && strcmp(options->source, s->name) != 0)
			continue;
		for (uint32_t k = 0; ok && k < s->n_class; k++) {
			if (!s->klass[k]->hidden)
				ok = add_class(
				    &arena, catalog, s->name, s->klass[k], list, &n);
		}
	}
	for (uint32_t i = 0; ok && i < n; i++)
		qsort(list[i].source, list[i].n_source, sizeof(*list[i].source),
		    text_order);
	if (ok)
		print(list, n, options, out);
	arena_release(&arena);
	return ok || err_nomem(err);
}
