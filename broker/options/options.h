/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line as Falco takes it, parsed and nothing more: no file is
 * read here. All strings point into argv. Sub-commands of mews are in commands.h; what
 * follows them is parsed by the command itself, "run" with the same table as here.
 */
#ifndef BROKER_OPTIONS_OPTIONS_H
#define BROKER_OPTIONS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Values of a repeatable option, in order. */
struct option_list {
	const char **value;
	size_t n;
};

struct options {
	int argc; /* as given, for the log line "CLI args" */
	char **argv;

	bool help, config_schema, rule_schema, dry_run, ignored_events, describe_all,
	    list_events, list_plugins, markdown, names_only, support, unbuffered, verbose,
	    version, page_size;
	const char *config, *describe_rule, *format, *plugin_info, *print, *pidfile;
	bool list_given;  /* --list was there, with or without a value */
	const char *list; /* its value, or NULL */
	bool max_time_given;
	long max_time_s;
	struct option_list disable_source, enable_source, option, rules, validate;
	/* Words that are no option: Falco ignores them, sub-commands use them. */
	struct option_list word;
};

/* argv[0] is skipped. On failure err has the text that follows "Error: ". */
bool options_parse(struct options *o, int argc, char **argv, struct err *err);
void options_release(struct options *o);
/* What no parser sees: a format that is none, options that exclude each other, a -c file
 * that is not there. Falco's texts. */
bool options_check(const struct options *o, struct err *err);

/* --help as Falco lays it out. */
void options_help(struct buf *out);

#endif
