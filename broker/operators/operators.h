/* SPDX-License-Identifier: Apache-2.0 */
/* What operators see of a running broker: webserver, metrics, control socket, systemd's
 * notifications, watched files. Made, renewed and ended together. */
#ifndef BROKER_OPERATORS_OPERATORS_H
#define BROKER_OPERATORS_OPERATORS_H

#include "broker/app/app.h"

struct operators;

/* Before the sources are opened: probes get an answer from then on. app outlives it. */
struct operators *operators_new(struct app *app, struct err *err);
void operators_free(struct operators *o);

/* All sources are open. */
void operators_ready(struct operators *o);
/* A reload has begun, and has ended: app->settings are then those that hold, before the
 * ones that held before (the same after a failure). */
void operators_reloading(struct operators *o);
void operators_reloaded(struct operators *o, const struct settings *before);
struct ctl;
struct ctl *operators_ctl(struct operators *o);
/* NULL is allowed: there was nothing to stop. */
void operators_stopping(struct operators *o);

#endif
