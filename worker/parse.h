/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events on their way to parse_event. What it answers does not matter to the event, as in
 * Falco: a failure is counted, and told on the debug level.
 */
#ifndef WORKER_PARSE_H
#define WORKER_PARSE_H

#include "worker/host.h"
#include "worker/plugin.h"

struct parser {
	struct plugin *plugin;
	struct host *host;
	struct plugin_parse_input input; /* what every call is given */
	struct complaint failed;
};

void parser_init(struct parser *p, struct plugin *plugin, struct host *host);

/* When the plugin parses events of this type and of the source that evtsrc names. */
void parse_event(struct parser *p, const struct plugin_event_input *in);

#endif
