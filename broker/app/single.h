/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins by their paths, without any configuration: what "mews run PLUGIN.so" and
 * "mews plugin-info PLUGIN.so" begin with. */
#ifndef BROKER_APP_SINGLE_H
#define BROKER_APP_SINGLE_H

#include "broker/app/app.h"
#include "broker/options/own_options.h"

/* Settings with the plugins at these paths as the only entries, into app. Configuration,
 * parameters and sandbox are the first one's. */
bool single_settings(struct app *app, const struct own_options *own,
    const char *const *path, size_t n, struct err *err);
/* The whole run of these plugins by these steps; a mistake is told. Returns the exit
 * status. */
int single_run(struct app *app, const struct own_options *own, const char *const *path,
    size_t n, app_step_fn *const *step, size_t n_step);

#endif
