/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "mews replay": the events of a capture file, for a whole configuration or for plugins
 * given by their paths; without rules these print every event with its fields.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "broker/app/confine_self.h"
#include "broker/app/single.h"
#include "broker/cmd/commands.h"
#include "broker/options/command_line.h"
#include "broker/run/run.h"
#include "broker/run/show.h"

static const char usage[] =
    "mews replay FILE [-c falco.yaml] [-r RULES]… [FALCO'S FLAGS]\n"
    "mews replay FILE PLUGIN.so… [--fields a,b[c],…] [-r RULES]… [-n EVENTS]\n"
    "         [--init-config TEXT] [--sandbox '{profile: …}'] [-o key=value]…\n"
    "\n"
    "FILE is a capture that mews, Falco or sysdig wrote. The first form judges its "
    "events by\n"
    "the rules of a configuration; the second needs none and prints each event with its\n"
    "fields as a line of JSON, or the alerts of RULES. Plugins extract fields, each\n"
    "confined, and open no source; --init-config and --sandbox are the first one's.\n"
    "\n"
    "  mews run -c falco.yaml --write events.scap && mews replay events.scap -c "
    "falco.yaml\n"
    "  mews replay events.scap libk8saudit.so libjson.so --fields ka.verb,ka.user.name\n"
    "  falco -o engine.kind=replay -o engine.replay.capture_file=events.scap\n";

static int
replay_for_plugins(struct app *app, const struct own_options *own)
{
	app_step_fn *const steps[] = {step_keep, step_start_workers, step_load_plugins,
	    step_confine_self, step_init_sources, show_unless_rules(app, own->fields),
	    step_outputs, step_process_events};
	const struct option_list *word = &app->options->word;

	return single_run(app, own, word->value + 1, word->n - 1, steps,
	    sizeof(steps) / sizeof(*steps));
}

/* The file as options of Falco, so that a reload finds it again: absolute, for a value in
 * braces would be more than text. */
static bool
add_options(struct option_list *list, const char *file, struct buf *text, struct err *err)
{
	const char **grown = reallocarray(list->value, list->n + 2, sizeof(*grown));
	char *full = realpath(file, NULL); /* NULL: opening it will say why */

	buf_addf(text, "engine.replay.capture_file=%s", full ? full : file);
	free(full);
	if (!grown || text->failed)
		return err_nomem(err);
	list->value = grown;
	list->value[list->n++] = "engine.kind=replay";
	list->value[list->n++] = buf_str(text);
	return true;
}

static int
replay(struct app *app, struct options *options, const struct own_options *own)
{
	struct buf text;
	struct err err;
	int status = 1;

	buf_init(&text, PATH_MAX + 64);
	app->max_events = own->max_events;
	app->write_path = own->write;
	if (options->word.n > 1 && options->config)
		fprintf(stderr, "Error: plugins or one configuration, not both\n");
	else if (!add_options(&options->option, options->word.value[0], &text, &err))
		fprintf(stderr, "Error: %s\n", err.msg);
	else
		status =
		    options->word.n > 1 ? replay_for_plugins(app, own) : app_run(app);
	buf_release(&text);
	return status;
}

int
cmd_replay(int argc, char **argv)
{
	struct command_line line;
	struct app app = {.options = &line.options};
	int status;

	if (!command_line_take(&line, OWN_REPLAY, usage, argc, argv, &status))
		return status;
	if (line.options.word.n == 0)
		return command_line_misused(&line, "which file?", usage);
	status = replay(&app, &line.options, &line.own);
	command_line_release(&line);
	return status;
}
