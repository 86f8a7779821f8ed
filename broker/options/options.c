/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/options/options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum option_kind {
	KIND_FLAG,
	KIND_TEXT,
	KIND_LIST,
	KIND_OPTIONAL,
	KIND_NUMBER
};

struct option_row {
	char letter;
	const char *name, *arg, *help;
	enum option_kind kind;
	size_t offset;
};

static const struct option_row rows[] = {
#define OPT(id, letter, name, arg, kind, member, help)                                   \
	{letter, name, arg, help, KIND_##kind, offsetof(struct options, member)},
#include "broker/options/option_table.h"
#undef OPT
};

enum {
	N_ROWS = sizeof(rows) / sizeof(*rows),
	HELP_COLUMN = 30,
	HELP_WIDTH = 110
};

static bool
list_add(struct option_list *l, const char *value, struct err *err)
{
	const char **grown = reallocarray(l->value, l->n + 1, sizeof(*grown));

	if (!grown)
		return err_nomem(err);
	l->value = grown;
	l->value[l->n++] = value;
	return true;
}

static const struct option_row *
find_long(const char *name, size_t n)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		if (strlen(rows[i].name) == n && n > 0 &&
		    memcmp(rows[i].name, name, n) == 0)
			return &rows[i];
	}
	return NULL;
}

static const struct option_row *
find_short(char letter)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		if (rows[i].letter == letter)
			return &rows[i];
	}
	return NULL;
}

static bool
parse_number(const char *shown, const char *text, long *ret, struct err *err)
{
	char *end;

	errno = 0;
	long v = strtol(text, &end, 10);
	if (end == text || *end || errno || v < INT_MIN || v > INT_MAX)
		return err_set(err, ERR_USAGE, "Argument ‘%s’ failed to parse", text);
	(void)shown;
	*ret = v;
	return true;
}

/* value is NULL for a flag, and for --list without "=". */
static bool
apply(struct options *o, const struct option_row *row, const char *value, struct err *err)
{
	void *member = (char *)o + row->offset;

	switch (row->kind) {
	case KIND_FLAG:
		*(bool *)member = true;
		return true;
	case KIND_TEXT:
		*(const char **)member = value;
		return true;
	case KIND_LIST:
		return list_add(member, value, err);
	case KIND_OPTIONAL:
		o->list_given = true;
		*(const char **)member = value;
		return true;
	case KIND_NUMBER:
		o->max_time_given = true;
		return parse_number(row->name, value, member, err);
	}
	return true;
}

static bool
takes_value(const struct option_row *row)
{
	return row->kind != KIND_FLAG && row->kind != KIND_OPTIONAL;
}

static bool
missing_value(const char *shown, size_t n, struct err *err)
{
	return err_set(
	    err, ERR_USAGE, "Option ‘%.*s’ is missing an argument", (int)n, shown);
}

static bool
unknown(const char *shown, size_t n, struct err *err)
{
	return err_set(err, ERR_USAGE, "Option ‘%.*s’ does not exist", (int)n, shown);
}

/* "--name", "--name=value", "--name value". */
static bool
parse_long(struct options *o, int argc, char **argv, int *at, struct err *err)
{
	const char *name = argv[*at] + 2;
	const char *eq = strchr(name, '=');
	size_t n = eq ? (size_t)(eq - name) : strlen(name);
	const struct option_row *row = find_long(name, n);
	const char *value = eq ? eq + 1 : NULL;

	if (!row)
		return unknown(name, n, err);
	if (row->kind == KIND_FLAG && value) {
		if (strcmp(value, "false") == 0)
			return true;
		if (strcmp(value, "true") != 0)
			return err_set(
			    err, ERR_USAGE, "Argument ‘%s’ failed to parse", value);
		value = NULL;
	}
	if (takes_value(row) && !value) {
		if (*at + 1 >= argc)
			return missing_value(name, n, err);
		value = argv[++*at];
	}
	return apply(o, row, value, err);
}

