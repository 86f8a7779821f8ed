/* SPDX-License-Identifier: Apache-2.0 */
/* The webserver of falco.yaml: health, readiness, versions, metrics. */
#ifndef BROKER_OPERATORS_WEB_H
#define BROKER_OPERATORS_WEB_H

#include "broker/app/app.h"

struct metrics;
struct web;

/* As the settings say; app and metrics outlive it. Fails with Falco's text. */
struct web *web_new(struct app *app, const struct metrics *metrics, struct err *err);
void web_free(struct web *w);

#endif
