/* SPDX-License-Identifier: Apache-2.0 */
/* The options of our sub-commands, taken out of argv; what is left is Falco's. */
#ifndef BROKER_OPTIONS_OWN_OPTIONS_H
#define BROKER_OPTIONS_OWN_OPTIONS_H

#include <stdint.h>

#include "broker/options/options.h"

/* Commands that have rows in own_option_table.h: C(id, bit, name). */
#define OWN_COMMANDS(C)                                                                  \
	C(RUN, 1, "run")                                                                 \
	C(INFO, 2, "plugin-info")                                                        \
	C(CHECK, 4, "check")                                                             \
	C(TEST, 8, "test")                                                               \
	C(EXPLAIN, 16, "explain")                                                        \
	C(LIST, 32, "list")                                                              \
	C(REPLAY, 64, "replay")

enum own_command {
#define OWN_COMMAND_ENUM(id, bit, name) OWN_##id = (bit),
	OWN_COMMANDS(OWN_COMMAND_ENUM)
#undef OWN_COMMAND_ENUM
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
