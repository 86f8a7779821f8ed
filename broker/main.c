/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mews: the broker. Called as "falco", or without a sub-command, it takes Falco's command
 * line; everything else is in commands.h.
 */
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "broker/app/app.h"
#include "broker/cmd/commands.h"

static bool
is_called(const char *argv0, const char *name)
{
	const char *slash = strrchr(argv0, '/');

	return strcmp(slash ? slash + 1 : argv0, name) == 0;
}

static int
run_as_falco(int argc, char **argv)
{
	struct options options;
	struct app app = {.options = &options};
	struct err err;
	int status;

	if (!options_parse(&options, argc, argv, &err)) {
		fprintf(stderr, "Error: %s\n", err.msg);
		return 1;
	}
	status = app_run(&app);
	options_release(&options);
	return status;
}

int
main(int argc, char **argv)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	command_fn *command = NULL;

	/* A peer that is gone, or a file that may not grow, is an error of a write, not a
	 * reason to die. */
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);
	if (argc > 1 && !is_called(argv[0], "falco"))
		command = command_find(argv[1]);
	return command ? command(argc - 1, argv + 1) : run_as_falco(argc, argv);
}
