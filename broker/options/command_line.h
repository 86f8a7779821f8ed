/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of a sub-command: its own options and Falco's, taken and given back
 * together. */
#ifndef BROKER_OPTIONS_COMMAND_LINE_H
#define BROKER_OPTIONS_COMMAND_LINE_H

#include "broker/options/options.h"
#include "broker/options/own_options.h"

struct command_line {
	struct own_options own;
	struct options options;
};

/*
 * Takes the command line apart. False: *ret_status is the exit status, what there was to
 * say was said (a mistake, or the usage because of --help), and nothing is left to
 * release.
 */
bool command_line_take(struct command_line *l, enum own_command command,
    const char *usage, int argc, char **argv, int *ret_status);
void command_line_release(struct command_line *l);

/* "Error: WHY" and the usage, of a command line that makes no sense. Returns the exit
 * status. */
int command_line_misused(struct command_line *l, const char *why, const char *usage);

#endif
