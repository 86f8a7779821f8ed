/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/options/command_line.h"

#include <stdio.h>
#include <string.h>

bool
command_line_take(struct command_line *l, enum own_command command, const char *usage,
    int argc, char **argv, int *ret_status)
{
	struct err err;

	memset(l, 0, sizeof(*l));
	*ret_status = 1;
	if (!own_options_take(&l->own, command, &argc, argv, &err) ||
	    !options_parse(&l->options, argc, argv, &err)) {
		fprintf(stderr, "Error: %s\n", err.msg);
	} else if (l->own.help) {
		fputs(usage, stdout);
		*ret_status = 0;
	} else {
		return true;
	}
	command_line_release(l);
	return false;
}

void
command_line_release(struct command_line *l)
{
	options_release(&l->options);
	own_options_release(&l->own);
}

int
command_line_misused(struct command_line *l, const char *why, const char *usage)
{
	fprintf(stderr, "Error: %s\n%s", why, usage);
	command_line_release(l);
	return 1;
}
