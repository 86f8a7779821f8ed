/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/options/own_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum own_kind {
	OWN_FLAG,
	OWN_TEXT,
	OWN_LIST_OF,
	OWN_COUNT
};

struct own_row {
	const char *name;
	enum own_kind kind;
	size_t offset;
	unsigned commands;
};

#define KIND_FLAG  OWN_FLAG
#define KIND_TEXT  OWN_TEXT
#define KIND_LIST  OWN_LIST_OF
#define KIND_COUNT OWN_COUNT

static const struct own_row rows[] = {
#define OWN(name, arg, kind, member, commands, help)                                     \
	{name, KIND_##kind, offsetof(struct own_options, member), commands},
#include "broker/options/own_option_table.h"
#undef OWN
};

static const struct own_row *
find(const char *arg, unsigned command)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t n = strlen(rows[i].name);
		bool is_long = rows[i].name[1] == '-';

		if ((rows[i].commands & command) && strncmp(arg, rows[i].name, n) == 0 &&
		    (!is_long || arg[n] == '\0' || arg[n] == '='))
			return &rows[i];
	}
	return NULL;
}

static bool
parse_count(const char *name, const char *text, uint64_t *ret_n, struct err *err)
{
	char *end;

	errno = 0;
	*ret_n = strtoull(text, &end, 10);
	if (errno || end == text || *end || *ret_n == 0)
		return err_set(err, ERR_USAGE,
		    "%s takes a number of events from 1, not '%s'", name, text);
	return true;
}

static bool
apply(
    struct own_options *o, const struct own_row *row, const char *value, struct err *err)
{
	void *member = (char *)o + row->offset;
	struct option_list *list = member;
	const char **grown;

	switch (row->kind) {
	case OWN_FLAG:
		*(bool *)member = true;
		return true;
	case OWN_TEXT:
		*(const char **)member = value;
		return true;
	case OWN_COUNT:
		return parse_count(row->name, value, member, err);
	case OWN_LIST_OF:
		grown = reallocarray(list->value, list->n + 1, sizeof(*grown));
		if (!grown)
			return err_nomem(err);
		list->value = grown;
		list->value[list->n++] = value;
		return true;
	}
	return true;
}

/* The value of the option at argv[*i]: behind it, behind "=", or the next word. */
static bool
value_of(const struct own_row *row, int argc, char **argv, int *i, const char **ret_value,
    struct err *err)
{
	const char *rest = argv[*i] + strlen(row->name);

	*ret_value = NULL;
	if (row->kind == OWN_FLAG)
		return !*rest || err_set(err, ERR_USAGE, "%s takes no value", row->name);
	if (*rest)
		*ret_value = *rest == '=' ? rest + 1 : rest;
	else if (*i + 1 < argc)
		*ret_value = argv[++*i];
	else
		return err_set(
		    err, ERR_USAGE, "Option ‘%s’ is missing an argument", row->name);
	return true;
}

bool
own_options_take(struct own_options *o, enum own_command command, int *argc, char **argv,
    struct err *err)
{
	int kept = 1;

	*o = (struct own_options){0};
	for (int i = 1; i < *argc; i++) {
		const struct own_row *row = find(argv[i], command);
		const char *value;

		if (strcmp(argv[i], "--") == 0) {
			while (i < *argc)
				argv[kept++] = argv[i++];
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			o->help = true;
		} else if (!row) {
			argv[kept++] = argv[i];
		} else if (!value_of(row, *argc, argv, &i, &value, err) ||
			   !apply(o, row, value, err)) {
			own_options_release(o);
			return false;
		}
	}
	*argc = kept;
	argv[kept] = NULL;
	return true;
}

void
own_options_release(struct own_options *o)
{
	free(o->plugin.value);
	o->plugin = (struct option_list){0};
}
