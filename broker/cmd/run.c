/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "mews run": a whole configuration with Falco's flags, or one plugin by its path. The
 * latter prints every event with its fields, or the alerts of rules given with -r.
 */
#include <stdio.h>
#include <string.h>

#include "broker/app/confine_self.h"
#include "broker/app/single.h"
#include "broker/cmd/commands.h"
#include "broker/options/command_line.h"
#include "broker/run/run.h"
#include "broker/run/show.h"

static const char usage[] =
    "mews run -c falco.yaml [--write FILE] [FALCO'S FLAGS]\n"
    "mews run PLUGIN.so [--init-config TEXT] [--open-params TEXT] [--fields a,b[c],…]\n"
    "         [-r RULES]… [-n EVENTS] [--sandbox '{profile: …}'] [--write FILE]\n"
    "         [-o key=value]…\n"
    "\n"
    "The first form is what falco does with the same configuration, each plugin "
    "confined.\n"
    "The second needs no configuration: it prints each event with its fields as a line "
    "of\n"
    "JSON, or the alerts of RULES. The plugin may do nothing but compute, unless "
    "--sandbox\n"
    "says more, as the sandbox: block of its entry in falco.yaml would.\n"
    "--write keeps all events in FILE, a capture for mews replay, Falco and sysdig.\n"
    "\n"
    "  mews run libdummy.so --open-params '{\"start\": 1, \"maxEvents\": 5}'\n"
    "  mews run libk8saudit.so --init-config '{}' --open-params /var/log/audit.json \\\n"
    "      --sandbox '{profile: file-reader, read: [/var/log/audit.json]}' -r "
    "rules.yaml\n";

static enum step_rc
step_require_source(struct app *app, struct err *err)
{
	const struct plugin *p = &app->plugins.plugin[0];

	if ((p->caps & PLUGIN_CAP_SOURCING) && p->id != 0)
		return STEP_NEXT;
	err_set(err, ERR_USAGE,
	    "plugin '%s' has no event source of its own: put it beside one into a "
	    "falco.yaml and use mews run -c",
	    p->name);
	return STEP_FAILED;
}

/* Its own source alone. */
static enum step_rc
step_select_own_source(struct app *app, struct err *err)
{
	for (uint32_t i = 0; i < app->n_source; i++)
		app->source[i].enabled = app->source[i].origin != NULL;
	return STEP_NEXT;
}

static int
run_plugin(struct app *app, const struct own_options *own)
{
	app_step_fn *const steps[] = {step_keep, step_start_workers, step_load_plugins,
	    step_confine_self, step_require_source, step_init_sources,
	    step_select_own_source, show_unless_rules(app, own->fields), step_outputs,
	    step_process_events};

	app->max_events = own->max_events;
	return single_run(
	    app, own, app->options->word.value, 1, steps, sizeof(steps) / sizeof(*steps));
}

int
cmd_run(int argc, char **argv)
{
	struct command_line line;
	struct app app = {.options = &line.options};
	int status;

	if (!command_line_take(&line, OWN_RUN, usage, argc, argv, &status))
		return status;
	const size_t n = line.options.word.n;
	if (n > 1 || (n == 1 && line.options.config))
		return command_line_misused(
		    &line, "one plugin or one configuration, not both or several", usage);
	app.write_path = line.own.write;
	status = n == 1 ? run_plugin(&app, &line.own) : app_run(&app);
	command_line_release(&line);
	return status;
}
