/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/log.h"
#include "broker/app/single.h"
#include "broker/cmd/commands.h"
#include "broker/options/command_line.h"

static const char usage[] =
    "mews plugin-info PLUGIN.so [--init-config TEXT] [--sandbox '{profile: …}']\n"
    "\n"
    "Loads the plugin in a confined worker, initialises it and prints what it says of\n"
    "itself: name, version, capabilities, schema of its configuration, open parameters.\n"
    "\n"
    "  mews plugin-info libk8saudit.so --init-config '{}'\n";

int
cmd_plugin_info(int argc, char **argv)
{
	app_step_fn *const steps[] = {step_start_workers, step_plugin_info};
	struct command_line line;
	struct app app = {.options = &line.options};
	struct err err;
	int status;

	if (!command_line_take(&line, OWN_INFO, usage, argc, argv, &status))
		return status;
	if (line.options.word.n != 1)
		return command_line_misused(&line, "which plugin?", usage);
	if (single_settings(&app, &line.own, line.options.word.value, 1, &err)) {
		log_configure(&app.settings->log);
		line.options.plugin_info = app.settings->plugin[0].name;
		status = app_run_steps(&app, steps, sizeof(steps) / sizeof(*steps));
	} else {
		fprintf(stderr, "Error: %s\n", err.msg);
		settings_free(app.settings);
		status = 1;
	}
	command_line_release(&line);
	return status;
}
