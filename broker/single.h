/* SPDX-License-Identifier: Apache-2.0 */
/* One plugin by its path, without any configuration: what "mews run PLUGIN.so" and
 * "mews plugin-info PLUGIN.so" begin with. */
#ifndef BROKER_SINGLE_H
#define BROKER_SINGLE_H

#include "broker/app.h"

/* Options of ours, taken out of argv; Falco's are left. */
struct single_options {
	const char *init_config, *open_params, *fields, *sandbox;
	uint64_t max_events; /* 0: no bound */
	bool help;
};

/* Removes what it knows from argv; *argc shrinks. */
bool single_options_take(
    struct single_options *so, int *argc, char **argv, struct err *err);
/* Settings with the plugin at path as the only entry, into app. */
bool single_settings(
    struct app *app, const struct single_options *so, const char *path, struct err *err);

#endif
