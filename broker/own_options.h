/* SPDX-License-Identifier: Apache-2.0 */
/* The options of our sub-commands, taken out of argv; what is left is Falco's. */
#ifndef BROKER_OWN_OPTIONS_H
#define BROKER_OWN_OPTIONS_H

#include <stdint.h>

#include "broker/options.h"

enum own_command {
	OWN_RUN = 1,
	OWN_INFO = 2,
	OWN_CHECK = 4,
	OWN_TEST = 8,
	OWN_EXPLAIN = 16,
	OWN_LIST = 32,
	OWN_REPLAY = 64,
	OWN_AUTHORS = OWN_CHECK | OWN_TEST | OWN_EXPLAIN | OWN_LIST,
};

struct own_options {
	const char *init_config, *open_params, *fields, *sandbox, *event, *write;
	struct option_list plugin;
	uint64_t max_events; /* 0: no bound */
	bool help, json, cost, no_hints, strict;
};

/* Removes the options of this command, and --help, from argv; *argc shrinks. */
bool own_options_take(struct own_options *o, enum own_command command, int *argc,
    char **argv, struct err *err);
void own_options_release(struct own_options *o);

#endif