/* "-x", "-xyz" (flags), "-cVALUE", "-c VALUE". */
static bool
parse_short(struct options *o, int argc, char **argv, int *at, struct err *err)
{
	for (const char *p = argv[*at] + 1; *p; p++) {
		const struct option_row *row = find_short(*p);
		if (!row)
			return unknown(p, 1, err);
		if (!takes_value(row)) {
			if (!apply(o, row, NULL, err))
				return false;
			continue;
		}
		const char *value = p + 1;
		if (!*value) {
			if (*at + 1 >= argc)
				return missing_value(p, 1, err);
			value = argv[++*at];
		}
		return apply(o, row, value, err);
	}
	return true;
}

bool
options_parse(struct options *o, int argc, char **argv, struct err *err)
{
	bool ok = true, words = false;

	*o = (struct options){.argc = argc, .argv = argv};
	for (int i = 1; i < argc && ok; i++) {
		const char *a = argv[i];
		if (words || a[0] != '-' || !a[1])
			ok = list_add(&o->word, a, err);
		else if (strcmp(a, "--") == 0)
			words = true;
		else if (a[1] == '-')
			ok = parse_long(o, argc, argv, &i, err);
		else
			ok = parse_short(o, argc, argv, &i, err);
	}
	if (!ok)
		options_release(o);
	return ok;
}

void
options_release(struct options *o)
{
	free(o->disable_source.value);
	free(o->enable_source.value);
	free(o->option.value);
	free(o->rules.value);
	free(o->validate.value);
	free(o->word.value);
	o->disable_source = o->enable_source = o->option = o->rules = o->validate =
	    o->word = (struct option_list){0};
}

bool
options_check(const struct options *o, struct err *err)
{
	static const char *const formats[] = {"text", "markdown", "json"};
	size_t i = 0, n = sizeof(formats) / sizeof(*formats);

	if (o->config && access(o->config, F_OK) != 0)
		return err_set(
		    err, ERR_USAGE, "Could not find configuration file at %s", o->config);
	if (!o->format)
		return true;
	if (o->markdown)
		return err_set(err, ERR_USAGE,
		    "Cannot specify both --markdown and --format options together");
	while (i < n && strcasecmp(o->format, formats[i]) != 0)
		i++;
	return i < n || err_set(err, ERR_USAGE,
			    "Invalid format '%s'. Valid values are: text, markdown, json",
			    o->format);
}

static void
wrap(struct buf *out, const char *text, size_t indent, size_t width)
{
	size_t col = indent;

	while (*text) {
		size_t n = strcspn(text, " ");
		if (col > indent && col + 1 + n > width) {
			buf_addf(out, "\n%*s", (int)indent, "");
			col = indent;
		} else if (col > indent) {
			buf_addc(out, ' ');
			col++;
		}
		buf_add(out, text, n);
		col += n;
		text += n;
		text += strspn(text, " ");
	}
}

void
options_help(struct buf *out)
{
	buf_adds(out,
	    "Falco - Cloud Native Runtime Security\nUsage:\n  falco [OPTION...]\n\n");
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct option_row *r = &rows[i];
		size_t start = out->len;
		if (r->letter)
			buf_addf(out, r->name[0] ? "  -%c, --%s" : "  -%c%s", r->letter,
			    r->name);
		else
			buf_addf(out, "      --%s", r->name);
		if (r->kind == KIND_OPTIONAL)
			buf_addf(out, " [=%s(=)]", r->arg);
		else if (r->arg[0])
			buf_addf(out, " <%s>", r->arg);
		size_t len = out->len - start;
		if (len + 1 > HELP_COLUMN)
			buf_addf(out, "\n%*s", HELP_COLUMN, "");
		else
			buf_addf(out, "%*s", (int)(HELP_COLUMN - len), "");
		wrap(out, r->help, HELP_COLUMN, HELP_WIDTH);
		buf_addc(out, '\n');
	}
}
