/* SPDX-License-Identifier: Apache-2.0 */
/* "mews tap PLUGIN": events of a running broker with their fields, as they pass. */
#include <stdio.h>

#include "broker/cmd/commands.h"
#include "broker/operators/ctl_client.h"

static const char usage[] =
    "mews tap [--socket PATH | -c falco.yaml] PLUGIN\n"
    "\n"
    "Prints the events of the source that PLUGIN reads, each a line of JSON, with those "
    "of "
    "the\n"
    "plugin's fields that the rules asked for. Lines beyond a rate are skipped; the next "
    "one\n"
    "says how many. Nothing slows down because somebody looks.\n"
    "\n"
    "  mews tap k8saudit\n"
    "  mews tap dummy | jq -c .fields\n";

int
cmd_tap(int argc, char **argv)
{
	struct ctl_client_options o;
	struct ctl_connection c;
	const char *line;
	struct err err;

	if (!ctl_client_options_take(&o, argc, argv, &err)) {
		fprintf(stderr, "Error: %s\n", err.msg);
		return 1;
	}
	if (o.help || o.n_word != 1) {
		fputs(usage, stdout);
		return !o.help;
	}
	if (!ctl_connect(&c, &o, &err) || !ctl_ask(&c, "tap", o.word[0], &line, &err)) {
		fprintf(stderr, "Error: %s\n", err.msg);
		ctl_disconnect(&c);
		return 1;
	}
	while (ctl_hear(&c, &line, &err)) {
		if (puts(line) < 0 || fflush(stdout) != 0)
			break;
	}
	ctl_disconnect(&c);
	return 0;
}
