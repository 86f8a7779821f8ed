/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "broker/app/actions.h"
#include "broker/app/author.h"
#include "broker/cmd/commands.h"

static const char usage[] =
    "mews list [SOURCE] [-c falco.yaml | --plugin FILE]… [--format text|markdown|json]\n"
    "          [-N] [-v]\n"
    "\n"
    "Prints the fields that conditions and outputs may use, those of SOURCE or all. -N\n"
    "prints names alone, -v types, too. Of plugins given with --plugin nothing is run "
    "but\n"
    "what tells their fields.\n"
    "\n"
    "  mews list -c /etc/mews/falco.yaml\n"
    "  mews list k8s_audit --plugin libk8saudit.so --plugin libjson.so -N\n"
    "  mews list --plugin libjson.so --plugin libdummy.so --format markdown > "
    "fields.md\n";

static enum step_rc
step_list(struct app *app, struct err *err)
{
	const struct options *o = app->options;
	const struct listing_options how = {
	    .source = o->word.n ? o->word.value[0] : NULL,
	    .format = action_format(o),
	    .names_only = o->names_only,
	    .types = o->verbose,
	};
	struct buf out;

	if (how.source && !field_catalog_source(&app->catalog, how.source)) {
		err_set(err, ERR_USAGE, "there is no event source '%s' here", how.source);
		return STEP_FAILED;
	}
	buf_init(&out, LIMIT_CONFIG_BYTES);
	if (!listing_print(&app->catalog, &how, &out, err)) {
		buf_release(&out);
		return STEP_FAILED;
	}
	return action_print(&out, err);
}

int
cmd_list(int argc, char **argv)
{
	app_step_fn *const steps[] = {step_list};
	struct author a;
	int status;

	if (!author_begin(&a, OWN_LIST, usage, argc, argv, &status))
		return status;
	if (a.line.options.word.n > 1)
		return author_misused(&a, "list", "one source or none");
	return author_run(&a, steps, 1);
}
