/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "broker/cmd/commands.h"

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

/* What a command's part of the list is about: it begins with that command. */
static const struct {
	const char *command, *title;
} parts[] = {
    {"run", "Run plugins"},
    {"sandbox", "Say what they may do"},
    {"check", "Write rules"},
    {"fuzz", "Look for crashes"},
    {"top", "Watch what runs"},
    {"help", "Find out more"},
};

static const char examples[] =
    "Examples:\n"
    "  mews run libdummy.so\n"
    "      what a plugin gives, confined, without any configuration\n"
    "  mews learn libk8saudit.so --open-params http://:9765/k8s-audit\n"
    "      the policy that it needs\n"
    "  mews run -c /etc/mews/falco.yaml\n"
    "      what falco does with that configuration; also as: falco -c …\n"
    "  mews check -c falco.yaml --strict && mews test cases/\n"
    "      rules, before they are used\n"
    "  mews explain 'Secret read' -c falco.yaml --event 17\n"
    "      why the rule was silent\n"
    "\n"
    "Without a command it takes Falco's flags: mews -c falco.yaml, mews --help.\n"
    "Manuals: mews(1), mews.yaml(5), mews(8).\n";

static void
print_all(void)
{
	printf("mews runs Falco plugins, each confined in a process of its own.\n");
	for (int i = 0; i < N_COMMANDS; i++) {
		for (size_t k = 0; k < sizeof(parts) / sizeof(*parts); k++) {
			if (strcmp(parts[k].command, commands[i].name) == 0)
				printf("\n%s:\n", parts[k].title);
		}
		printf("  mews %s%s%s\n      %s\n", commands[i].name,
		    &" "[!commands[i].args[0]], commands[i].args, commands[i].text);
	}
	printf("\n%s", examples);
}

int
cmd_help(int argc, char **argv)
{
	command_fn *command = argc > 1 ? command_find(argv[1]) : NULL;

	if (command && command != cmd_help) {
		char *ask[] = {argv[1], "--help", NULL};
		return command(2, ask);
	}
	if (argc > 1 && !command && strcmp(argv[1], "--help") != 0) {
		fprintf(
		    stderr, "Error: there is no command '%s'; see: mews help\n", argv[1]);
		return 1;
	}
	print_all();
	return 0;
}
