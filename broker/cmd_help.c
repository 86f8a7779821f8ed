/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "broker/commands.h"

static const struct {
	const char *name, *args, *text;
	command_fn *run;
} commands[] = {
#define COMMAND_ROW(function, name, args, text) {name, args, text, function},
    COMMANDS(COMMAND_ROW)
#undef COMMAND_ROW
};

enum {
	N_COMMANDS = sizeof(commands) / sizeof(*commands)
};

command_fn *
command_find(const char *name)
{
	for (int i = 0; i < N_COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run;
	}
	return NULL;
}

int
cmd_help(int argc, char **argv)
{
	if (argc > 1) {
		char *ask[] = {argv[1], "--help", NULL};
		command_fn *command = command_find(argv[1]);

		if (command && command != cmd_help)
			return command(2, ask);
	}
	printf("mews runs Falco plugins, each confined in a process of its own.\n\n");
	for (int i = 0; i < N_COMMANDS; i++)
		printf("  mews %-12s %-28s %s\n", commands[i].name, commands[i].args,
		    commands[i].text);
	printf("\nWithout a command it takes Falco's flags: mews -c falco.yaml, mews "
	       "--help.\n");
	return 0;
}
