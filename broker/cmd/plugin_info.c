/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/log.h"
#include "broker/app/single.h"
#include "broker/cmd/commands.h"

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
	struct own_options own;
	struct options options;
	struct app app = {.options = &options};
	struct err err;
	int status;

	if (!own_options_take(&own, OWN_INFO, &argc, argv, &err) ||
	    !options_parse(&options, argc, argv, &err)) {
		fprintf(stderr, "Error: %s\n", err.msg);
		return 1;
	}
	if (own.help || options.word.n != 1) {
		fputs(usage, own.help ? stdout : stderr);
		options_release(&options);
		return own.help ? 0 : 1;
	}
	if (!single_settings(&app, &own, options.word.value, 1, &err)) {
		fprintf(stderr, "Error: %s\n", err.msg);
		settings_free(app.settings);
		options_release(&options);
		return 1;
	}
	log_configure(&app.settings->log);
	options.plugin_info = app.settings->plugin[0].name;
	status = app_run_steps(&app, steps, sizeof(steps) / sizeof(*steps));
	options_release(&options);
	return status;
}
